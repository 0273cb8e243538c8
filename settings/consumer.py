"""A customer's stack: where the service is, and who of its own may call it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from components import Client, ExistingNetworkArgs, NetworkArgs
from components.consumer_endpoint import Dns, check_service_zones
from settings import tenants
from settings.network import clients, network, new_network
from settings.reader import PROJECT, Reader, SettingError

KEYS = ("serviceName", "serviceZones", "serviceRegion", "producerStack", "clientCidrs")
"""What only a consumer has, besides a choice of `dns`."""


@dataclass(frozen=True, kw_only=True)
class ConsumerSettings:
    """The service is named by `service_name` and `service_zone_ids`, or by the `producer_stack`
    that has them as outputs; by neither in a stack that is producer as well.
    """

    network: NetworkArgs | ExistingNetworkArgs
    domain: str
    service_name: str
    service_zone_ids: tuple[str, ...]
    service_region: str | None
    producer_stack: str
    clients: Mapping[str, Client]
    client_cidrs: tuple[str, ...]
    dns: Dns

    @property
    def zones(self) -> tuple[str, ...]:
        """Where its subnets are, by zone id."""
        args = self.network
        return tuple(args.subnets if isinstance(args, NetworkArgs) else args.subnet_ids)


def consumer_settings(read: Reader) -> ConsumerSettings:
    """Those of a stack whose role is consumer. Raises SettingError."""
    settings = ConsumerSettings(
        network=network(read, fixed_addresses=False),
        domain=read.domain("domain"),
        service_name=read.raw("serviceName"),
        service_zone_ids=read.texts("serviceZones", "[euw1-az1, euw1-az2]"),
        service_region=read.raw("serviceRegion") or None,
        producer_stack=read.raw("producerStack"),
        clients=clients(read),
        client_cidrs=read.texts("clientCidrs", "[10.30.8.0/24]"),
        dns=read.one_of("dns", get_args(Dns)),
    )
    if bool(settings.service_name) == bool(settings.producer_stack):
        raise SettingError(
            f"{PROJECT}:serviceName, {PROJECT}:producerStack: want one of the two, such as "
            "'com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0'; "
            f"got {'both' if settings.service_name else 'neither'}"
        )
    if settings.producer_stack.count("/") not in (0, 2):
        raise SettingError(
            f"{PROJECT}:producerStack: want 'organization/project/stack'; "
            f"got {settings.producer_stack!r}"
        )
    if bool(settings.service_name) != bool(settings.service_zone_ids):
        raise SettingError(
            f"{PROJECT}:serviceZones: want the zone ids of the service beside "
            f"{PROJECT}:serviceName, such as [euw1-az1, euw1-az2]; "
            f"got {', '.join(settings.service_zone_ids) or 'none'}"
        )
    if settings.service_zone_ids and settings.service_region is None:
        key = "subnets" if isinstance(settings.network, NetworkArgs) else "subnetIds"
        zones = dict.fromkeys(settings.zones)
        check_service_zones(f"{PROJECT}:{key}", zones, settings.service_zone_ids)
    return settings


def own_customer(read: Reader, domain: str) -> ConsumerSettings | None:
    """A customer beside its producer, in a VPC of its own: to try PrivateLink with one account."""
    if not read.raw("consumerVpcCidr"):
        read.refuse(["consumerSubnets"], "all-in-one without consumerVpcCidr")
        return None
    return ConsumerSettings(
        network=new_network(read, "consumerVpcCidr", "consumerSubnets"),
        domain=domain,
        service_name="",
        service_zone_ids=(),
        service_region=None,
        producer_stack="",
        clients=clients(read, *tenants.KEYS),
        client_cidrs=(),
        dns="private-hosted-zone",
    )
