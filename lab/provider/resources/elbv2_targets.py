"""aws:lb: target groups and their targets."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resource_type import Autoname, ResourceType
from lab.provider.resources.elbv2_attributes import Attribute, ElbType, attribute_properties
from lab.provider.schema import Kind, block, flag, integer, mapping, output, table, text

_ATTRIBUTES = {
    "deregistrationDelay": Attribute(
        key="deregistration_delay.timeout_seconds", kind=Kind.INTEGER, default=300
    ),
    "slowStart": Attribute(key="slow_start.duration_seconds", kind=Kind.INTEGER, default=0),
    "loadBalancingAlgorithmType": Attribute(
        key="load_balancing.algorithm.type", default="round_robin"
    ),
    "loadBalancingCrossZoneEnabled": Attribute(
        key="load_balancing.cross_zone.enabled", default="use_load_balancer_configuration"
    ),
}
_HEALTH_CHECK = {
    "enabled": flag(default=True, aws="HealthCheckEnabled"),
    "protocol": text(computed=True, aws="HealthCheckProtocol"),
    "port": text(default="traffic-port", aws="HealthCheckPort"),
    "path": text(aws="HealthCheckPath"),
    "interval": integer(default=30, aws="HealthCheckIntervalSeconds"),
    "timeout": integer(aws="HealthCheckTimeoutSeconds"),
    "healthyThreshold": integer(default=3, aws="HealthyThresholdCount"),
    "unhealthyThreshold": integer(default=3, aws="UnhealthyThresholdCount"),
    "matcher": text(),
}


class TargetGroup(ElbType):
    urn_type = "aws:lb/targetGroup:TargetGroup"
    title = "ELBv2 Target Group"
    gone = frozenset({"TargetGroupNotFound"})
    autoname = Autoname(limit=32)
    attributes = _ATTRIBUTES
    attribute_calls = (
        "modify_target_group_attributes",
        "describe_target_group_attributes",
        "TargetGroupArn",
    )
    properties = table(
        {
            "name": text(replaces=True, aws="TargetGroupName"),
            "port": integer(replaces=True),
            "protocol": text(replaces=True),
            "protocolVersion": text(computed=True, replaces=True),
            "targetType": text(default="instance", replaces=True),
            "ipAddressType": text(computed=True, replaces=True),
            "vpcId": text(replaces=True),
            "healthCheck": block(_HEALTH_CHECK, computed=True),
            **attribute_properties(_ATTRIBUTES),
            "tags": mapping(),
            "arn": output(aws="TargetGroupArn"),
            "arnSuffix": output(),
            "loadBalancerArns": output(many=True),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = ("port", "protocol", "protocolVersion", "targetType", "ipAddressType", "vpcId")
        asked = {"Name": inputs["name"], **self.to_aws(inputs, names), **self.tag_arguments(inputs)}
        asked |= self._health_check(inputs.get("healthCheck"))
        made = aws.client("elbv2").create_target_group(**asked)
        return first(made["TargetGroups"])["TargetGroupArn"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        self.set_attributes(aws, id_, self.initial_pairs(inputs))

    def _health_check(self, check: Mapping[str, Any] | None) -> dict[str, Any]:
        if not check:
            return {}
        asked = self.to_aws({"healthCheck": check}, ("healthCheck",))["HealthCheck"]
        matcher = asked.pop("Matcher", None)
        return {**asked, **({"Matcher": {"HttpCode": matcher}} if matcher else {})}

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("elbv2").describe_target_groups(TargetGroupArns=[id_])
        group = first(found["TargetGroups"])
        matcher = group.get("Matcher", {}).get("HttpCode")
        check = self.from_aws({"HealthCheck": {**group, "Matcher": matcher}}, ("healthCheck",))
        names = [
            name for name in self.properties if name not in ("healthCheck", "tags", *_ATTRIBUTES)
        ]
        return {
            **self.from_aws(group, names),
            **check,
            **self.read_attributes(self.described_attributes(aws, id_)),
            "arnSuffix": id_.rpartition(":")[2],
            "tagsAll": self.tags(aws, id_),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        if "healthCheck" in changed:
            check = self._health_check(new["healthCheck"])
            aws.client("elbv2").modify_target_group(TargetGroupArn=id_, **check)
        self.set_attributes(aws, id_, self.attribute_pairs(new, sorted(changed)))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("elbv2").delete_target_group(TargetGroupArn=id_)


class TargetGroupAttachment(ResourceType):
    urn_type = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    title = "ELBv2 Target Group Attachment"
    service = "elbv2"
    gone = frozenset({"TargetGroupNotFound", "InvalidTarget"})
    id_parts = ("targetGroupArn", "targetId")
    id_separator = ","
    properties = table(
        {
            "targetGroupArn": text(required=True, replaces=True),
            "targetId": text(required=True, replaces=True, aws="Id"),
            "port": integer(replaces=True, computed=True),
            "availabilityZone": text(replaces=True, computed=True),
        }
    )
    _target = ("targetId", "port", "availabilityZone")

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("targetId") or id_)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        aws.client("elbv2").register_targets(
            TargetGroupArn=inputs["targetGroupArn"], Targets=[self.to_aws(inputs, self._target)]
        )
        return f"{inputs['targetGroupArn']},{inputs['targetId']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        arn = known["targetGroupArn"]
        found = aws.client("elbv2").describe_target_health(TargetGroupArn=arn)
        wanted = self.to_aws(known, self._target)
        registered = [
            one["Target"]
            for one in found["TargetHealthDescriptions"]
            if wanted.items() <= one["Target"].items()
            and one["TargetHealth"].get("Reason")
            not in ("Target.NotRegistered", "Target.DeregistrationInProgress")
        ]
        return {"targetGroupArn": arn, **self.from_aws(first(registered), self._target)}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("elbv2").deregister_targets(
            TargetGroupArn=known["targetGroupArn"], Targets=[self.to_aws(known, self._target)]
        )


TYPES = (TargetGroup, TargetGroupAttachment)
