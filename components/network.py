from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network

import pulumi
from pulumi_aws import cloudwatch, ec2

from components import policies
from components.addresses import (
    check_endpoint_ips,
    check_subnets,
    check_vpc,
    check_zones,
    endpoint_block,
    endpoint_ip,
)
from components.service_role import ServiceRole, ServiceRoleArgs


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """`subnets` maps an Availability Zone id to the CIDR block of the private subnet made there.

    Zones are named by id ('euw1-az1'), which means the same place in every account; a name such as
    'eu-west-1a' does not (AWS RAM user guide, "Availability Zone IDs for your AWS resources").
    """

    cidr_block: IPv4Network
    subnets: Mapping[str, IPv4Network]
    log_retention_days: int = 90

    def __post_init__(self) -> None:
        check_vpc("cidr_block", self.cidr_block)
        check_subnets("subnets", self.cidr_block, self.subnets)


@dataclass(frozen=True, kw_only=True)
class ExistingNetworkArgs:
    """A VPC that is there already, with its private subnets by zone id.

    `endpoint_ips` names, by the same zone ids, an address that is free in each subnet and stays so:
    only who runs the VPC knows one. Leave it out where nothing asks for fixed addresses.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    endpoint_ips: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        check_zones("subnet_ids", self.subnet_ids)
        if self.endpoint_ips:
            check_endpoint_ips("endpoint_ips", self.subnet_ids, self.endpoint_ips)


class Network(pulumi.ComponentResource):
    """A VPC with private subnets, flow logs and an empty default security group; or one adopted.

    No internet or NAT gateway: nothing on the request path needs a way out. Of an adopted VPC
    nothing is managed or changed here.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: dict[str, pulumi.Output[str]]
    """By zone id, as in the arguments."""
    endpoint_ips: dict[str, str]
    """By zone id: the address for an endpoint in that subnet, known before anything exists.

    Empty for an adopted VPC of which none was named.
    """

    def __init__(
        self,
        name: str,
        args: NetworkArgs | ExistingNetworkArgs,
        opts: pulumi.ResourceOptions | None = None,
    ):
        super().__init__("mtls:index:Network", name, None, opts)
        if isinstance(args, NetworkArgs):
            self._create(name, args)
        else:
            self.vpc_id = pulumi.Output.from_input(args.vpc_id)
            self.subnet_ids = {
                zone: pulumi.Output.from_input(subnet) for zone, subnet in args.subnet_ids.items()
            }
            self.endpoint_ips = dict(args.endpoint_ips)
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "subnet_ids": self.subnet_ids,
                "endpoint_ips": self.endpoint_ips,
            }
        )

    def _create(self, name: str, args: NetworkArgs) -> None:
        mine = pulumi.ResourceOptions(parent=self)
        vpc = ec2.Vpc(
            f"{name}-vpc",
            cidr_block=str(args.cidr_block),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": name},
            opts=mine,
        )
        # Adopting the default group without rules empties it (Security Hub EC2.2).
        ec2.DefaultSecurityGroup(f"{name}-default", vpc_id=vpc.id, opts=mine)
        subnets = {
            zone: self._subnet(f"{name}-{zone}", vpc, zone, block)
            for zone, block in args.subnets.items()
        }
        self._log_flows(name, vpc, args.log_retention_days)
        self.vpc_id = vpc.id
        self.subnet_ids = {zone: subnet.id for zone, subnet in subnets.items()}
        self.endpoint_ips = {zone: str(endpoint_ip(block)) for zone, block in args.subnets.items()}

    def _subnet(self, name: str, vpc: ec2.Vpc, zone: str, block: IPv4Network) -> ec2.Subnet:
        mine = pulumi.ResourceOptions(parent=self)
        subnet = ec2.Subnet(
            name,
            vpc_id=vpc.id,
            availability_zone_id=zone,
            cidr_block=str(block),
            tags={"Name": name},
            opts=mine,
        )
        # A load balancer takes any free address; an explicit reservation keeps it off these.
        ec2.SubnetCidrReservation(
            f"{name}-endpoint-addresses",
            subnet_id=subnet.id,
            cidr_block=str(endpoint_block(block)),
            reservation_type="explicit",
            description="Fixed addresses of interface endpoints",
            opts=mine,
        )
        return subnet

    def _log_flows(self, name: str, vpc: ec2.Vpc, retention_days: int) -> None:
        mine = pulumi.ResourceOptions(parent=self)
        logs = cloudwatch.LogGroup(f"{name}-flows", retention_in_days=retention_days, opts=mine)
        role = ServiceRole(
            f"{name}-flow-logs",
            ServiceRoleArgs(
                service="vpc-flow-logs.amazonaws.com",
                for_this_account_only=True,
                policy=logs.arn.apply(policies.flow_logs),
            ),
            mine,
        )
        ec2.FlowLog(
            f"{name}-flow-log",
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            opts=mine,
        )
