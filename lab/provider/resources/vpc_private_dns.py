"""aws:vpc: the private DNS name of an endpoint service, and its use by an endpoint.

Neither is a thing of its own in AWS, so deleting them changes nothing there.
"""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resource_type import ResourceType
from lab.provider.resources.ec2_endpoint_service import describe_service
from lab.provider.schema import flag, table, text


class EndpointServicePrivateDnsVerification(ResourceType):
    """The start of a verification. What was started is not looked at again."""

    urn_type = "aws:vpc/endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification"
    title = "VPC Endpoint Service Private DNS Verification"
    service = "ec2"
    properties = table(
        {
            "serviceId": text(required=True, replaces=True),
            "waitForVerification": flag(unread=True),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs["serviceId"])

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        service_id = inputs["serviceId"]
        aws.client("ec2").start_vpc_endpoint_service_private_dns_verification(ServiceId=service_id)
        if inputs.get("waitForVerification"):
            aws.wait_until(
                f"verification of the private DNS name of {service_id}",
                lambda: _verified(describe_service(aws, service_id)),
            )
        return service_id

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"serviceId": known["serviceId"]}

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        """pulumi-aws has no way to update it, and none to replace it for this."""
        raise UnfinishedError("This resource's Update method should not have been called")

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        pass


def _verified(service: Mapping[str, Any]) -> bool:
    proof = service.get("PrivateDnsNameConfiguration", {})
    if proof.get("State") == "failed":
        name, record = service["PrivateDnsName"], f"{proof['Name']}.{service['PrivateDnsName']}"
        raise UnfinishedError(
            f"waiting for verification of {name}: failed; public DNS has no {proof['Type']} record "
            f"'{record}' with the value '{proof['Value']}'"
        )
    return proof.get("State") == "verified"


class EndpointPrivateDns(ResourceType):
    """Whether an endpoint answers by its service's private DNS name, in its VPC."""

    urn_type = "aws:vpc/endpointPrivateDns:EndpointPrivateDns"
    title = "VPC Endpoint Private DNS"
    service = "ec2"
    gone = frozenset({"InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"})
    id_parts = ("vpcEndpointId",)
    properties = table(
        {
            "vpcEndpointId": text(required=True, replaces=True),
            "privateDnsEnabled": flag(required=True),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs["vpcEndpointId"])

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("vpcEndpointId", "privateDnsEnabled"))
        aws.client("ec2").modify_vpc_endpoint(**asked)
        return inputs["vpcEndpointId"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        endpoint_id = known["vpcEndpointId"]
        found = aws.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
        there = [one for one in found["VpcEndpoints"] if one["State"].lower() != "deleted"]
        return self.from_aws(first(there), ("vpcEndpointId", "privateDnsEnabled"))

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self.create(aws, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        pass


TYPES = (EndpointServicePrivateDnsVerification, EndpointPrivateDns)
