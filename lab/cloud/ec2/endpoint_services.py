"""Endpoint services: what an account offers to others through its Network Load Balancers.

"Create a service powered by AWS PrivateLink" and "Configure an endpoint service" (AWS PrivateLink);
"CreateVpcEndpointServiceConfiguration" and its companions (Amazon EC2 API Reference). A service is
in the zones that its load balancers had when they were associated with it. Words that AWS does not
publish are ours. Not modelled: Gateway Load Balancers, IPv6, other Regions, payer responsibility.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import NoLoadBalancersProvided, UnknownVpcEndpointService
from moto.ec2.models.core import TaggedEC2Resource
from moto.elbv2.models import elbv2_backends

from lab.cloud.callers import Caller
from lab.cloud.ec2.exceptions import existing_connections, invalid_parameter
from lab.cloud.ec2.private_dns_names import PrivateDnsName
from lab.cloud.ec2.zones import name_of

if TYPE_CHECKING:
    from lab.cloud.ec2.connections import Connection
    from lab.cloud.ec2.service_permissions import Permission

OPEN = ("pendingAcceptance", "pending", "available")


class EndpointService(TaggedEC2Resource):
    """Serialised by its attributes' names as ServiceConfiguration."""

    service_state = "Available"
    manages_vpc_endpoints = False
    gateway_load_balancer_arns: tuple[str, ...] = ()
    supported_ip_address_types = ("ipv4",)
    policy_supported = False
    private_dns_default = False

    def __init__(self, backend: Any, acceptance_required: bool) -> None:
        self.ec2_backend = backend
        self.id = self.service_id = f"vpce-svc-{secrets.token_hex(9)[:17]}"
        self.owner_id: str = backend.account_id
        self.region: str = backend.region_name
        self.service_name = f"com.amazonaws.vpce.{self.region}.{self.id}"
        self.dns_suffix = f"{self.id}.{self.region}"
        self.acceptance_required = acceptance_required
        self.zones_by_balancer: dict[str, list[str]] = {}
        self.private_dns: PrivateDnsName | None = None
        self.permissions: dict[str, Permission] = {}  # by principal
        self.connections: dict[str, Connection] = {}  # by endpoint id

    @property
    def service_type(self) -> list[dict[str, str]]:
        return [{"ServiceType": "Interface"}]

    @property
    def network_load_balancer_arns(self) -> list[str]:
        return list(self.zones_by_balancer)

    @property
    def availability_zone_ids(self) -> list[str]:
        return sorted({zone for zones in self.zones_by_balancer.values() for zone in zones})

    @property
    def availability_zones(self) -> list[str]:
        return self.zone_names(self.owner_id)

    @property
    def base_endpoint_dns_names(self) -> list[str]:
        return [f"{self.dns_suffix}.vpce.amazonaws.com"]

    @property
    def private_dns_name(self) -> str | None:
        return self.private_dns.name if self.private_dns else None

    @property
    def private_dns_name_configuration(self) -> dict[str, str] | None:
        return self.private_dns.configuration if self.private_dns else None

    @property
    def supported_regions(self) -> list[dict[str, str]]:
        return [{"Region": self.region, "ServiceState": self.service_state}]

    def zone_names(self, account_id: str) -> list[str]:
        """The service's zones by an account's names of them."""
        names = (name_of(account_id, self.region, each) for each in self.availability_zone_ids)
        return sorted(names)

    def has_open_connections(self) -> bool:
        return any(each.vpc_endpoint_state in OPEN for each in self.connections.values())

    def is_visible_to(self, who: Caller) -> bool:
        """To its owner, and to whom a permission names."""
        return who.account_id == self.owner_id or any(
            principal == "*" or principal in who.names for principal in self.permissions
        )

    def usable_private_name(self) -> str:
        """The private DNS name, when a consumer may enable it. Raises InvalidParameter."""
        if self.private_dns is None:
            raise invalid_parameter(
                f"Private DNS can't be enabled because the service {self.service_name} does not"
                " provide a private DNS name."
            )
        if self.private_dns.state != "verified":
            raise invalid_parameter(
                f"Private DNS can't be enabled because the service {self.service_name} has not"
                " verified its private DNS name."
            )
        return self.private_dns.name


class EndpointServiceBackend:
    """The service configurations of one account and region, in place of moto's."""

    account_id: str
    region_name: str
    configurations: dict[str, Any]

    def create_endpoint_service(
        self, request: Mapping[str, Any], tags: dict[str, str]
    ) -> EndpointService:
        """`request` in the API's words. Raises InvalidParameter."""
        check_modelled(request, "", self.region_name)
        arns = request.get("NetworkLoadBalancerArns", [])
        if not arns:
            raise NoLoadBalancersProvided()
        # moto's base class says that a constructor answers the base class
        service: Any = EndpointService(self, request.get("AcceptanceRequired", True))
        service.zones_by_balancer = self._zones_of(arns)
        if request.get("PrivateDnsName"):
            service.private_dns = PrivateDnsName(request["PrivateDnsName"])
        self.configurations[service.id] = service
        service.add_tags(tags)
        return service

    def modify_endpoint_service(self, request: Mapping[str, Any]) -> None:
        """Changes what is given, or nothing when any of it is refused.

        Raises InvalidParameter, or ExistingVpcEndpointConnections for a load balancer in use.
        """
        service = self.endpoint_service(request["ServiceId"])
        for prefix in ("Add", "Remove"):
            check_modelled(request, prefix, self.region_name)
        name = request.get("PrivateDnsName")
        if name and request.get("RemovePrivateDnsName"):
            raise invalid_parameter(
                "PrivateDnsName and RemovePrivateDnsName cannot be specified together"
            )
        removed = request.get("RemoveNetworkLoadBalancerArns", [])
        for arn in removed:
            if arn not in service.zones_by_balancer:
                raise invalid_parameter(
                    f"The load balancer {arn} is not associated with the service"
                )
        kept = {k: v for k, v in service.zones_by_balancer.items() if k not in removed}
        added = self._zones_of(request.get("AddNetworkLoadBalancerArns", []), service)
        if not {**kept, **added}:
            raise invalid_parameter("A service must have at least one load balancer")
        if removed and service.has_open_connections():
            raise existing_connections(service.id)
        private = PrivateDnsName(name) if name and name != service.private_dns_name else None
        service.zones_by_balancer = {**kept, **added}
        service.private_dns = private or service.private_dns
        if request.get("RemovePrivateDnsName"):
            service.private_dns = None
        service.acceptance_required = request.get("AcceptanceRequired", service.acceptance_required)

    def delete_endpoint_service(self, service_id: str) -> None:
        """Raises InvalidVpcEndpointServiceId.NotFound or ExistingVpcEndpointConnections."""
        if self.endpoint_service(service_id).has_open_connections():
            raise existing_connections(service_id)
        del self.configurations[service_id]

    def endpoint_service(self, service_id: str) -> EndpointService:
        if service_id not in self.configurations:
            raise UnknownVpcEndpointService(service_id)
        return self.configurations[service_id]

    def start_private_dns_verification(self, service_id: str) -> None:
        service = self.endpoint_service(service_id)
        if service.private_dns is None:
            raise invalid_parameter(f"The service {service_id} does not have a private DNS name.")
        service.private_dns.verify()

    def _zones_of(
        self, arns: Iterable[str], service: EndpointService | None = None
    ) -> dict[str, list[str]]:
        """Zone ids by load balancer: active, network, this account's, in no other service."""
        balancers: Any = elbv2_backends[self.account_id][self.region_name]
        zones: dict[str, list[str]] = {}
        for arn in arns:
            balancer = balancers.load_balancers.get(arn)
            if balancer is None or balancer.type != "network":
                raise invalid_parameter(f"The Network Load Balancer {arn} does not exist")
            if balancer.state != "active":
                raise invalid_parameter(f"The Network Load Balancer {arn} is not active")
            if any(
                arn in other.zones_by_balancer
                for other in self.configurations.values()
                if other is not service
            ):
                raise invalid_parameter(
                    f"The Network Load Balancer {arn} is already associated with another endpoint"
                    " service"
                )
            zones[arn] = [subnet.availability_zone_id for subnet in balancer.subnets]
        return zones


def check_modelled(request: Mapping[str, Any], prefix: str, region: str) -> None:
    """`prefix`: "" for a creation, "Add" or "Remove" for a modification."""
    types = request.get(f"{prefix}SupportedIpAddressTypes", [])
    regions = request.get(f"{prefix}SupportedRegions", [])
    if request.get(f"{prefix}GatewayLoadBalancerArns"):
        raise NotImplementedError("an endpoint service with Gateway Load Balancers")
    if set(types) - {"ipv4"} or (types and prefix == "Remove"):
        raise NotImplementedError(f"an endpoint service with the IP address types {types}")
    if set(regions) - {region} or (regions and prefix == "Remove"):
        raise NotImplementedError(f"an endpoint service in the Regions {regions}")
