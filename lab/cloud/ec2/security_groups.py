"""Security groups and rules, where moto is kinder than EC2 or answers less.

"Security group rules" (Amazon VPC User Guide); "DeleteSecurityGroup", "ModifySecurityGroupRules"
(Amazon EC2 API Reference).
"""

import itertools
from typing import Any

from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidPermissionDuplicateError,
    InvalidSecurityGroupNotFoundError,
    InvalidSecurityGroupRuleIdNotFoundError,
)
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.models.security_groups import SecurityGroupRule as MotoRule

from lab.cloud.ec2.exceptions import dependency_violation, invalid_parameter_value

SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")
CHANGEABLE = (
    *("ip_protocol", "from_port", "to_port"),
    *("ip_range", "source_group", "prefix_list_id"),
)
SOURCES_IN_WORDS = "cidrIp, cidrIpv6, prefixListId, or referencedGroupId"


class SecurityGroupRule(MotoRule):
    """A rule with a description whatever it refers to, which is no part of its identity."""

    @property
    def description(self) -> str | None:
        return self.ip_range.get("Description") or self.source_group.get("Description")

    @description.setter
    def description(self, text: str) -> None:
        (self.source_group or self.ip_range)["Description"] = text

    @property
    def group_owner_id(self) -> str:
        return self.ec2_backend.account_id

    @property
    def security_group_rule_arn(self) -> str:
        backend = self.ec2_backend
        return (
            f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:security-group-rule/{self.id}"
        )

    def _identity(self) -> tuple[Any, ...]:
        return (
            self.is_egress,
            self.ip_protocol,
            self.from_port,
            self.to_port,
            self.cidr_ipv4,
            self.cidr_ipv6,
            self.source_group.get("GroupId"),
            self.prefix_list_id,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecurityGroupRule) and self._identity() == other._identity()

    __hash__ = MotoRule.__hash__


class SecurityGroupBackend:
    """Overrides moto's."""

    groups: dict[str, dict[str, SecurityGroup]]

    def create_security_group(self, *args: Any, **kwargs: Any) -> SecurityGroup:
        """A new group lets everything out; a VPC's default group also lets itself in."""
        group = super().create_security_group(*args, **kwargs)  # type: ignore[misc]
        group.egress_rules = [
            self._rule(group, rule.ip_range, None, is_egress=True) for rule in group.egress_rules
        ]
        if group.is_default:
            itself = {"GroupId": group.id, "UserId": group.owner_id}
            group.ingress_rules.append(self._rule(group, None, itself, is_egress=False))
        return group

    def _rule(
        self,
        group: SecurityGroup,
        ip_range: dict[str, str] | None,
        source: dict[str, str] | None,
        is_egress: bool,
    ) -> SecurityGroupRule:
        rule: Any = SecurityGroupRule(
            self, "-1", group.id, None, None, ip_range, source, is_egress=is_egress
        )
        return rule

    def _iterate_security_rules(self, *args: Any, **kwargs: Any) -> Any:
        for rule in super()._iterate_security_rules(*args, **kwargs):  # type: ignore[misc]
            rule.__class__ = SecurityGroupRule
            yield rule

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        """Raises DependencyViolation while an interface or another group's rule uses the group."""
        if group_id:
            for other in itertools.chain.from_iterable(
                groups.values() for groups in self.groups.values()
            ):
                rules = [*other.ingress_rules, *other.egress_rules]
                if other.id != group_id and any(
                    rule.source_group.get("GroupId") == group_id for rule in rules
                ):
                    raise dependency_violation(f"resource {group_id} has a dependent object")
            for interface in self.enis.values():  # type: ignore[attr-defined]
                if any(group.id == group_id for group in interface.group_set):
                    raise dependency_violation(f"resource {group_id} has a dependent object")
        super().delete_security_group(name, group_id)  # type: ignore[misc]

    def check_customer_may_delete_group(self, group_id: str) -> None:
        group = self.get_security_group_from_id(group_id)  # type: ignore[attr-defined]
        if group is not None and group.is_default:
            raise EC2ClientError(
                "CannotDelete",
                f'the specified group: "{group_id}" name: "default" cannot be deleted by a user',
            )

    def modify_security_group_rules(self, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        """`rules`: SecurityGroupRuleRequest by rule id. All are checked before any is changed."""
        group = self.get_security_group_from_id(group_id)  # type: ignore[attr-defined]
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_id)
        changed = [
            (rule_id, self._changed_rule(group, rule_id, rules[rule_id])) for rule_id in rules
        ]
        for rule_id, new in changed:
            siblings = group.egress_rules if new.is_egress else group.ingress_rules
            if any(each == new and each.id != rule_id for each in siblings):
                raise InvalidPermissionDuplicateError()
        for rule_id, new in changed:
            old = group.get_rule(rule_id)
            for field in CHANGEABLE:
                setattr(old, field, getattr(new, field))

    def _changed_rule(
        self, group: SecurityGroup, rule_id: str, request: dict[str, Any]
    ) -> SecurityGroupRule:
        old = group.get_rule(rule_id)
        if old is None:
            raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
        given = [name for name in SOURCES if request.get(name)]
        if len(given) > 1:
            raise EC2ClientError(
                "InvalidParameterCombination", f"Only one of {SOURCES_IN_WORDS} can be specified"
            )
        if not given:
            raise EC2ClientError(
                "MissingParameter",
                f"The request must contain exactly one of: {SOURCES_IN_WORDS}",
            )
        if request.get("IpProtocol") is None:
            raise invalid_parameter_value(
                "Invalid value 'null' for protocol. VPC security group rules must specify protocols"
                " explicitly."
            )
        if request["IpProtocol"] != "-1" and None in (
            request.get("FromPort"),
            request.get("ToPort"),
        ):
            raise invalid_parameter_value(
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
            )
        source = given[0]
        old_source = next(
            name
            for name, value in zip(
                SOURCES,
                (old.cidr_ipv4, old.cidr_ipv6, old.prefix_list_id, old.source_group),
                strict=True,
            )
            if value
        )
        if source != old_source:
            raise invalid_parameter_value(
                f"Invalid rule type for security group rule '{rule_id}'. You may not specify"
                f" {source} for an existing {old_source} rule."
            )
        return self._built_rule(group, old.is_egress, source, request)

    def _built_rule(
        self, group: SecurityGroup, is_egress: bool, source: str, request: dict[str, Any]
    ) -> SecurityGroupRule:
        described = {"Description": request["Description"]} if "Description" in request else {}
        ip_range = group_pair = prefix_list = None
        if source == "ReferencedGroupId":
            pair = {"GroupId": request[source], **described}
            group_pair = self._add_source_group([pair], None)[0]  # type: ignore[attr-defined]
        elif source == "PrefixListId":
            prefix_list = {"PrefixListId": request[source]}
        else:
            ip_range = {{"CidrIpv4": "CidrIp"}.get(source, source): request[source], **described}
        rule: Any = SecurityGroupRule(
            self,
            request["IpProtocol"],
            group.id,
            request.get("FromPort"),
            request.get("ToPort"),
            ip_range,
            group_pair,
            prefix_list,
            is_egress=is_egress,
        )
        return rule
