"""Examples of APIs: aws:apigateway."""

import json

from . import places
from .conftest import World
from .examples import TAGS, Example, Examples
from .places import policy

EXAMPLES = Examples()


@EXAMPLES.of("aws:apigateway/restApi:RestApi")
def _rest_api(world: World) -> Example:
    open_to = [
        policy("execute-api:Invoke", "execute-api:/*", Principal=who) for who in ("*", {"AWS": "*"})
    ]
    return Example(
        inputs={
            "description": "example",
            "endpointConfiguration": {"types": "PRIVATE"},
            "policy": open_to[0],
            "tags": {"team": "a"},
        },
        changes=[
            {"name": "another"},
            {"description": "other"},
            {"policy": open_to[1]},
            {"disableExecuteApiEndpoint": True},
            {"binaryMediaTypes": ["image/png"]},
            {"minimumCompressionSize": "1024"},
            {"apiKeySource": "AUTHORIZER"},
            {
                "endpointConfiguration": {
                    "types": "PRIVATE",
                    "vpcEndpointIds": [places.endpoint(world)],
                }
            },
            {"endpointConfiguration": {"types": "REGIONAL"}},
            *TAGS,
        ],
    )


def _document(path: str, description: str) -> str:
    return json.dumps(
        {
            "openapi": "3.0.1",
            "info": {"title": "imported", "version": "1", "description": description},
            "paths": {path: {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}},
        }
    )


@EXAMPLES.of("aws:apigateway/restApi:RestApi#imported")
def _imported_rest_api(world: World) -> Example:
    return Example(
        inputs={
            "body": _document("/widgets", "one"),
            "endpointConfiguration": {"types": "REGIONAL"},
        },
        changes=[
            {"body": _document("/gadgets", "two")},
            {"failOnWarnings": True},
            {"parameters": {"basepath": "ignore"}},
            {"putRestApiMode": "merge"},
        ],
    )


@EXAMPLES.of("aws:apigateway/restApiPolicy:RestApiPolicy")
def _rest_api_policy(world: World) -> Example:
    documents = [
        policy(action, "execute-api:/*", Principal="*")
        for action in ("execute-api:Invoke", "execute-api:*")
    ]
    return Example(
        inputs={
            "restApiId": world.make("aws:apigateway/restApi:RestApi")["id"],
            "policy": documents[0],
        },
        changes=[{"policy": documents[1]}],
    )


@EXAMPLES.of("aws:apigateway/method:Method")
def _method(world: World) -> Example:
    api, client = places.scratch_api(world), world.aws.client("apigateway")
    validator = client.create_request_validator(restApiId=api["id"], name="all")
    authorizer = client.create_authorizer(
        restApiId=api["id"],
        name="token",
        type="TOKEN",
        authorizerUri=places.function(world)["invokeArn"],
        identitySource="method.request.header.Authorization",
    )
    return Example(
        inputs={
            "restApi": api["id"],
            "resourceId": api["rootResourceId"],
            "httpMethod": "DELETE",
            "authorization": "NONE",
            "requestParameters": {"method.request.header.X-A": True},
        },
        changes=[
            {"authorization": "AWS_IAM"},
            {"apiKeyRequired": True},
            {"operationName": "drop"},
            {"requestParameters": {"method.request.header.X-B": False}},
            {"requestModels": {"application/json": "Empty"}},
            {"requestValidatorId": validator["id"]},
            {"authorization": "CUSTOM", "authorizerId": authorizer["id"]},
        ],
    )


@EXAMPLES.of("aws:apigateway/integration:Integration")
def _integration(world: World) -> Example:
    return Example(
        inputs={
            **places.method(world, places.scratch_api(world)),
            "type": "AWS_PROXY",
            "integrationHttpMethod": "POST",
            "uri": places.function(world)["invokeArn"],
            "timeoutMilliseconds": 10000,
        },
        changes=[
            {"timeoutMilliseconds": 5000},
            {"uri": places.function(world)["qualifiedInvokeArn"]},
            {"passthroughBehavior": "NEVER"},
            {"contentHandling": "CONVERT_TO_TEXT"},
            {"requestParameters": {"integration.request.header.X-A": "'1'"}},
            {"requestTemplates": {"application/json": "{}"}},
        ],
    )


@EXAMPLES.of("aws:apigateway/deployment:Deployment")
def _deployment(world: World) -> Example:
    places.deployment(world, 0)
    return Example(
        inputs={
            "restApi": places.rest_api(world)["id"],
            "triggers": {"hash": "1"},
            "description": "one",
        },
        changes=[{"description": "two"}],
    )


@EXAMPLES.of("aws:apigateway/stage:Stage")
def _stage(world: World) -> Example:
    role = places.role(world, "apigateway.amazonaws.com")
    managed = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    world.once(
        "log role",
        lambda: world.make(
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            role=role["id"],
            policyArn=managed,
        ),
    )
    world.once(
        "account",
        lambda: world.make("aws:apigateway/account:Account", cloudwatchRoleArn=role["arn"]),
    )
    logs = {"destinationArn": places.log_group(world)["arn"], "format": "$context.requestId"}
    return Example(
        inputs={
            "restApi": places.rest_api(world)["id"],
            "stageName": "example",
            "deployment": places.deployment(world, 0),
            "variables": {"colour": "blue"},
            "accessLogSettings": logs,
            "tags": {"team": "a"},
        },
        changes=[
            {"deployment": places.deployment(world, 1)},
            {"description": "other"},
            {"variables": {"colour": "red", "size": "1"}},
            {"variables": {}},
            {"xrayTracingEnabled": True},
            {"accessLogSettings": {**logs, "format": "$context.extendedRequestId"}},
            {"accessLogSettings": None},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:apigateway/methodSettings:MethodSettings")
def _method_settings(world: World) -> Example:
    stage = places.stage(world)
    settings = {"metricsEnabled": True, "throttlingBurstLimit": 10, "throttlingRateLimit": 5.5}
    return Example(
        inputs={
            "restApi": stage["restApi"],
            "stageName": stage["stageName"],
            "methodPath": "*/*",
            "settings": settings,
        },
        changes=[
            {"settings": {**settings, "throttlingBurstLimit": 20}},
            {"settings": {**settings, "metricsEnabled": False}},
        ],
    )


@EXAMPLES.of("aws:apigateway/account:Account")
def _account(world: World) -> Example:
    role = places.role(world, "apigateway.amazonaws.com")
    return Example(
        inputs={},
        changes=[{"cloudwatchRoleArn": role["arn"]}, {"cloudwatchRoleArn": None}],
        outlives_delete=True,
    )
