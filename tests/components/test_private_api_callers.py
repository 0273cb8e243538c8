"""Who may call the private API: every route asks the authorizer, or none was asked for by name."""

import json
from dataclasses import replace
from typing import Any
from zipfile import ZipFile

import pytest

from components.jwt_authorizer import PassthroughArgs
from components.private_api import PrivateApiArgs
from components.routes import invocation_uri
from tests.components.checks import refused
from tests.components.test_private_api import (
    API,
    FUNCTION,
    JWT,
    OWN,
    ROUTES,
    args,
    document,
    made,
)
from tests.conftest import Deploy, Deployed


def body(deployed: Deployed) -> dict[str, Any]:
    return json.loads(deployed.one("RestApi").inputs["body"])


def scheme(deployed: Deployed) -> dict[str, Any]:
    (one,) = body(deployed)["components"]["securitySchemes"].values()
    return one["x-amazon-apigateway-authorizer"]


def secured(deployed: Deployed) -> list[bool]:
    return [
        "security" in operation
        for item in body(deployed)["paths"].values()
        for operation in item.values()
    ]


RESPONSES = "x-amazon-apigateway-gateway-responses"


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_every_route_asks_the_authorizer(deploy: Deploy, shape: dict[str, Any]):
    deployed = made(deploy, authorizer=JWT, **shape)
    function = deployed.one("aws:lambda/function:Function", "p-authorizer-jwt-function")
    assert scheme(deployed)["authorizerUri"] == invocation_uri(f"{FUNCTION}:{function.name}")
    assert scheme(deployed)["authorizerResultTtlInSeconds"] == 300
    assert secured(deployed)
    assert all(secured(deployed))
    assert set(body(deployed)[RESPONSES]) == {"UNAUTHORIZED", "ACCESS_DENIED"}


def test_the_authorizer_knows_every_route(deploy: Deploy):
    for shape, routes in (
        ({}, list(ROUTES)),
        ({"openapi": document()}, ["GET /widgets", "PUT /parts"]),
    ):
        deployed = made(deploy, authorizer=JWT, **shape)
        function = deployed.one("aws:lambda/function:Function", "p-authorizer-jwt-function")
        with ZipFile(function.inputs["code"].path) as archive:
            assert json.loads(archive.read("config.json"))["routes"] == routes


def test_an_authorizer_of_ones_own_is_asked_by_its_alias(deploy: Deploy):
    deployed = made(deploy, authorizer=OWN, certificate_header="X-Client-Cert")
    assert scheme(deployed)["authorizerUri"] == invocation_uri(f"{FUNCTION}:own:live")
    assert scheme(deployed)["authorizerResultTtlInSeconds"] == 60
    assert scheme(deployed)["identitySource"].endswith("method.request.header.X-Client-Cert")
    permission = deployed.one("Permission", "p-authorizer-permission").inputs
    assert (permission["function"], permission["qualifier"]) == (f"{FUNCTION}:own", "live")
    assert deployed.of("aws:lambda/function:Function") == []
    assert RESPONSES not in body(deployed), "whether it takes bearer tokens is not known"


def test_without_an_authorizer_the_certificate_alone_lets_in(deploy: Deploy):
    plain = made(deploy)
    assert not any(secured(plain))
    assert body(plain).keys() & {"components", RESPONSES} == set()
    assert {one.name for one in plain.of("Permission")} == {
        "p-may-invoke-widgets",
        "p-may-invoke-parts",
    }


def test_the_authorizer_is_invoked_for_this_api_and_before_the_stage_serves(deploy: Deploy):
    deployed = made(deploy, authorizer=JWT)
    permission = deployed.one("Permission", "p-authorizer-permission")
    assert permission.inputs == {
        "function": f"{FUNCTION}:p-authorizer-jwt-function",
        "action": "lambda:InvokeFunction",
        "principal": "apigateway.amazonaws.com",
        "sourceArn": f"{API}/authorizers/*",
    }
    assert {one.urn for one in deployed.of("Permission")} <= deployed.one("Deployment").depends_on


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"authorizer": replace(JWT, scopes={"GET /gone": ["a"]})},
            "authorizer: scopes: not among the routes: GET /gone",
        ),
        (
            {"authorizer": JWT, "certificate_header": "X-Client-Cert"},
            "certificate_header: want 'X-Client-Cert-Leaf', which the authorizer takes as "
            "verified; got 'X-Client-Cert'",
        ),
        (
            {"authorizer": replace(JWT, passthrough=PassthroughArgs(authorities={"a": "PEM"}))},
            "certificate_header: want 'X-Client-Cert', which the authorizer verifies; "
            "got 'X-Client-Cert-Leaf'",
        ),
        (
            {"authorizer": OWN, "openapi": document() | {"security": []}},
            "openapi: want no security of its own beside an authorizer; got security of all; "
            "take it out, or deploy without an authorizer",
        ),
        (
            {"authorizer": JWT, "routes": {f"GET /w/{n}": "widgets" for n in range(200)}},
            "authorizer: cache_ttl_seconds: want 0, since 200 routes are more than one policy of "
            "6,500 bytes can name, or fewer routes, such as 'ANY /widgets/{proxy+}'",
        ),
    ],
    ids=["scopes", "leaf", "chain", "security", "too many routes to remember"],
)
def test_an_authorizer_that_does_not_fit_the_api_is_refused(changes: dict[str, Any], message: str):
    with refused(message):
        args(**changes)


def test_any_number_of_routes_is_taken_where_nothing_is_remembered():
    routes = {f"GET /w/{n}": "widgets" for n in range(200)}
    args(routes=routes, authorizer=replace(JWT, cache_ttl_seconds=0))
    args(routes=routes, authorizer=OWN)


def test_who_may_call_is_never_left_out_by_oversight():
    with pytest.raises(TypeError, match="authorizer"):
        PrivateApiArgs(
            vpc_id="vpc-1",
            subnet_ids={},
            endpoint_ips={},
            backends={},
            routes=ROUTES,  # pyright: ignore
        )
