"""Resource policies of REST APIs.

"Control access to a REST API with API Gateway resource policies" and "Amazon API Gateway quotas":
at most 8,192 characters. "x-amazon-apigateway-policy": `execute-api:/*` is kept as the API's full
ARN.
"""

import json
from typing import Any

from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.policies import listed, resource_policy_fault

MAX_CHARACTERS = 8_192
SHORT = "execute-api:/"


def stored_policy(document: str, arn_prefix: str) -> str:
    """The policy as API Gateway keeps it: compact, its short resources below `arn_prefix`.

    Raises BadRequestException for what is no resource policy or is too long.
    """
    try:
        policy: Any = json.loads(document)
    except json.JSONDecodeError:
        raise _invalid() from None
    if resource_policy_fault(policy) is not None:
        raise _invalid()
    for statement in listed(policy["Statement"]):
        for name in ("Resource", "NotResource"):
            if name in statement:
                statement[name] = _full(statement[name], arn_prefix)
    stored = json.dumps(policy, separators=(",", ":"))
    if len(stored) > MAX_CHARACTERS:
        raise BadRequestException(
            f"Invalid policy document. The policy has {len(stored)} characters, the limit is"
            f" {MAX_CHARACTERS}."
        )
    return stored


def as_answered(stored: str) -> str:
    """GetRestApi's `policy` has its quotes escaped, once more than JSON needs."""
    return json.dumps(stored)[1:-1]


def _full(resources: Any, arn_prefix: str) -> Any:
    if isinstance(resources, list):
        return [_full(each, arn_prefix) for each in resources]
    if resources.startswith(SHORT):
        return arn_prefix + resources.removeprefix(SHORT)
    return resources


def _invalid() -> BadRequestException:
    return BadRequestException(
        "Invalid policy document. Please check the policy syntax and ensure that Principals are"
        " valid."
    )
