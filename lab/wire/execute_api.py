"""API Gateway's data plane behind an execute-api interface endpoint.

Everything that happens once an HTTP request has reached the endpoint, in AWS's order: endpoint
policy, API, domain name's policy, stage, resource policy as deployed, resource tree, authorization,
throttling, integration, gateway responses, access log. A private domain name and the API behind it
must both be admitted by the endpoint policy (example 5 of "Use VPC endpoint policies for private
APIs"; the stricter reading, as AWS does not say that one is not enough), and the name's own policy
is asked for the path below the name. In public the same goes without an endpoint and its policy.

An API that has a Lambda authorizer needs its resource policy's allow all the same; AWS lets the
authorizer's do where the policy is silent.

Not modelled: APIs that are not PRIVATE, IAM callers, authorizers other than Lambda's of type
REQUEST, API keys and usage plans, request validators, caching of responses, canaries, WAF,
execution logs, and integrations other than Lambda proxy and plain MOCK. What is not modelled is
refused.
"""

import dataclasses
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from lab.wire import access_log, admission, mock_integration
from lab.wire.authorization import Authorizers
from lab.wire.aws import Accounts
from lab.wire.exchange import FORBIDDEN, Exchange, Refusal, Refused, internal_error
from lab.wire.functions import (
    Functions,
    InvokeResult,
    NotModelledError,
    PayloadTooLargeError,
    ThrottledError,
)
from lab.wire.messages import Peer, Request, Response
from lab.wire.openapi import Method, Route
from lab.wire.permission import may_invoke
from lab.wire.policy import Call, PolicyError
from lab.wire.proxy_event import MALFORMED, event_of, response_of
from lab.wire.selection import Selected, Selection
from lab.wire.throttle import Throttle

_CONFIGURATION_ERROR = internal_error("API_CONFIGURATION_ERROR", 500, "Internal server error")
_TIMED_OUT = internal_error("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out")
_THROTTLED = Refusal.of("THROTTLED", 429, "TooManyRequestsException", "Too Many Requests")
_log = logging.getLogger(__name__)


class ExecuteApi:
    """Answers requests to the APIs of every account."""

    def __init__(self, accounts: Accounts, functions: Functions) -> None:
        self._accounts = accounts
        self._functions = functions
        self._selection = Selection(accounts)
        self._authorizers = Authorizers(accounts, functions)
        self._throttle = Throttle()

    def handle(
        self, request: Request, endpoint: Mapping[str, Any] | None, source: Peer
    ) -> Response:
        """The response to one request from `source` by an interface endpoint, as EC2 describes it,
        or in public where that is None.
        """
        if request.path in ("/ping", "/sping"):
            # Reserved for the service's health check ("Amazon API Gateway important notes"): it
            # says that the endpoint answers, nothing about any API. Whether AWS asks the endpoint
            # policy first is not known.
            return Response(status=200, headers=(("Content-Type", "text/plain"),), body=b"healthy")
        exchange = Exchange(
            request=request,
            source=source,
            vpc_endpoint_id=endpoint["VpcEndpointId"] if endpoint else None,
            vpc_id=endpoint["VpcId"] if endpoint else None,
        )
        policy = json.loads(endpoint["PolicyDocument"]) if endpoint else None
        response = self._answer(exchange, policy)
        context = exchange.context
        ids = (
            ("x-amzn-RequestId", str(context["requestId"])),
            ("x-amz-apigw-id", str(context["extendedRequestId"])),
        )
        context["status"] = response.status
        context["responseLength"] = len(response.body)
        context["responseLatency"] = int((time.time() - exchange.started) * 1000)
        access_log.write(self._accounts, exchange)
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
        selected = self._selection.select(request, exchange.vpc_endpoint_id)
        exchange.proxy_path = selected.proxy_path
        exchange.context |= {
            "apiId": selected.api["id"],
            "accountId": selected.reader.account_id,
            "customDomain.basePathMatched": selected.base_path or None,
        }
        deployment = selected.deployments.stage(selected.api, selected.stage_name)
        route = deployment.route("/" + selected.rest) if deployment else None
        method = route.method(request.method) if route else None
        call = self._admit(exchange, selected, endpoint_policy, method)
        if deployment is None or (deployment.default_endpoint_disabled and not selected.domain):
            raise Refused(FORBIDDEN)
        exchange.deployment = deployment
        exchange.context |= {
            "stage": selected.stage_name,
            "deploymentId": deployment.stage["deploymentId"],
            "xrayTraceId": exchange.trace if deployment.stage.get("tracingEnabled") else None,
        }
        admission.check_resource_policy(deployment, call)
        if route is None or method is None:
            raise Refused(admission.unsigned(request))
        exchange.context["resourcePath"] = route.resource_path
        admission.authorize(request, method)
        if method.authorizer:
            self._authorizers.authorize(exchange, selected, route, method.authorizer, call)
        stage = deployment.stage
        if not self._throttle.admits(
            selected.api["id"], stage, route.resource_path, request.method
        ):
            raise Refused(_THROTTLED)
        return self._integrate(exchange, selected, route, method)

    def _admit(
        self,
        exchange: Exchange,
        selected: Selected,
        endpoint_policy: Any,
        method: Method | None,
    ) -> Call:
        """Asks the endpoint's policy and a private domain name's own; answers what is asked of the
        API, for its policy.
        """
        request, context = exchange.request, self._context(exchange, selected)
        path = f"{selected.stage_name}/{request.method}/{selected.rest}"
        call = Call(
            action="execute-api:Invoke", resource=f"{selected.api_arn}/{path}", context=context
        )
        if endpoint_policy is not None:
            admission.check_endpoint_policy(endpoint_policy, call, request, method)
        if selected.domain and selected.domain.private:
            arn = selected.domain.arn
            by_name = dataclasses.replace(call, resource=arn)
            admission.check_policy(endpoint_policy, by_name, "VPC endpoint")
            below = dataclasses.replace(call, resource=f"{arn}{request.path}")
            admission.check_policy(selected.domain.policy, below, "resource-based")
        return call

    def _context(self, exchange: Exchange, selected: Selected) -> dict[str, str]:
        """What policies may ask for. Through an endpoint there is no `aws:SourceIp`."""
        request, endpoint_id = exchange.request, exchange.vpc_endpoint_id
        domain = selected.domain
        keys = {
            "aws:SourceVpce": endpoint_id,
            "aws:SourceVpc": exchange.vpc_id,
            "aws:VpcSourceIp": exchange.source.ip if endpoint_id else None,
            "aws:SourceIp": None if endpoint_id else exchange.source.ip,
            "aws:SecureTransport": "true",
            "aws:RequestedRegion": self._accounts.region,
            "aws:UserAgent": request.header("User-Agent"),
            "aws:Referer": request.header("Referer"),
            "execute-api:viaDomainArn": domain.arn if domain and domain.private else None,
        }
        return {name: value for name, value in keys.items() if value is not None}

    def _integrate(
        self, exchange: Exchange, selected: Selected, route: Route, method: Method
    ) -> Response:
        integration = method.integration
        kind = integration.get("type", "").upper()
        if kind == "MOCK":
            return mock_integration.response_of(integration, exchange.request)
        function_arn = exchange.function_arn(integration.get("uri", ""))
        if kind != "AWS_PROXY" or function_arn is None:
            raise NotModelledError(f"{kind or 'missing'} integration of {route.resource_path}")
        if integration.get("credentials"):
            raise NotModelledError("an integration that invokes with a role")
        context = exchange.context
        self._check_permission(exchange, selected, route, function_arn)
        resource_id = selected.deployments.resource_id(selected.api["id"], route.resource_path)
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

    def _check_permission(
        self, exchange: Exchange, selected: Selected, route: Route, function_arn: str
    ) -> None:
        """API Gateway may invoke a function only if its resource policy says so for this method
        ("ARN format reference for API Gateway"); if not, the caller learns nothing of it.
        """
        where = f"{selected.stage_name}/{exchange.request.method}{route.resource_path}"
        source_arn = f"{selected.api_arn}/{where}"
        if not may_invoke(self._accounts, function_arn, "apigateway.amazonaws.com", source_arn):
            text = "Invalid permissions on Lambda function"
            exchange.context["integration.error"] = text
            _log.error("%s: %s for %s", text, function_arn, source_arn)
            raise Refused(_CONFIGURATION_ERROR)
