"""What a policy reaches: every route of the caller, and never another."""

import fnmatch
import itertools
import json
import random
from typing import Any

import pytest

from authorizer.errors import ForbiddenError
from authorizer.policy import ARN_CHARACTERS, DENY, Policies
from authorizer.request import Call
from authorizer.routes import Route, reaches
from tests.authorizer.issuing import STAGE

NEEDED = frozenset(["s"])


def route(name: str, *scopes: str) -> Route:
    return Route.parse(name, frozenset(scopes))


def call(method: str, path: str, resource: str = "") -> Call:
    return Call(method, resource or path, f"{STAGE}/{method}{path}", STAGE)


def allows(statements: Any, arn: str) -> bool:
    """As API Gateway evaluates: a Deny wins, and `*` takes anything."""
    found = {
        statement["Effect"]
        for statement in statements
        for pattern in statement["Resource"]
        if fnmatch.fnmatchcase(arn, pattern)
    }
    return found == {"Allow"}


def patterns(statements: Any, effect: str) -> list[str]:
    return [
        arn.removeprefix(f"{STAGE}/")
        for statement in statements
        if statement["Effect"] == effect
        for arn in statement["Resource"]
    ]


def test_the_policy_names_each_route_of_the_caller():
    found = Policies([route("GET /a", "s"), route("POST /b/{id}", "t"), route("GET /")])
    ruling = found.rule(call("GET", "/a"), frozenset(["s", "other"]))
    assert ruling.may
    assert patterns(ruling.statements, "Allow") == ["GET/a", "GET/"]
    assert patterns(ruling.statements, "Deny") == []


def test_a_route_needs_all_its_scopes():
    found = Policies([route("GET /a", "s", "t"), route("GET /b")])
    assert not found.rule(call("GET", "/a"), frozenset(["s"])).may
    assert found.rule(call("GET", "/a"), frozenset(["s", "t"])).may


def test_the_policy_of_a_call_that_may_not_is_still_the_callers():
    found = Policies([route("GET /a", "s"), route("GET /b")])
    ruling = found.rule(call("GET", "/a"), frozenset())
    assert not ruling.may
    assert patterns(ruling.statements, "Allow") == ["GET/b"]


def test_whoever_may_nothing_is_denied_everything():
    found = Policies([route("GET /a", "s")])
    assert found.rule(call("GET", "/a"), frozenset()).statements == DENY


def test_a_route_that_is_not_listed_is_refused():
    with pytest.raises(ForbiddenError, match="route_unknown"):
        Policies([route("GET /a")]).rule(call("GET", "/b"), frozenset())
    with pytest.raises(ForbiddenError, match="route_unknown"):
        Policies([route("GET /a")]).rule(call("POST", "/a"), frozenset())


def test_any_method_is_a_route_too():
    found = Policies([route("ANY /a", "s"), route("GET /a")])
    assert found.rule(call("GET", "/a"), frozenset()).may
    assert not found.rule(call("POST", "/a"), frozenset()).may
    statements = found.rule(call("POST", "/a"), NEEDED).statements
    assert patterns(statements, "Allow") == ["*/a", "GET/a"]


def test_a_wildcard_does_not_reach_a_deeper_route():
    """In a policy `orders/*` fits `orders/1/lines`: without the Deny that would be let through."""
    found = Policies([route("GET /orders/{id}"), route("GET /orders/{id}/lines", "s")])
    statements = found.rule(call("GET", "/orders/1", "/orders/{id}"), frozenset()).statements
    assert allows(statements, f"{STAGE}/GET/orders/1")
    assert not allows(statements, f"{STAGE}/GET/orders/1/lines")
    assert patterns(statements, "Deny") == ["GET/orders/*/lines"]


def test_a_wildcard_does_not_reach_a_literal_route_beside_it():
    found = Policies([route("GET /orders/{id}"), route("GET /orders/all", "s")])
    statements = found.rule(call("GET", "/orders/1", "/orders/{id}"), frozenset()).statements
    assert patterns(statements, "Deny") == ["GET/orders/all"]


def test_where_patterns_cannot_tell_routes_apart_the_policy_is_about_one_call():
    found = Policies(
        [route("ANY /{proxy+}"), route("GET /orders/{id}", "s"), route("GET /orders/mine")]
    )
    ruling = found.rule(call("GET", "/orders/mine"), frozenset())
    assert ruling.may
    assert patterns(ruling.statements, "Allow") == ["GET/orders/mine"]
    ruling = found.rule(call("GET", "/orders/7", "/orders/{id}"), frozenset())
    assert not ruling.may
    assert patterns(ruling.statements, "Deny") == ["GET/orders/7"]
    everything = found.rule(call("GET", "/orders/7", "/orders/{id}"), NEEDED)
    assert patterns(everything.statements, "Allow") == ["*/*", "GET/orders/*", "GET/orders/mine"]


def test_a_policy_that_grows_too_long_is_about_one_call():
    names = [f"GET /{'x' * 40}{number}" for number in range(70)]
    short = Policies([route(name) for name in names[:40]])
    long = Policies([route(name) for name in names])
    one = call("GET", names[0].removeprefix("GET "))
    assert len(patterns(short.rule(one, frozenset()).statements, "Allow")) == 40
    assert len(json.dumps(short.rule(one, frozenset()).statements)) < 8_192 - 1_500
    assert patterns(long.rule(one, frozenset()).statements, "Allow") == [f"GET/{'x' * 40}0"]


def test_a_resource_that_is_too_long_is_not_written_into_a_policy():
    long = f"/{'x' * ARN_CHARACTERS}"
    with pytest.raises(ForbiddenError, match="route_inexpressible"):
        Policies([route(f"GET {long}")]).rule(call("GET", long), frozenset())


@pytest.mark.parametrize("path", ["/orders/*", "/orders/a?", "/orders/*/lines"])
def test_a_path_cannot_become_a_pattern(path: str):
    """A caller's own `*` in a policy about one call would open what it was narrowed for."""
    found = Policies(
        [route("ANY /{proxy+}"), route("GET /orders/{id}", "s"), route("GET /orders/mine")]
    )
    with pytest.raises(ForbiddenError, match="route_inexpressible"):
        found.rule(call("GET", path, "/{proxy+}"), frozenset())


def test_policies_are_remembered_by_stage_and_scopes():
    found = Policies([route("GET /a", "s"), route("GET /b")])
    other = call("GET", "/b")._replace(stage_arn=STAGE.replace("live", "test"))
    first = found.rule(call("GET", "/b"), NEEDED).statements
    assert found.rule(call("GET", "/b"), frozenset(["s", "x"])).statements is first
    assert found.rule(call("GET", "/b"), frozenset()).statements != first
    assert found.rule(other, NEEDED).statements != first


PARTS = ("a", "b", "{id}", "{rest+}")
PATHS = [
    "/" + "/".join(parts)
    for length in range(1, 4)
    for parts in itertools.product(PARTS, repeat=length)
    if "{rest+}" not in parts[:-1]
]


def concrete(name: str) -> list[str]:
    """Some paths that a route is asked by, as they stand in a method ARN."""
    method, path = name.split(" ")
    choices = {"{id}": ("a", "b", "z"), "{rest+}": ("a", "z", "z/b", "a/b/z")}
    parts = [choices.get(part, (part,)) for part in path[1:].split("/")]
    methods = ("GET", "POST") if method == "ANY" else (method,)
    return ["/".join(one) for one in itertools.product(methods, *parts)]


@pytest.mark.parametrize("seed", range(40))
def test_no_policy_lets_through_what_a_route_refuses(seed: int):
    """Routes at random; each policy is asked for paths of each route that the caller may not call,
    and of those that it may, wherever they are not another route's at the same time.
    """
    chosen = random.Random(seed)  # noqa: S311 - to vary, not to hide
    names = chosen.sample([f"{method} {path}" for method in ("GET", "ANY") for path in PATHS], 5)
    routes = [route(name, *chosen.choice([(), ("s",), ("t",)])) for name in names]
    found = Policies(routes)
    asked = [(one, arn) for one in routes for arn in concrete(one.name)]
    ways = {arn: [one for one, other in asked if other == arn] for _, arn in asked}
    for held in (frozenset[str](), NEEDED, frozenset(["s", "t"])):
        for one, arn in asked:
            method, _, path = arn.partition("/")
            if len(ways[arn]) > 1 or f"{method} {one.name.split(' ')[1]}" in set(names) - {
                one.name
            }:
                continue
            ruling = found.rule(call(method, f"/{path}", one.name.split(" ")[1]), held)
            assert ruling.may == (one.scopes <= held)
            assert allows(ruling.statements, f"{STAGE}/{arn}") == ruling.may, (names, arn)
            for other, another in asked:
                if not other.scopes <= held and len(ways[another]) == 1:
                    assert not allows(ruling.statements, f"{STAGE}/{another}"), (names, another)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("GET /a", "GET /a", True),
        ("GET /a", "POST /a", False),
        ("GET /{x}", "GET /a", True),
        ("GET /{x}", "GET /a/b", True),
        ("GET /a/{x}", "GET /a", False),
        ("GET /{x}/b", "GET /a/c/b", True),
        ("GET /{x}/b", "GET /a/c", False),
        ("GET /a/b/c", "GET /a/{rest+}", True),
        ("GET /b", "GET /a/{rest+}", False),
        ("ANY /b", "GET /a/b", True),
        ("ANY /b", "GET /b/a", False),
        ("GET /", "GET /{x}", True),
        ("GET /{x+}", "ANY /{y+}", True),
    ],
)
def test_a_pattern_reaches_what_its_wildcards_fit(pattern: str, path: str, expected: bool):
    assert reaches(route(pattern), route(path)) == expected
