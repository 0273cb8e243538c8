"""Listener rules: priorities, conditions, transforms."""

import re
import secrets
from typing import Any

from moto.elbv2.exceptions import PriorityInUseError
from moto.elbv2.models import FakeListenerRule, FakeRule

from lab.cloud.elbv2.exceptions import ELBError, configuration, constraint, validation
from lab.cloud.elbv2.listeners import Listener, ListenerBackend

# "Quotas for your Application Load Balancers" in its user guide
MAX_RULES = 100
MAX_CONDITION_VALUES = 5
MAX_PRIORITY = 50_000
MAX_PATTERN = 128
MAX_REWRITE = 1024
ONCE = ("host-header", "http-request-method", "path-pattern", "source-ip")
CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
}
CHARACTERS = {
    "host-header": re.compile(r"[A-Za-z0-9.*?-]+"),
    "path-pattern": re.compile(r"[A-Za-z0-9_.$/~\"'@:+&*?-]+"),
}
TRANSFORMS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}


class RuleBackend(ListenerBackend):
    """The rule operations of ELBv2 in one account and region."""

    def create_rule(  # type: ignore[override]
        self,
        listener_arn: str,
        conditions: list[dict[str, Any]],
        priority: int,
        actions: list[dict[str, Any]],
        transforms: list[dict[str, Any]],
        tags: list[dict[str, str]] | None = None,
    ) -> FakeListenerRule:
        listener: Listener = self.listener(listener_arn)
        check_priority(priority)
        self.check_conditions(conditions)
        check_transforms(transforms)
        if any(str(each.priority) == str(priority) for each in listener.rules.values()):
            raise PriorityInUseError()
        balancer = self.load_balancer(listener.load_balancer_arn)
        if balancer.type == "network":
            raise configuration(
                "Rules are not supported on listeners of load balancers with type 'network'"
            )
        if sum(len(each.rules) - 1 for each in balancer.listeners.values()) >= MAX_RULES:
            raise ELBError(
                "TooManyRules",
                "You've reached the limit on the number of rules per load balancer",
            )
        rule: Any = FakeListenerRule(
            listener_arn,
            f"{listener_arn.replace(':listener/', ':listener-rule/')}/{secrets.token_hex(8)}",
            conditions,
            priority,
            self.checked_actions(balancer, actions),
        )
        rule.transforms = transforms
        listener.register(rule.arn, rule)
        self.tagging_service.tag_resource(rule.arn, tags)
        return rule

    def modify_rule(  # type: ignore[override]
        self,
        rule_arn: str,
        conditions: list[dict[str, Any]],
        actions: list[dict[str, Any]],
        transforms: list[dict[str, Any]],
        reset_transforms: bool,
    ) -> Any:
        """What is not given stays; `reset_transforms` removes every transform."""
        rule = self.rule(rule_arn)
        if rule.is_default:
            raise ELBError("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
        if not (conditions or actions or transforms or reset_transforms):
            raise validation("Either conditions or actions must be specified")
        if transforms and reset_transforms:
            raise validation("Transforms and ResetTransforms cannot be specified at the same time")
        self.check_conditions(conditions)
        check_transforms(transforms)
        if actions:
            listener = self.listener(rule.listener_arn)
            balancer = self.load_balancer(listener.load_balancer_arn)
            rule.actions = self.checked_actions(balancer, actions)
        if conditions:
            rule.conditions = conditions
        if transforms or reset_transforms:
            rule.transforms = transforms
        return rule

    def delete_rule(self, arn: str) -> None:
        rule = self.rule(arn)
        if rule.is_default:
            raise ELBError("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
        self.listener(rule.listener_arn).remove_rule(arn)
        self.tagging_service.delete_all_tags_for_resource(arn)

    def set_rule_priorities(self, rule_priorities: list[dict[str, Any]]) -> list[FakeRule]:
        for each in rule_priorities:
            check_priority(each["Priority"])
            if self.rule(each["RuleArn"]).is_default:
                raise ELBError(
                    "OperationNotPermitted",
                    f"The priority of default rule '{each['RuleArn']}' cannot be changed",
                )
        return super().set_rule_priorities(rule_priorities)

    def rule(self, arn: str) -> Any:
        return self.describe_rules(None, [arn])[0]

    def check_conditions(self, conditions: list[dict[str, Any]]) -> None:
        """ "Condition types for listener rules" in the ALB user guide. Raises ValidationError."""
        fields = [condition.get("Field", "") for condition in conditions]
        for field in ONCE:
            if fields.count(field) > 1:
                raise validation(f"A rule can only have one '{field}' condition")
        values = [value for condition in conditions for value in _values(condition)]
        if len(values) > MAX_CONDITION_VALUES:
            raise validation(f"A rule can only have '{MAX_CONDITION_VALUES}' condition values")
        for condition in conditions:
            self._check_condition(condition)

    def _check_condition(self, condition: dict[str, Any]) -> None:
        field = condition.get("Field", "")
        config = CONFIGS.get(field, "")
        if condition.get("Values") and condition.get(config):
            raise validation(
                f"You cannot provide both Values and '{config}' for a condition of type '{field}'"
            )
        regexes = condition.get(config, {}).get("RegexValues", [])
        for regex in regexes:
            if len(regex) > MAX_PATTERN:
                raise validation(
                    f"The '{field}' regex value is too long; the limit is '{MAX_PATTERN}'"
                )
            check_regex(regex)
        if not regexes:
            self._validate_conditions([condition])
        header = condition.get("HttpHeaderConfig", {}).get("HttpHeaderName", "")
        if header.lower() == "host":
            raise validation("A 'http-header' condition cannot be used for the host header")
        if field in CHARACTERS and not regexes:
            for value in _values(condition):
                if not CHARACTERS[field].fullmatch(value):
                    raise validation(
                        f"The {field} value '{value}' contains a character that is not valid"
                    )


def check_priority(priority: int) -> None:
    if not 1 <= priority <= MAX_PRIORITY:
        bound = "greater than or equal to 1" if priority < 1 else "less than or equal to 50000"
        raise constraint(priority, "priority", f"have value {bound}")


def check_transforms(transforms: list[dict[str, Any]]) -> None:
    """ "Transforms for listener rules" in the ALB user guide: one of each type, one rewrite in it.

    ALB's regular expressions are checked as Python's, which differ in rarely used parts.
    """
    types = [transform.get("Type", "") for transform in transforms]
    for kind in types:
        if kind not in TRANSFORMS:
            rule = f"satisfy enum value set: [{', '.join(TRANSFORMS)}]"
            raise constraint(kind, "transforms.1.member.type", rule)
        if types.count(kind) > 1:
            raise validation(f"A rule can only have one '{kind}' transform")
    for transform in transforms:
        kind = transform["Type"]
        for other, config in TRANSFORMS.items():
            if other != kind and config in transform:
                raise validation(f"'{config}' cannot be specified for a transform of type '{kind}'")
        rewrites = transform.get(TRANSFORMS[kind], {}).get("Rewrites", [])
        if len(rewrites) != 1:
            raise validation(f"A '{kind}' transform must have exactly one rewrite")
        regex, replace = rewrites[0].get("Regex", ""), rewrites[0].get("Replace", "")
        if not 1 <= len(regex) <= MAX_REWRITE or len(replace) > MAX_REWRITE:
            raise validation(
                f"The regex and the replacement of a '{kind}' transform must have 1 to "
                f"{MAX_REWRITE} characters"
            )
        groups = check_regex(regex).groups
        if any(int(number) > groups for number in re.findall(r"\$(\d)", replace)):
            raise validation(
                f"The replacement '{replace}' refers to a group that is not in '{regex}'"
            )


def check_regex(regex: str) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except re.error as error:
        raise validation(f"The regex '{regex}' is not valid: {error}") from None


def _values(condition: dict[str, Any]) -> list[Any]:
    found = list(condition.get("Values", []))
    for key, config in condition.items():
        if key.endswith("Config"):
            found += [*config.get("Values", []), *config.get("RegexValues", [])]
    return found
