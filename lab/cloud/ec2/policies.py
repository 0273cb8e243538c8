"""Checks the policy document of a VPC endpoint.

"Control access to VPC endpoints using endpoint policies" (AWS PrivateLink): at most 20,480
characters.
"""

import json

from lab.cloud.ec2.exceptions import invalid_policy
from lab.cloud.policies import listed, resource_policy_fault

MAX_CHARACTERS = 20_480

DEFAULT_POLICY = json.dumps(
    {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}
)


def check_endpoint_policy(document: str) -> None:
    """Raises InvalidPolicyDocument unless `document` is a policy that an endpoint may have."""
    if len(document) > MAX_CHARACTERS:
        raise invalid_policy(
            f"The Policy Document is too long: {len(document)} characters, the limit is"
            f" {MAX_CHARACTERS}."
        )
    try:
        policy = json.loads(document)
    except json.JSONDecodeError as error:
        raise _syntax_error(error.lineno, error.colno) from None
    fault = resource_policy_fault(policy)
    if fault is not None:
        offset = max(document.find(f'"{fault}"'), 0)
        before = document[:offset]
        raise _syntax_error(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def is_full_access(document: str) -> bool:
    """Whether a checked policy lets everybody do everything, and does nothing else."""
    statements = listed(json.loads(document).get("Statement", []))
    [allowed] = json.loads(DEFAULT_POLICY)["Statement"]
    return (
        len(statements) == 1
        and all(
            listed(statements[0].get(name)) in ([value], [{"AWS": value}])
            for name, value in allowed.items()
        )
        and not statements[0].keys() - {*allowed, "Sid"}
    )


def _syntax_error(line: int, column: int) -> Exception:
    return invalid_policy(
        f"The Policy Document is not valid. Syntax error at position ({line},{column})"
    )
