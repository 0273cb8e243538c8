"""The stage: what is deployed when, and what is written down about each request."""

import json
from typing import Any

import pulumi
import pytest
from pulumi_aws import apigateway

from components import policies
from components.api_stage import ApiStage, ApiStageArgs
from tests.components.checks import check_family
from tests.conftest import Deploy, Deployed


def args(**changes: Any) -> ApiStageArgs:
    given: dict[str, Any] = {
        "rest_api_id": "api1",
        "stage_name": "live",
        "definition_hash": "hash",
        "throttling_rate_limit": 10,
        "throttling_burst_limit": 20,
        "log_retention_days": 7,
        "manage_log_role": False,
    }
    return ApiStageArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    return deploy(lambda opts: {"stage_name": ApiStage("s", args(**changes), opts).stage_name})


@pytest.mark.parametrize("manage", [False, True])
def test_what_it_makes_is_its_own(deploy: Deploy, manage: bool):
    check_family(deploy, lambda name, opts: ApiStage(name, args(manage_log_role=manage), opts))


def test_the_deployment_is_of_one_definition(deploy: Deploy):
    assert made(deploy).one("Deployment").inputs == {
        "restApi": "api1",
        "triggers": {"definition": "hash"},
    }


def test_the_deployment_waits_for_what_its_hash_is_made_of(deploy: Deploy):
    def build(opts: pulumi.ResourceOptions) -> None:
        policy = apigateway.RestApiPolicy("p", rest_api_id="api1", policy="{}")
        ApiStage("s", args(definition_hash=policy.policy), opts)

    deployed = deploy(build)
    assert deployed.one("RestApiPolicy").urn in deployed.one("Deployment").depends_on


def test_the_stage_serves_the_deployment_with_traces_and_an_access_log(deploy: Deploy):
    deployed = made(deploy)
    inputs = dict(deployed.one("Stage", "s-live").inputs)
    log = inputs.pop("accessLogSettings")
    assert inputs == {
        "restApi": "api1",
        "deployment": "s-deployment-id",
        "stageName": "live",
        "xrayTracingEnabled": True,
    }
    assert log["destinationArn"] == "arn:s-access"
    assert deployed.outputs["stage_name"] == "live"


def test_an_access_log_line_is_json_that_names_the_request_and_the_endpoint(deploy: Deploy):
    text = made(deploy).one("Stage", "s-live").inputs["accessLogSettings"]["format"]
    line = json.loads(text)
    assert line["requestId"] == "$context.requestId"
    assert line["vpcEndpointId"] == "$context.identity.vpceId"
    assert all(value.startswith("$context.") for value in line.values())
    assert "\n" not in text
    assert len(text) < 3072, "API Gateway takes 3 KB"


def test_an_access_log_line_says_who_called_and_what_the_authorizer_made_of_it(deploy: Deploy):
    line = json.loads(made(deploy).one("Stage", "s-live").inputs["accessLogSettings"]["format"])
    for said in (
        *("tenant", "subject", "clientId", "certificateThumbprint", "certificateSerial"),
        *("keyId", "reason"),
    ):
        assert line[said] == f"$context.authorizer.{said}"
    for said in ("Status", "Error", "Latency"):
        assert line[f"authorizer{said}"] == f"$context.authorizer.{said.lower()}"
    assert line["errorType"] == "$context.error.responseType"


def test_every_method_is_throttled_measured_and_logged_without_its_contents(deploy: Deploy):
    assert made(deploy).one("MethodSettings").inputs == {
        "restApi": "api1",
        "stageName": "live",
        "methodPath": "*/*",
        "settings": {
            "loggingLevel": "INFO",
            "dataTraceEnabled": False,
            "metricsEnabled": True,
            "throttlingRateLimit": 10,
            "throttlingBurstLimit": 20,
        },
    }


def test_both_logs_are_kept_as_long_as_told(deploy: Deploy):
    deployed = made(deploy)
    assert deployed.one("LogGroup", "s-access").inputs == {"retentionInDays": 7}
    assert deployed.one("LogGroup", "s-execution").inputs == {
        "name": "API-Gateway-Execution-Logs_api1/live",
        "retentionInDays": 7,
    }


def test_the_log_role_of_the_account_is_left_alone_unless_asked_for(deploy: Deploy):
    deployed = made(deploy)
    for absent in ("Account", "aws:iam/role:Role", "ServiceRole"):
        assert deployed.of(absent) == []


def test_the_log_role_of_the_account_is_there_before_the_stage(deploy: Deploy):
    deployed = made(deploy, manage_log_role=True)
    account = deployed.one("Account")
    assert account.inputs == {"cloudwatchRoleArn": "arn:s-log-role-role"}
    assert account.urn in deployed.one("Stage", "s-live").depends_on
    trusted = json.loads(deployed.one("aws:iam/role:Role").inputs["assumeRolePolicy"])
    assert trusted == policies.trust("apigateway.amazonaws.com")
    assert deployed.one("RolePolicyAttachment").inputs["policyArn"] == (
        "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    )
