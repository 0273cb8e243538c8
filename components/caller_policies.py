"""Whether what the authorizer says of a caller may be remembered. No Pulumi in here."""

from collections.abc import Collection, Mapping, Sequence

from authorizer.policy import POLICY_BYTES, Policies
from authorizer.request import Call
from authorizer.routes import Route, reaches

_LONGEST_API_ARN = "arn:aws-us-gov:execute-api:us-gov-west-1:111122223333:a1b2c3d4e5"


def check_cacheable(
    field: str, routes: Collection[str], scopes: Mapping[str, Sequence[str]], stage_name: str
) -> None:
    """Refuse an API whose authorizer answers for one call at a time.

    A remembered answer decides about all that its caller asks for next, so it must hold all routes
    that the caller may call, in the 8 KB of a policy (API Gateway developer guide, "Amazon API
    Gateway quotas"), and no pattern may mean both a route that is allowed and one that is not: in
    a policy `*` fits slashes too. Raises ValueError naming `field`.
    """
    known = [Route.parse(text, frozenset(scopes.get(text, ()))) for text in routes]
    if not _fits(known, f"{_LONGEST_API_ARN}/{stage_name}"):
        raise ValueError(
            f"{field}: want 0, since {len(known)} routes are more than one policy of "
            f"{POLICY_BYTES:,} bytes can name, or fewer routes, such as 'ANY /widgets/{{proxy+}}'"
        )
    if mixed := _inseparable(known):
        no, yes = mixed
        raise ValueError(
            f"{field}: want 0, since no policy can refuse '{no.name}' and allow '{yes.name}' "
            "while a third route reaches both; or give them the same scopes"
        )


def _fits(routes: Sequence[Route], stage_arn: str) -> bool:
    """Of a caller that may call every route."""
    if not routes:
        return True
    method, _, path = routes[0].name.partition(" ")
    call = Call(method, path, method_arn=f"{stage_arn}/ONE/call", stage_arn=stage_arn)
    held = frozenset[str]().union(*(route.scopes for route in routes))
    statements = Policies(routes).rule(call, held).statements
    return statements[0]["Resource"] != [call.method_arn]


def _inseparable(routes: Sequence[Route]) -> tuple[Route, Route] | None:
    """A route to refuse and one to allow that some caller's policy cannot tell apart."""
    wild = [route for route in routes if route.has_wildcard]
    for no in wild:
        reached = [route for route in routes if no.scopes and reaches(no, route)]
        for wide in wild if reached else ():
            if no.scopes <= wide.scopes or not reaches(wide, no):
                continue
            for yes in reached:
                if not no.scopes <= wide.scopes | yes.scopes:
                    return no, yes
    return None
