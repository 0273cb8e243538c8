"""Connection notifications: an SNS message at each event of an endpoint connection.

"Receive alerts for interface endpoint events" and "Create alerts for endpoint service events" (AWS
PrivateLink): Accept, Connect, Delete, Reject, to an SNS topic that `vpce.amazonaws.com` may publish
to (see `lab.cloud.sns_.topics`). That is checked when the notification is made; a message that the
topic admits no longer is lost. AWS does not publish the form of the message; this one is ours: a
JSON object of `event`, `serviceId`, `vpcEndpointId`, `vpcEndpointOwner`, `time`.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.utils import iso_8601_datetime_with_milliseconds
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends

from lab.cloud import changes
from lab.cloud.ec2.exceptions import invalid_parameter, invalid_parameter_value
from lab.cloud.sns_.topics import find_topic, may_publish

if TYPE_CHECKING:
    from lab.cloud.ec2.endpoint_services import EndpointService
    from lab.cloud.ec2.endpoints import InterfaceEndpoint

EVENTS = ("Accept", "Connect", "Delete", "Reject")
SERVICE = "vpce.amazonaws.com"


@dataclass
class Notification:
    """Serialised by its attributes' names as ConnectionNotification."""

    connection_notification_id: str
    service_id: str | None
    vpc_endpoint_id: str | None
    connection_notification_arn: str
    connection_events: list[str]
    service_region: str
    owner_id: str
    connection_notification_type = "Topic"
    connection_notification_state = "Enabled"

    @property
    def about(self) -> str:
        """The ARN of the service or endpoint that it tells of: `aws:SourceArn` of its messages."""
        kind = "vpc-endpoint-service" if self.service_id else "vpc-endpoint"
        name = self.service_id or self.vpc_endpoint_id
        return f"arn:aws:ec2:{self.service_region}:{self.owner_id}:{kind}/{name}"


class NotificationBackend:
    """The connection notifications of one account and region."""

    account_id: str
    region_name: str
    configurations: dict[str, Any]
    vpc_end_points: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.notifications: dict[str, Notification] = {}
        super().__init__(*args, **kwargs)

    def create_connection_notification(self, request: Mapping[str, Any]) -> Notification:
        """`request` in the API's words. Raises InvalidParameter or a NotFound code."""
        service_id, endpoint_id = request.get("ServiceId"), request.get("VpcEndpointId")
        if (service_id is None) == (endpoint_id is None):
            raise invalid_parameter("Exactly one of ServiceId and VpcEndpointId must be specified")
        if service_id:
            self.endpoint_service(service_id)  # type: ignore[attr-defined]
        if endpoint_id:
            self.get_interface_endpoint(endpoint_id)  # type: ignore[attr-defined]
        arn, events = request["ConnectionNotificationArn"], request.get("ConnectionEvents", [])
        made = Notification(
            f"vpce-nfn-{secrets.token_hex(9)[:17]}",
            service_id,
            endpoint_id,
            arn,
            list(events),
            self.region_name,
            self.account_id,
        )
        check_topic(arn, made)
        check_events(events)
        self.notifications[made.connection_notification_id] = made
        return made

    def modify_connection_notification(self, request: Mapping[str, Any]) -> None:
        notification = self.connection_notification(request["ConnectionNotificationId"])
        arn = request.get("ConnectionNotificationArn", notification.connection_notification_arn)
        events = request.get("ConnectionEvents", notification.connection_events)
        check_topic(arn, notification)
        check_events(events)
        notification.connection_notification_arn = arn
        notification.connection_events = list(events)

    def connection_notification(self, notification_id: str) -> Notification:
        if notification_id not in self.notifications:
            raise EC2ClientError(
                "InvalidConnectionNotification",
                f"The connection notification '{notification_id}' does not exist",
            )
        return self.notifications[notification_id]

    def delete_connection_notification(self, notification_id: str) -> None:
        self.connection_notification(notification_id)
        del self.notifications[notification_id]


def publish(service: "EndpointService", endpoint: "InterfaceEndpoint", event: str) -> None:
    """Tells the topics that asked for it, the service's owner's and the endpoint's owner's."""
    message = json.dumps(
        {
            "event": event,
            "serviceId": service.id,
            "vpcEndpointId": endpoint.id,
            "vpcEndpointOwner": endpoint.owner_id,
            "time": iso_8601_datetime_with_milliseconds(),
        }
    )
    for account_id in sorted({service.owner_id, endpoint.owner_id}):
        backend: Any = ec2_backends[account_id][service.region]
        for each in list(backend.notifications.values()):
            about = service.id == each.service_id or endpoint.id == each.vpc_endpoint_id
            if about and event in each.connection_events:
                _send(each, message)


def _send(notification: Notification, message: str) -> None:
    arn = notification.connection_notification_arn
    topic = find_topic(arn)
    if topic is not None and may_publish(topic, SERVICE, notification.about):
        topic.sns_backend.publish(message, arn=arn, subject="VPC endpoint notification")
        changes.changed("sns")


def check_topic(arn: str, notification: Notification) -> None:
    topic = find_topic(arn)
    if topic is None or arn.split(":")[3] != notification.service_region:
        raise invalid_parameter(f"The SNS topic {arn} does not exist in this Region")
    if not may_publish(topic, SERVICE, notification.about):
        raise invalid_parameter(f"The SNS topic {arn} does not let {SERVICE} publish")


def check_events(events: Iterable[str]) -> None:
    unknown = [each for each in events if each not in EVENTS]
    if unknown or not events:
        raise invalid_parameter_value(
            f"Invalid connection events: [{', '.join(unknown)}]. Valid values are"
            f" {', '.join(EVENTS)}."
        )
