"""The two types of load balancer: what an application's and a network's one differ in."""

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from moto.elbv2.models import AvailabilityZone, FakeLoadBalancer

from lab.cloud import changes
from lab.cloud.elbv2 import attributes, hosted_zones


class LoadBalancer(FakeLoadBalancer):
    """moto's, with its own network interfaces and every attribute an ALB has."""

    path: ClassVar[str] = "app"
    hosted_zones: ClassVar[Mapping[str, str]] = hosted_zones.APPLICATION
    known_attributes: ClassVar[Mapping[str, attributes.Attribute]] = attributes.LOAD_BALANCER
    min_zones: ClassVar[int] = 2
    interface_type: ClassVar[str] = "interface"

    def __init__(self, *, region_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.canonical_hosted_zone_id = self.hosted_zones[region_name]
        self.attrs = attributes.defaults(self.known_attributes)
        if self.scheme == "internal":
            self.attrs["ipv6.deny_all_igw_traffic"] = "true"
        self.network_interfaces: dict[str, str] = {}  # subnet id -> interface id
        self.addresses: dict[str, str] = {}  # subnet id -> the address that its interface must have

    @staticmethod
    def name_in_dns(name: str, number: str, region: str, internal: bool) -> str:
        decimal = secrets.randbelow(9 * 10**8) + 10**8
        prefix = "internal-" if internal else ""
        return f"{prefix}{name}-{decimal}.{region}.elb.amazonaws.com"

    def activate(self) -> None:
        """Provisioning takes minutes in AWS; here it is over when somebody looks."""
        if self.state == "provisioning":
            self.state = "active"
            changes.changed("elbv2")


class NetworkLoadBalancer(LoadBalancer):
    """Has security groups for ever or never, as it was created, and may have fixed addresses."""

    path = "net"
    hosted_zones = hosted_zones.NETWORK
    known_attributes = attributes.NETWORK_LOAD_BALANCER
    min_zones = 1
    interface_type = "network_load_balancer"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, loadbalancer_type="network")
        self.enforce_security_group_inbound_rules_on_private_link_traffic = (
            "on" if self.security_groups else None
        )

    @staticmethod
    def name_in_dns(name: str, number: str, region: str, internal: bool) -> str:
        """Below it, `<availability zone>.<name>` is the name in one zone."""
        return f"{name}-{number}.elb.{region}.amazonaws.com"

    @property
    def availability_zones(self) -> list[AvailabilityZone]:
        zones = super().availability_zones
        for zone in zones:
            fixed: Any = self.addresses.get(zone.subnet_id)
            found: Any = [{"PrivateIPv4Address": fixed}] if fixed else []
            zone.load_balancer_addresses = found  # type: ignore[attr-defined]
        return zones


TYPES: dict[str, type[LoadBalancer]] = {
    "application": LoadBalancer,
    "network": NetworkLoadBalancer,
}
