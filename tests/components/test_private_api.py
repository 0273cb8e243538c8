"""The private API: closed but for one endpoint, and deployed anew if and only if it changed."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zipfile import ZipFile

import pulumi
import pytest
from pulumi.runtime import mocks

from components import policies
from components.jwt_authorizer import ExistingAuthorizerArgs, JwtAuthorizerArgs, PassthroughArgs
from components.private_api import PrivateApi, PrivateApiArgs
from components.routes import invocation_uri
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed, Engine

FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function"
API = "arn:aws:execute-api:eu-west-1:111122223333:p-rest-api-id"
BACKENDS = {"widgets": f"{FUNCTION}:widgets", "parts": f"{FUNCTION}:parts"}
ROUTES = {"GET /widgets": "widgets", "PUT /widgets/{id}": "widgets", "ANY /parts": "parts"}


JWT = JwtAuthorizerArgs(
    issuer="https://issuer.example.com", audiences=["https://api.example.com"], tenants={}
)
OWN = ExistingAuthorizerArgs(function_arn=f"{FUNCTION}:own:live", cache_ttl_seconds=60)


def operation(backend: str) -> dict[str, Any]:
    uri = f"${{{backend}}}"
    return {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": uri}}


def document(**paths: Any) -> dict[str, Any]:
    known = {"/widgets": {"get": operation("widgets")}, "/parts": {"put": operation("parts")}}
    return {"openapi": "3.0.1", "info": {"title": "t"}, "paths": known | paths}


def args(**changes: Any) -> PrivateApiArgs:
    given: dict[str, Any] = {
        "vpc_id": "vpc-1",
        "subnet_ids": {"az1": "subnet-1", "az2": "subnet-2"},
        "endpoint_ips": {"az1": "10.0.0.16", "az2": "10.0.1.16"},
        "backends": BACKENDS,
        "authorizer": None,
    }
    if "openapi" not in changes:
        given["routes"] = ROUTES
    return PrivateApiArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        api = PrivateApi("p", args(**changes), opts)
        return {key: getattr(api, key) for key in PrivateApi.__annotations__}

    return deploy(build)


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    """From routes."""
    return made(deploy)


@pytest.fixture(scope="module")
def imported(deploy: Deploy) -> Deployed:
    """From a document."""
    return made(deploy, openapi=document())


@pytest.mark.parametrize(
    "changes",
    [{}, {"openapi": document()}, {"manage_log_role": True}, {"authorizer": JWT}],
    ids=["routes", "openapi", "log role", "authorizer"],
)
def test_what_it_makes_is_its_own(deploy: Deploy, changes: dict[str, Any]):
    check_family(deploy, lambda name, opts: PrivateApi(name, args(**changes), opts))


# Refusals


@pytest.mark.parametrize(
    ("changes", "got"),
    [({"routes": {}}, "neither"), ({"routes": ROUTES, "openapi": document()}, "both")],
    ids=["neither", "both"],
)
def test_neither_or_both_of_routes_and_openapi_are_refused(changes: dict[str, Any], got: str):
    with refused(
        "routes, openapi: want one of the two, as in routes={'GET /widgets': 'widgets'}; "
        f"got {got}"
    ):
        args(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"routes": {"GET /": "gone"}},
            "routes: want one of the backends parts, widgets; got 'gone'",
        ),
        (
            {"routes": {"GET widgets": "widgets"}},
            "routes: want 'METHOD /path', such as 'GET /widgets/{id}'; got 'GET widgets'",
        ),
        (
            {"routes": {"GET /{a}": "widgets", "GET /{b}": "widgets"}},
            "routes: want one parameter below '/', such as {a} throughout; got {a} and {b}",
        ),
        (
            {"openapi": {"openapi": "3.1.0"}},
            "openapi: want version 3.0 or 2.0 (API Gateway takes these); got 3.1.0",
        ),
        (
            {"openapi": {"openapi": "3.0.1"}},
            "openapi: want at least one path with a method; got none",
        ),
        (
            {"openapi": document(**{"/": {"get": {}}})},
            "openapi: want an x-amazon-apigateway-integration for GET /; got none",
        ),
        (
            {"openapi": document(**{"/": {"get": operation("gone")}})},
            "openapi: want one of the backends parts, widgets; got 'gone'",
        ),
        (
            {"endpoint_ips": {"az1": "10.0.0.16"}},
            "endpoint_ips: want one free address for each of az1, az2, such as '10.20.0.16'; "
            "got az1",
        ),
    ],
    ids=[
        "backend",
        "path",
        "parameters",
        "version",
        "no paths",
        "no integration",
        "backend in the document",
        "endpoint addresses",
    ],
)
def test_what_api_gateway_would_refuse_is_refused(changes: dict[str, Any], message: str):
    with refused(message):
        args(**changes)


# The two guards that live here


def test_the_api_is_private_and_called_by_its_own_name(plain: Deployed):
    deployed = plain
    inputs = deployed.one("RestApi").inputs
    assert inputs["endpointConfiguration"] == {"types": "PRIVATE"}
    assert inputs["disableExecuteApiEndpoint"] is False
    assert "policy" not in inputs
    assert deployed.outputs["api_host"] == "p-rest-api-id.execute-api.eu-west-1.amazonaws.com"


def test_the_api_denies_every_endpoint_but_its_own(plain: Deployed):
    policy = plain.one("RestApiPolicy").inputs
    assert policy["restApiId"] == "p-rest-api-id"
    statements = json.loads(policy["policy"])["Statement"]
    of_definition = statements[0]["Sid"].removeprefix("AllowTheEndpoint")
    assert json.loads(policy["policy"]) == policies.private_api(
        API, "p-endpoint-vpce-id", of_definition
    )
    assert of_definition.isalnum()
    assert len(of_definition) == 64


def test_the_endpoint_lets_this_api_pass_and_no_other(plain: Deployed):
    endpoint = plain.one("VpcEndpoint").inputs
    assert json.loads(endpoint["policy"]) == policies.endpoint(API)
    assert [c["ipv4"] for c in endpoint["subnetConfigurations"]] == ["10.0.0.16", "10.0.1.16"]


def test_the_endpoint_lets_an_earlier_api_pass_too(deploy: Deploy):
    admitted = [pulumi.Output.from_input("earlier"), None, "p-rest-api-id"]
    endpoint = made(deploy, admitted_api_ids=admitted, domain="d.example.com").one("VpcEndpoint")
    assert json.loads(endpoint.inputs["policy"]) == policies.endpoint(
        API, ["earlier"], "d.example.com"
    )


def test_nobody_is_admitted_to_the_endpoint_here(plain: Deployed):
    deployed = plain
    assert [
        r.name for r in deployed.resources if "SecurityGroup" in r.type and "Rule" in r.type
    ] == []
    assert deployed.outputs["endpoint_security_group_id"] == "p-endpoint-group-id"


@pytest.mark.parametrize("changes", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_backends_may_be_invoked_by_this_stage_of_this_api_only(
    deploy: Deploy, changes: dict[str, Any]
):
    deployed = made(deploy, stage_name="v1", **changes)
    assert {r.name: r.inputs for r in deployed.of("Permission")} == {
        f"p-may-invoke-{name}": {
            "function": arn,
            "action": "lambda:InvokeFunction",
            "principal": "apigateway.amazonaws.com",
            "sourceArn": f"{API}/v1/*",
        }
        for name, arn in BACKENDS.items()
    }


def test_a_backend_may_be_a_version_or_an_alias_of_a_function(deploy: Deploy):
    deployed = made(deploy, backends={**BACKENDS, "parts": f"{FUNCTION}:parts:live"})
    permission = deployed.one("Permission", "p-may-invoke-parts").inputs
    assert permission["function"] == f"{FUNCTION}:parts"
    assert permission["qualifier"] == "live"


# Who may call


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


def test_without_an_authorizer_the_certificate_alone_lets_in(plain: Deployed):
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
    "changed",
    [None, OWN, replace(JWT, cache_ttl_seconds=0)],
    ids=["none", "another", "time to remember"],
)
def test_another_authorizer_deploys_anew(deploy: Deploy, changed: Any):
    before = trigger(made(deploy, authorizer=JWT))
    assert trigger(made(deploy, authorizer=changed)) != before


def test_other_rules_of_the_same_authorizer_do_not_deploy_anew(deploy: Deploy):
    before = made(deploy, authorizer=JWT)
    after = made(deploy, authorizer=replace(JWT, leeway_seconds=5))
    assert trigger(after) == trigger(before)
    code = [one.one("aws:lambda/function:Function").inputs["code"].path for one in (before, after)]
    assert code[0] != code[1]


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


# Routes


def test_each_route_is_an_operation_that_its_backend_answers(deploy: Deploy):
    body = json.loads(
        made(deploy, routes=ROUTES | {"GET /": "parts"}).one("RestApi").inputs["body"]
    )
    uris = {
        (verb, path): operation["x-amazon-apigateway-integration"]["uri"]
        for path, item in body["paths"].items()
        for verb, operation in item.items()
    }
    assert uris == {
        ("get", "/widgets"): invocation_uri(BACKENDS["widgets"]),
        ("put", "/widgets/{id}"): invocation_uri(BACKENDS["widgets"]),
        ("x-amazon-apigateway-any-method", "/parts"): invocation_uri(BACKENDS["parts"]),
        ("get", "/"): invocation_uri(BACKENDS["parts"]),
    }


@pytest.mark.parametrize("shape", ["plain", "imported"])
def test_the_whole_definition_is_replaced_and_nothing_is_declared_beside_it(
    shape: str, request: pytest.FixtureRequest
):
    """A resource for each route would be deleted last, and so be in the new deployment still."""
    deployed: Deployed = request.getfixturevalue(shape)
    inputs = deployed.one("RestApi").inputs
    assert inputs["putRestApiMode"] == "overwrite"
    body = json.loads(inputs["body"])
    integration = body["paths"]["/widgets"]["get"]["x-amazon-apigateway-integration"]
    assert integration["uri"] == invocation_uri(BACKENDS["widgets"])
    assert inputs["endpointConfiguration"] == {"types": "PRIVATE"}
    for kind in ("resource:Resource", "method:Method", "integration:Integration"):
        assert deployed.of(f"aws:apigateway/{kind}") == []


# Deployments


def test_a_deployment_waits_for_the_definition_and_the_policy(plain: Deployed):
    awaited = plain.one("Deployment").depends_on
    assert {plain.one("RestApi").urn, plain.one("RestApiPolicy").urn} <= awaited


def trigger(deployed: Deployed) -> str:
    value = deployed.one("Deployment").inputs["triggers"]["definition"]
    assert len(value) == 64
    return value


REORDERED = {"paths": dict(reversed(document()["paths"].items())), "openapi": "3.0.1"} | {
    "info": {"title": "t"}
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"routes": dict(reversed(ROUTES.items()))},
        {"backends": dict(reversed(BACKENDS.items()))},
        {"throttling_rate_limit": 1, "throttling_burst_limit": 1, "log_retention_days": 1},
        {"manage_log_role": True},
    ],
    ids=["nothing", "order of routes", "order of backends", "limits", "log role"],
)
def test_what_a_deployment_does_not_freeze_does_not_deploy_anew(
    deploy: Deploy, plain: Deployed, changes: dict[str, Any]
):
    assert trigger(made(deploy, **changes)) == trigger(plain)


@pytest.mark.parametrize("openapi", [document(), REORDERED], ids=["same", "order of keys"])
def test_the_same_document_does_not_deploy_anew(
    deploy: Deploy, imported: Deployed, openapi: dict[str, Any]
):
    assert trigger(made(deploy, openapi=openapi)) == trigger(imported)


@pytest.mark.parametrize(
    "routes",
    [
        ROUTES | {"GET /new": "widgets"},
        {"GET /widgets": "widgets"},
        {**ROUTES, "ANY /parts": "widgets"},
        {"POST /widgets": "widgets", "PUT /widgets/{id}": "widgets", "ANY /parts": "parts"},
    ],
    ids=["added", "removed", "other backend", "other method"],
)
def test_a_changed_route_deploys_anew(deploy: Deploy, plain: Deployed, routes: dict[str, str]):
    assert trigger(made(deploy, routes=routes)) != trigger(plain)


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_a_changed_function_deploys_anew(deploy: Deploy, shape: dict[str, Any]):
    backends = BACKENDS | {"parts": f"{FUNCTION}:parts-2"}
    assert trigger(made(deploy, backends=backends, **shape)) != trigger(made(deploy, **shape))


@pytest.mark.parametrize(
    "openapi",
    [
        document(**{"/new": {"get": operation("parts")}}),
        document() | {"info": {"title": "other"}},
        document(**{"/parts": {"put": operation("widgets")}}),
    ],
    ids=["path", "title", "backend"],
)
def test_a_changed_document_deploys_anew(
    deploy: Deploy, imported: Deployed, openapi: dict[str, Any]
):
    assert trigger(made(deploy, openapi=openapi)) != trigger(imported)


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_a_changed_definition_puts_the_policy_again(deploy: Deploy, shape: dict[str, Any]):
    backends = BACKENDS | {"parts": f"{FUNCTION}:parts-2"}
    changed = made(deploy, backends=backends, **shape).one("RestApiPolicy").inputs["policy"]
    assert changed != made(deploy, **shape).one("RestApiPolicy").inputs["policy"]


@pytest.fixture
def replaced_endpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, endpoints come up with another id."""
    ordinary = Engine.new_resource

    def new_resource(engine: Engine, given: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id_, outputs = ordinary(engine, given)
        return ("vpce-new" if given.typ == "aws:ec2/vpcEndpoint:VpcEndpoint" else id_), outputs

    return lambda: monkeypatch.setattr(Engine, "new_resource", new_resource)


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_another_endpoint_in_the_policy_deploys_anew(
    deploy: Deploy, shape: dict[str, Any], replaced_endpoint: Callable[[], None]
):
    before = trigger(made(deploy, **shape))
    replaced_endpoint()
    after = made(deploy, **shape)
    assert "vpce-new" in after.one("RestApiPolicy").inputs["policy"]
    assert trigger(after) != before


# Outputs


def test_outputs_are_what_a_front_needs(deploy: Deploy):
    assert made(deploy, stage_name="v1").outputs == {
        "api_id": "p-rest-api-id",
        "api_host": "p-rest-api-id.execute-api.eu-west-1.amazonaws.com",
        "stage_name": "v1",
        "endpoint_id": "p-endpoint-vpce-id",
        "endpoint_ips": {"az1": "10.0.0.16", "az2": "10.0.1.16"},
        "endpoint_security_group_id": "p-endpoint-group-id",
    }


def test_limits_and_the_log_role_reach_the_stage(deploy: Deploy):
    deployed = made(deploy, throttling_rate_limit=5, throttling_burst_limit=6, log_retention_days=3)
    settings = deployed.one("MethodSettings").inputs["settings"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (5, 6)
    assert {r.inputs["retentionInDays"] for r in deployed.of("LogGroup")} == {3}
    assert deployed.of("Account") == []
    assert len(made(deploy, manage_log_role=True).of("Account")) == 1
