"""What an endpoint can be made to: AWS's services, and the endpoint services one may see.

"DescribeVpcEndpointServices" (Amazon EC2 API Reference). A service that is not there and one that
the caller may not see get the same answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ec2.exceptions import InvalidServiceName
from moto.ec2.models import ec2_backends
from moto.ec2.models.vpcs import AWS_ENDPOINT_SERVICES

from lab.cloud.callers import Caller
from lab.cloud.ec2.endpoint_services import EndpointService
from lab.cloud.ec2.exceptions import invalid_parameter
from lab.cloud.ec2.listing import listed, tag_values

GATEWAY_SERVICES = ("s3", "dynamodb")
CUSTOMER_PREFIX = "com.amazonaws.vpce."


@dataclass(frozen=True)
class AwsService:
    """A service of AWS's own: everywhere, for everybody, with a private name and policies."""

    service_name: str
    region: str
    policy_supported = True
    private_dns_default = True
    acceptance_required = False

    @property
    def dns_suffix(self) -> str:
        return f"{self.service_name.split('.', 3)[3]}.{self.region}"

    def usable_private_name(self) -> str:
        return f"{self.dns_suffix}.amazonaws.com"


Offer = AwsService | EndpointService


def find_offer(service_name: str, endpoint_type: str, region: str, who: Caller) -> Offer:
    """Raises InvalidServiceName, or InvalidParameter for a type that the service does not offer."""
    offered = ["Interface"]
    if service_name.startswith(CUSTOMER_PREFIX):
        offer: Offer = _customer_service(service_name, region, who)
    else:
        prefix = f"com.amazonaws.{region}."
        service = service_name.removeprefix(prefix)
        if not service_name.startswith(prefix) or service not in AWS_ENDPOINT_SERVICES:
            raise InvalidServiceName(service_name)
        if service in GATEWAY_SERVICES:
            offered.insert(0, "Gateway")
        offer = AwsService(service_name, region)
    if endpoint_type not in offered:
        raise invalid_parameter(
            f"Endpoint type ({endpoint_type}) does not match available service types"
            f" ([{', '.join(offered)}])."
        )
    return offer


def _customer_service(service_name: str, region: str, who: Caller) -> EndpointService:
    for service in customer_services(region):
        if service.service_name == service_name and service.is_visible_to(who):
            return service
    raise InvalidServiceName(service_name)


def customer_services(region: str) -> Iterator[EndpointService]:
    """The endpoint services of all accounts in the region."""
    for account in list(ec2_backends.values()):
        if region in account:
            backend: Any = account[region]
            yield from list(backend.configurations.values())


def describe(
    backend: Any, request: Mapping[str, Any], who: Caller
) -> tuple[list[dict[str, Any]], str | None]:
    """ServiceDetails that `who` may see, and the token of the next page."""
    region = backend.region_name
    if set(request.get("ServiceRegions", [region])) != {region}:
        raise NotImplementedError("DescribeVpcEndpointServices for another Region")
    of_aws = backend._collect_default_endpoint_services(backend.account_id, region)
    details = [
        *({**each, "ServiceRegion": region} for each in of_aws),
        *(details_for(each, who) for each in customer_services(region) if each.is_visible_to(who)),
    ]
    names = request.get("ServiceNames", [])
    known = {each["ServiceName"] for each in details}
    for name in names:
        if name not in known:
            raise InvalidServiceName(name)
    wanted = [each for each in details if not names or each["ServiceName"] in names]
    return listed(sorted(wanted, key=lambda each: each["ServiceName"]), request, _filter_values)


def details_for(service: EndpointService, who: Caller) -> dict[str, Any]:
    """The service as an account sees it: zones by its own names; tags are for the owner only."""
    details: dict[str, Any] = {
        "ServiceName": service.service_name,
        "ServiceId": service.id,
        "ServiceType": service.service_type,
        "ServiceRegion": service.region,
        "AvailabilityZones": service.zone_names(who.account_id),
        "AvailabilityZoneIds": service.availability_zone_ids,
        "Owner": service.owner_id,
        "BaseEndpointDnsNames": service.base_endpoint_dns_names,
        "VpcEndpointPolicySupported": service.policy_supported,
        "AcceptanceRequired": service.acceptance_required,
        "ManagesVpcEndpoints": service.manages_vpc_endpoints,
        "SupportedIpAddressTypes": service.supported_ip_address_types,
        "Tags": service.tag_list if who.account_id == service.owner_id else [],
    }
    if service.private_dns is not None:
        details |= {
            "PrivateDnsName": service.private_dns.name,
            "PrivateDnsNames": [{"PrivateDnsName": service.private_dns.name}],
            "PrivateDnsNameVerificationState": service.private_dns.state,
        }
    return details


def _filter_values(details: Mapping[str, Any]) -> dict[str, list[str]]:
    return {
        "owner": [details["Owner"]],
        "service-name": [details["ServiceName"]],
        "service-region": [details["ServiceRegion"]],
        "service-type": [each["ServiceType"] for each in details["ServiceType"]],
        "supported-ip-address-types": list(details.get("SupportedIpAddressTypes", ["ipv4"])),
        **tag_values(details.get("Tags", [])),
    }
