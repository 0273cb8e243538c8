import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import apigateway, cloudwatch

from components.service_role import ServiceRole, ServiceRoleArgs

ACCESS_LOG_FORMAT = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationStatus": "$context.integration.status",
    "integrationLatency": "$context.integration.latency",
    "sourceIp": "$context.identity.sourceIp",
    "vpcEndpointId": "$context.identity.vpceId",
    "userAgent": "$context.identity.userAgent",
    "tenant": "$context.authorizer.tenant",
    "subject": "$context.authorizer.subject",
    "clientId": "$context.authorizer.clientId",
    "certificateThumbprint": "$context.authorizer.certificateThumbprint",
    "certificateSerial": "$context.authorizer.certificateSerial",
    "keyId": "$context.authorizer.keyId",
    "reason": "$context.authorizer.reason",
    "authorizerStatus": "$context.authorizer.status",
    "authorizerError": "$context.authorizer.error",
    "authorizerLatency": "$context.authorizer.latency",
    "error": "$context.error.message",
    "errorType": "$context.error.responseType",
    "traceId": "$context.xrayTraceId",
}
"""API Gateway developer guide, "Variables for access logging for API Gateway".

Those of an authorizer that is not there, or that says less, are logged as '-'.
"""


@dataclass(frozen=True, kw_only=True)
class ApiStageArgs:
    """`definition_hash` stands for all that a deployment freezes; a new value deploys anew.

    It must come out of what the deployment has to find in place, so that it waits for that.
    """

    rest_api_id: pulumi.Input[str]
    stage_name: str
    definition_hash: pulumi.Input[str]
    throttling_rate_limit: float
    throttling_burst_limit: int
    log_retention_days: int
    manage_log_role: bool


class ApiStage(pulumi.ComponentResource):
    """A deployment of the API and the stage that serves it: logs, traces, metrics, throttling.

    API Gateway serves what was deployed, not what is defined: a change of routes or of the resource
    policy counts only after a deployment (API Gateway developer guide, "Deploy REST APIs").
    """

    stage_name: pulumi.Output[str]

    def __init__(self, name: str, args: ApiStageArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__("mtls:index:ApiStage", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        deployment = apigateway.Deployment(
            f"{name}-deployment",
            rest_api=args.rest_api_id,
            triggers={"definition": args.definition_hash},
            opts=mine,
        )
        access_log = cloudwatch.LogGroup(
            f"{name}-access", retention_in_days=args.log_retention_days, opts=mine
        )
        stage = apigateway.Stage(
            f"{name}-{args.stage_name}",
            rest_api=args.rest_api_id,
            deployment=deployment.id,
            stage_name=args.stage_name,
            xray_tracing_enabled=True,
            access_log_settings={
                "destination_arn": access_log.arn,
                "format": json.dumps(ACCESS_LOG_FORMAT),
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._log_role(name, args)),
        )
        apigateway.MethodSettings(
            f"{name}-settings",
            rest_api=args.rest_api_id,
            stage_name=stage.stage_name,
            method_path="*/*",
            settings={
                "logging_level": "INFO",
                # Bodies and headers, tokens among them, stay out of the log.
                "data_trace_enabled": False,
                "metrics_enabled": True,
                "throttling_rate_limit": args.throttling_rate_limit,
                "throttling_burst_limit": args.throttling_burst_limit,
            },
            opts=mine,
        )
        # API Gateway makes this group at the first request, and keeps what is in it for ever.
        cloudwatch.LogGroup(
            f"{name}-execution",
            name=pulumi.Output.format(
                "API-Gateway-Execution-Logs_{0}/{1}", args.rest_api_id, args.stage_name
            ),
            retention_in_days=args.log_retention_days,
            opts=mine,
        )
        self.stage_name = stage.stage_name
        self.register_outputs({"stage_name": self.stage_name})

    def _log_role(self, name: str, args: ApiStageArgs) -> list[pulumi.Resource]:
        if not args.manage_log_role:
            return []
        mine = pulumi.ResourceOptions(parent=self)
        role = ServiceRole(
            f"{name}-log-role",
            ServiceRoleArgs(
                service="apigateway.amazonaws.com",
                aws_managed_policy="service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            ),
            mine,
        )
        account = apigateway.Account(f"{name}-account", cloudwatch_role_arn=role.arn, opts=mine)
        return [account]
