import json

import pytest
from botocore.exceptions import ClientError

LAMBDA = "arn:aws:lambda:eu-west-1:111111111111:function:widgets"
URI = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{LAMBDA}/invocations"
ALL_EXTENSIONS = {"extensions": "integrations,authorizers,apigateway"}
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


@pytest.fixture
def gateway(client):
    return client("apigateway")


def private_api(gateway, **settings):
    return gateway.create_rest_api(
        name="widgets",
        endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-0a1b2c3d"]},
        **settings,
    )


@pytest.fixture
def api(gateway):
    """A private API with `GET /widgets` on a Lambda function."""
    made = private_api(gateway, policy=json.dumps(POLICY))
    resource = gateway.create_resource(
        restApiId=made["id"], parentId=made["rootResourceId"], pathPart="widgets"
    )
    method = {"restApiId": made["id"], "resourceId": resource["id"], "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=URI)
    return made | {"method": method}


def exported(gateway, api, stage="dev"):
    answer = gateway.get_export(
        restApiId=api["id"], stageName=stage, exportType="oas30", parameters=ALL_EXTENSIONS
    )
    return json.loads(answer["body"].read())


def test_an_api_without_methods_is_not_deployed(gateway):
    api = private_api(gateway, policy=json.dumps(POLICY))
    with pytest.raises(ClientError, match="The REST API doesn't contain any methods"):
        gateway.create_deployment(restApiId=api["id"])


def test_a_method_without_integration_is_not_deployed_even_beside_one_that_has_one(gateway, api):
    gateway.put_method(**api["method"] | {"httpMethod": "POST"}, authorizationType="NONE")
    with pytest.raises(ClientError, match="No integration defined for method"):
        gateway.create_deployment(restApiId=api["id"])


def test_a_private_api_without_resource_policy_is_not_deployed(gateway, api):
    patch = {"op": "replace", "path": "/policy", "value": ""}
    gateway.update_rest_api(restApiId=api["id"], patchOperations=[patch])
    with pytest.raises(
        ClientError, match="Private REST API doesn't have a resource policy attached to it"
    ):
        gateway.create_deployment(restApiId=api["id"])


def test_the_export_is_the_openapi_document_of_what_was_deployed(gateway, api):
    gateway.put_gateway_response(
        restApiId=api["id"],
        responseType="ACCESS_DENIED",
        statusCode="403",
        responseTemplates={"application/json": '{"error":"no"}'},
    )
    deployment = gateway.create_deployment(restApiId=api["id"])
    gateway.create_stage(restApiId=api["id"], stageName="dev", deploymentId=deployment["id"])
    document = exported(gateway, api)
    [server] = document["servers"]
    assert document["openapi"] == "3.0.1"
    assert document["info"]["title"] == "widgets"
    assert server["url"] == f"https://{api['id']}.execute-api.eu-west-1.amazonaws.com/{{basePath}}"
    assert server["variables"] == {"basePath": {"default": "dev"}}
    assert server["x-amazon-apigateway-endpoint-configuration"] == {
        "disableExecuteApiEndpoint": False,
        "vpcEndpointIds": ["vpce-0a1b2c3d"],
    }
    assert list(document["paths"]) == ["/widgets"]
    integration = document["paths"]["/widgets"]["get"]["x-amazon-apigateway-integration"]
    assert integration == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": URI,
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": 29000,
        "cacheNamespace": api["method"]["resourceId"],
    }
    [statement] = document["x-amazon-apigateway-policy"]["Statement"]
    assert statement["Resource"] == f"arn:aws:execute-api:eu-west-1:111111111111:{api['id']}/*"
    assert document["x-amazon-apigateway-gateway-responses"] == {
        "ACCESS_DENIED": {
            "statusCode": "403",
            "responseTemplates": {"application/json": '{"error":"no"}'},
        }
    }


def test_an_export_without_extensions_has_none(gateway, api):
    gateway.create_deployment(restApiId=api["id"], stageName="dev")
    answer = gateway.get_export(restApiId=api["id"], stageName="dev", exportType="oas30")
    assert "x-amazon" not in answer["body"].read().decode()


def test_a_change_shows_only_when_the_stage_points_to_a_new_deployment(gateway, api):
    gateway.create_deployment(restApiId=api["id"], stageName="dev")
    gateway.put_method(**api["method"] | {"httpMethod": "POST"}, authorizationType="NONE")
    gateway.put_integration(
        **api["method"] | {"httpMethod": "POST"},
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=URI,
    )
    changes = [
        {"op": "replace", "path": "/policy", "value": json.dumps(POLICY).replace("Allow", "Deny")},
        {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"},
    ]
    gateway.update_rest_api(restApiId=api["id"], patchOperations=changes)
    before = exported(gateway, api)
    second = gateway.create_deployment(restApiId=api["id"])
    still = exported(gateway, api)
    move = {"op": "replace", "path": "/deploymentId", "value": second["id"]}
    gateway.update_stage(restApiId=api["id"], stageName="dev", patchOperations=[move])
    after = exported(gateway, api)
    assert before == still
    assert list(before["paths"]["/widgets"]) == ["get"]
    assert list(after["paths"]["/widgets"]) == ["get", "post"]
    assert before["x-amazon-apigateway-policy"]["Statement"][0]["Effect"] == "Allow"
    assert after["x-amazon-apigateway-policy"]["Statement"][0]["Effect"] == "Deny"
    key = "x-amazon-apigateway-endpoint-configuration"
    assert after["servers"][0][key]["disableExecuteApiEndpoint"] is True


def test_deploying_to_a_stage_that_exists_keeps_the_rest_of_the_stage(gateway, api):
    gateway.create_deployment(restApiId=api["id"], stageName="dev", variables={"a": "1"})
    patch = {"op": "replace", "path": "/tracingEnabled", "value": "true"}
    gateway.update_stage(restApiId=api["id"], stageName="dev", patchOperations=[patch])
    second = gateway.create_deployment(restApiId=api["id"], stageName="dev", variables={"b": "2"})
    stage = gateway.get_stage(restApiId=api["id"], stageName="dev")
    assert stage["deploymentId"] == second["id"]
    assert stage["tracingEnabled"] is True
    assert stage["variables"] == {"a": "1", "b": "2"}


def test_a_deployment_that_a_stage_serves_is_not_deleted(gateway, api):
    deployment = gateway.create_deployment(restApiId=api["id"], stageName="dev")
    which = {"restApiId": api["id"], "deploymentId": deployment["id"]}
    with pytest.raises(
        ClientError,
        match="Active stages pointing to this deployment must be moved or deleted",
    ):
        gateway.delete_deployment(**which)
    gateway.delete_stage(restApiId=api["id"], stageName="dev")
    gateway.delete_deployment(**which)
    with pytest.raises(ClientError, match="NotFoundException"):
        gateway.get_deployment(**which)


def test_the_export_of_an_unknown_stage_is_not_found(gateway, api):
    with pytest.raises(ClientError, match="Invalid stage identifier specified") as refusal:
        exported(gateway, api, "prod")
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"exportType": "raml"}, "No API exporter for type 'raml'"),
        ({"exportType": "swagger"}, "the lab does not model it"),
        ({"exportType": "oas30", "accepts": "application/yaml"}, "the lab does not model it"),
    ],
)
def test_an_export_is_refused_for(gateway, api, settings, words):
    gateway.create_deployment(restApiId=api["id"], stageName="dev")
    with pytest.raises(ClientError, match=words):
        gateway.get_export(restApiId=api["id"], stageName="dev", **settings)


def test_only_the_description_of_a_deployment_changes(gateway, api):
    deployment = gateway.create_deployment(restApiId=api["id"], description="first")
    which = {"restApiId": api["id"], "deploymentId": deployment["id"]}
    operation = {"op": "replace", "path": "/description", "value": "second"}
    gateway.update_deployment(**which, patchOperations=[operation])
    assert gateway.get_deployment(**which)["description"] == "second"
    with pytest.raises(ClientError, match="Invalid patch path '/id' specified for op 'replace'"):
        gateway.update_deployment(**which, patchOperations=[operation | {"path": "/id"}])


def test_path_parameters_any_methods_and_authorizers_are_exported(gateway, api):
    item = gateway.create_resource(
        restApiId=api["id"], parentId=api["method"]["resourceId"], pathPart="{id}"
    )
    authorizer = gateway.create_authorizer(
        restApiId=api["id"],
        name="tokens",
        type="REQUEST",
        authorizerUri=URI,
        identitySource="method.request.header.Authorization",
    )
    method = {"restApiId": api["id"], "resourceId": item["id"], "httpMethod": "ANY"}
    gateway.put_method(
        **method,
        authorizationType="CUSTOM",
        authorizerId=authorizer["id"],
        requestParameters={"method.request.path.id": True},
    )
    gateway.put_integration(
        **method,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=URI,
        requestParameters={"integration.request.path.id": "method.request.path.id"},
        timeoutInMillis=5000,
    )
    gateway.create_deployment(restApiId=api["id"], stageName="dev")
    document = exported(gateway, api)
    operation = document["paths"]["/widgets/{id}"]["x-amazon-apigateway-any-method"]
    assert operation["parameters"] == [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    assert operation["security"] == [{"tokens": []}]
    assert operation["x-amazon-apigateway-integration"]["timeoutInMillis"] == 5000
    scheme = document["components"]["securitySchemes"]["tokens"]
    assert scheme["x-amazon-apigateway-authorizer"] == {
        "type": "request",
        "authorizerUri": URI,
        "identitySource": "method.request.header.Authorization",
        "authorizerResultTtlInSeconds": 300,
    }
