"""EC2's answers on endpoint services, their permissions, connections and notifications."""

from collections.abc import Callable, Iterable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response as MotoEC2Response
from moto.ec2.utils import add_tag_specification

from lab.cloud.callers import Caller, caller
from lab.cloud.ec2 import service_offers
from lab.cloud.ec2.connections import Connection, unsuccessful_because
from lab.cloud.ec2.endpoint_services import EndpointService
from lab.cloud.ec2.listing import listed, tag_values
from lab.cloud.ec2.notifications import Notification
from lab.cloud.ec2.service_permissions import Permission


class ServiceResponse(MotoEC2Response):
    """Parameters arrive parsed by the botocore model."""

    def who(self) -> Caller:
        return caller(self.get_access_key())

    def create_vpc_endpoint_service_configuration(self) -> ActionResult:
        self.error_on_dryrun()
        request = self._get_params()
        tags = add_tag_specification(request.get("TagSpecifications", []))
        service = self.ec2_backend.create_endpoint_service(request, tags)
        return ActionResult({"ServiceConfiguration": service})

    def modify_vpc_endpoint_service_configuration(self) -> ActionResult:
        self.error_on_dryrun()
        self.ec2_backend.modify_endpoint_service(self._get_params())
        return ActionResult({"Return": True})

    def describe_vpc_endpoint_service_configurations(self) -> ActionResult:
        request = self._get_params()
        services = [
            self.ec2_backend.endpoint_service(each) for each in request.get("ServiceIds", [])
        ] or self.ec2_backend.configurations.values()
        page, token = listed(services, request, _values_of_service)
        return ActionResult({"ServiceConfigurations": page, "NextToken": token})

    def delete_vpc_endpoint_service_configurations(self) -> ActionResult:
        return self._each("ServiceIds", self.ec2_backend.delete_endpoint_service)

    def describe_vpc_endpoint_services(self) -> ActionResult:
        details, token = service_offers.describe(self.ec2_backend, self._get_params(), self.who())
        names = [each["ServiceName"] for each in details]
        return ActionResult({"ServiceNames": names, "ServiceDetails": details, "NextToken": token})

    def start_vpc_endpoint_service_private_dns_verification(self) -> ActionResult:
        self.error_on_dryrun()
        self.ec2_backend.start_private_dns_verification(self._get_param("ServiceId"))
        return ActionResult({"ReturnValue": True})

    def modify_vpc_endpoint_service_permissions(self) -> ActionResult:
        self.error_on_dryrun()
        added = self.ec2_backend.modify_service_permissions(
            self._get_param("ServiceId"),
            self._get_param("AddAllowedPrincipals", []),
            self._get_param("RemoveAllowedPrincipals", []),
        )
        return ActionResult({"AddedPrincipals": added, "ReturnValue": True})

    def describe_vpc_endpoint_service_permissions(self) -> ActionResult:
        request = self._get_params()
        service = self.ec2_backend.endpoint_service(request["ServiceId"])
        page, token = listed(service.permissions.values(), request, _values_of_permission)
        return ActionResult({"AllowedPrincipals": page, "NextToken": token})

    def describe_vpc_endpoint_connections(self) -> ActionResult:
        found = self.ec2_backend.connections()
        page, token = listed(found, self._get_params(), _values_of_connection)
        return ActionResult({"VpcEndpointConnections": page, "NextToken": token})

    def accept_vpc_endpoint_connections(self) -> ActionResult:
        return self._decide(self.ec2_backend.accept_connections)

    def reject_vpc_endpoint_connections(self) -> ActionResult:
        return self._decide(self.ec2_backend.reject_connections)

    def _decide(self, decide: Callable[[str, Iterable[str]], Any]) -> ActionResult:
        self.error_on_dryrun()
        failed = decide(self._get_param("ServiceId"), self._get_param("VpcEndpointIds", []))
        return ActionResult({"Unsuccessful": failed})

    def create_vpc_endpoint_connection_notification(self) -> ActionResult:
        self.error_on_dryrun()
        made = self.ec2_backend.create_connection_notification(self._get_params())
        return ActionResult({"ConnectionNotification": made})

    def modify_vpc_endpoint_connection_notification(self) -> ActionResult:
        self.error_on_dryrun()
        self.ec2_backend.modify_connection_notification(self._get_params())
        return ActionResult({"ReturnValue": True})

    def describe_vpc_endpoint_connection_notifications(self) -> ActionResult:
        request = self._get_params()
        wanted = request.get("ConnectionNotificationId")
        found = (
            [self.ec2_backend.connection_notification(wanted)]
            if wanted
            else self.ec2_backend.notifications.values()
        )
        page, token = listed(found, request, _values_of_notification)
        return ActionResult({"ConnectionNotificationSet": page, "NextToken": token})

    def delete_vpc_endpoint_connection_notifications(self) -> ActionResult:
        return self._each(
            "ConnectionNotificationIds", self.ec2_backend.delete_connection_notification
        )

    def _each(self, parameter: str, act: Callable[[str], None]) -> ActionResult:
        """Acts on every id; those refused are answered with their errors."""
        self.error_on_dryrun()
        failed = []
        for each in self._get_param(parameter, []):
            try:
                act(each)
            except EC2ClientError as error:
                failed.append(unsuccessful_because(each, error))
        return ActionResult({"Unsuccessful": failed})


def _values_of_service(service: EndpointService) -> dict[str, list[str]]:
    return {
        "service-id": [service.id],
        "service-name": [service.service_name],
        "service-state": [service.service_state],
        "supported-ip-address-types": list(service.supported_ip_address_types),
        **tag_values(service.tag_list),
    }


def _values_of_permission(permission: Permission) -> dict[str, list[str]]:
    return {
        "principal": [permission.principal],
        "principal-type": [permission.principal_type],
    }


def _values_of_connection(connection: Connection) -> dict[str, list[str]]:
    return {
        "ip-address-type": [connection.ip_address_type],
        "service-id": [connection.service_id],
        "vpc-endpoint-id": [connection.vpc_endpoint_id],
        "vpc-endpoint-owner": [connection.vpc_endpoint_owner],
        "vpc-endpoint-region": [connection.vpc_endpoint_region],
        "vpc-endpoint-state": [connection.vpc_endpoint_state],
    }


def _values_of_notification(notification: Notification) -> dict[str, list[str]]:
    return {
        "connection-notification-arn": [notification.connection_notification_arn],
        "connection-notification-id": [notification.connection_notification_id],
        "connection-notification-state": [notification.connection_notification_state],
        "connection-notification-type": [notification.connection_notification_type],
        "service-id": [notification.service_id or ""],
        "vpc-endpoint-id": [notification.vpc_endpoint_id or ""],
    }
