"""The Lambda proxy integration: the event a function receives, and the HTTP response made of its
answer.

"Lambda proxy integrations in API Gateway" (Developer Guide): input format and output format.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from lab.wire.exchange import Exchange, Refused, internal_error
from lab.wire.messages import Response, first_header
from lab.wire.openapi import Route

_HOP_BY_HOP = frozenset(
    {
        *("connection", "content-length", "expect", "keep-alive", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_REMAPPED = frozenset(
    {
        *("authorization", "connection", "content-length", "content-md5", "date", "expect"),
        *("host", "max-forwards", "server", "user-agent", "www-authenticate"),
    }
)
"""Headers that come back as `x-amzn-Remapped-…` ("Amazon API Gateway important notes")."""

_DROPPED = frozenset(["te", "trailer", "transfer-encoding", "upgrade"])
_IDENTITY_OF_IAM_AND_COGNITO = (
    *("cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "principalOrgId"),
    *("accessKey", "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "user"),
)

_NOT_BASE64 = internal_error("API_CONFIGURATION_ERROR", 500, "Internal server error")
MALFORMED = internal_error("DEFAULT_5XX", 502, "Internal server error")
"""What a caller gets for a function error or a malformed proxy response."""


def event_of(exchange: Exchange, route: Route, resource_id: str | None) -> dict[str, Any]:
    """The event for one request. Values are decoded, `path` is as sent; of two headers of one name,
    the last wins.
    """
    request, context = exchange.request, exchange.context
    deployment = exchange.deployment
    assert deployment is not None, "a request is routed before it is integrated"  # noqa: S101
    headers = _request_headers(exchange)
    query = parse_qsl(request.query, keep_blank_values=True)
    binary = matches_binary(deployment.binary_media_types, request.header("Content-Type"))
    body = base64.b64encode(request.body) if binary else request.body
    return {
        "resource": route.resource_path,
        "path": exchange.proxy_path,
        "httpMethod": request.method,
        "headers": dict(headers),
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query) or None,
        "pathParameters": {k: unquote(v) for k, v in route.parameters.items()} or None,
        "stageVariables": dict(deployment.stage.get("variables", {})) or None,
        "requestContext": {
            "resourceId": resource_id,
            "resourcePath": route.resource_path,
            "operationName": None,
            "httpMethod": request.method,
            "extendedRequestId": context["extendedRequestId"],
            "requestTime": context["requestTime"],
            "path": request.path,
            "accountId": context["accountId"],
            "protocol": context["protocol"],
            "stage": context["stage"],
            "domainPrefix": context["domainPrefix"],
            "requestTimeEpoch": context["requestTimeEpoch"],
            "requestId": context["requestId"],
            "identity": _identity(context),
            "domainName": context["domainName"],
            "deploymentId": context["deploymentId"],
            "apiId": context["apiId"],
            **({"authorizer": dict(exchange.authorizer)} if exchange.authorizer else {}),
        },
        "body": body.decode("utf-8", "replace") or None,
        "isBase64Encoded": binary and bool(request.body),
    }


def authorizer_event_of(
    exchange: Exchange, route: Route, resource_id: str | None, method_arn: str
) -> dict[str, Any]:
    """What a REQUEST authorizer receives ("Input to an API Gateway Lambda authorizer"): never the
    body, and empty maps where a function behind the API gets null.
    """
    event = event_of(exchange, route, resource_id)
    del event["body"], event["isBase64Encoded"]
    filled = {name: {} if value is None else value for name, value in event.items()}
    return {"type": "REQUEST", "methodArn": method_arn, **filled}


def _identity(context: Mapping[str, Any]) -> dict[str, Any]:
    sent = ("sourceIp", "userAgent", "vpcId", "vpceId")
    unknown: dict[str, Any] = dict.fromkeys(_IDENTITY_OF_IAM_AND_COGNITO)
    return unknown | {name: context[f"identity.{name}"] for name in sent}


def _request_headers(exchange: Exchange) -> list[tuple[str, str]]:
    """The sender's headers in its own case, with what API Gateway sets itself."""
    own = {"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id"}
    kept = [
        (name, value)
        for name, value in exchange.request.headers
        if name.lower() not in own | _HOP_BY_HOP
    ]
    forwarded = exchange.request.header("X-Forwarded-For")
    chain = f"{forwarded}, {exchange.source.ip}" if forwarded else exchange.source.ip
    return [
        *kept,
        ("X-Amzn-Trace-Id", exchange.trace),
        ("X-Forwarded-For", chain),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups


def matches_binary(media_types: Iterable[str], header: str | None) -> bool:
    """Whether the first media type of a Content-Type or Accept header is one of the API's binary
    types.
    """
    sent = (header or "").partition(",")[0].partition(";")[0].strip().lower()
    if not sent:
        return False
    kind = sent.partition("/")[0]
    return any(known.lower() in (sent, f"{kind}/*", "*/*") for known in media_types)


def response_of(exchange: Exchange, answer: Any) -> Response:
    """The HTTP response for a function's answer. Raises Refused for a malformed one: other keys
    than the documented ones, no whole-number statusCode, a body that is not text.
    """
    known = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    if not isinstance(answer, dict) or not set(answer) <= known:
        raise Refused(MALFORMED)
    status, body = _status(answer.get("statusCode")), answer.get("body")
    if body is not None and not isinstance(body, str):
        raise Refused(MALFORMED)
    content = (body or "").encode()
    accept = exchange.request.header("Accept")
    deployment = exchange.deployment
    binary_types = deployment.binary_media_types if deployment else ()
    if answer.get("isBase64Encoded") is True and matches_binary(binary_types, accept):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            raise Refused(_NOT_BASE64) from None
    headers = _response_headers(answer)
    if first_header(headers, "Content-Type") is None:
        headers.append(("Content-Type", "application/json"))
    headers.append(("X-Amzn-Trace-Id", exchange.trace))
    return Response(status=status, headers=tuple(headers), body=content)


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused(MALFORMED)
    text = str(value)
    if not text.isdecimal() or not 100 <= int(text) <= 599:
        raise Refused(MALFORMED)
    return int(text)


def _response_headers(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Both header maps; where both have a name, only multiValueHeaders counts."""
    single, multiple = (
        {} if answer.get(name) is None else answer[name]
        for name in ("headers", "multiValueHeaders")
    )
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise Refused(MALFORMED)
    if not all(isinstance(values, list) for values in multiple.values()):
        raise Refused(MALFORMED)
    many = {name.lower() for name in multiple}
    pairs = [(name, value) for name, value in single.items() if name.lower() not in many]
    pairs += [(name, value) for name, values in multiple.items() for value in values]
    if not all(isinstance(value, str | int | float | bool) for _, value in pairs):
        raise Refused(MALFORMED)
    return [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, _text(value))
        for name, value in pairs
        if name.lower() not in _DROPPED
    ]


def _text(value: str | int | float | bool) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise Refused(MALFORMED)
    return text
