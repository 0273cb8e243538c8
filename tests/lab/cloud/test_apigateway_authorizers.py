import json

import pytest
from botocore.exceptions import ClientError

FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:authorizer"
LAMBDA = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions"
URI = f"{LAMBDA}/{FUNCTION}/invocations"
SOURCE = "method.request.header.Authorization"
# As an API that takes tokens together with client certificates says it.
SCHEME = {
    "type": "apiKey",
    "name": "Unused",
    "in": "header",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": {
        "type": "request",
        "identitySource": f"{SOURCE}, method.request.header.X-Client-Cert-Leaf",
        "authorizerUri": f"{LAMBDA}/{FUNCTION}:live/invocations",
        "authorizerResultTtlInSeconds": 60,
    },
}
RESPONSES = {
    "UNAUTHORIZED": {
        "statusCode": "401",
        "responseParameters": {"gatewayresponse.header.WWW-Authenticate": "'Bearer realm=\"api\"'"},
    },
    "ACCESS_DENIED": {
        "statusCode": "403",
        "responseParameters": {"gatewayresponse.header.X-Why": "context.authorizer.reason"},
        "responseTemplates": {"application/json": '{"why":"$context.authorizer.reason"}'},
    },
}


def document(**scheme):
    return {
        "openapi": "3.0.1",
        "info": {"title": "widgets", "version": "1"},
        "paths": {
            "/widgets": {
                "get": {
                    "responses": {},
                    "security": [{"caller": []}],
                    "x-amazon-apigateway-integration": {"type": "mock"},
                }
            }
        },
        "components": {"securitySchemes": {"caller": SCHEME | scheme}},
        "x-amazon-apigateway-gateway-responses": RESPONSES,
    }


@pytest.fixture
def gateway(client):
    return client("apigateway")


@pytest.fixture
def api(gateway):
    return {"restApiId": gateway.create_rest_api(name="widgets")["id"]}


@pytest.fixture
def authorizer(gateway, api):
    made = create(gateway, api, name="mine")
    return {**api, "authorizerId": made["id"]}


def create(gateway, api, **settings):
    defaults = {
        "name": "tokens",
        "type": "REQUEST",
        "authorizerUri": URI,
        "identitySource": SOURCE,
    }
    request = {**api, **defaults, **settings}
    return gateway.create_authorizer(**{k: v for k, v in request.items() if v is not None})


def replaced(gateway, authorizer, path, value):
    patch = {"op": "replace", "path": path, "value": value}
    return gateway.update_authorizer(**authorizer, patchOperations=[patch])


def test_an_authorizer_comes_back_as_it_was_made_with_five_minutes_by_default(gateway, api):
    made = create(gateway, api)
    (got,) = gateway.get_authorizers(**api)["items"]
    assert got["id"] == made["id"]
    assert (got["type"], got["identitySource"]) == ("REQUEST", SOURCE)
    assert (got["authorizerUri"], got["authorizerResultTtlInSeconds"]) == (URI, 300)


REFUSED = [
    ({"authorizerResultTtlInSeconds": 3601}, "Invalid authorizer result TTL specified: 3601"),
    ({"authorizerResultTtlInSeconds": -1}, "Invalid authorizer result TTL specified: -1"),
    ({"authorizerUri": FUNCTION}, f"Invalid Authorizer URI: {FUNCTION}. Authorizer URI should be"),
    ({"authorizerUri": f"{LAMBDA}/authorizer/invocations"}, "Invalid Authorizer URI: "),
    ({"authorizerUri": None}, "Invalid Authorizer URI: . Authorizer URI should be"),
    ({"identitySource": None}, "Identity source is required"),
    ({"identitySource": " , "}, "Identity source is required"),
    ({"identitySource": f"{SOURCE},Authorization"}, "expression specified: Authorization]"),
    ({"identitySource": "method.request.body"}, "expression specified: method.request.body]"),
    (
        {"type": "TOKEN", "identitySource": "context.path"},
        "Invalid mapping expression specified: context.path]",
    ),
    ({"type": "TOKEN", "identitySource": f"{SOURCE},{SOURCE}"}, "exactly one identity source"),
    ({"type": "TOKEN", "identitySource": None}, "Identity source is required"),
    ({"type": "COGNITO_USER_POOLS"}, "Provider ARNs are required"),
    ({"name": ""}, "Authorizer name cannot be empty"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_what_no_authorizer_is_is_refused_and_leaves_nothing(gateway, api, settings, words):
    with pytest.raises(ClientError) as refused:
        create(gateway, api, **settings)
    error = refused.value.response["Error"]
    assert error["Code"] == "BadRequestException"
    assert words in error["Message"]
    assert gateway.get_authorizers(**api)["items"] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"authorizerResultTtlInSeconds": 0},
        {"authorizerResultTtlInSeconds": 3600},
        {"authorizerResultTtlInSeconds": 0, "identitySource": None},
        {"identitySource": "method.request.querystring.t, stageVariables.s, context.path"},
        {"type": "TOKEN"},
    ],
)
def test_the_limits_themselves_are_not_refused(gateway, api, settings):
    assert create(gateway, api, **settings)["id"]


def test_two_authorizers_do_not_share_a_name(gateway, api, authorizer):
    words = "Authorizer name must be unique. Authorizer mine already exists in this RestApi."
    with pytest.raises(ClientError, match=words):
        create(gateway, api, name="mine")
    create(gateway, api, name="other")
    with pytest.raises(ClientError, match="Authorizer other already exists"):
        replaced(gateway, authorizer, "/name", "other")


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/authorizerResultTtlInSeconds", "3601", "Invalid authorizer result TTL specified"),
        ("/authorizerResultTtlInSeconds", "soon", "Invalid number value 'soon'"),
        ("/identitySource", "Authorization", "Invalid mapping expression specified"),
        ("/authorizerUri", FUNCTION, "Invalid Authorizer URI"),
        ("/identity", "x", "Invalid patch path '/identity' specified for op 'replace'"),
    ],
)
def test_a_patch_is_checked_too_and_changes_nothing_then(gateway, authorizer, path, value, words):
    before = gateway.get_authorizer(**authorizer)
    with pytest.raises(ClientError, match=words):
        replaced(gateway, authorizer, path, value)
    before.pop("ResponseMetadata")
    after = gateway.get_authorizer(**authorizer)
    assert {name: after[name] for name in before} == before


def test_a_patch_changes_what_it_names(gateway, authorizer):
    replaced(gateway, authorizer, "/authorizerResultTtlInSeconds", "30")
    assert gateway.get_authorizer(**authorizer)["authorizerResultTtlInSeconds"] == 30


def test_what_a_method_needs_is_not_deleted(gateway, api, authorizer):
    root = gateway.get_resources(**api)["items"][0]["id"]
    method = {**api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(
        **method, authorizationType="CUSTOM", authorizerId=authorizer["authorizerId"]
    )
    with pytest.raises(ClientError) as refused:
        gateway.delete_authorizer(**authorizer)
    assert refused.value.response["Error"] == {
        "Code": "ConflictException",
        "Message": "Cannot delete authorizer 'mine', is referenced in method: //GET",
    }
    gateway.delete_method(**method)
    gateway.delete_authorizer(**authorizer)
    with pytest.raises(ClientError, match="Invalid Authorizer identifier specified"):
        gateway.delete_authorizer(**authorizer)


def exported(gateway, api):
    gateway.create_deployment(**api, stageName="v1")
    answer = gateway.get_export(
        **api,
        stageName="v1",
        exportType="oas30",
        parameters={"extensions": "integrations,authorizers,apigateway"},
    )
    return json.loads(answer["body"].read())


def test_an_imported_authorizer_and_its_responses_are_exported_again(gateway, api):
    gateway.put_rest_api(**api, body=json.dumps(document()), mode="overwrite")
    out = exported(gateway, api)
    assert out["components"]["securitySchemes"] == {"caller": SCHEME}
    assert out["paths"]["/widgets"]["get"]["security"] == [{"caller": []}]
    got = out["x-amazon-apigateway-gateway-responses"]
    assert {name: {k: got[name][k] for k in RESPONSES[name]} for name in RESPONSES} == RESPONSES


def test_an_import_replaces_the_authorizer_of_that_name(gateway, api):
    for ttl in (60, 30):
        entry = SCHEME["x-amazon-apigateway-authorizer"] | {"authorizerResultTtlInSeconds": ttl}
        body = document(**{"x-amazon-apigateway-authorizer": entry})
        gateway.put_rest_api(**api, body=json.dumps(body))
    (got,) = gateway.get_authorizers(**api)["items"]
    assert (got["name"], got["authorizerResultTtlInSeconds"]) == ("caller", 30)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"identitySource": "Authorization"}, "Invalid mapping expression specified"),
        ({"authorizerResultTtlInSeconds": 3601}, "Invalid authorizer result TTL specified"),
        ({"authorizerUri": FUNCTION}, "Invalid Authorizer URI"),
        ({"type": "jwt"}, "of an authorizer at caller is not supported"),
        ({"enableSimpleResponses": True}, "enableSimpleResponses of an authorizer at caller"),
    ],
)
def test_an_import_with_a_bad_authorizer_is_refused_whole(gateway, api, entry, words):
    whole = SCHEME["x-amazon-apigateway-authorizer"] | entry
    body = document(**{"x-amazon-apigateway-authorizer": whole})
    with pytest.raises(ClientError, match=words):
        gateway.put_rest_api(**api, body=json.dumps(body))
    assert gateway.get_authorizers(**api)["items"] == []
    assert len(gateway.get_resources(**api)["items"]) == 1


def test_an_operation_cannot_ask_for_an_authorizer_that_is_not_there(gateway, api):
    body = document()
    body["paths"]["/widgets"]["get"]["security"] = [{"callers": []}]
    with pytest.raises(ClientError) as refused:
        gateway.put_rest_api(**api, body=json.dumps(body))
    assert refused.value.response["Error"]["Message"] == (
        "Unable to put method 'GET' on resource at path '/widgets': Invalid authorizer ID"
        " specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a"
        " valid authorizer."
    )
