"""aws:ec2: endpoint services, and who may connect to them."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resource_type import added_and_removed, raise_unsuccessful, tag_map
from lab.provider.resources.ec2 import Ec2Type
from lab.provider.schema import Kind, blocks, flag, mapping, output, table, text, texts

_SERVICE_GONE = frozenset({"InvalidVpcEndpointServiceId.NotFound"})


class VpcEndpointService(Ec2Type):
    """Endpoint services of Network Load Balancers.

    A private DNS name that is left out stays, as in pulumi-aws. Who may connect is said by
    resources of their own, not by `allowedPrincipals`.
    """

    urn_type = "aws:ec2/vpcEndpointService:VpcEndpointService"
    title = "EC2 VPC Endpoint Service"
    tag_type = "vpc-endpoint-service"
    gone = _SERVICE_GONE
    properties = table(
        {
            "acceptanceRequired": flag(required=True),
            "networkLoadBalancerArns": texts(),
            "privateDnsName": text(computed=True),
            "supportedRegions": texts(computed=True),
            "tags": mapping(),
            "arn": output(),
            "availabilityZones": output(
                many=True, unordered=True, follows=("networkLoadBalancerArns",)
            ),
            "baseEndpointDnsNames": output(many=True, unordered=True),
            "managesVpcEndpoints": output(Kind.FLAG),
            "privateDnsNameConfigurations": blocks(
                {"name": text(), "state": text(), "type": text(), "value": text()},
                output=True,
                follows=("privateDnsName",),
            ),
            "serviceName": output(),
            "serviceType": output(),
            "state": output(aws="ServiceState"),
            "supportedIpAddressTypes": output(many=True, unordered=True),
        }
    )
    _lists = ("networkLoadBalancerArns", "supportedRegions")

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("acceptanceRequired", "privateDnsName", *self._lists))
        made = aws.client("ec2").create_vpc_endpoint_service_configuration(
            **asked, **self.tag_specifications(inputs)
        )
        return made["ServiceConfiguration"]["ServiceId"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        aws.wait_until(
            f"EC2 VPC Endpoint Service ({id_}) to become available",
            lambda: describe_service(aws, id_)["ServiceState"] == "Available",
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        service = describe_service(aws, id_)
        proof = service.get("PrivateDnsNameConfiguration")
        answer = {
            **service,
            "ServiceType": service["ServiceType"][0]["ServiceType"],
            "PrivateDnsNameConfigurations": [proof] if proof else None,
            "SupportedRegions": [
                one["Region"]
                for one in service.get("SupportedRegions", [])
                if one["ServiceState"] == "Available"
            ],
        }
        return {
            **self.from_aws(answer),
            "arn": self.arn(aws, aws.account_id, "vpc-endpoint-service", id_),
            "tagsAll": tag_map(service.get("Tags")),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        asked = self.to_aws(new, changed & {"acceptanceRequired", "privateDnsName"})
        for name in changed & set(self._lists):
            what = f"{name[0].upper()}{name[1:]}"
            added, removed = added_and_removed(old.get(name), new.get(name))
            asked |= {f"Add{what}": added} if added else {}
            asked |= {f"Remove{what}": removed} if removed else {}
        if asked:
            aws.client("ec2").modify_vpc_endpoint_service_configuration(ServiceId=id_, **asked)
            self.settle(aws, id_, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        answer = aws.client("ec2").delete_vpc_endpoint_service_configurations(ServiceIds=[id_])
        raise_unsuccessful(answer, "DeleteVpcEndpointServiceConfigurations")
        what = f"EC2 VPC Endpoint Service ({id_})"
        self.wait_until_gone(aws, what, lambda: describe_service(aws, id_))


def describe_service(aws: Aws, service_id: str) -> dict[str, Any]:
    """The ServiceConfiguration. Raises GoneError or a ClientError when there is none."""
    client = aws.client("ec2")
    found = client.describe_vpc_endpoint_service_configurations(ServiceIds=[service_id])
    return first(found["ServiceConfigurations"])


class VpcEndpointServiceAllowedPrinciple(Ec2Type):
    """One principal that may connect. A permission has no id of its own unless it is new, so that
    a principal that is allowed already cannot be allowed by a second resource.
    """

    urn_type = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
    title = "EC2 VPC Endpoint Service Allowed Principal"
    gone = _SERVICE_GONE
    properties = table(
        {
            "principalArn": text(required=True, replaces=True),
            "vpcEndpointServiceId": text(required=True, replaces=True),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("principalArn") or id_)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        principal = inputs["principalArn"]
        answer = aws.client("ec2").modify_vpc_endpoint_service_permissions(
            ServiceId=inputs["vpcEndpointServiceId"], AddAllowedPrincipals=[principal]
        )
        for permission in answer.get("AddedPrincipals", []):
            if permission["Principal"] == principal:
                return permission["ServicePermissionId"]
        raise UnfinishedError(f"the principal {principal} is allowed already")

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        permission = first(self._permissions(aws, known))
        return {
            "principalArn": permission["Principal"],
            "vpcEndpointServiceId": permission["ServiceId"],
        }

    def _permissions(self, aws: Aws, known: Mapping[str, Any]) -> list[dict[str, Any]]:
        pages = aws.client("ec2").get_paginator("describe_vpc_endpoint_service_permissions")
        return [
            permission
            for page in pages.paginate(ServiceId=known["vpcEndpointServiceId"])
            for permission in page["AllowedPrincipals"]
            if permission["Principal"] == known["principalArn"]
        ]

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("ec2").modify_vpc_endpoint_service_permissions(
            ServiceId=known["vpcEndpointServiceId"], RemoveAllowedPrincipals=[known["principalArn"]]
        )


TYPES = (VpcEndpointService, VpcEndpointServiceAllowedPrinciple)
