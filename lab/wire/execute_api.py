"""API Gateway's data plane behind an execute-api interface endpoint.

Everything that happens once an HTTP request has reached the endpoint, in AWS's order: endpoint
policy, API, stage, resource policy as deployed, resource tree, authorization, throttling,
integration, gateway responses, access log.

Not modelled: APIs that are not PRIVATE (AWS turns them away at an endpoint, unless by a custom
domain), custom domains, IAM callers, authorizers, API keys and usage plans, request validators,
caching, canaries, WAF, execution logs, and integrations other than Lambda proxy and plain MOCK.
What is not modelled is refused.
"""

import dataclasses
import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.wire import access_log, admission, mock_integration
from lab.wire.aws import Reader
from lab.wire.exchange import FORBIDDEN, Exchange, Refusal, Refused, host_of, internal_error
from lab.wire.functions import (
    Functions,
    InvokeResult,
    NotModelledError,
    PayloadTooLargeError,
    ThrottledError,
)
from lab.wire.messages import Peer, Request, Response
from lab.wire.openapi import Deployments, Method, Route
from lab.wire.policy import Call, PolicyError, evaluate
from lab.wire.proxy_event import MALFORMED, event_of, response_of
from lab.wire.throttle import Throttle

_HOST = re.compile(
    r"(?P<api>[a-z0-9]+)(-vpce-[0-9a-z]+)?\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com"
)
_LAMBDA_URI = re.compile(
    r"arn:[a-z-]+:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/(.+)/invocations"
)
_CONFIGURATION_ERROR = internal_error("API_CONFIGURATION_ERROR", 500, "Internal server error")
_TIMED_OUT = internal_error("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
_THROTTLED = Refusal.of("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests")
_log = logging.getLogger(__name__)


class ExecuteApi:
    """Answers requests that reached an interface endpoint of execute-api."""

    def __init__(self, reader: Reader, functions: Functions) -> None:
        self._reader = reader
        self._functions = functions
        self._deployments = Deployments(reader)
        self._throttle = Throttle()

    def handle(self, request: Request, vpc_endpoint_id: str, source: Peer) -> Response:
        """The response to one request that came in by `vpc_endpoint_id` from `source`."""
        if request.path in ("/ping", "/sping"):
            # Reserved for the service's health check ("Amazon API Gateway important notes"): it
            # says that the endpoint answers, nothing about any API. Whether AWS asks the endpoint
            # policy first is not known.
            return Response(status=200, headers=(("Content-Type", "text/plain"),), body=b"healthy")
        endpoint = self._endpoint(vpc_endpoint_id)
        exchange = Exchange(
            request=request,
            source=source,
            vpc_endpoint_id=vpc_endpoint_id,
            vpc_id=endpoint["VpcId"],
        )
        response = self._answer(exchange, json.loads(endpoint["PolicyDocument"]))
        context = exchange.context
        ids = (
            ("x-amzn-RequestId", str(context["requestId"])),
            ("x-amz-apigw-id", str(context["extendedRequestId"])),
        )
        context["status"] = response.status
        context["responseLength"] = len(response.body)
        context["responseLatency"] = int((time.time() - exchange.started) * 1000)
        access_log.write(self._reader, exchange)
        return dataclasses.replace(response, headers=(*response.headers, *ids))

    def _answer(self, exchange: Exchange, endpoint_policy: Any) -> Response:
        target = exchange.request.target
        try:
            return self._serve(exchange, endpoint_policy)
        except Refused as refused:
            return exchange.refuse(refused.refusal)
        except PolicyError as error:
            # A policy that cannot be evaluated denies: never the other way round.
            _log.error("%s refused, its policy is not understood: %s", target, error)
            return exchange.refuse(_CONFIGURATION_ERROR)
        except NotModelledError as error:
            text = f"The lab does not model this: {error}"
            _log.error("%s refused: %s", target, text)
            return exchange.refuse(Refusal.of(None, 501, "NotImplemented", text))

    def _serve(self, exchange: Exchange, endpoint_policy: Any) -> Response:
        request = exchange.request
        admission.check_size(request)
        api = self._select_api(request)
        stage_name, _, rest = request.path.lstrip("/").partition("/")
        exchange.context |= {"apiId": api["id"], "accountId": self._account_id()}
        deployment = self._deployments.stage(api, stage_name)
        route = deployment.route("/" + rest) if deployment else None
        method = route.method(request.method) if route else None
        call = self._call(exchange, f"{stage_name}/{request.method}/{rest}")
        admission.check_endpoint_policy(endpoint_policy, call, request, method)
        if deployment is None or deployment.default_endpoint_disabled:
            raise Refused(FORBIDDEN)
        exchange.deployment = deployment
        exchange.context |= {
            "stage": stage_name,
            "deploymentId": deployment.stage["deploymentId"],
            "xrayTraceId": exchange.trace if deployment.stage.get("tracingEnabled") else None,
        }
        admission.check_resource_policy(deployment, call)
        if route is None or method is None:
            raise Refused(admission.unsigned(request))
        exchange.context["resourcePath"] = route.resource_path
        admission.authorize(request, method)
        stage = deployment.stage
        if not self._throttle.admits(api["id"], stage, route.resource_path, request.method):
            raise Refused(_THROTTLED)
        return self._integrate(exchange, route, method)

    def _endpoint(self, vpc_endpoint_id: str) -> Mapping[str, Any]:
        answer = self._reader.call(
            "ec2", "describe_vpc_endpoints", VpcEndpointIds=[vpc_endpoint_id]
        )
        return answer["VpcEndpoints"][0]

    def _account_id(self) -> str:
        return self._reader.call("sts", "get_caller_identity")["Account"]

    def _select_api(self, request: Request) -> Mapping[str, Any]:
        """The API asked for ("Invoke a private API"): by `x-apigw-api-id`, else by Host.

        AWS does not say which of the two wins; here the header does, the reading that takes a
        caller further.
        """
        api_id = request.header("x-apigw-api-id")
        if api_id is None:
            host = _HOST.fullmatch(host_of(request))
            if host is None or host["region"] != self._reader.region:
                raise Refused(FORBIDDEN)
            api_id = host["api"]
        api = self._deployments.api(api_id)
        if api is None or "PRIVATE" not in api["endpointConfiguration"]["types"]:
            raise Refused(FORBIDDEN)
        return api

    def _call(self, exchange: Exchange, path: str) -> Call:
        """What the policies decide on. There is no `aws:SourceIp`, as through any endpoint."""
        request = exchange.request
        keys = {
            "aws:SourceVpce": exchange.vpc_endpoint_id,
            "aws:SourceVpc": exchange.vpc_id,
            "aws:VpcSourceIp": exchange.source.ip,
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": self._reader.region,
            "aws:UserAgent": request.header("User-Agent"),
            "aws:Referer": request.header("Referer"),
        }
        return Call(
            action="execute-api:Invoke",
            resource=f"{self._api_arn(exchange)}/{path}",
            context={name: value for name, value in keys.items() if value is not None},
        )

    def _api_arn(self, exchange: Exchange) -> str:
        context = exchange.context
        account, api_id = context["accountId"], context["apiId"]
        return f"arn:aws:execute-api:{self._reader.region}:{account}:{api_id}"

    def _integrate(self, exchange: Exchange, route: Route, method: Method) -> Response:
        integration = method.integration
        kind = integration.get("type", "").upper()
        if kind == "MOCK":
            return mock_integration.response_of(integration, exchange.request)
        uri = _LAMBDA_URI.fullmatch(_with_stage_variables(integration.get("uri", ""), exchange))
        if kind != "AWS_PROXY" or uri is None:
            raise NotModelledError(f"{kind or 'missing'} integration of {route.resource_path}")
        if integration.get("credentials"):
            raise NotModelledError("an integration that invokes with a role")
        function_arn, context = uri.group(1), exchange.context
        self._check_permission(exchange, route, function_arn)
        resource_id = self._deployments.resource_id(str(context["apiId"]), route.resource_path)
        context["resourceId"] = resource_id
        event = event_of(exchange, route, resource_id)
        timeout_seconds = int(integration.get("timeoutInMillis", 29_000)) / 1000
        result = self._invoke(exchange, function_arn, event, timeout_seconds)
        if result.function_error:
            context["integration.error"] = "Lambda execution failed due to customer function error"
            raise Refused(MALFORMED)
        response = response_of(exchange, result.payload)
        context["integration.status"] = response.status
        return response

    def _invoke(
        self, exchange: Exchange, function_arn: str, event: Any, timeout_seconds: float
    ) -> InvokeResult:
        context = exchange.context
        started = time.monotonic()
        try:
            result = self._functions.invoke(function_arn, event, timeout_seconds)
        except TimeoutError:
            context["integration.error"] = "Execution failed due to a timeout error"
            raise Refused(_TIMED_OUT) from None
        except PayloadTooLargeError:
            raise Refused(admission.TOO_LONG) from None
        except ThrottledError:
            context["integration.integrationStatus"] = context["integrationStatus"] = 429
            raise Refused(_CONFIGURATION_ERROR) from None
        finally:
            latency = int((time.monotonic() - started) * 1000)
            context["integration.latency"] = context["integrationLatency"] = latency
        context["integration.integrationStatus"] = context["integrationStatus"] = 200
        context["integration.requestId"] = result.request_id
        context["awsEndpointRequestId"] = result.request_id
        return result

    def _check_permission(self, exchange: Exchange, route: Route, function_arn: str) -> None:
        """API Gateway may invoke a function only if its resource policy says so for this method
        ("ARN format reference for API Gateway"); if not, the caller learns nothing of it.
        """
        stage, http_method = exchange.context["stage"], exchange.request.method
        source_arn = f"{self._api_arn(exchange)}/{stage}/{http_method}{route.resource_path}"
        account = str(exchange.context["accountId"])
        call = Call(
            action="lambda:InvokeFunction",
            resource=function_arn,
            context={"aws:SourceArn": source_arn, "aws:SourceAccount": account},
            principal=("Service", "apigateway.amazonaws.com"),
        )
        try:
            policy = self._reader.call("lambda", "get_policy", FunctionName=function_arn)["Policy"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            policy = None
        if policy is None or not evaluate(json.loads(policy), call).allowed:
            text = "Invalid permissions on Lambda function"
            exchange.context["integration.error"] = text
            _log.error("%s: %s for %s", text, function_arn, source_arn)
            raise Refused(_CONFIGURATION_ERROR)


def _with_stage_variables(uri: str, exchange: Exchange) -> str:
    """`${stageVariables.name}` in an integration's URI replaced."""
    return re.sub(
        r"\$\{(stageVariables\.\w+)\}", lambda match: exchange.variable(match[1]) or "", uri
    )
