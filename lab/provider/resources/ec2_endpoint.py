"""aws:ec2/vpcEndpoint: interface endpoints."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resource_type import added_and_removed, raise_unsuccessful, tag_map
from lab.provider.resources.ec2 import Ec2Type
from lab.provider.schema import (
    Kind,
    block,
    blocks,
    document,
    flag,
    mapping,
    output,
    table,
    text,
    texts,
)

_PLACES = ("subnetIds", "subnetConfigurations")


class VpcEndpoint(Ec2Type):
    """Interface endpoints; a gateway endpoint's route tables are not modelled.

    Fixed addresses: `subnetConfigurations` gives the endpoint's address per subnet of
    `subnetIds`.

    DescribeVpcEndpoints does not tell the addresses, so they are read from the endpoint's network
    interfaces.
    """

    urn_type = "aws:ec2/vpcEndpoint:VpcEndpoint"
    title = "EC2 VPC Endpoint"
    tag_type = "vpc-endpoint"
    gone = frozenset({"InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound"})
    properties = table(
        {
            "vpcId": text(required=True, replaces=True),
            "serviceName": text(required=True, replaces=True),
            "serviceRegion": text(computed=True, replaces=True),
            "vpcEndpointType": text(default="Gateway", replaces=True),
            "policy": document(computed=True, aws="PolicyDocument"),
            "privateDnsEnabled": flag(computed=True),
            "dnsOptions": block(
                {
                    "dnsRecordIpType": text(computed=True),
                    "privateDnsOnlyForInboundResolverEndpoint": flag(computed=True),
                },
                computed=True,
            ),
            "subnetIds": texts(computed=True),
            "subnetConfigurations": blocks(
                {"subnetId": text(), "ipv4": text(), "ipv6": text()},
                unordered=True,
                computed=True,
                follows=("subnetIds",),
            ),
            "securityGroupIds": texts(computed=True),
            "tags": mapping(),
            "arn": output(),
            "state": output(),
            "ipAddressType": output(),
            "ownerId": output(),
            "requesterManaged": output(Kind.FLAG),
            "networkInterfaceIds": output(many=True, follows=_PLACES),
            "dnsEntries": blocks(
                {"dnsName": text(), "hostedZoneId": text()},
                output=True,
                follows=(*_PLACES, "privateDnsEnabled"),
            ),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_ or str(inputs.get("serviceName", ""))

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = [
            name for name, prop in self.properties.items() if not prop.output and name != "tags"
        ]
        asked = self.to_aws(inputs, names)
        made = aws.client("ec2").create_vpc_endpoint(**asked, **self.tag_specifications(inputs))
        return made["VpcEndpoint"]["VpcEndpointId"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        def available() -> bool:
            endpoint = self._describe(aws, id_)
            state = endpoint["State"].lower()
            if state in ("failed", "rejected", "expired", "deleted"):
                reason = endpoint.get("LastError", {}).get("Message", "")
                raise UnfinishedError(
                    f"unexpected state '{endpoint['State']}', wanted 'available' {reason}"
                )
            return state in ("available", "pendingacceptance")

        aws.wait_until(f"EC2 VPC Endpoint ({id_}) to become available", available)

    def _describe(self, aws: Aws, id_: str) -> dict[str, Any]:
        found = aws.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[id_])
        return first([one for one in found["VpcEndpoints"] if one["State"].lower() != "deleted"])

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        endpoint = self._describe(aws, id_)
        outputs = self.from_aws(endpoint)
        outputs.pop("subnetConfigurations", None)
        return {
            **outputs,
            "arn": self.arn(aws, endpoint.get("OwnerId") or aws.account_id, "vpc-endpoint", id_),
            "securityGroupIds": [group["GroupId"] for group in endpoint.get("Groups", [])],
            "subnetConfigurations": self._addresses(aws, endpoint.get("NetworkInterfaceIds", [])),
            "tagsAll": tag_map(endpoint.get("Tags")),
        }

    def _addresses(self, aws: Aws, interface_ids: list[str]) -> list[dict[str, str]]:
        if not interface_ids:
            return []
        found = aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=interface_ids)
        return [
            {"subnetId": one["SubnetId"], "ipv4": one["PrivateIpAddress"]}
            for one in found["NetworkInterfaces"]
        ]

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        asked = self.to_aws(new, changed & {"privateDnsEnabled", "dnsOptions", "policy"})
        if "policy" in changed and not new.get("policy"):
            asked["ResetPolicy"] = True
        for name, what in (
            ("subnetIds", "SubnetIds"),
            ("securityGroupIds", "SecurityGroupIds"),
        ):
            if name in changed:
                added, removed = added_and_removed(old.get(name), new.get(name))
                asked |= {f"Add{what}": added} if added else {}
                asked |= {f"Remove{what}": removed} if removed else {}
        if "subnetConfigurations" in changed:
            asked |= self.to_aws(new, ("subnetConfigurations",))
        aws.client("ec2").modify_vpc_endpoint(VpcEndpointId=id_, **asked)
        self.settle(aws, id_, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        answer = aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[id_])
        raise_unsuccessful(answer, "DeleteVpcEndpoints")
        what = f"EC2 VPC Endpoint ({id_})"
        self.wait_until_gone(aws, what, lambda: self._describe(aws, id_))


TYPES = (VpcEndpoint,)
