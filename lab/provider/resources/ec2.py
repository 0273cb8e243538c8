"""aws:ec2: VPC, subnets, CIDR reservations and flow logs."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resource_type import ResourceType, raise_unsuccessful, tag_list, tag_map
from lab.provider.schema import block, flag, integer, mapping, output, table, text


class Ec2Type(ResourceType):
    """What EC2's resources share: tags, given at creation and changed by calls for any id."""

    service = "ec2"
    tag_type = ""

    def tag_specifications(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        tags = tag_list(inputs.get("tagsAll"))
        if not tags:
            return {}
        return {"TagSpecifications": [{"ResourceType": self.tag_type, "Tags": tags}]}

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        if drop:
            aws.client("ec2").delete_tags(Resources=[id_], Tags=[{"Key": key} for key in drop])
        if put:
            aws.client("ec2").create_tags(Resources=[id_], Tags=tag_list(put))

    def arn(self, aws: Aws, owner: str, kind: str, id_: str) -> str:
        return f"arn:{aws.partition}:ec2:{aws.region}:{owner}:{kind}/{id_}"


class Vpc(Ec2Type):
    urn_type = "aws:ec2/vpc:Vpc"
    title = "EC2 VPC"
    tag_type = "vpc"
    gone = frozenset({"InvalidVpcID.NotFound"})
    properties = table(
        {
            "cidrBlock": text(required=True, replaces=True),
            "instanceTenancy": text(default="default", replaces=True),
            "enableDnsSupport": flag(default=True),
            "enableDnsHostnames": flag(default=False),
            "enableNetworkAddressUsageMetrics": flag(computed=True),
            "tags": mapping(),
            "arn": output(),
            "ownerId": output(),
            "dhcpOptionsId": output(),
            "defaultSecurityGroupId": output(),
            "defaultNetworkAclId": output(),
            "defaultRouteTableId": output(),
            "mainRouteTableId": output(),
        }
    )
    _attributes = ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics")

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("cidrBlock", "instanceTenancy"))
        made = aws.client("ec2").create_vpc(**asked, **self.tag_specifications(inputs))
        return made["Vpc"]["VpcId"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        at_birth = {"enableDnsSupport": True, "enableDnsHostnames": False}
        differing = {name for name in self._attributes if inputs.get(name) != at_birth.get(name)}
        self._set_attributes(aws, id_, inputs, differing)

    def _set_attributes(
        self, aws: Aws, id_: str, inputs: Mapping[str, Any], names: set[str] | frozenset[str]
    ) -> None:
        for name in (name for name in self._attributes if name in names):
            if (value := inputs.get(name)) is not None:
                setting = {name[0].upper() + name[1:]: {"Value": value}}
                aws.client("ec2").modify_vpc_attribute(VpcId=id_, **setting)

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        client = aws.client("ec2")
        vpc = first(client.describe_vpcs(VpcIds=[id_])["Vpcs"])
        outputs = self.from_aws(vpc, ("cidrBlock", "instanceTenancy", "dhcpOptionsId", "ownerId"))
        for name in self._attributes:
            answer = client.describe_vpc_attribute(VpcId=id_, Attribute=name)
            outputs[name] = answer[name[0].upper() + name[1:]]["Value"]
        of_vpc = [{"Name": "vpc-id", "Values": [id_]}]
        default = [*of_vpc, {"Name": "group-name", "Values": ["default"]}]
        for group in client.describe_security_groups(Filters=default)["SecurityGroups"]:
            outputs["defaultSecurityGroupId"] = group["GroupId"]
        for acl in client.describe_network_acls(
            Filters=[*of_vpc, {"Name": "default", "Values": ["true"]}]
        )["NetworkAcls"]:
            outputs["defaultNetworkAclId"] = acl["NetworkAclId"]
        for routes in client.describe_route_tables(
            Filters=[*of_vpc, {"Name": "association.main", "Values": ["true"]}]
        )["RouteTables"]:
            outputs["mainRouteTableId"] = routes["RouteTableId"]
            outputs["defaultRouteTableId"] = routes["RouteTableId"]
        return {
            **outputs,
            "arn": self.arn(aws, vpc.get("OwnerId") or aws.account_id, "vpc", id_),
            "tagsAll": tag_map(vpc.get("Tags")),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self._set_attributes(aws, id_, new, changed)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("ec2").delete_vpc(VpcId=id_)


class Subnet(Ec2Type):
    urn_type = "aws:ec2/subnet:Subnet"
    title = "EC2 Subnet"
    tag_type = "subnet"
    gone = frozenset({"InvalidSubnetID.NotFound"})
    properties = table(
        {
            "vpcId": text(required=True, replaces=True),
            "cidrBlock": text(required=True, replaces=True),
            "availabilityZone": text(computed=True, replaces=True),
            "availabilityZoneId": text(computed=True, replaces=True),
            "mapPublicIpOnLaunch": flag(default=False),
            "tags": mapping(),
            "arn": output(aws="SubnetArn"),
            "ownerId": output(),
        }
    )

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_both(inputs, "availabilityZone", "availabilityZoneId")

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(
            inputs, ("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId")
        )
        made = aws.client("ec2").create_subnet(**asked, **self.tag_specifications(inputs))
        return made["Subnet"]["SubnetId"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs["mapPublicIpOnLaunch"]:
            self.update(aws, id_, {}, inputs, frozenset({"mapPublicIpOnLaunch"}))

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        subnet = first(aws.client("ec2").describe_subnets(SubnetIds=[id_])["Subnets"])
        return {**self.from_aws(subnet), "tagsAll": tag_map(subnet.get("Tags"))}

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        if "mapPublicIpOnLaunch" in changed:
            aws.client("ec2").modify_subnet_attribute(
                SubnetId=id_, MapPublicIpOnLaunch={"Value": new["mapPublicIpOnLaunch"]}
            )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("ec2").delete_subnet(SubnetId=id_)


class SubnetCidrReservation(Ec2Type):
    urn_type = "aws:ec2/subnetCidrReservation:SubnetCidrReservation"
    title = "EC2 Subnet CIDR Reservation"
    gone = frozenset({"InvalidSubnetID.NotFound", "InvalidSubnetCidrReservationID.NotFound"})
    id_parts = ("subnetId", "reservation")
    id_separator = ":"
    properties = table(
        {
            "subnetId": text(required=True, replaces=True),
            "cidrBlock": text(required=True, replaces=True, aws="Cidr"),
            "reservationType": text(required=True, replaces=True),
            "description": text(replaces=True),
            "ownerId": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        made = aws.client("ec2").create_subnet_cidr_reservation(
            **self.to_aws(inputs, self.properties)
        )
        return made["SubnetCidrReservation"]["SubnetCidrReservationId"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        wanted = known.get("reservation", id_)
        answer = aws.client("ec2").get_subnet_cidr_reservations(SubnetId=known["subnetId"])
        reservations = answer["SubnetIpv4CidrReservations"] + answer["SubnetIpv6CidrReservations"]
        found = [one for one in reservations if one["SubnetCidrReservationId"] == wanted]
        return self.from_aws(first(found))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("ec2").delete_subnet_cidr_reservation(SubnetCidrReservationId=id_)


class FlowLog(Ec2Type):
    urn_type = "aws:ec2/flowLog:FlowLog"
    title = "Flow Log"
    tag_type = "vpc-flow-log"
    gone = frozenset({"InvalidFlowLogId.NotFound"})
    properties = table(
        {
            "vpcId": text(replaces=True),
            "subnetId": text(replaces=True),
            "eniId": text(replaces=True),
            "trafficType": text(replaces=True),
            "logDestinationType": text(default="cloud-watch-logs", replaces=True),
            "logDestination": text(computed=True, replaces=True),
            "logFormat": text(computed=True, replaces=True),
            "iamRoleArn": text(replaces=True, aws="DeliverLogsPermissionArn"),
            "maxAggregationInterval": integer(default=600, replaces=True),
            "destinationOptions": block(
                {
                    "fileFormat": text(default="plain-text"),
                    "hiveCompatiblePartitions": flag(default=False),
                    "perHourPartition": flag(default=False),
                },
                replaces=True,
            ),
            "tags": mapping(),
            "arn": output(),
        }
    )
    _targets = table({"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"})

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, *self._targets)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        target = next(name for name in self._targets if inputs.get(name))
        names = [name for name in self.properties if name not in self._targets and name != "tags"]
        answer = aws.client("ec2").create_flow_logs(
            ResourceIds=[inputs[target]],
            ResourceType=self._targets[target],
            **self.to_aws(inputs, names),
            **self.tag_specifications(inputs),
        )
        raise_unsuccessful(answer, "CreateFlowLogs")
        return answer["FlowLogIds"][0]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        log = first(aws.client("ec2").describe_flow_logs(FlowLogIds=[id_])["FlowLogs"])
        outputs = self.from_aws(log)
        prefixes = {"vpc": "vpcId", "subnet": "subnetId", "eni": "eniId"}
        outputs[prefixes[log["ResourceId"].split("-")[0]]] = log["ResourceId"]
        return {
            **outputs,
            "arn": self.arn(aws, aws.account_id, "vpc-flow-log", id_),
            "tagsAll": tag_map(log.get("Tags")),
        }

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        answer = aws.client("ec2").delete_flow_logs(FlowLogIds=[id_])
        raise_unsuccessful(answer, "DeleteFlowLogs")


TYPES = (Vpc, Subnet, SubnetCidrReservation, FlowLog)
