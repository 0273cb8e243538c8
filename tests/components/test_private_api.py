"""The private API: closed but for one endpoint, and deployed anew if and only if it changed."""

import json
from typing import Any

import pulumi
import pytest

from components import policies
from components.jwt_authorizer import ExistingAuthorizerArgs, JwtAuthorizerArgs
from components.private_api import PrivateApi, PrivateApiArgs
from components.routes import invocation_uri
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed

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
