"""Whether a resource policy lets a caller do something.

"Policy evaluation logic" and "IAM JSON policy elements reference" (IAM User Guide). The caller's
own identity policies are not looked at. An element or condition that this does not know makes an
Allow void and a Deny apply.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.cloud.policies import listed


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What is tried, and by whom: a service, or a caller under any of its `aws` names.

    `resource` is None for a policy that stands for one resource only, as a trust policy does.
    """

    action: str
    resource: str | None = None
    service: str = ""
    aws: frozenset[str] = frozenset()
    context: Mapping[str, str] = field(default_factory=dict)


def allows(policy: Mapping[str, Any], attempt: Attempt) -> bool:
    """Whether some Allow of the policy applies and no Deny does."""
    applying = {
        statement["Effect"]
        for statement in listed(policy["Statement"])
        if _applies(statement, attempt)
    }
    return "Allow" in applying and "Deny" not in applying


def _applies(statement: Mapping[str, Any], attempt: Attempt) -> bool:
    deny = statement["Effect"] == "Deny"
    if "NotPrincipal" in statement or "NotAction" in statement or "NotResource" in statement:
        return deny
    if not _names(statement.get("Principal", {}), attempt):
        return False
    actions = [each.lower() for each in listed(statement.get("Action", []))]
    if not _like_any(attempt.action.lower(), actions):
        return False
    resources = listed(statement.get("Resource", []))
    if attempt.resource is not None and not _like_any(attempt.resource, resources):
        return False
    return all(
        _holds(operator, key, listed(values), attempt.context, unknown=deny)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _names(principal: Any, attempt: Attempt) -> bool:
    if not isinstance(principal, dict):
        return principal == "*"
    aws = listed(principal.get("AWS", []))
    if "*" in aws or attempt.aws.intersection(aws):
        return True
    return bool(attempt.service) and attempt.service in listed(principal.get("Service", []))


def _holds(
    operator: str, key: str, values: list[Any], context: Mapping[str, str], *, unknown: bool
) -> bool:
    actual = {known.lower(): value for known, value in context.items()}.get(key.lower())
    wanted = [str(value) for value in values]
    name = operator.removesuffix("IfExists")
    if name == "Null":
        return (actual is None) == (wanted == ["true"])
    negated = "Not" in name
    if actual is None:
        return negated or operator != name
    match name.replace("Not", ""):
        case "StringEquals":
            found = actual in wanted
        case "StringEqualsIgnoreCase" | "Bool":
            found = actual.lower() in [value.lower() for value in wanted]
        case "StringLike" | "ArnLike" | "ArnEquals":
            found = _like_any(actual, wanted)
        case _:
            return unknown
    return found != negated


def _like_any(value: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)
