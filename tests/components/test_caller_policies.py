"""Where a remembered answer would be wrong, and is refused beforehand."""

import pytest

from authorizer.policy import Policies
from authorizer.request import Call
from authorizer.routes import Route
from components.caller_policies import check_cacheable
from tests.components.checks import refused

STAGE = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/live"


def statements(routes: list[str], scopes: dict[str, list[str]], held: set[str]) -> bool:
    """Whether the authorizer's own policy is about all of a caller's calls."""
    known = [Route.parse(route, frozenset(scopes.get(route, ()))) for route in routes]
    method, _, path = routes[0].partition(" ")
    call = Call(method, path, f"{STAGE}/this/call", STAGE)
    made = Policies(known).rule(call, frozenset(held)).statements
    return made[0]["Resource"] != [call.method_arn]


def many(count: int) -> list[str]:
    return [f"GET /widgets/of/kind/{n}" for n in range(count)]


def test_few_routes_are_taken():
    check_cacheable("ttl", many(60), {}, "live")
    check_cacheable("ttl", [], {}, "live")


def test_more_routes_than_a_policy_can_name_are_refused():
    routes = many(100)
    assert not statements(routes, {}, set())
    with refused(
        "ttl: want 0, since 100 routes are more than one policy of 6,500 bytes can name, or fewer "
        "routes, such as 'ANY /widgets/{proxy+}'"
    ):
        check_cacheable("ttl", routes, {}, "live")


def test_whatever_is_taken_fits_for_every_caller_where_names_are_longest():
    """The limit is found by trying; at it, the real policy still names everything."""

    def taken(count: int) -> bool:
        try:
            check_cacheable("ttl", many(count), {}, "live")
        except ValueError:
            return False
        return True

    most = max(count for count in range(50, 100) if taken(count))
    assert 50 < most < 99
    assert statements(many(most), {}, set())


def test_a_longer_stage_name_takes_room():
    check_cacheable("ttl", many(60), {}, "live")
    with pytest.raises(ValueError, match="60 routes are more than"):
        check_cacheable("ttl", many(60), {}, "l" * 60)


MIXED = ["GET /{id}", "GET /{id}/lines", "GET /orders"]


def test_routes_that_no_pattern_can_tell_apart_are_refused():
    """`GET/*` allows, `GET/*/lines` must be denied and fits `GET/x/lines`, which is allowed."""
    routes = ["GET /{proxy+}", "GET /{id}/lines", "GET /x/lines"]
    scopes = {"GET /{id}/lines": ["lines"]}
    assert not statements(routes, scopes, set())
    with refused(
        "ttl: want 0, since no policy can refuse 'GET /{id}/lines' and allow 'GET /{proxy+}' "
        "while a third route reaches both; or give them the same scopes"
    ):
        check_cacheable("ttl", routes, scopes, "live")


@pytest.mark.parametrize(
    ("routes", "scopes"),
    [
        (MIXED, {}),
        (MIXED, {"GET /{id}": ["a"], "GET /{id}/lines": ["a"], "GET /orders": ["a"]}),
        (["GET /a", "GET /b"], {"GET /a": ["a"]}),
        (["GET /{proxy+}", "GET /admin"], {"GET /admin": ["admin"]}),
        (["GET /a/{id}", "PUT /a/{id}"], {"PUT /a/{id}": ["write"]}),
    ],
    ids=["no scopes", "one scope", "literal", "literal below a wildcard", "other method"],
)
def test_routes_that_patterns_tell_apart_are_taken(routes: list[str], scopes: dict[str, list[str]]):
    check_cacheable("ttl", routes, scopes, "live")
    held = {scope for needed in scopes.values() for scope in needed}
    for scope in (set[str](), held, *({one} for one in held)):
        assert statements(routes, scopes, scope)


def test_scopes_that_never_come_apart_are_taken():
    """Whoever may call one of the wide routes may call the other."""
    routes = ["GET /{proxy+}", "GET /{id}/lines", "GET /x/lines"]
    scopes = {"GET /{proxy+}": ["all"], "GET /{id}/lines": ["all"]}
    check_cacheable("ttl", routes, scopes, "live")
    for held in (set[str](), {"all"}):
        assert statements(routes, scopes, held)


def test_a_scope_more_for_the_wide_route_can_still_mix_them_up():
    """Denying `GET/*` to who has `lines` alone would deny `GET/*/lines` too."""
    routes = ["GET /{proxy+}", "GET /{id}/lines"]
    scopes = {"GET /{proxy+}": ["all", "lines"], "GET /{id}/lines": ["lines"]}
    assert not statements(routes, scopes, {"lines"})
    with pytest.raises(
        ValueError, match=r"refuse 'GET /\{proxy\+\}' and allow 'GET /\{id\}/lines'"
    ):
        check_cacheable("ttl", routes, scopes, "live")
