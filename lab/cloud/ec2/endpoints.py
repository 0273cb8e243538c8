"""Interface VPC endpoints with their network interfaces, fixed addresses, policies and private DNS.

"CreateVpcEndpoint" and "ModifyVpcEndpoint" in the Amazon EC2 API Reference; "Access an AWS service
using an interface VPC endpoint" and "Access SaaS products through AWS PrivateLink". Private DNS is
on by default for AWS's services only. Where a service requires acceptance, private DNS comes after
it, by a modification. Gateway endpoints are moto's own. Not modelled: dual stack, cross-region
services, the time that deletion takes.
"""

from collections.abc import Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.vpcs import VPCEndPoint

from lab.cloud.callers import Caller
from lab.cloud.ec2.connections import connect, disconnect
from lab.cloud.ec2.endpoint_services import EndpointService
from lab.cloud.ec2.exceptions import (
    endpoint_not_found,
    invalid_parameter,
    two_subnets_in_one_zone,
)
from lab.cloud.ec2.interface_endpoint import InterfaceEndpoint
from lab.cloud.ec2.policies import DEFAULT_POLICY, check_endpoint_policy, is_full_access
from lab.cloud.ec2.service_offers import Offer, find_offer

# "AWS PrivateLink quotas"
MAX_ENDPOINTS_PER_VPC = 50
NOT_ACCEPTED = "Private DNS can't be enabled until the endpoint connection is accepted."


class VpcEndpointBackend:
    """Overrides moto's handling of interface endpoints."""

    vpc_end_points: dict[str, VPCEndPoint]

    def create_interface_endpoint(
        self, request: Mapping[str, Any], tags: dict[str, str], who: Caller
    ) -> InterfaceEndpoint:
        """`request` in the API's words. Nothing is created when anything is refused.

        Raises InvalidServiceName, InvalidParameter, InvalidParameterValue, InvalidPolicyDocument,
        DuplicateSubnetsInSameZone, InvalidIPAddress.InUse, VpcEndpointLimitExceeded and the
        NotFound codes.
        """
        vpc = self.get_vpc(request["VpcId"])  # type: ignore[attr-defined]
        region = self.region_name  # type: ignore[attr-defined]
        offer = find_offer(request["ServiceName"], "Interface", region, who)
        self._check_number(vpc.id)
        check_policy(offer, request)
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
        self._check_placement(vpc.id, offer, subnet_ids, addresses, request["SecurityGroupIds"])
        private_name = None
        if request.get("PrivateDnsEnabled", offer.private_dns_default):
            if offer.acceptance_required:
                raise invalid_parameter(NOT_ACCEPTED)
            private_name = self._private_name(vpc, offer)
        endpoint: Any = InterfaceEndpoint(self, offer, request, private_name, tags)
        for subnet_id in subnet_ids:
            endpoint.place(subnet_id, addresses.get(subnet_id))
        self.vpc_end_points[endpoint.id] = endpoint
        if isinstance(offer, EndpointService):
            connect(offer, endpoint)
        return endpoint

    def modify_interface_endpoint(self, request: Mapping[str, Any]) -> None:
        """As `create_interface_endpoint`; interfaces follow subnets, addresses and groups."""
        endpoint = self.get_interface_endpoint(request["VpcEndpointId"])
        endpoint.settle()
        check_policy(endpoint.offer, request)
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
        self._check_placement(endpoint.vpc_id, endpoint.offer, subnet_ids, moved, groups)
        private_name = endpoint.private_name
        if request.get("PrivateDnsEnabled") is False:
            private_name = None
        elif request.get("PrivateDnsEnabled") and private_name is None:
            if endpoint.state != "available":
                raise invalid_parameter(NOT_ACCEPTED)
            vpc = self.get_vpc(endpoint.vpc_id)  # type: ignore[attr-defined]
            private_name = self._private_name(vpc, endpoint.offer)
        endpoint.private_name = private_name
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
                if isinstance(endpoint.offer, EndpointService):
                    disconnect(endpoint.offer, endpoint)
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
        self,
        vpc_id: str,
        offer: Offer,
        subnet_ids: list[str],
        addresses: dict[str, str],
        groups: list[str],
    ) -> None:
        zones: set[str] = set()
        for subnet_id in subnet_ids:
            subnet = self.get_subnet(subnet_id)  # type: ignore[attr-defined]
            if subnet.vpc_id != vpc_id:
                raise invalid_parameter(f"The subnet {subnet_id} is not in the VPC {vpc_id}.")
            if subnet.availability_zone in zones:
                raise two_subnets_in_one_zone(subnet_id)
            zones.add(subnet.availability_zone)
            if (
                isinstance(offer, EndpointService)
                and subnet.availability_zone_id not in offer.availability_zone_ids
            ):
                raise invalid_parameter(
                    f"The VPC endpoint service {offer.service_name} does not support the"
                    f" availability zone of the subnet: {subnet_id}."
                )
            self.check_groups(groups, subnet)  # type: ignore[attr-defined]
            if subnet_id in addresses:
                self.check_address(subnet, addresses[subnet_id])  # type: ignore[attr-defined]

    def _private_name(self, vpc: Any, offer: Offer) -> str:
        """The name to enable private DNS with, when the VPC and the service allow it."""
        name = offer.usable_private_name()
        if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
            raise invalid_parameter(
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC"
                f" attributes set to true for {vpc.id}"
            )
        for other in self.vpc_end_points.values():
            if isinstance(other, InterfaceEndpoint) and (other.vpc_id, other.private_name) == (
                vpc.id,
                name,
            ):
                raise invalid_parameter(
                    "private-dns-enabled cannot be set because there is already a conflicting DNS"
                    f" domain for {name} in the VPC {vpc.id}"
                )
        return name

    def _check_number(self, vpc_id: str) -> None:
        there = [
            each
            for each in self.vpc_end_points.values()
            if isinstance(each, InterfaceEndpoint) and each.vpc_id == vpc_id
        ]
        if len(there) >= MAX_ENDPOINTS_PER_VPC:
            raise EC2ClientError(
                "VpcEndpointLimitExceeded",
                f"The VPC {vpc_id} has the maximum number of interface VPC endpoints.",
            )


def check_policy(offer: Offer, request: Mapping[str, Any]) -> None:
    """Raises InvalidPolicyDocument, or InvalidParameter where the service takes no policy.

    "Control access to VPC endpoints using endpoint policies" (AWS PrivateLink): endpoint services
    do not support them; full access, which is what an endpoint without a policy has, is let pass.
    """
    document = request.get("PolicyDocument")
    if document is None:
        return
    check_endpoint_policy(document)
    if not offer.policy_supported and not is_full_access(document):
        raise invalid_parameter(
            f"The service {offer.service_name} does not support VPC endpoint policies."
        )
