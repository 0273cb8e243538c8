"""The policy of a caller: every route that it may call and no other, so that a cached one is right.

API Gateway developer guide, "Output from an API Gateway Lambda authorizer"; "Amazon API Gateway
quotas": a result of at most 8 KB.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from authorizer.errors import ForbiddenError
from authorizer.memory import Memory
from authorizer.request import Call
from authorizer.routes import Route, reaches

POLICY_BYTES = 6_500
"""For the statements: 8,192 less what the context and the envelope can take."""

ARN_CHARACTERS = 512
"""Of one resource ("Amazon API Gateway quotas")."""

Statement = dict[str, Any]

_STATEMENT_BYTES = 64  # `{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[]},`


def statement(effect: str, resources: Sequence[str]) -> Statement:
    return {"Action": "execute-api:Invoke", "Effect": effect, "Resource": list(resources)}


DENY = (statement("Deny", ["*"]),)


class Ruling(NamedTuple):
    """`may` is about the very call; `statements` are about the caller, and not to be changed."""

    may: bool
    statements: Sequence[Statement]


class Policies:
    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._by_name = {route.name: route for route in routes}
        self._scopes = frozenset[str]().union(*(route.scopes for route in routes))
        self._known: Memory[tuple[str, frozenset[str]], Sequence[Statement]] = Memory(256)

    def rule(self, call: Call, scopes: frozenset[str]) -> Ruling:
        """A route needs each of its scopes. Raises ForbiddenError for a route nobody listed.

        Where the caller's routes do not fit into one policy, or patterns cannot tell them apart,
        the policy is about this very call alone: such an API must not cache answers, or only with
        method and path among the identity sources.
        """
        route = self._by_name.get(f"{call.method} {call.resource}")
        route = route or self._by_name.get(f"ANY {call.resource}")
        if route is None:
            raise ForbiddenError("route_unknown")
        held = scopes & self._scopes
        may = route.scopes <= held
        statements = self._known.get((call.stage_arn, held))
        if statements is None:
            statements = self._statements(call.stage_arn, held)
            self._known.put((call.stage_arn, held), statements)
        return Ruling(may, statements or _of_call_alone(call, may))

    def _statements(self, stage_arn: str, held: frozenset[str]) -> Sequence[Statement]:
        """None at all where only one call at a time can be ruled on."""
        allowed = [route for route in self._routes if route.scopes <= held]
        refused = [route for route in self._routes if not route.scopes <= held]
        if not allowed:
            return DENY
        wide = [route for route in allowed if route.has_wildcard]
        denied = [route for route in refused if any(reaches(one, route) for one in wide)]
        if any(reaches(no, yes) for no in denied if no.has_wildcard for yes in allowed):
            return ()
        statements = [statement("Allow", [f"{stage_arn}/{route.pattern}" for route in allowed])]
        if denied:
            resources = [f"{stage_arn}/{route.pattern}" for route in denied]
            statements.append(statement("Deny", resources))
        return statements if _fits(statements) else ()


def _fits(statements: Sequence[Statement]) -> bool:
    resources: list[str] = [arn for one in statements for arn in one["Resource"]]
    size = len(statements) * _STATEMENT_BYTES + sum(len(arn) + 4 for arn in resources)
    return size <= POLICY_BYTES and max(map(len, resources)) <= ARN_CHARACTERS


def _of_call_alone(call: Call, may: bool) -> Sequence[Statement]:
    """Raises ForbiddenError for a path that would be a pattern in a policy: nothing escapes it."""
    arn = call.method_arn
    if len(arn) > ARN_CHARACTERS or "*" in arn or "?" in arn:
        raise ForbiddenError("route_inexpressible")
    return (statement("Allow" if may else "Deny", [arn]),)
