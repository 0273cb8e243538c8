"""The grammar of policy documents, as far as AWS's services check it before they store one.

"Grammar of the IAM JSON policy language" (IAM User Guide).
"""

import fnmatch
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

VERSIONS = ("2008-10-17", "2012-10-17")
STATEMENT_KEYS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
ONE_OF_EACH = (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource"))


def resource_policy_fault(policy: object) -> str | None:
    """The word of a resource policy at which it leaves the grammar, or None."""
    if not isinstance(policy, dict):
        return ""
    unknown = policy.keys() - {"Version", "Id", "Statement"}
    if unknown:
        return min(unknown)
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        return "Version"
    statements = policy.get("Statement")
    if not isinstance(statements, list | dict) or not statements:
        return "Statement"
    return next((fault for each in listed(statements) if (fault := _statement_fault(each))), None)


def _statement_fault(statement: object) -> str | None:
    if not isinstance(statement, dict):
        return "Statement"
    unknown = statement.keys() - STATEMENT_KEYS
    if unknown:
        return min(unknown)
    if statement.get("Effect") not in ("Allow", "Deny"):
        return "Effect"
    for alternatives in ONE_OF_EACH:
        if sum(name in statement for name in alternatives) != 1:
            return alternatives[0]
    condition = statement.get("Condition", {})
    if not isinstance(condition, dict) or not all(isinstance(v, dict) for v in condition.values()):
        return "Condition"
    return None


def trusts_service(trust_policy: str | Mapping[str, Any], service: str) -> bool:
    """Whether a trust policy lets an AWS service (`lambda.amazonaws.com`) assume the role."""
    for statement in _statements([trust_policy]):
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if (
            statement.get("Effect") == "Allow"
            and "sts:AssumeRole" in listed(statement.get("Action", []))
            and service in listed(services)
        ):
            return True
    return False


def allows_actions(policies: Iterable[str | Mapping[str, Any]], actions: Iterable[str]) -> bool:
    """Whether identity policies allow each action on anything (conditions are not looked at)."""
    allowed = [
        pattern
        for statement in _statements(policies)
        if statement.get("Effect") == "Allow"
        for pattern in listed(statement.get("Action", []))
    ]
    return all(
        any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in allowed)
        for action in actions
    )


def role_policies(iam_backend: Any, role: Any) -> list[str]:
    """The documents of all policies of a role, attached and inline."""
    attached = [
        iam_backend.get_policy_version(arn, policy.default_version_id).document
        for arn, policy in role.managed_policies.items()
    ]
    return [*attached, *role.policies.values()]


def listed(value: Any) -> list[Any]:
    """IAM lets one value stand for a list of one."""
    return value if isinstance(value, list) else [value]


def _statements(policies: Iterable[str | Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for policy in policies:
        document = json.loads(policy) if isinstance(policy, str) else policy
        yield from listed(document["Statement"])
