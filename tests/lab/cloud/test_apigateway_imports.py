import json

import pytest
from botocore.exceptions import ClientError

LAMBDA = "arn:aws:lambda:eu-west-1:111111111111:function:widgets"
URI = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{LAMBDA}/invocations"
INTEGRATION = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
        }
    ],
}


def document(**extra):
    return {
        "openapi": "3.0.1",
        "info": {"title": "widgets", "version": "1", "description": "of all kinds"},
        "paths": {
            "/widgets": {
                "get": {
                    "operationId": "list",
                    "responses": {"200": {"description": "ok"}},
                    "x-amazon-apigateway-integration": INTEGRATION,
                }
            },
            "/widgets/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "x-amazon-apigateway-any-method": {
                    "responses": {},
                    "x-amazon-apigateway-integration": INTEGRATION,
                },
            },
        },
    } | extra


def operation(**extra):
    """The document with one operation, `GET /`, that has `extra`."""
    get = {"responses": {}, "x-amazon-apigateway-integration": INTEGRATION, **extra}
    return document(paths={"/": {"get": get}})


@pytest.fixture
def gateway(client):
    gateway = client("apigateway")
    yield gateway
    for api in gateway.get_rest_apis(limit=500)["items"]:
        gateway.delete_rest_api(restApiId=api["id"])


def put(gateway, api, body, **settings):
    return gateway.put_rest_api(restApiId=api["id"], body=json.dumps(body), **settings)


def methods(gateway, api):
    resources = gateway.get_resources(restApiId=api["id"], embed=["methods"], limit=500)["items"]
    return {
        (name, resource["path"]): method
        for resource in resources
        for name, method in resource.get("resourceMethods", {}).items()
    }


def test_an_imported_document_is_resources_methods_and_integrations(gateway):
    api = gateway.import_rest_api(
        body=json.dumps(document()), parameters={"endpointConfigurationTypes": "PRIVATE"}
    )
    assert (api["name"], api["description"]) == ("widgets", "of all kinds")
    assert api["endpointConfiguration"]["types"] == ["PRIVATE"]
    found = methods(gateway, api)
    assert found.keys() == {("GET", "/widgets"), ("ANY", "/widgets/{id}")}
    listing, item = found["GET", "/widgets"], found["ANY", "/widgets/{id}"]
    assert listing["operationName"] == "list"
    assert list(listing["methodResponses"]) == ["200"]
    assert listing["methodIntegration"]["type"] == "AWS_PROXY"
    assert listing["methodIntegration"]["uri"] == URI
    assert item["requestParameters"] == {"method.request.path.id": True}


def test_what_was_exported_is_imported_as_the_same(gateway):
    extra = {
        "x-amazon-apigateway-policy": POLICY,
        "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": 503}},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
    }
    parameters = {"extensions": "integrations,authorizers,apigateway"}
    exports, ids, body = [], [], document(**extra)
    for _ in range(2):
        api = gateway.import_rest_api(body=json.dumps(body))
        gateway.create_deployment(restApiId=api["id"], stageName="dev")
        ids.append(api["id"])
        answer = gateway.get_export(
            restApiId=api["id"], stageName="dev", exportType="oas30", parameters=parameters
        )
        body = json.loads(answer["body"].read())
        del body["info"]["version"]
        exports.append(
            json.dumps(body, sort_keys=True).replace(ids[0], "ID").replace(ids[-1], "ID")
        )
    for method in ("get", "x-amazon-apigateway-any-method"):
        assert method in exports[0]
    assert exports[0] == exports[1]


def test_a_merge_keeps_what_the_document_does_not_name_and_an_overwrite_does_not(gateway):
    endpoint = {"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]}
    api = gateway.create_rest_api(
        name="old", endpointConfiguration=endpoint, policy=json.dumps(POLICY)
    )
    gateway.put_method(
        restApiId=api["id"],
        resourceId=api["rootResourceId"],
        httpMethod="PUT",
        authorizationType="NONE",
    )
    merged = put(gateway, api, document())
    assert ("PUT", "/") in methods(gateway, api)
    assert merged["endpointConfiguration"]["vpcEndpointIds"] == ["vpce-1"]
    assert "policy" in merged
    overwritten = put(gateway, api, document(), mode="overwrite")
    assert methods(gateway, api).keys() == {("GET", "/widgets"), ("ANY", "/widgets/{id}")}
    assert overwritten["endpointConfiguration"] == {
        "types": ["PRIVATE"],
        "ipAddressType": "dualstack",
    }
    assert "policy" not in overwritten


def test_the_documents_endpoint_settings_are_the_apis(gateway):
    settings = {"vpcEndpointIds": ["vpce-1"], "disableExecuteApiEndpoint": True}
    server = {"url": "/", "x-amazon-apigateway-endpoint-configuration": settings}
    api = gateway.create_rest_api(name="w", endpointConfiguration={"types": ["PRIVATE"]})
    got = put(gateway, api, document(servers=[server]))
    assert got["endpointConfiguration"]["vpcEndpointIds"] == ["vpce-1"]
    assert got["disableExecuteApiEndpoint"] is True


def test_security_schemes_are_authorizers_signatures_and_keys(gateway):
    authorizer = {
        "type": "request",
        "authorizerUri": URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 0,
    }
    schemes = {
        "tokens": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": authorizer,
        },
        "sigv4": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        },
        "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    }
    body = document(components={"securitySchemes": schemes}, security=[{"tokens": []}])
    body["paths"]["/widgets"]["get"]["security"] = [{"sigv4": []}, {"api_key": []}]
    api = gateway.import_rest_api(body=json.dumps(body))
    [made] = gateway.get_authorizers(restApiId=api["id"])["items"]
    assert (made["name"], made["type"], made["authorizerResultTtlInSeconds"]) == (
        "tokens",
        "REQUEST",
        0,
    )
    found = methods(gateway, api)
    item, listing = found["ANY", "/widgets/{id}"], found["GET", "/widgets"]
    assert (item["authorizationType"], item["authorizerId"]) == ("CUSTOM", made["id"])
    assert (listing["authorizationType"], listing["apiKeyRequired"]) == ("AWS_IAM", True)


def test_swagger_2_is_imported_too(gateway):
    body = {
        "swagger": "2.0",
        "info": {"title": "widgets", "version": "1"},
        "paths": document()["paths"],
        "x-amazon-apigateway-policy": POLICY,
    }
    api = gateway.import_rest_api(body=json.dumps(body))
    assert ("GET", "/widgets") in methods(gateway, api)
    assert "policy" in api


def test_models_are_imported_and_referred_to(gateway):
    schema = {"type": "object", "properties": {"id": {"type": "string"}}}
    body = operation(
        requestBody={
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Widget"}}}
        }
    ) | {"components": {"schemas": {"Widget": schema}}}
    api = gateway.import_rest_api(body=json.dumps(body))
    assert methods(gateway, api)["GET", "/"]["requestModels"] == {"application/json": "Widget"}
    [model] = gateway.get_models(restApiId=api["id"])["items"]
    assert json.loads(model["schema"]) == schema


def test_what_is_ignored_is_a_warning_and_a_failure_if_so_asked(gateway):
    cookie = {"name": "c", "in": "cookie", "schema": {"type": "string"}}
    body = operation(parameters=[cookie])
    api = gateway.import_rest_api(body=json.dumps(body))
    assert api["warnings"] == ["GET /: parameter in cookie is ignored"]
    with pytest.raises(ClientError, match="Warnings found during import"):
        put(gateway, api, body, failOnWarnings=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"openapi": "4.0"}, "Invalid OpenAPI input"),
        ([], "Invalid OpenAPI input"),
        ("text", "Invalid OpenAPI input"),
        (document(paths={"/": {"x-amazon-apigateway-other": {}}}), "is not supported"),
        (
            document(
                components={
                    "securitySchemes": {"t": {"x-amazon-apigateway-authorizer": {"type": "jwt"}}}
                }
            ),
            "type of an authorizer at t is not supported",
        ),
        (document(paths={"widgets": {}}), "must start with '/'"),
        (document(**{"x-amazon-apigateway-policy": {}}), "Invalid policy document"),
        (
            document(**{"x-amazon-apigateway-gateway-responses": {"TEAPOT": {}}}),
            "Invalid gateway response type specified: TEAPOT",
        ),
        (document(**{"x-amazon-apigateway-documentation": {}}), "is not supported"),
        (operation(**{"x-amazon-apigateway-request-validator": "all"}), "is not supported"),
        (
            operation(security=[{"oauth": []}])
            | {"components": {"securitySchemes": {"oauth": {"type": "oauth2"}}}},
            "security scheme oauth at GET / is not supported",
        ),
        (operation(parameters=[{"$ref": "#/nowhere"}]), "Unresolved reference #/nowhere"),
        (
            operation(
                **{"x-amazon-apigateway-integration": INTEGRATION | {"timeoutInMillis": 30000}}
            ),
            "Timeout should be between",
        ),
        (
            operation(**{"x-amazon-apigateway-integration": INTEGRATION | {"connectionId": "x"}}),
            "connectionId of x-amazon-apigateway-integration at GET / is not supported",
        ),
    ],
)
def test_a_document_is_refused_for_and_the_api_stays_as_it_was(gateway, body, words):
    api = gateway.import_rest_api(body=json.dumps(document()))
    before = methods(gateway, api)
    with pytest.raises(ClientError, match=words):
        put(gateway, api, body, mode="overwrite")
    assert methods(gateway, api) == before
    assert "policy" not in gateway.get_rest_api(restApiId=api["id"])


def test_yaml_is_read_and_what_is_neither_is_refused(gateway):
    api = gateway.import_rest_api(body=b"openapi: 3.0.1\ninfo: {title: widgets}\npaths: {}")
    assert api["name"] == "widgets"
    for body in (b"openapi: [3", b"- 1", b"5"):
        with pytest.raises(ClientError, match="Invalid OpenAPI input"):
            gateway.put_rest_api(restApiId=api["id"], body=body)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "replace"}, "import mode must be"),
        ({"parameters": {"basepath": "split"}}, "the lab does not model it"),
    ],
)
def test_a_way_of_importing_is_refused_for(gateway, settings, words):
    api = gateway.create_rest_api(name="widgets")
    with pytest.raises(ClientError, match=words):
        put(gateway, api, document(), **settings)


def test_a_parameter_may_be_a_reference(gateway):
    parameter = {"name": "q", "in": "query", "schema": {"type": "string"}}
    body = operation(parameters=[{"$ref": "#/components/parameters/Q"}])
    body["components"] = {"parameters": {"Q": parameter}}
    api = gateway.import_rest_api(body=json.dumps(body))
    found = methods(gateway, api)["GET", "/"]
    assert found["requestParameters"] == {"method.request.querystring.q": False}


def test_a_refused_import_leaves_no_api(gateway):
    with pytest.raises(ClientError, match="Invalid OpenAPI input"):
        gateway.import_rest_api(body=json.dumps({"openapi": "3.0.1", "info": {"title": "w"}}))
    assert gateway.get_rest_apis()["items"] == []
