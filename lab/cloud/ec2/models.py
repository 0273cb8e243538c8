"""EC2's backend: moto's, with what this lab adds or refuses (moto's form)."""

import ipaddress
from typing import Any

from moto.ec2.exceptions import InvalidSubnetRangeError, InvalidVPCIdError
from moto.ec2.models import EC2Backend as MotoEC2Backend
from moto.ec2.models.subnets import Subnet
from moto.ec2.models.vpcs import VPC

from lab.cloud.ec2.addresses import NetworkInterfaceBackend
from lab.cloud.ec2.connections import ConnectionBackend
from lab.cloud.ec2.endpoints import VpcEndpointBackend
from lab.cloud.ec2.exceptions import dependency_violation, invalid_parameter_value
from lab.cloud.ec2.flow_logs import FlowLogsBackend
from lab.cloud.ec2.notifications import NotificationBackend
from lab.cloud.ec2.security_groups import SecurityGroupBackend
from lab.cloud.ec2.service_permissions import ServicePermissionBackend
from lab.cloud.ec2.zones import ZoneBackend, ZonedSubnet

SUBNET_PREFIX_LENGTHS = range(16, 29)


class Backend(
    NetworkInterfaceBackend,
    VpcEndpointBackend,
    SecurityGroupBackend,
    FlowLogsBackend,
    ServicePermissionBackend,
    ConnectionBackend,
    NotificationBackend,
    ZoneBackend,
    MotoEC2Backend,
):
    """Everything that "Subnet CIDR blocks" and the API reference say is refused, is refused."""

    def create_vpc(self, cidr_block: str, *args: Any, **kwargs: Any) -> VPC:
        return super().create_vpc(canonical(cidr_block), *args, **kwargs)

    def create_subnet(
        self,
        vpc_id: str,
        cidr_block: str,
        ipv6_cidr_block: str | None = None,
        availability_zone: str | None = None,
        availability_zone_id: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Subnet:
        """Raises InvalidSubnet.Range, InvalidSubnet.Conflict or InvalidParameterValue."""
        cidr_block = canonical(cidr_block)
        if int(cidr_block.partition("/")[2] or 32) not in SUBNET_PREFIX_LENGTHS:
            raise InvalidSubnetRangeError(cidr_block)
        zones = {zone.name: zone for zone in self.describe_availability_zones()}
        if availability_zone_id:
            by_id = {zone.zone_id: zone.name for zone in zones.values()}
            availability_zone = by_id.get(availability_zone_id)
        if availability_zone not in zones:
            raise invalid_parameter_value(
                f"Value ({availability_zone or availability_zone_id}) for parameter"
                " availabilityZone is invalid. Subnets can currently only be created in the"
                f" following availability zones: {', '.join(zones)}."
            )
        subnet = super().create_subnet(
            vpc_id, cidr_block, ipv6_cidr_block, availability_zone, None, *args, **kwargs
        )
        subnet.__class__ = ZonedSubnet
        subnet._availability_zone = zones[availability_zone]
        if not self.get_vpc(vpc_id).is_default:
            subnet.default_for_az = subnet.map_public_ip_on_launch = False
        return subnet

    def delete_subnet(self, subnet_id: str) -> Subnet:
        if any(interface.subnet.id == subnet_id for interface in self.enis.values()):
            raise dependency_violation(
                f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            )
        return super().delete_subnet(subnet_id)

    def delete_vpc(self, vpc_id: str) -> VPC:
        if vpc_id not in self.vpcs:
            raise InvalidVPCIdError(vpc_id)
        others = [group for group in self.groups[vpc_id].values() if not group.is_default]
        endpoints = [each for each in self.vpc_end_points.values() if each.vpc_id == vpc_id]
        if others or endpoints:
            raise dependency_violation(
                f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
            )
        return super().delete_vpc(vpc_id)


def canonical(cidr_block: str) -> str:
    """EC2 turns 100.68.0.18/18 into 100.68.0.0/18 ("CreateVpc"); moto refuses what is none."""
    try:
        return str(ipaddress.IPv4Network(cidr_block, strict=False))
    except ValueError:
        return cidr_block
