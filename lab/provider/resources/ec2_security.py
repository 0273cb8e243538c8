"""aws:ec2 and aws:vpc: security groups and their rules."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, GoneError, first
from lab.provider.resource_type import Autoname, tag_map
from lab.provider.resources.ec2 import Ec2Type
from lab.provider.schema import blocks, flag, integer, mapping, output, table, text, texts

_INLINE_RULE = {
    "protocol": text(required=True),
    "fromPort": integer(required=True),
    "toPort": integer(required=True),
    "cidrBlocks": texts(),
    "ipv6CidrBlocks": texts(),
    "prefixListIds": texts(),
    "securityGroups": texts(),
    "self": flag(default=False),
    "description": text(default=""),
}


def _permission(group_id: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    """An inline rule as EC2's IpPermission."""
    note = {"Description": rule["description"]} if rule["description"] else {}
    groups = [*rule.get("securityGroups", []), *([group_id] if rule["self"] else [])]
    lists = {
        "IpRanges": [{"CidrIp": cidr, **note} for cidr in rule.get("cidrBlocks", [])],
        "Ipv6Ranges": [{"CidrIpv6": cidr, **note} for cidr in rule.get("ipv6CidrBlocks", [])],
        "PrefixListIds": [{"PrefixListId": one, **note} for one in rule.get("prefixListIds", [])],
        "UserIdGroupPairs": [{"GroupId": group, **note} for group in groups],
    }
    ports = (
        {} if rule["protocol"] == "-1" else {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    )
    return {
        "IpProtocol": rule["protocol"],
        **ports,
        **{key: one for key, one in lists.items() if one},
    }


def _inline_rules(group_id: str, permissions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """EC2's IpPermissions as inline rules, one per description."""
    rules: dict[tuple[Any, ...], dict[str, Any]] = {}
    for permission in permissions:
        ports = (permission.get("FromPort", 0), permission.get("ToPort", 0))
        sources = [
            ("IpRanges", "CidrIp", "cidrBlocks"),
            ("Ipv6Ranges", "CidrIpv6", "ipv6CidrBlocks"),
            ("PrefixListIds", "PrefixListId", "prefixListIds"),
            ("UserIdGroupPairs", "GroupId", "securityGroups"),
        ]
        for member, key, name in sources:
            for source in permission.get(member, []):
                note = source.get("Description", "")
                blank = {
                    "protocol": permission["IpProtocol"],
                    "fromPort": ports[0],
                    "toPort": ports[1],
                    "self": False,
                    "description": note,
                }
                rule = rules.setdefault((permission["IpProtocol"], *ports, note), blank)
                if source[key] == group_id:
                    rule["self"] = True
                else:
                    rule.setdefault(name, []).append(source[key])
    return list(rules.values())


def _replace_rules(
    aws: Aws, group: Mapping[str, Any], inputs: Mapping[str, Any], names: frozenset[str]
) -> None:
    """Makes the group's rules those of `inputs`, for the directions named."""
    client, group_id = aws.client("ec2"), group["GroupId"]
    for name, member, grant, revoke in (
        (
            "ingress",
            "IpPermissions",
            "authorize_security_group_ingress",
            "revoke_security_group_ingress",
        ),
        (
            "egress",
            "IpPermissionsEgress",
            "authorize_security_group_egress",
            "revoke_security_group_egress",
        ),
    ):
        if name not in names:
            continue
        if group[member]:
            getattr(client, revoke)(GroupId=group_id, IpPermissions=group[member])
        wanted = [_permission(group_id, rule) for rule in inputs.get(name) or []]
        if wanted:
            getattr(client, grant)(GroupId=group_id, IpPermissions=wanted)


class _Group(Ec2Type):
    """A security group with its inline rules, whoever made it."""

    def _describe(self, aws: Aws, id_: str) -> dict[str, Any]:
        return first(aws.client("ec2").describe_security_groups(GroupIds=[id_])["SecurityGroups"])

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        group = self._describe(aws, id_)
        return {
            **self.from_aws(group, ("name", "description", "vpcId", "ownerId")),
            "arn": self.arn(aws, group["OwnerId"], "security-group", id_),
            "ingress": _inline_rules(id_, group["IpPermissions"]),
            "egress": _inline_rules(id_, group["IpPermissionsEgress"]),
            "tagsAll": tag_map(group.get("Tags")),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        _replace_rules(aws, self._describe(aws, id_), new, changed)


class SecurityGroup(_Group):
    """As pulumi-aws, it takes away the allow-all egress rule that EC2 gives a new group."""

    urn_type = "aws:ec2/securityGroup:SecurityGroup"
    title = "EC2 Security Group"
    tag_type = "security-group"
    gone = frozenset({"InvalidGroup.NotFound", "InvalidGroupId.Malformed"})
    autoname = Autoname(limit=255)
    properties = table(
        {
            "name": text(replaces=True, aws="GroupName"),
            "namePrefix": text(replaces=True),
            "description": text(default="Managed by Pulumi", replaces=True),
            "vpcId": text(computed=True, replaces=True),
            "ingress": blocks(_INLINE_RULE, unordered=True, computed=True),
            "egress": blocks(_INLINE_RULE, unordered=True, computed=True),
            "revokeRulesOnDelete": flag(default=False, unread=True),
            "tags": mapping(),
            "arn": output(),
            "ownerId": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("name", "description", "vpcId"))
        return aws.client("ec2").create_security_group(**asked, **self.tag_specifications(inputs))[
            "GroupId"
        ]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        _replace_rules(aws, self._describe(aws, id_), inputs, frozenset({"ingress", "egress"}))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        if known.get("revokeRulesOnDelete"):
            _replace_rules(aws, self._describe(aws, id_), {}, frozenset({"ingress", "egress"}))
        aws.client("ec2").delete_security_group(GroupId=id_)


class DefaultSecurityGroup(_Group):
    """Adopts the VPC's default group and makes its rules those given; deleting lets go of it, as
    pulumi-aws does.
    """

    urn_type = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    title = "EC2 Default Security Group"
    gone = frozenset({"InvalidGroup.NotFound", "InvalidGroupId.Malformed"})
    properties = table(
        {
            "vpcId": text(required=True, replaces=True),
            "ingress": blocks(_INLINE_RULE, unordered=True),
            "egress": blocks(_INLINE_RULE, unordered=True),
            "revokeRulesOnDelete": flag(default=False, unread=True),
            "tags": mapping(),
            "name": output(aws="GroupName"),
            "description": output(),
            "arn": output(),
            "ownerId": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        wanted = [
            {"Name": "vpc-id", "Values": [inputs["vpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
        groups = aws.client("ec2").describe_security_groups(Filters=wanted)["SecurityGroups"]
        return first(groups)["GroupId"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        group = self._describe(aws, id_)
        _replace_rules(aws, group, inputs, frozenset({"ingress", "egress"}))
        if inputs.get("tagsAll"):
            self.retag(aws, id_, {}, inputs["tagsAll"], [])

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        """The group goes with its VPC; there is no call that deletes a default group."""


class _SecurityGroupRule(Ec2Type):
    tag_type = "security-group-rule"
    gone = frozenset({"InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"})
    egress = False
    properties = table(
        {
            "securityGroupId": text(required=True, replaces=True, aws="GroupId"),
            "ipProtocol": text(required=True),
            "fromPort": integer(),
            "toPort": integer(),
            "cidrIpv4": text(),
            "cidrIpv6": text(),
            "prefixListId": text(),
            "referencedSecurityGroupId": text(),
            "description": text(),
            "tags": mapping(),
            "arn": output(aws="SecurityGroupRuleArn"),
            "securityGroupRuleId": output(),
        }
    )

    _sources = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, *self._sources)

    def must_replace(
        self, old: Mapping[str, Any], new: Mapping[str, Any], changed: frozenset[str]
    ) -> frozenset[str]:
        """ModifySecurityGroupRules cannot turn a rule's source into one of another kind."""
        kinds = [{name for name in self._sources if one.get(name)} for one in (old, new)]
        return frozenset() if kinds[0] == kinds[1] else changed & set(self._sources)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        client = aws.client("ec2")
        note = {"Description": inputs["description"]} if inputs.get("description") else {}
        permission = self.to_aws(inputs, ("ipProtocol", "fromPort", "toPort"))
        for name, member, key in (
            ("cidrIpv4", "IpRanges", "CidrIp"),
            ("cidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            ("prefixListId", "PrefixListIds", "PrefixListId"),
            ("referencedSecurityGroupId", "UserIdGroupPairs", "GroupId"),
        ):
            if inputs.get(name):
                permission[member] = [{key: inputs[name], **note}]
        grant = (
            client.authorize_security_group_egress
            if self.egress
            else client.authorize_security_group_ingress
        )
        answer = grant(
            GroupId=inputs["securityGroupId"],
            IpPermissions=[permission],
            **self.tag_specifications(inputs),
        )
        return first(answer["SecurityGroupRules"])["SecurityGroupRuleId"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[id_])
        rule = first(found["SecurityGroupRules"])
        if rule["IsEgress"] != self.egress:
            raise GoneError
        outputs = self.from_aws(rule)
        if rule["IpProtocol"] == "-1":
            outputs = {
                name: one for name, one in outputs.items() if name not in ("fromPort", "toPort")
            }
        group = rule.get("ReferencedGroupInfo", {}).get("GroupId")
        arn = self.arn(aws, rule.get("GroupOwnerId") or aws.account_id, "security-group-rule", id_)
        return {
            "arn": arn,
            **outputs,
            **({"referencedSecurityGroupId": group} if group else {}),
            "tagsAll": tag_map(rule.get("Tags")),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        rule = self.to_aws(
            new,
            (
                "ipProtocol",
                "fromPort",
                "toPort",
                "cidrIpv4",
                "cidrIpv6",
                "prefixListId",
                "description",
            ),
        )
        if new.get("referencedSecurityGroupId"):
            rule["ReferencedGroupId"] = new["referencedSecurityGroupId"]
        aws.client("ec2").modify_security_group_rules(
            GroupId=new["securityGroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": id_, "SecurityGroupRule": rule}],
        )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        client = aws.client("ec2")
        revoke = (
            client.revoke_security_group_egress
            if self.egress
            else client.revoke_security_group_ingress
        )
        revoke(GroupId=known["securityGroupId"], SecurityGroupRuleIds=[id_])


class SecurityGroupIngressRule(_SecurityGroupRule):
    urn_type = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    title = "VPC Security Group Ingress Rule"


class SecurityGroupEgressRule(_SecurityGroupRule):
    urn_type = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    title = "VPC Security Group Egress Rule"
    egress = True


TYPES = (SecurityGroup, DefaultSecurityGroup, SecurityGroupIngressRule, SecurityGroupEgressRule)
