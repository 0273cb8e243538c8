"""An authorizer in an API's document, as API Gateway reads it."""

from copy import deepcopy
from typing import Any

import pytest

from components.api_authorizer import (
    BEARER_RESPONSES,
    CertificateHeader,
    check_cache_ttl,
    check_unsecured,
    with_authorizer,
)
from tests.components.checks import refused

PLAIN = {
    "openapi": "3.0.1",
    "components": {"schemas": {"Widget": {"type": "object"}}},
    "paths": {
        "/w": {"get": {}, "parameters": []},
        "/{proxy+}": {"x-amazon-apigateway-any-method": {}},
    },
}
SWAGGER = {"swagger": "2.0", "paths": {"/w": {"put": {}}}}
RESPONSES = "x-amazon-apigateway-gateway-responses"


def authorized(
    document: dict[str, Any],
    header: CertificateHeader = "X-Client-Cert-Leaf",
    ttl: int = 300,
    responses: dict[str, Any] = BEARER_RESPONSES,
) -> dict[str, Any]:
    return with_authorizer(document, "uri:of:the:function", header, ttl, responses)


@pytest.mark.parametrize("header", ["X-Client-Cert-Leaf", "X-Client-Cert"])
def test_an_answer_is_remembered_by_token_and_certificate_together(header: CertificateHeader):
    schemes = authorized(PLAIN, header, 60)["components"]["securitySchemes"]
    assert schemes == {
        "caller": {
            "type": "apiKey",
            "name": "Unused",
            "in": "header",
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "request",
                "identitySource": (
                    f"method.request.header.Authorization, method.request.header.{header}"
                ),
                "authorizerUri": "uri:of:the:function",
                "authorizerResultTtlInSeconds": 60,
            },
        }
    }


def test_every_operation_asks_for_it_and_the_rest_of_the_document_is_kept():
    given = deepcopy(PLAIN)
    made = authorized(given)
    assert made["paths"] == {
        "/w": {"get": {"security": [{"caller": []}]}, "parameters": []},
        "/{proxy+}": {"x-amazon-apigateway-any-method": {"security": [{"caller": []}]}},
    }
    assert made["components"]["schemas"] == PLAIN["components"]["schemas"]
    assert given == PLAIN, "what was given is not changed"


def test_a_document_of_openapi_2_has_it_in_its_own_place():
    made = authorized(SWAGGER)
    assert set(made["securityDefinitions"]) == {"caller"}
    assert made["paths"]["/w"]["put"] == {"security": [{"caller": []}]}
    assert "components" not in made


def test_the_answers_name_the_scheme_and_only_a_denial_an_error():
    """RFC 6750 §3.1: a request without a token should be told of no error."""
    headers = {
        kind: answer["responseParameters"]["gatewayresponse.header.WWW-Authenticate"]
        for kind, answer in authorized(PLAIN)[RESPONSES].items()
    }
    assert headers == {
        "UNAUTHORIZED": "'Bearer realm=\"api\"'",
        "ACCESS_DENIED": '\'Bearer realm="api", error="insufficient_scope"\'',
    }
    statuses = {kind: answer["statusCode"] for kind, answer in BEARER_RESPONSES.items()}
    assert statuses == {"UNAUTHORIZED": "401", "ACCESS_DENIED": "403"}


def test_answers_that_a_document_has_win():
    own = {"ACCESS_DENIED": {"statusCode": "404"}, "DEFAULT_5XX": {"statusCode": "503"}}
    made = authorized({**PLAIN, RESPONSES: own})[RESPONSES]
    assert made == {**own, "UNAUTHORIZED": BEARER_RESPONSES["UNAUTHORIZED"]}


def test_without_answers_api_gateways_own_stay():
    assert RESPONSES not in authorized(PLAIN, responses={})


@pytest.mark.parametrize(
    ("own", "got"),
    [
        ({"components": {"securitySchemes": {"mine": {}}}}, "security schemes"),
        ({"securityDefinitions": {"mine": {}}}, "security schemes"),
        ({"security": [{"mine": []}]}, "security of all"),
        ({"paths": {"/w": {"get": {"security": []}, "put": {}}}}, "security of GET /w"),
    ],
    ids=["schemes", "definitions", "whole", "operation"],
)
def test_a_document_that_says_itself_who_may_call_is_refused(own: dict[str, Any], got: str):
    with refused(
        f"openapi: want no security of its own beside an authorizer; got {got}; "
        "take it out, or deploy without an authorizer"
    ):
        check_unsecured({**PLAIN, **own})


@pytest.mark.parametrize("document", [PLAIN, SWAGGER, {"openapi": "3.0.1", "components": None}])
def test_a_document_without_security_is_taken(document: dict[str, Any]):
    check_unsecured(document)


@pytest.mark.parametrize("seconds", [-1, 3601])
def test_what_api_gateway_does_not_remember_is_refused(seconds: int):
    with refused(f"ttl: want 0 (nothing is remembered) to 3600; got {seconds}"):
        check_cache_ttl("ttl", seconds)


def test_the_bounds_are_taken():
    check_cache_ttl("ttl", 0)
    check_cache_ttl("ttl", 3600)
