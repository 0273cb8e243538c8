"""An authorizer in the document of an API. No Pulumi in here.

API Gateway developer guide, "x-amazon-apigateway-authorizer object", "x-amazon-apigateway-authtype
property", "x-amazon-apigateway-gateway-responses object".
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Literal, cast

from components.routes import operations

CertificateHeader = Literal["X-Client-Cert-Leaf", "X-Client-Cert"]
"""What carries the client's certificate: the leaf of one that the load balancer verified, or the
whole chain that it passed through."""

MAX_CACHE_SECONDS = 3600
"""API Gateway API reference, `CreateAuthorizer`, `authorizerResultTtlInSeconds`."""

_SCHEME = "caller"

BEARER_RESPONSES: dict[str, Any] = {
    "UNAUTHORIZED": {
        "statusCode": "401",
        "responseParameters": {
            "gatewayresponse.header.WWW-Authenticate": "'Bearer realm=\"api\"'",
        },
    },
    "ACCESS_DENIED": {
        "statusCode": "403",
        "responseParameters": {
            "gatewayresponse.header.WWW-Authenticate": (
                '\'Bearer realm="api", error="insufficient_scope"\''
            ),
        },
    },
}
"""What a caller without a good token is told, and one who may not (RFC 6750 §3).

The first names no error, since it answers a request without a token as well. The bodies are API
Gateway's own.
"""


def check_cache_ttl(field: str, seconds: int) -> None:
    """Raises ValueError for what API Gateway does not take."""
    if not 0 <= seconds <= MAX_CACHE_SECONDS:
        raise ValueError(
            f"{field}: want 0 (nothing is remembered) to {MAX_CACHE_SECONDS}; got {seconds}"
        )


def check_unsecured(document: Mapping[str, Any]) -> None:
    """Refuse a document that says itself who may call, beside an authorizer that does.

    Raises ValueError.
    """
    schemes = document.get("securityDefinitions") or cast(
        "Mapping[str, Any]", document.get("components") or {}
    ).get("securitySchemes")
    secured = [where for where, operation in operations(document) if "security" in operation]
    if schemes or "security" in document or secured:
        got = "security schemes" if schemes else f"security of {', '.join(secured) or 'all'}"
        raise ValueError(
            f"openapi: want no security of its own beside an authorizer; got {got}; "
            "take it out, or deploy without an authorizer"
        )


def with_authorizer(
    document: Mapping[str, Any],
    uri: str,
    certificate_header: CertificateHeader,
    cache_ttl_seconds: int,
    responses: Mapping[str, Any],
) -> dict[str, Any]:
    """The document with a REQUEST authorizer on every operation.

    A remembered answer goes by token and certificate together, so that none ever passes from one
    client to another. Gateway responses that the document has win over `responses`.
    """
    made = deepcopy(dict(document))
    sources = ("Authorization", certificate_header)
    scheme = {
        "type": "apiKey",
        # With several identity sources no one header is meant.
        "name": "Unused",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "request",
            "identitySource": ", ".join(f"method.request.header.{name}" for name in sources),
            "authorizerUri": uri,
            "authorizerResultTtlInSeconds": cache_ttl_seconds,
        },
    }
    if "swagger" in made:
        made["securityDefinitions"] = {_SCHEME: scheme}
    else:
        made["components"] = {
            **(made.get("components") or {}),
            "securitySchemes": {_SCHEME: scheme},
        }
    for _, operation in operations(made):
        cast("dict[str, Any]", operation)["security"] = [{_SCHEME: []}]
    key = "x-amazon-apigateway-gateway-responses"
    if responses:
        made[key] = {**responses, **(made.get(key) or {})}
    return made
