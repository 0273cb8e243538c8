"""What an API may answer, and what API Gateway would refuse."""

import json
from datetime import date
from typing import Any

import pytest

from components.routes import (
    METHODS,
    Route,
    check_backends,
    check_openapi,
    check_routes,
    fill_openapi,
    invocation_uri,
    resource_paths,
    route_names,
    routes_document,
    unqualified,
)
from tests.components.checks import refused

# The routes map


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_api_gateway_is_taken(method: str):
    assert Route.parse(f"{method} /widgets") == Route(method, "/widgets")


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/b.c-d_e~f:g", "/{id}", "/widgets/{id}/parts", "/{proxy+}", "/a/{b+}"]
)
def test_a_path_of_literals_and_parameters_is_taken(path: str):
    assert Route.parse(f"GET {path}").path == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET",
        "/widgets",
        "get /widgets",
        "TRACE /widgets",
        "GET widgets",
        "GET  /widgets",
        "GET /widgets ",
        "GET /widgets\n",
        "GET /widgets/",
        "GET //widgets",
        "GET /wid gets",
        "GET /widgets?id=1",
        "GET /widgets/*",
        "GET /{id",
        "GET /a{id}",
        "GET /{}",
        "GET /{proxy+}/parts",
        "GET /${stage}",
    ],
)
def test_a_route_of_another_form_is_refused(text: str):
    with refused(f"routes: want 'METHOD /path', such as 'GET /widgets/{{id}}'; got {text!r}"):
        Route.parse(text)
    with refused(f"routes: want 'METHOD /path', such as 'GET /widgets/{{id}}'; got {text!r}"):
        check_routes(["GET /", text])


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        (
            ["GET /widgets/{id}", "PUT /widgets/{name}"],
            "want one parameter below '/widgets', such as {id} throughout; got {id} and {name}",
        ),
        (
            ["GET /widgets/{id}/a", "GET /widgets/{proxy+}"],
            "want one parameter below '/widgets', such as {id} throughout; got {id} and {proxy+}",
        ),
        (
            ["GET /{a}", "GET /{b}/c"],
            "want one parameter below '/', such as {a} throughout; got {a} and {b}",
        ),
    ],
)
def test_two_parameters_in_one_place_are_refused(routes: list[str], message: str):
    with refused(f"routes: {message}"):
        check_routes(routes)


def test_one_parameter_in_one_place_is_taken_beside_literals_and_elsewhere_another():
    check_routes(["GET /{id}", "PUT /{id}", "GET /{id}/{part}", "GET /x/{name}", "GET /x/y"])


def test_resources_are_listed_once_with_parents_first():
    routes = map(Route.parse, ["GET /b/{id}/parts", "PUT /b/{id}", "GET /a", "GET /", "GET /b/c"])
    paths = resource_paths(routes)
    assert paths == ["/a", "/b", "/b/c", "/b/{id}", "/b/{id}/parts"]


def test_a_route_becomes_an_operation_that_names_its_parameters():
    document = routes_document("t", {"ANY /a/{id}/{rest+}": "one", "GET /a/{id}/{rest+}": "two"})
    check_openapi(document, {"one", "two"})
    item = document["paths"]["/a/{id}/{rest+}"]
    assert list(item) == ["x-amazon-apigateway-any-method", "get"]
    assert [one["name"] for one in item["get"]["parameters"]] == ["id", "rest"]
    assert item["get"]["x-amazon-apigateway-integration"] == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": "${two}",
    }


@pytest.mark.parametrize(
    ("known", "named"), [({"b": "", "a": ""}, "a, b"), ({}, "(none)")], ids=["some", "none"]
)
def test_a_backend_that_is_not_there_is_refused(known: dict[str, str], named: str):
    with refused(f"routes: want one of the backends {named}; got 'gone'"):
        check_backends(["gone"], known, "routes")


def test_backends_that_are_there_are_taken():
    check_backends(["a", "a"], {"a": "arn", "unused": "arn"}, "routes")


def test_a_function_is_invoked_in_its_own_partition_and_region():
    arn = "arn:aws-cn:lambda:cn-north-1:111122223333:function:widgets"
    assert invocation_uri(arn) == (
        f"arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    )


def test_a_function_of_a_version_or_an_alias_is_told_apart_from_it():
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:widgets"
    assert unqualified(arn) == (arn, None)
    assert unqualified(f"{arn}:live") == (arn, "live")
    assert unqualified(f"{arn}:$LATEST") == (arn, "$LATEST")


# The OpenAPI document


def operation(uri: str = "${widgets}") -> dict[str, Any]:
    return {"x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": uri}}


def document(version: str = "3.0.1", paths: Any = None) -> dict[str, Any]:
    return {"openapi": version, "paths": paths or {"/widgets": {"get": operation()}}}


@pytest.mark.parametrize(
    "given",
    [
        document("3.0"),
        document("3.0.3"),
        {"swagger": "2.0", "paths": {"/": {"get": operation()}}},
        {"swagger": 2.0, "paths": {"/": {"get": operation()}}},
        document(paths={"/{proxy+}": {"x-amazon-apigateway-any-method": operation()}}),
        document(paths={"/": {"parameters": [], "get": operation("arn:of:another")}}),
    ],
    ids=["3.0", "3.0.3", "2.0", "2.0 as a number", "any method", "literal URI"],
)
def test_a_document_that_api_gateway_takes_is_taken(given: dict[str, Any]):
    check_openapi(given, ["widgets"])


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (document("3.1.0"), "3.1.0"),
        (document("2.0.1"), "2.0.1"),
        ({"swagger": "1.2"}, "1.2"),
        ({"paths": {}}, "none"),
    ],
)
def test_another_version_of_openapi_is_refused(given: dict[str, Any], got: str):
    with refused(f"openapi: want version 3.0 or 2.0 (API Gateway takes these); got {got}"):
        check_openapi(given, ["widgets"])


@pytest.mark.parametrize("paths", [None, {}, {"/": {}}, {"/": None}, {"/": {"parameters": []}}])
def test_a_document_without_a_method_is_refused(paths: Any):
    with refused("openapi: want at least one path with a method; got none"):
        check_openapi({"openapi": "3.0.1", "paths": paths}, ["widgets"])


@pytest.mark.parametrize("empty", [{}, None, {"responses": {}}])
def test_a_method_without_an_integration_is_refused(empty: Any):
    given = document(paths={"/": {"get": operation()}, "/w": {"put": empty}})
    with refused("openapi: want an x-amazon-apigateway-integration for PUT /w; got none"):
        check_openapi(given, ["widgets"])


def test_a_document_that_names_a_backend_that_is_not_there_is_refused():
    with refused("openapi: want one of the backends widgets; got 'gadgets'"):
        check_openapi(document(paths={"/": {"get": operation("${gadgets}")}}), ["widgets"])


def test_each_placeholder_becomes_the_uri_of_its_backend():
    given = document(
        paths={
            "/a": {"get": operation("${a}"), "put": operation("${b}")},
            "/b": {"get": operation("${b}")},
        }
    )
    filled = json.loads(fill_openapi(given, {"a": "uri:a", "b": "uri:b"}))
    assert filled == document(
        paths={
            "/a": {"get": operation("uri:a"), "put": operation("uri:b")},
            "/b": {"get": operation("uri:b")},
        }
    )


def test_the_order_of_a_document_does_not_matter():
    uris = {"widgets": "uri"}
    one = {"openapi": "3.0.1", "paths": {"/": {"get": operation(), "put": operation()}}}
    other = {"paths": {"/": {"put": operation(), "get": operation()}}, "openapi": "3.0.1"}
    assert list(one) != list(other)
    assert fill_openapi(one, uris) == fill_openapi(other, uris)


def test_dates_and_status_codes_that_yaml_reads_as_such_are_taken():
    answers = {"responses": {200: {"description": "ok"}, "default": {"description": "else"}}}
    given = document(paths={"/": {"get": operation() | answers}})
    given["info"] = {"version": date(2026, 11, 1)}
    check_openapi(given, ["widgets"])
    filled = json.loads(fill_openapi(given, {"widgets": "uri"}))
    assert filled["info"]["version"] == "2026-11-01"
    assert set(filled["paths"]["/"]["get"]["responses"]) == {"200", "default"}


def test_what_an_api_answers_is_told_from_its_routes_or_its_document():
    routes = {"ANY /parts": "parts", "GET /": "widgets"}
    assert route_names(routes, None) == ["ANY /parts", "GET /"]
    paths = {
        "/parts": {"x-amazon-apigateway-any-method": operation(), "parameters": []},
        "/": {"get": operation(), "put": operation()},
    }
    assert route_names({}, document(paths=paths)) == ["ANY /parts", "GET /", "PUT /"]
    assert route_names({}, routes_document("t", routes)) == list(routes)
