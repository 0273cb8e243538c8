"""The cases: what a client tried, what must come of it, and what did."""

from collections.abc import Callable, Iterator

from lab.cases.certificates import handshake_cases, key_kinds
from lab.cases.customers import health_listener, over_private_link
from lab.cases.guards import ways_round
from lab.cases.onboarding import onboarding
from lab.cases.private_names import private_names
from lab.cases.requests import forged_headers, misdirected, tls_versions
from lab.cases.result import Result
from lab.cases.rotation import rotation
from lab.cases.tokens import tokens
from lab.session import Lab

Case = Callable[[Lab], Iterator[Result]]

CASES: tuple[Case, ...] = (
    handshake_cases,
    misdirected,
    ways_round,
    forged_headers,
    tls_versions,
    key_kinds,
    over_private_link,
    health_listener,
    onboarding,
    private_names,
    tokens,
    rotation,
)
"""In the order they run; the last two deploy the stack again."""


def run_cases(lab: Lab) -> Iterator[Result]:
    """Every case against a fresh deployment, one result after the other."""
    for case in CASES:
        yield from case(lab)


__all__ = ["CASES", "Result", "run_cases"]
