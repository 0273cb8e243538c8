"""One request at API Gateway: what is known of it as `$context`, and refusing it with a gateway
response.
"""

import base64
import json
import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from lab.wire.messages import Peer, Request, Response
from lab.wire.openapi import Deployment


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An answer that API Gateway gives by itself.

    `response_type` is the gateway response that the API may customise ("Gateway response types for
    API Gateway"), or None where no API is involved yet. `body` is the default body, `message` what
    `$context.error.message` holds.
    """

    response_type: str | None
    status: int
    error_type: str
    message: str | None
    body: str

    @classmethod
    def of(cls, response_type: str | None, status: int, error_type: str, message: str) -> "Refusal":
        """A refusal with the usual body."""
        body = json.dumps({"message": message}, separators=(",", ":"))
        return cls(
            response_type=response_type,
            status=status,
            error_type=error_type,
            message=message,
            body=body,
        )


_VARIABLE = re.compile(r"\$((?:context|stageVariables)(?:\.[A-Za-z0-9_]+)+)")
_STAGE_VARIABLE = re.compile(r"\$\{(stageVariables\.\w+)\}")
_LAMBDA_URI = re.compile(
    r"arn:[a-z-]+:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/(.+)/invocations"
)

FORBIDDEN = Refusal.of(None, 403, "ForbiddenException", "Forbidden")


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """Ends a request with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def internal_error(response_type: str, status: int, message: str) -> Refusal:
    """A failure at the integration. Unlike others, these bodies have a space after the colon."""
    return Refusal(
        response_type=response_type,
        status=status,
        error_type="InternalServerErrorException",
        message=message,
        body=json.dumps({"message": message}),
    )


@dataclass(kw_only=True)
class Exchange:
    """One request on its way through API Gateway.

    `context` holds the `$context` variables by their names without the prefix ("Variables for
    access logging for API Gateway"), filled as they become known; None and missing both print as
    "-". `proxy_path` is the path that a function is told, `authorizer` what it is told of the
    authorizer's answer. Without an endpoint the request came in public.
    """

    request: Request
    source: Peer
    vpc_endpoint_id: str | None
    vpc_id: str | None
    proxy_path: str = "/"
    context: dict[str, str | int | None] = field(default_factory=dict)
    deployment: Deployment | None = None
    authorizer: Mapping[str, str | int] | None = None
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        now = time.gmtime(self.started)
        host = host_of(self.request)
        self.context |= {
            "requestId": str(uuid.uuid4()),
            "extendedRequestId": base64.b64encode(secrets.token_bytes(11)).decode(),
            "httpMethod": self.request.method,
            "path": self.request.path,
            "protocol": "HTTP/1.1",
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", now),
            "requestTimeEpoch": int(self.started * 1000),
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "identity.sourceIp": self.source.ip,
            "identity.userAgent": self.request.header("User-Agent"),
            "identity.vpcId": self.vpc_id,
            "identity.vpceId": self.vpc_endpoint_id,
        }

    @cached_property
    def trace(self) -> str:
        """The X-Ray trace, the sender's if it sent one ("AWS X-Ray concepts", tracing header)."""
        sent = self.request.header("X-Amzn-Trace-Id") or ""
        root = re.search(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", sent)
        return root.group() if root else f"Root=1-{int(self.started):08x}-{secrets.token_hex(12)}"

    def refuse(self, refusal: Refusal) -> Response:
        """The answer to a refusal, customised as the deployed API says."""
        self.context |= {
            "error.message": refusal.message,
            "error.messageString": json.dumps(refusal.message),
            "error.responseType": refusal.response_type,
        }
        custom = self._customisation(refusal)
        status = int(custom.get("statusCode") or refusal.status)
        content_type, body = self._body(custom.get("responseTemplates") or {}, refusal)
        headers = [("Content-Type", content_type), ("x-amzn-ErrorType", refusal.error_type)]
        for name, expression in (custom.get("responseParameters") or {}).items():
            prefix, _, header = name.rpartition("gatewayresponse.header.")
            fixed = re.fullmatch(r"'(.*)'", expression, re.DOTALL)
            value = fixed[1] if fixed else self.mapped(expression)
            # A line break in a query parameter must not become one between headers.
            if not prefix and header and value is not None and value.isprintable():
                headers.append((header, value))
        return Response(status=status, headers=tuple(headers), body=body.encode())

    def render(self, template: str, missing: str, escape: Callable[[str], str] = str) -> str:
        """A template with its `$context` and `$stageVariables` replaced; nothing else is evaluated.

        `escape` is applied to each value except `error.messageString`, which is JSON already.
        """

        def value(match: re.Match[str]) -> str:
            found = self.variable(match.group(1))
            if found is None:
                return missing
            return found if match.group(1) == "context.error.messageString" else escape(found)

        return _VARIABLE.sub(value, template)

    def variable(self, name: str) -> str | None:
        """`context.…` or `stageVariables.…` as text, or None."""
        scope, _, rest = name.partition(".")
        known: Mapping[str, str | int | None] = self.context
        if scope == "stageVariables":
            known = self.deployment.stage.get("variables", {}) if self.deployment else {}
        found = known.get(rest)
        return None if found is None else str(found)

    def function_arn(self, uri: str) -> str | None:
        """The function that a URI invokes, its `${stageVariables.name}` replaced; None if none."""
        found = _LAMBDA_URI.fullmatch(
            _STAGE_VARIABLE.sub(lambda match: self.variable(match[1]) or "", uri)
        )
        return found and found[1]

    def mapped(self, expression: str) -> str | None:
        """What a mapping expression finds in the request, its context and the stage's variables.

        Of two headers of one name the first counts, of two query parameters the last. AWS does not
        say; a client's own header comes before the one that a load balancer adds.
        Header names are compared without regard to case. (AWS's "known issues" call them
        case-sensitive; clients that write them in lower case, as HTTP/2 does, are served there.)
        """
        if expression.startswith("method.request.header."):
            name = expression.removeprefix("method.request.header.").lower()
            sent = [value for key, value in self.request.headers if key.lower() == name]
            return sent[0] if sent else None
        if expression.startswith("method.request.querystring."):
            name = expression.removeprefix("method.request.querystring.")
            return parse_qs(self.request.query).get(name, [None])[-1]
        return self.variable(expression)

    def _customisation(self, refusal: Refusal) -> Mapping[str, Any]:
        """The gateway response for a refusal; an unspecified type falls back to its DEFAULT
        ("Gateway response types for API Gateway").
        """
        if self.deployment is None or refusal.response_type is None:
            return {}
        responses = self.deployment.gateway_responses
        default = "DEFAULT_4XX" if refusal.status < 500 else "DEFAULT_5XX"
        return responses.get(refusal.response_type) or responses.get(default) or {}

    def _body(self, templates: Mapping[str, str], refusal: Refusal) -> tuple[str, str]:
        if not templates:
            return "application/json", refusal.body
        accepted = (self.request.header("Accept") or "").partition(",")[0].strip()
        content_type = accepted if accepted in templates else next(iter(templates))
        return content_type, self.render(templates[content_type], "")


def host_of(request: Request) -> str:
    """The Host sent, in lower case and without a port."""
    return (request.header("Host") or "").lower().rpartition("@")[2].partition(":")[0]
