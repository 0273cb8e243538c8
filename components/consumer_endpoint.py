import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import pulumi
from pulumi_aws import ec2, route53, vpc

from components.addresses import parse_network
from components.domains import check_domain
from components.regions import check_cross_region_zones, check_region
from components.security_groups import Client, client_groups

Dns = Literal["private-dns-name", "private-hosted-zone"]

WIDEST_CLIENT_CIDR = 8
"""Prefix length: of the private blocks the largest is 10.0.0.0/8 (RFC 1918 section 3)."""

_SERVICE_NAME = re.compile(r"[a-z0-9.-]+\.vpce-svc-[0-9a-f]+")


@dataclass(frozen=True, kw_only=True)
class ConsumerEndpointArgs:
    """`clients` go by names of yours, `subnet_ids` by zone id.

    `service_name` and `service_zone_ids` come from the provider of the service; so does `domain`,
    the name it is called by. `client_cidrs` admits what has no security group to name, such as a
    network of one's own beyond the VPC.

    `dns` says who makes `domain` lead to the endpoint: the 'private-dns-name' of the service, which
    its provider must have verified, or a 'private-hosted-zone' here. To change it, delete the
    endpoint first: a VPC takes one of the two.

    `service_region` is where the service is, if not here; its zones are then not compared.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    domain: str
    service_name: pulumi.Input[str]
    service_zone_ids: pulumi.Input[Sequence[str]]
    clients: Mapping[str, Client] = field(default_factory=dict[str, Client])
    client_cidrs: tuple[str, ...] = ()
    dns: Dns = "private-dns-name"
    service_region: str | None = None

    def __post_init__(self) -> None:
        check_domain("domain", self.domain)
        if self.dns not in get_args(Dns):
            raise ValueError(
                f"dns: want 'private-dns-name' or 'private-hosted-zone'; got {self.dns!r}"
            )
        if isinstance(self.service_name, str) and not _SERVICE_NAME.fullmatch(self.service_name):
            raise ValueError(
                "service_name: want the name of an endpoint service, such as "
                "'com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0'; "
                f"got {self.service_name!r}"
            )
        _check_cidrs("client_cidrs", self.client_cidrs)
        if not self.subnet_ids:
            raise ValueError("subnet_ids: want at least one zone, such as 'euw1-az1'; got none")
        if self.service_region is not None:
            check_region("service_region", self.service_region)
            check_cross_region_zones("subnet_ids", self.subnet_ids)
        elif isinstance(self.service_zone_ids, Sequence):
            check_service_zones("subnet_ids", self.subnet_ids, self.service_zone_ids)


class ConsumerEndpoint(pulumi.ComponentResource):
    """The interface endpoint by which a customer's clients reach the service, under its own name.

    Made in the customer's account; it needs nothing else of this project. It has no endpoint
    policy: PrivateLink asks none for services that are not AWS's (AWS PrivateLink guide, "Control
    access to VPC endpoints using endpoint policies").

    The provider may have to accept the endpoint. Its private DNS name cannot be turned on before,
    so it is on from the first `pulumi up --refresh` after.
    """

    endpoint_id: pulumi.Output[str]
    """What the provider asks for, to accept the connection."""
    state: pulumi.Output[str]
    """'pendingAcceptance' or 'available', among others, when last looked at."""
    dns_name: pulumi.Output[str]
    url: pulumi.Output[str]
    client_security_group_ids: dict[str, pulumi.Output[str]]
    """By client: put what calls the service into this group."""

    def __init__(
        self, name: str, args: ConsumerEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:ConsumerEndpoint", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        group = ec2.SecurityGroup(
            f"{name}-group",
            vpc_id=args.vpc_id,
            description="Endpoint: from listed clients",
            opts=mine,
        )
        self.client_security_group_ids = client_groups(
            name, args.clients, args.vpc_id, group.id, "may connect to the endpoint", mine
        )
        self._admit_cidrs(name, args.client_cidrs, group)
        endpoint = ec2.VpcEndpoint(
            f"{name}-vpce",
            vpc_id=args.vpc_id,
            vpc_endpoint_type="Interface",
            service_name=args.service_name,
            service_region=args.service_region,
            subnet_ids=_subnets_in_service_zones(args),
            security_group_ids=[group.id],
            opts=mine,
        )
        regional = endpoint.dns_entries[0]
        if args.dns == "private-dns-name":
            vpc.EndpointPrivateDns(
                f"{name}-private-dns",
                vpc_endpoint_id=endpoint.id,
                private_dns_enabled=endpoint.state.apply(lambda state: state == "available"),
                opts=mine,
            )
        else:
            self._give_name(name, args, regional.dns_name, regional.hosted_zone_id)
        self.endpoint_id = endpoint.id
        self.state = endpoint.state
        self.dns_name = regional.dns_name
        self.url = pulumi.Output.from_input(f"https://{args.domain}")
        self.register_outputs(
            {
                "endpoint_id": self.endpoint_id,
                "state": self.state,
                "dns_name": self.dns_name,
                "url": self.url,
                "client_security_group_ids": self.client_security_group_ids,
            }
        )

    def _admit_cidrs(self, name: str, cidrs: tuple[str, ...], group: ec2.SecurityGroup) -> None:
        for cidr in cidrs:
            vpc.SecurityGroupIngressRule(
                f"{name}-from-{cidr}",
                security_group_id=group.id,
                cidr_ipv4=cidr,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _give_name(
        self,
        name: str,
        args: ConsumerEndpointArgs,
        dns_name: pulumi.Input[str],
        zone_id: pulumi.Input[str],
    ) -> None:
        """`domain` leads to the endpoint, in this VPC and nowhere else."""
        mine = pulumi.ResourceOptions(parent=self)
        zone = route53.Zone(
            f"{name}-zone", name=args.domain, vpcs=[{"vpc_id": args.vpc_id}], opts=mine
        )
        route53.Record(
            f"{name}-alias",
            zone_id=zone.id,
            name=args.domain,
            type="A",
            aliases=[{"name": dns_name, "zone_id": zone_id, "evaluate_target_health": False}],
            opts=mine,
        )


def check_service_zones(field: str, zones: Mapping[str, object], service: Sequence[str]) -> None:
    """Refuse zones where the service is not: EC2 makes no endpoint there.

    Zones are compared by id, which means the same place in every account (AWS PrivateLink guide,
    "Create a service powered by AWS PrivateLink"). Raises ValueError naming `field`.
    """
    if elsewhere := sorted(set(zones) - set(service)):
        raise ValueError(
            f"{field}: want zones of the service, which is in {', '.join(sorted(service))}; "
            f"got {', '.join(sorted(zones))}, where {', '.join(elsewhere)} is none of them"
        )


def _subnets_in_service_zones(args: ConsumerEndpointArgs) -> list[pulumi.Output[str]]:
    """The subnets, known only when their zones are found to be the service's.

    The zones are looked at by themselves, and so in a preview too, when the subnets are not made.
    """

    def check(service: Sequence[str]) -> None:
        if args.service_region is None:
            check_service_zones("subnet_ids", args.subnet_ids, service)

    checked = pulumi.Output.from_input(args.service_zone_ids).apply(check)
    return [
        pulumi.Output.all(subnet, checked).apply(lambda values: str(values[0]))
        for subnet in args.subnet_ids.values()
    ]


def _check_cidrs(field: str, cidrs: tuple[str, ...]) -> None:
    for cidr in cidrs:
        network = parse_network(field, cidr)
        if network.prefixlen < WIDEST_CLIENT_CIDR:
            raise ValueError(
                f"{field}: want blocks of /{WIDEST_CLIENT_CIDR} or smaller, such as "
                f"'10.20.0.0/16'; got {cidr!r}"
            )
    if len(set(cidrs)) < len(cidrs):
        raise ValueError(f"{field}: want each block once; got {', '.join(cidrs)}")
