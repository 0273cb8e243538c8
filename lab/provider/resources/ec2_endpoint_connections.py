"""aws:ec2: the connections to endpoint services, and the notifications of them."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resource_type import raise_unsuccessful
from lab.provider.resources.ec2 import Ec2Type
from lab.provider.schema import output, table, text, texts


class VpcEndpointConnectionAccepter(Ec2Type):
    """The acceptance of one endpoint; deleting it rejects the endpoint, which AWS goes on showing.

    What a call says of the single endpoint is not looked at, as in pulumi-aws: an endpoint that is
    accepted already is, and one that cannot be does not become available.
    """

    urn_type = "aws:ec2/vpcEndpointConnectionAccepter:VpcEndpointConnectionAccepter"
    title = "EC2 VPC Endpoint Connection"
    gone = frozenset({"InvalidVpcEndpointServiceId.NotFound"})
    id_parts = ("vpcEndpointServiceId", "vpcEndpointId")
    id_separator = "_"
    properties = table(
        {
            "vpcEndpointServiceId": text(required=True, replaces=True),
            "vpcEndpointId": text(required=True, replaces=True),
            "vpcEndpointState": output(),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or f"{inputs['vpcEndpointServiceId']}_{inputs['vpcEndpointId']}"

    def _connection(self, values: Mapping[str, Any]) -> dict[str, Any]:
        service_id, endpoint_id = values["vpcEndpointServiceId"], values["vpcEndpointId"]
        return {"ServiceId": service_id, "VpcEndpointIds": [endpoint_id]}

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        aws.client("ec2").accept_vpc_endpoint_connections(**self._connection(inputs))
        return f"{inputs['vpcEndpointServiceId']}_{inputs['vpcEndpointId']}"

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        def accepted() -> bool:
            state = self._describe(aws, inputs)["VpcEndpointState"]
            if state.lower() not in ("available", "pending", "pendingacceptance"):
                raise UnfinishedError(
                    f"waiting for VPC Endpoint Connection ({id_}) to be accepted: "
                    f"unexpected state '{state}', wanted target 'available'"
                )
            return state.lower() == "available"

        aws.wait_until(f"VPC Endpoint Connection ({id_}) to be accepted", accepted)

    def _describe(self, aws: Aws, known: Mapping[str, Any]) -> dict[str, Any]:
        of_service = [{"Name": "service-id", "Values": [known["vpcEndpointServiceId"]]}]
        pages = aws.client("ec2").get_paginator("describe_vpc_endpoint_connections")
        return first(
            [
                connection
                for page in pages.paginate(Filters=of_service)
                for connection in page["VpcEndpointConnections"]
                if connection["VpcEndpointId"] == known["vpcEndpointId"]
                and connection["VpcEndpointState"].lower() != "deleted"
            ]
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        connection = self._describe(aws, known)
        return {
            "vpcEndpointServiceId": connection["ServiceId"],
            **self.from_aws(connection, ("vpcEndpointId", "vpcEndpointState")),
        }

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("ec2").reject_vpc_endpoint_connections(**self._connection(known))


class VpcEndpointConnectionNotification(Ec2Type):
    urn_type = "aws:ec2/vpcEndpointConnectionNotification:VpcEndpointConnectionNotification"
    title = "EC2 VPC Endpoint Connection Notification"
    gone = frozenset({"InvalidConnectionNotification"})
    properties = table(
        {
            "connectionEvents": texts(required=True),
            "connectionNotificationArn": text(required=True),
            "vpcEndpointId": text(replaces=True),
            "vpcEndpointServiceId": text(replaces=True, aws="ServiceId"),
            "notificationType": output(aws="ConnectionNotificationType"),
            "state": output(aws="ConnectionNotificationState"),
        }
    )
    _settable = ("connectionEvents", "connectionNotificationArn")

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, "vpcEndpointServiceId", "vpcEndpointId")

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, (*self._settable, "vpcEndpointId", "vpcEndpointServiceId"))
        made = aws.client("ec2").create_vpc_endpoint_connection_notification(**asked)
        return made["ConnectionNotification"]["ConnectionNotificationId"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        client = aws.client("ec2")
        found = client.describe_vpc_endpoint_connection_notifications(ConnectionNotificationId=id_)
        return self.from_aws(first(found["ConnectionNotificationSet"]))

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        aws.client("ec2").modify_vpc_endpoint_connection_notification(
            ConnectionNotificationId=id_, **self.to_aws(new, changed & set(self._settable))
        )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        answer = aws.client("ec2").delete_vpc_endpoint_connection_notifications(
            ConnectionNotificationIds=[id_]
        )
        raise_unsuccessful(answer, "DeleteVpcEndpointConnectionNotifications")


TYPES = (VpcEndpointConnectionAccepter, VpcEndpointConnectionNotification)
