"""Connections: what the owner of an endpoint service sees of the endpoints to it, and decides.

"Accept or reject connection requests" (AWS PrivateLink): a request waits for acceptance where the
service requires it; a connection can be rejected before and after its acceptance. What was rejected
stays so. The endpoint itself, in its owner's account, holds the state.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError

from lab.cloud.ec2 import notifications
from lab.cloud.ec2.endpoint_services import OPEN, EndpointService, EndpointServiceBackend

if TYPE_CHECKING:
    from lab.cloud.ec2.endpoints import InterfaceEndpoint


@dataclass
class Connection:
    """Serialised by its attributes' names as VpcEndpointConnection."""

    service: EndpointService
    endpoint: "InterfaceEndpoint"
    vpc_endpoint_connection_id: str = field(
        default_factory=lambda: f"vpce-con-{secrets.token_hex(9)[:17]}"
    )
    creation_timestamp: Any = field(default_factory=utcnow)
    ip_address_type = "ipv4"

    @property
    def service_id(self) -> str:
        return self.service.id

    @property
    def vpc_endpoint_id(self) -> str:
        return self.endpoint.id

    @property
    def vpc_endpoint_owner(self) -> str:
        return self.endpoint.owner_id

    @property
    def vpc_endpoint_state(self) -> str:
        return self.endpoint.state

    @property
    def vpc_endpoint_region(self) -> str:
        return self.service.region

    @property
    def dns_entries(self) -> list[dict[str, str]]:
        """The regional name and the zonal ones; the private name is the consumer's matter."""
        return self.endpoint.public_dns_entries

    @property
    def network_load_balancer_arns(self) -> list[str]:
        return self.service.network_load_balancer_arns


class ConnectionBackend(EndpointServiceBackend):
    """The connections to one account's endpoint services."""

    def connections(self) -> list[Connection]:
        found = [
            connection
            for service in self.configurations.values()
            for connection in service.connections.values()
        ]
        for connection in found:
            connection.endpoint.settle()
        return found

    def accept_connections(self, service_id: str, ids: Iterable[str]) -> list[dict[str, Any]]:
        """Accepts what waits for it; answers the ids that could not be, each with its error."""
        return self._decide(service_id, ids, ("pendingAcceptance",), "pending", "Accept")

    def reject_connections(self, service_id: str, ids: Iterable[str]) -> list[dict[str, Any]]:
        return self._decide(service_id, ids, OPEN, "rejected", "Reject")

    def _decide(
        self, service_id: str, ids: Iterable[str], before: Iterable[str], after: str, event: str
    ) -> list[dict[str, Any]]:
        service = self.endpoint_service(service_id)
        failed: list[dict[str, Any]] = []
        for endpoint_id in ids:
            connection = service.connections.get(endpoint_id)
            if connection is None:
                message = f"The Vpc Endpoint Id '{endpoint_id}' does not exist"
                failed.append(unsuccessful(endpoint_id, "InvalidVpcEndpointId.NotFound", message))
            elif connection.vpc_endpoint_state not in before:
                message = (
                    f"The Vpc Endpoint '{endpoint_id}' is in the state"
                    f" {connection.vpc_endpoint_state}"
                )
                failed.append(unsuccessful(endpoint_id, "InvalidState", message))
            else:
                connection.endpoint.state = after
                notifications.publish(service, connection.endpoint, event)
        return failed


def connect(service: EndpointService, endpoint: "InterfaceEndpoint") -> None:
    """A new endpoint asks the service for a connection."""
    service.connections[endpoint.id] = Connection(service, endpoint)
    notifications.publish(service, endpoint, "Connect")


def disconnect(service: EndpointService, endpoint: "InterfaceEndpoint") -> None:
    """The endpoint is gone."""
    del service.connections[endpoint.id]
    notifications.publish(service, endpoint, "Delete")


def unsuccessful(resource_id: str, code: str, message: str) -> dict[str, Any]:
    """UnsuccessfulItem."""
    return {"ResourceId": resource_id, "Error": {"Code": code, "Message": message}}


def unsuccessful_because(resource_id: str, error: EC2ClientError) -> dict[str, Any]:
    return unsuccessful(resource_id, error.code, error.message)
