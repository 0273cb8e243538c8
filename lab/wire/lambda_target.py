"""Lambda functions as targets of an Application Load Balancer.

Source: "Use Lambda functions as targets of an Application Load Balancer" (the event, the response,
multi-value headers, limits of 1 MB) and "Access logs for your Application Load Balancer" (error
reasons). Where AWS does not say: a response whose headers are under the other key than the target
group's multi-value attribute asks for is malformed, and every failure is a 502. Health checks of
functions are not modelled.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.wire.aws import Accounts
from lab.wire.functions import (
    Functions,
    InvokeResult,
    NotModelledError,
    PayloadTooLargeError,
    ThrottledError,
)
from lab.wire.messages import Request, Response
from lab.wire.permission import may_invoke
from lab.wire.policy import PolicyError

MAX_BYTES = 1024 * 1024

_SERVICE = "elasticloadbalancing.amazonaws.com"
_MAX_SECONDS = 900.0
_TEXTS = ("application/json", "application/javascript", "application/xml")


class LambdaError(Exception):
    """The function gave no response that could be passed on. `reason` is the access log's code."""

    def __init__(self, reason: str, status: int = 502) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class LambdaTargets:
    """Invokes the functions of target groups."""

    def __init__(self, accounts: Accounts, functions: Functions) -> None:
        self._accounts = accounts
        self._functions = functions

    def send(self, target_group_arn: str, function_arn: str, request: Request) -> Response:
        """The function's response to a request. Raises LambdaError."""
        if len(request.body) > MAX_BYTES:
            raise LambdaError("LambdaRequestTooLarge", 413)
        self._check_permission(target_group_arn, function_arn)
        several = self._multi_value(target_group_arn)
        result = self._invoke(function_arn, event_of(request, target_group_arn, several=several))
        if result.function_error:
            raise LambdaError("LambdaUnhandled")
        if len(json.dumps(result.payload).encode()) > MAX_BYTES:
            raise LambdaError("LambdaResponseTooLarge")
        return response_of(result.payload, several=several)

    def _check_permission(self, target_group_arn: str, function_arn: str) -> None:
        try:
            allowed = may_invoke(self._accounts, function_arn, _SERVICE, target_group_arn)
        except (PolicyError, LookupError) as error:
            raise LambdaError("LambdaAccessDenied") from error
        if not allowed:
            raise LambdaError("LambdaAccessDenied")

    def _multi_value(self, target_group_arn: str) -> bool:
        reader = self._accounts.of_arn(target_group_arn)
        answer = reader.call(
            "elbv2", "describe_target_group_attributes", TargetGroupArn=target_group_arn
        )
        values = {one["Key"]: one["Value"] for one in answer["Attributes"]}
        return values.get("lambda.multi_value_headers.enabled") == "true"

    def _invoke(self, function_arn: str, event: Any) -> InvokeResult:
        try:
            return self._functions.invoke(function_arn, event, _MAX_SECONDS)
        except ThrottledError:
            raise LambdaError("LambdaThrottling") from None
        except PayloadTooLargeError:
            raise LambdaError("LambdaRequestTooLarge", 413) from None
        except ClientError:
            raise LambdaError("LambdaResourceNotFound") from None
        except NotModelledError as error:
            raise LambdaError("LambdaInternalError") from error


def event_of(request: Request, target_group_arn: str, *, several: bool) -> dict[str, Any]:
    """The event for a request that has the load balancer's headers already.

    Header names are in lower case and query parameters as they were sent; without multi-value
    headers the last of several values counts.
    """
    headers = [(name.lower(), value) for name, value in request.headers]
    parts = [part.partition("=") for part in request.query.split("&") if part]
    query = [(name, value) for name, _, value in parts]
    binary = bool(request.body) and not _is_text(request)
    body = base64.b64encode(request.body) if binary else request.body
    event: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": target_group_arn}},
        "httpMethod": request.method,
        "path": request.path,
    }
    if several:
        event["multiValueQueryStringParameters"] = _grouped(query)
        event["multiValueHeaders"] = _grouped(headers)
    else:
        event["queryStringParameters"] = dict(query)
        event["headers"] = dict(headers)
    return event | {"body": body.decode("utf-8", "replace"), "isBase64Encoded": binary}


def _is_text(request: Request) -> bool:
    """Whether a body goes as it is: text, unless it is encoded."""
    kind = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    plain = kind.startswith("text/") or kind in _TEXTS
    return plain and request.header("Content-Encoding") is None


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def response_of(answer: Any, *, several: bool) -> Response:
    """The HTTP response for a function's answer. Raises LambdaError for a malformed one."""
    own, other = ("multiValueHeaders", "headers") if several else ("headers", "multiValueHeaders")
    if not isinstance(answer, Mapping) or answer.get(other):
        raise LambdaError("LambdaInvalidResponse")
    status, body = answer.get("statusCode"), answer.get("body") or ""
    if not isinstance(status, int) or not 100 <= status <= 599 or not isinstance(body, str):
        raise LambdaError("LambdaInvalidResponse")
    try:
        content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else None
    except binascii.Error:
        raise LambdaError("LambdaInvalidResponse") from None
    headers = _headers(answer.get(own) or {}, several=several)
    return Response(
        status=status,
        headers=tuple(headers),
        body=body.encode() if content is None else content,
    )


def _headers(given: Any, *, several: bool) -> list[tuple[str, str]]:
    if not isinstance(given, Mapping):
        raise LambdaError("LambdaInvalidResponse")
    pairs: list[tuple[str, Any]] = []
    for name, value in given.items():
        if several and not isinstance(value, list):
            raise LambdaError("LambdaInvalidResponse")
        pairs += [(str(name), one) for one in (value if several else [value])]
    if not all(isinstance(value, str) and value.isprintable() for _, value in pairs):
        raise LambdaError("LambdaInvalidResponse")
    return pairs
