"""Each guard, taken out of a copy of the program: some case must notice."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from lab.cases import Case, Result
from lab.cases.customers import over_private_link
from lab.cases.guards import ways_round
from lab.cases.onboarding import onboarding
from lab.cases.requests import forged_headers, misdirected
from lab.cases.tokens import tokens
from lab.session import Lab
from tests.conftest import copy_program, take_out

pytestmark = pytest.mark.lab


@dataclass(frozen=True)
class Guard:
    """How to take a guard out of a file, and which case must then fail."""

    file: str
    taken_out: dict[str, str]
    case: Case
    noticed: str
    stacks: tuple[str, ...] = ("dev",)


def opened(name: str, block: str) -> str:
    """In place of the group that a rule names: a whole network, for the rules of that name."""
    group = '{"referenced_security_group_id": source}'
    return f'**({{"cidr_ipv4": "{block}"}} if "{name}" in name else {group})'


GUARDS = {
    "the endpoint's security group": Guard(
        "components/security_groups.py",
        {"referenced_security_group_id=source": opened("front-endpoint", "10.20.0.0/16")},
        ways_round,
        "straight to the endpoint",
    ),
    "the endpoint's policy": Guard(
        "components/execute_api_endpoint.py",
        {"policy=pulumi.Output.json_dumps(args.policy),": ""},
        ways_round,
        "another API, by x-apigw-api-id",
    ),
    "the API's resource policy": Guard(
        "components/policies.py",
        {
            '"Condition": {"StringEquals": {"aws:SourceVpce": vpc_endpoint_id}},': "",
            '"Effect": "Deny",\n            **invoke': '"Effect": "Allow",\n            **invoke',
        },
        ways_round,
        "through another endpoint",
    ),
    "the listener's default 404": Guard(
        "components/mtls_alb_front.py",
        {
            "listener = self._listener(": (
                "self.open = targets.arn\n        listener = self._listener("
            ),
            "default_actions=[answer(404)]": (
                'default_actions=[{"type": "forward", "target_group_arn": self.open}]'
            ),
        },
        misdirected,
        "another host name",
    ),
    "the consumer endpoint's security group": Guard(
        "components/security_groups.py",
        {"referenced_security_group_id=source": opened("consumer-from", "10.30.0.0/16")},
        over_private_link,
        "in the customer's VPC, in no listed group",
        ("dev", "acme"),
    ),
    "acceptance of a customer's endpoint": Guard(
        "components/private_link_service.py",
        {"acceptance_required=args.acceptance_required": "acceptance_required=False"},
        onboarding,
        "its endpoint, not accepted yet",
        ("dev", "acme"),
    ),
    "the certificate among what an answer is remembered by": Guard(
        "components/api_authorizer.py",
        {'sources = ("Authorization", certificate_header)': 'sources = ("Authorization",)'},
        tokens,
        "the token of acme-shop",
        ("dev", "acme"),
    ),
    "the rule for the header that an answer is remembered by": Guard(
        "components/mtls_alb_front.py",
        {
            ", *CLIENT_CERTIFICATE_HEADERS.values())": ",)",
        },
        forged_headers,
        "forges x-client-cert-leaf, has another's key",
    ),
    "the authorizer of each route": Guard(
        "components/api_authorizer.py",
        {'["security"] = [{_SCHEME: []}]': '["security"] = []'},
        tokens,
        "no token",
    ),
}


@pytest.mark.parametrize("name", GUARDS)
def test_without_this_guard_a_case_fails(name: str, tmp_path: Path):
    guard = GUARDS[name]
    copy_program(tmp_path)
    take_out(tmp_path / guard.file, guard.taken_out)
    with (
        Lab(tmp_path, guard.stacks, tmp_path / ".lab") as lab,
        closing(cast("Generator[Result]", guard.case(lab))) as results,
    ):
        assert guard.noticed in (result.tried for result in results if not result.passed)
