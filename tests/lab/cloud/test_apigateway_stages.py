import json

import pytest
from botocore.exceptions import ClientError

LOG_GROUP = "arn:aws:logs:eu-west-1:111111111111:log-group:/widgets/access"
FORMAT = '{"id":"$context.requestId","vpce":"$context.identity.vpceId"}'
PUSH = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"


@pytest.fixture
def gateway(client):
    return client("apigateway")


@pytest.fixture(scope="module")
def log_role(client):
    return role(client, "logger", "apigateway.amazonaws.com", PUSH)


def role(client, name, service, policy=None):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if policy:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    return arn


@pytest.fixture(scope="module")
def log_group(client):
    client("logs").create_log_group(logGroupName="/widgets/access")


def set_log_role(gateway, arn):
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": arn}
    return gateway.update_account(patchOperations=[operation])


@pytest.fixture
def logging_allowed(gateway, log_role, log_group):
    set_log_role(gateway, log_role)
    yield
    set_log_role(gateway, "")


@pytest.fixture
def stage(gateway):
    """A stage `dev` of an API with one mock method, as arguments."""
    api = gateway.create_rest_api(name="widgets")
    method = {
        "restApiId": api["id"],
        "resourceId": api["rootResourceId"],
        "httpMethod": "GET",
    }
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="MOCK")
    deployment = gateway.create_deployment(restApiId=api["id"])
    which = {"restApiId": api["id"], "stageName": "dev"}
    gateway.create_stage(**which, deploymentId=deployment["id"], tracingEnabled=True)
    return which


def patch(gateway, stage, **values):
    """`patch(…, **{"/path": value})` replaces; a value of None removes."""
    operations = [
        {"op": "remove", "path": path}
        if value is None
        else {"op": "replace", "path": path, "value": value}
        for path, value in values.items()
    ]
    return gateway.update_stage(**stage, patchOperations=operations)


def access_log(destination=LOG_GROUP, log_format=FORMAT):
    return {
        "/accessLogSettings/destinationArn": destination,
        "/accessLogSettings/format": log_format,
    }


@pytest.mark.usefixtures("logging_allowed")
def test_a_stage_comes_back_as_it_was_patched(gateway, stage):
    patch(
        gateway,
        stage,
        **access_log(),
        **{
            "/*/*/logging/loglevel": "INFO",
            "/*/*/metrics/enabled": "true",
            "/*/*/throttling/rateLimit": "50",
            "/*/*/throttling/burstLimit": "100",
            "/~1a~1b/GET/logging/dataTrace": "true",
            "/variables/table": "widgets",
            "/description": "d",
        },
    )
    got = gateway.get_stage(**stage)
    assert got["accessLogSettings"] == {"destinationArn": LOG_GROUP, "format": FORMAT}
    everywhere = got["methodSettings"]["*/*"]
    assert (everywhere["loggingLevel"], everywhere["metricsEnabled"]) == ("INFO", True)
    assert everywhere["throttlingRateLimit"] == 50.0
    assert everywhere["throttlingBurstLimit"] == 100
    assert everywhere["dataTraceEnabled"] is False
    assert got["methodSettings"]["a~1b/GET"]["dataTraceEnabled"] is True
    assert (got["variables"], got["description"]) == ({"table": "widgets"}, "d")
    assert got["tracingEnabled"] is True


@pytest.mark.usefixtures("logging_allowed")
def test_settings_are_taken_away_by_patches(gateway, stage):
    patch(gateway, stage, **access_log(), **{"/*/*/logging/loglevel": "INFO", "/variables/a": "1"})
    patch(gateway, stage, **{"/accessLogSettings": None, "/*/*": None, "/variables/a": None})
    got = gateway.get_stage(**stage)
    assert "accessLogSettings" not in got
    assert (got["methodSettings"], got["variables"]) == ({}, {})


@pytest.mark.usefixtures("log_group")
@pytest.mark.parametrize("settings", [access_log(), {"/*/*/logging/loglevel": "ERROR"}])
def test_logging_needs_the_accounts_role(gateway, stage, settings):
    with pytest.raises(
        ClientError,
        match="CloudWatch Logs role ARN must be set in account settings to enable logging",
    ):
        patch(gateway, stage, **settings)
    got = gateway.get_stage(**stage)
    assert (got.get("accessLogSettings"), got["methodSettings"]) == (None, {})


@pytest.mark.usefixtures("logging_allowed")
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (access_log("arn:aws:s3:::bucket"), "Invalid ARN specified in the request"),
        (access_log(f"{LOG_GROUP}:*"), "must only contain characters a-z, A-Z, 0-9"),
        (access_log(f"{LOG_GROUP}s"), "The specified log group does not exist"),
        (access_log(log_format="$context.status"), "must contain at least one of"),
        (access_log(log_format="$context.requestIds"), "must contain at least one of"),
        (access_log(log_format=FORMAT + "x" * 3072), "the limit is 3072 bytes"),
        (access_log(log_format=f"{FORMAT}\n{FORMAT}"), "must be single line"),
        ({"/*/*/logging/loglevel": "DEBUG"}, "Invalid logging level 'DEBUG'"),
        ({"/*/*/nonsense": "1"}, "Invalid patch path"),
        ({"/*/*/logging/colour": "1"}, "Invalid method setting path: logging/colour"),
        ({"/nonsense": "1"}, "Invalid patch path '/nonsense' specified for op 'replace'"),
        ({"/accessLogSettings/colour": "1"}, "Invalid patch path '/accessLogSettings/colour'"),
        ({"/*/*/throttling/rateLimit": "fast"}, "Invalid number value"),
        ({"/tracingEnabled": "maybe"}, "Invalid boolean value"),
        ({"/deploymentId": "nothing"}, "Invalid Deployment identifier specified"),
        ({"/cacheClusterEnabled": "true"}, "the lab does not model it"),
    ],
)
def test_a_patch_of_a_stage_is_refused_for(gateway, stage, settings, words):
    before = gateway.get_stage(**stage)["lastUpdatedDate"]
    with pytest.raises(ClientError, match=words):
        patch(gateway, stage, **settings)
    got = gateway.get_stage(**stage)
    assert (got["lastUpdatedDate"], got.get("accessLogSettings")) == (before, None)


def test_the_accounts_role_comes_back(gateway, log_role):
    assert set_log_role(gateway, log_role)["cloudwatchRoleArn"] == log_role
    assert gateway.get_account()["cloudwatchRoleArn"] == log_role
    set_log_role(gateway, "")
    assert not gateway.get_account().get("cloudwatchRoleArn")


@pytest.mark.parametrize(
    ("name", "service", "policy"),
    [
        ("missing", None, None),
        ("untrusted", "lambda.amazonaws.com", PUSH),
        ("powerless", "apigateway.amazonaws.com", None),
    ],
)
def test_a_role_that_cannot_log_for_api_gateway_is_refused(client, gateway, name, service, policy):
    arn = f"arn:aws:iam::111111111111:role/{name}"
    if service:
        arn = role(client, name, service, policy)
    with pytest.raises(
        ClientError, match="The role ARN does not have required permissions configured"
    ):
        set_log_role(gateway, arn)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"deploymentId": "nothing"}, "NotFoundException"),
        ({"stageName": "dev"}, "ConflictException"),
        ({"stageName": "d-e-v"}, "BadRequestException"),
        ({"cacheClusterEnabled": True}, "NotImplemented"),
    ],
)
def test_a_stage_is_refused_for(gateway, stage, settings, code):
    deployment = gateway.get_stage(**stage)["deploymentId"]
    request = stage | {"stageName": "prod", "deploymentId": deployment} | settings
    with pytest.raises(ClientError) as refusal:
        gateway.create_stage(**request)
    assert refusal.value.response["Error"]["Code"] == code


def test_a_stage_is_tagged_by_its_arn(gateway, stage):
    arn = f"arn:aws:apigateway:eu-west-1::/restapis/{stage['restApiId']}/stages/dev"
    gateway.tag_resource(resourceArn=arn, tags={"a": "b"})
    assert gateway.get_stage(**stage)["tags"] == {"a": "b"}


def test_a_stage_that_is_deleted_is_not_found(gateway, stage):
    gateway.delete_stage(**stage)
    with pytest.raises(ClientError, match="Invalid stage identifier specified"):
        gateway.get_stage(**stage)
