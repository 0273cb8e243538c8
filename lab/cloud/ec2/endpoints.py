"""Interface VPC endpoints with their network interfaces, fixed addresses, policies and private DNS.

"CreateVpcEndpoint" and "ModifyVpcEndpoint" in the Amazon EC2 API Reference; "Access an AWS service
using an interface VPC endpoint" in AWS PrivateLink. Gateway endpoints are moto's own. Not modelled:
dual stack, cross-region services, the time that deletion takes.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from moto.ec2.exceptions import InvalidServiceName
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES, VPCEndPoint
from moto.ec2.utils import random_resource_id, random_vpc_ep_id

from lab.cloud.ec2.exceptions import (
    endpoint_not_found,
    invalid_parameter,
    two_subnets_in_one_zone,
)
from lab.cloud.ec2.policies import DEFAULT_POLICY, check_endpoint_policy

GATEWAY_SERVICES = ("s3", "dynamodb")


class InterfaceEndpoint(VPCEndPoint):
    """One interface endpoint; its interfaces are kept by subnet id."""

    def __init__(self, backend: Any, request: Mapping[str, Any], tags: dict[str, str]) -> None:
        super().__init__(
            backend,
            random_vpc_ep_id(),
            request["VpcId"],
            request["ServiceName"],
            "Interface",
            request.get("PolicyDocument") or DEFAULT_POLICY,
            route_table_ids=[],
            security_group_ids=list(request.get("SecurityGroupIds", [])),
            client_token=request.get("ClientToken"),
            private_dns_enabled=request.get("PrivateDnsEnabled", True),
        )
        self.state = "pending"
        self.ip_address_type = request.get("IpAddressType", "ipv4")
        self.dns_options = {"DnsRecordIpType": self.ip_address_type} | request.get("DnsOptions", {})
        self.requester_managed = False
        self._label = random_resource_id(8)
        self.interfaces: dict[str, Any] = {}
        self.add_tags(tags)

    @property
    def network_interface_ids(self) -> list[str]:
        return [interface.id for interface in self.interfaces.values()]

    @network_interface_ids.setter
    def network_interface_ids(self, _ids: list[str]) -> None:
        """Moto's constructor assigns the list; here it follows from the interfaces."""

    @property
    def subnet_ids(self) -> list[str]:
        return list(self.interfaces)

    @subnet_ids.setter
    def subnet_ids(self, _ids: list[str] | None) -> None:
        """As above."""

    @property
    def dns_entries(self) -> list[dict[str, str]]:
        service, region = endpoint_service(self.service_name), self.ec2_backend.region_name
        zone_id = hosted_zone_id(f"vpce.{region}")
        zones = [interface.subnet.availability_zone for interface in self.interfaces.values()]
        hosts = [self._label, *(f"{self._label}-{zone}" for zone in zones)]
        entries = [
            {
                "DnsName": f"{self.id}-{host}.{service}.{region}.vpce.amazonaws.com",
                "HostedZoneId": zone_id,
            }
            for host in hosts
        ]
        if self.private_dns_enabled:
            zone_id = hosted_zone_id(f"{self.id} {self.service_name}")
            entries.append({"DnsName": private_name(self.service_name), "HostedZoneId": zone_id})
        return entries

    @dns_entries.setter
    def dns_entries(self, _entries: list[dict[str, str]] | None) -> None:
        """As above."""

    def place(self, subnet_id: str, address: str | None) -> None:
        """Puts the endpoint's interface into a subnet, in place of the one it may have there."""
        backend = self.ec2_backend
        present = self.interfaces.get(subnet_id)
        if present is not None and address in (None, present.private_ip_address):
            return
        interface = backend.create_managed_network_interface(
            subnet_id,
            address,
            self.security_group_ids,
            f"VPC Endpoint Interface {self.id}",
            "vpc_endpoint",
        )
        if present is not None:
            backend.remove_managed_network_interface(present.id)
        self.interfaces[subnet_id] = interface

    def leave(self, subnet_id: str) -> None:
        self.ec2_backend.remove_managed_network_interface(self.interfaces.pop(subnet_id).id)


class VpcEndpointBackend:
    """Overrides moto's handling of interface endpoints."""

    vpc_end_points: dict[str, VPCEndPoint]

    def create_interface_endpoint(
        self, request: Mapping[str, Any], tags: dict[str, str]
    ) -> InterfaceEndpoint:
        """`request` in the API's words. Nothing is created when anything is refused.

        Raises InvalidServiceName, InvalidParameter, InvalidParameterValue, InvalidPolicyDocument,
        DuplicateSubnetsInSameZone, InvalidIPAddress.InUse and the NotFound codes.
        """
        vpc = self.get_vpc(request["VpcId"])  # type: ignore[attr-defined]
        region = self.region_name  # type: ignore[attr-defined]
        check_service(request["ServiceName"], "Interface", region)
        if "PolicyDocument" in request:
            check_endpoint_policy(request["PolicyDocument"])
        if request.get("IpAddressType", "ipv4") != "ipv4":
            raise invalid_parameter(
                f"The IP address type {request['IpAddressType']} needs subnets with IPv6 CIDR"
                " blocks."
            )
        subnet_ids = list(request.get("SubnetIds", []))
        addresses = self._requested(request, subnet_ids)
        request = {
            **request,
            "SecurityGroupIds": request.get("SecurityGroupIds")
            or [self.get_default_security_group(vpc.id).id],  # type: ignore[attr-defined]
        }
        self._check_placement(vpc.id, subnet_ids, addresses, request["SecurityGroupIds"])
        if request.get("PrivateDnsEnabled", True):
            self._check_private_dns(vpc, request["ServiceName"])
        endpoint: Any = InterfaceEndpoint(self, request, tags)
        for subnet_id in subnet_ids:
            endpoint.place(subnet_id, addresses.get(subnet_id))
        self.vpc_end_points[endpoint.id] = endpoint
        return endpoint

    def modify_interface_endpoint(self, request: Mapping[str, Any]) -> None:
        """As `create_interface_endpoint`; interfaces follow subnets, addresses and groups."""
        endpoint = self.get_interface_endpoint(request["VpcEndpointId"])
        if "PolicyDocument" in request:
            check_endpoint_policy(request["PolicyDocument"])
        removed = request.get("RemoveSubnetIds", [])
        kept = [each for each in endpoint.subnet_ids if each not in removed]
        added = [each for each in request.get("AddSubnetIds", []) if each not in kept]
        subnet_ids = [*kept, *added]
        addresses = self._requested(request, subnet_ids)
        groups = [
            each
            for each in endpoint.security_group_ids
            if each not in request.get("RemoveSecurityGroupIds", [])
        ]
        groups += [each for each in request.get("AddSecurityGroupIds", []) if each not in groups]
        moved = {
            subnet_id: address
            for subnet_id, address in addresses.items()
            if subnet_id in added or endpoint.interfaces[subnet_id].private_ip_address != address
        }
        self._check_placement(endpoint.vpc_id, subnet_ids, moved, groups)
        if request.get("PrivateDnsEnabled", False) and not endpoint.private_dns_enabled:
            self._check_private_dns(
                self.get_vpc(endpoint.vpc_id),  # type: ignore[attr-defined]
                endpoint.service_name,
            )
        self._apply(endpoint, request, subnet_ids, addresses, groups)

    def _apply(
        self,
        endpoint: InterfaceEndpoint,
        request: Mapping[str, Any],
        subnet_ids: list[str],
        addresses: dict[str, str],
        groups: list[str],
    ) -> None:
        if request.get("ResetPolicy"):
            endpoint.policy_document = DEFAULT_POLICY
        if "PolicyDocument" in request:
            endpoint.policy_document = request["PolicyDocument"]
        if "PrivateDnsEnabled" in request:
            endpoint.private_dns_enabled = request["PrivateDnsEnabled"]
        endpoint.dns_options |= request.get("DnsOptions", {})
        endpoint.security_group_ids = groups
        for subnet_id in set(endpoint.subnet_ids) - set(subnet_ids):
            endpoint.leave(subnet_id)
        for subnet_id in subnet_ids:
            endpoint.place(subnet_id, addresses.get(subnet_id))
        for interface in endpoint.interfaces.values():
            interface._group_set = [self.get_security_group_from_id(each) for each in groups]  # type: ignore[attr-defined]

    def get_interface_endpoint(self, endpoint_id: str) -> InterfaceEndpoint:
        endpoint = self.vpc_end_points.get(endpoint_id)
        if not isinstance(endpoint, InterfaceEndpoint):
            raise endpoint_not_found(endpoint_id)
        return endpoint

    def delete_vpc_endpoints(self, vpce_ids: list[str] | None = None) -> None:
        for endpoint_id in vpce_ids or []:
            endpoint = self.vpc_end_points[endpoint_id]
            if isinstance(endpoint, InterfaceEndpoint):
                for subnet_id in endpoint.subnet_ids:
                    endpoint.leave(subnet_id)
            else:
                super().delete_vpc_endpoints([endpoint_id])  # type: ignore[misc]
            del self.vpc_end_points[endpoint_id]

    def _requested(self, request: Mapping[str, Any], subnet_ids: list[str]) -> dict[str, str]:
        """Address by subnet id."""
        addresses: dict[str, str] = {}
        for configuration in request.get("SubnetConfigurations", []):
            subnet_id = configuration.get("SubnetId")
            if subnet_id not in subnet_ids:
                raise invalid_parameter(
                    f"The subnet {subnet_id} of a subnet configuration is not one of the"
                    " endpoint's subnets."
                )
            if "Ipv6" in configuration:
                raise invalid_parameter(f"The subnet {subnet_id} has no IPv6 CIDR block.")
            if "Ipv4" in configuration:
                addresses[subnet_id] = configuration["Ipv4"]
        return addresses

    def _check_placement(
        self, vpc_id: str, subnet_ids: list[str], addresses: dict[str, str], groups: list[str]
    ) -> None:
        zones: set[str] = set()
        for subnet_id in subnet_ids:
            subnet = self.get_subnet(subnet_id)  # type: ignore[attr-defined]
            if subnet.vpc_id != vpc_id:
                raise invalid_parameter(f"The subnet {subnet_id} is not in the VPC {vpc_id}.")
            if subnet.availability_zone in zones:
                raise two_subnets_in_one_zone(subnet_id)
            zones.add(subnet.availability_zone)
            self.check_groups(groups, subnet)  # type: ignore[attr-defined]
            if subnet_id in addresses:
                self.check_address(subnet, addresses[subnet_id])  # type: ignore[attr-defined]

    def _check_private_dns(self, vpc: Any, service_name: str) -> None:
        if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
            raise invalid_parameter(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC"
                f" attributes set to true for {vpc.id}"
            )
        for other in self.vpc_end_points.values():
            if (
                isinstance(other, InterfaceEndpoint)
                and (other.vpc_id, other.service_name) == (vpc.id, service_name)
                and other.private_dns_enabled
            ):
                raise invalid_parameter(
                    "private-dns-enabled cannot be set because there is already a conflicting DNS"
                    f" domain for {private_name(service_name)} in the VPC {vpc.id}"
                )


def hosted_zone_id(of: str) -> str:
    """The same zone has the same id: one per region for all endpoints, one per private name."""
    return "Z" + hashlib.sha256(of.encode()).hexdigest()[:13].upper()


def endpoint_service(service_name: str) -> str:
    """`execute-api` of `com.amazonaws.us-east-1.execute-api`."""
    return service_name.split(".", 3)[3]


def private_name(service_name: str) -> str:
    return f"{endpoint_service(service_name)}.{service_name.split('.')[2]}.amazonaws.com"


def check_service(service_name: str, endpoint_type: str, region: str) -> None:
    """Raises InvalidServiceName, or InvalidParameter for a type that the service does not offer."""
    prefix = f"com.amazonaws.{region}."
    service = service_name.removeprefix(prefix)
    if not service_name.startswith(prefix) or service not in AWS_ENDPOINT_SERVICES:
        raise InvalidServiceName(service_name)
    offered = ["Interface"]
    if service in GATEWAY_SERVICES:
        offered.insert(0, "Gateway")
    if endpoint_type not in offered:
        raise invalid_parameter(
            f"Endpoint type ({endpoint_type}) does not match available service types"
            f" ([{', '.join(offered)}])."
        )
