"""Authorizers: who decides on a method's callers.

"CreateAuthorizer", "UpdateAuthorizer" (API Gateway REST API Reference), "Use API Gateway Lambda
authorizers" (Developer Guide). The words on a time to live, on identity sources and on one that is
deleted while a method needs it are not AWS's own. Not modelled: native JWT authorizers,
TestInvokeAuthorizer, FlushStageAuthorizersCache.
"""

import copy
import re
from typing import Any

from moto.apigateway.exceptions import AuthorizerNotFoundException
from moto.apigateway.models import Authorizer

from lab.cloud.apigateway.exceptions import BadRequestException, ConflictException
from lab.cloud.apigateway.patches import apply_to_fields, integer, text

TYPES = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")
TTL_SECONDS = (0, 3600)
HEADER = re.compile(r"method\.request\.header\.[A-Za-z0-9._$-]+")
SOURCE = re.compile(
    r"(method\.request\.(header|querystring)|stageVariables|context)\.[A-Za-z0-9._$-]+"
)
FUNCTION_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/"
    r"(arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:.+)/invocations"
)
FIELDS = {
    "/name": ("name", text),
    "/authType": ("auth_type", text),
    "/authorizerUri": ("authorizer_uri", text),
    "/authorizerCredentials": ("authorizer_credentials", text),
    "/authorizerResultTtlInSeconds": ("authorizer_result_ttl", integer),
    "/identitySource": ("identity_source", text),
    "/identityValidationExpression": ("identity_validation_expression", text),
}


class AuthorizerBackend:
    """Overrides moto's."""

    def create_authorizer(
        self, restapi_id: str, name: str, authorizer_type: str, **settings: Any
    ) -> Authorizer:
        api: Any = self.get_rest_api(restapi_id)  # type: ignore[attr-defined]
        check_name(name, api.authorizers.values())
        if settings.get("authorizer_result_ttl") is None:
            settings["authorizer_result_ttl"] = 300
        made: Authorizer = super().create_authorizer(  # type: ignore[misc]
            restapi_id, name, authorizer_type, **_complete(settings)
        )
        try:
            check(made)
        except BadRequestException:
            del api.authorizers[made.id]
            raise
        return made

    def update_authorizer(
        self, restapi_id: str, authorizer_id: str, patches: list[dict[str, Any]]
    ) -> Authorizer:
        """All patches or none."""
        api: Any = self.get_rest_api(restapi_id)  # type: ignore[attr-defined]
        changed = copy.deepcopy(self.get_authorizer(restapi_id, authorizer_id))  # type: ignore[attr-defined]
        apply_to_fields(changed, patches, FIELDS, {})
        check_name(changed.name, [v for k, v in api.authorizers.items() if k != authorizer_id])
        check(changed)
        api.authorizers[authorizer_id] = changed
        return changed

    def delete_authorizer(self, restapi_id: str, authorizer_id: str) -> None:
        """Not while a method needs it."""
        api: Any = self.get_rest_api(restapi_id)  # type: ignore[attr-defined]
        if authorizer_id not in api.authorizers:
            raise AuthorizerNotFoundException()
        for resource in api.resources.values():
            for method in resource.resource_methods.values():
                if method.authorizer_id == authorizer_id:
                    raise ConflictException(
                        f"Cannot delete authorizer '{api.authorizers[authorizer_id].name}', is"
                        f" referenced in method: {resource.get_path()}/{method.http_method}"
                    )
        del api.authorizers[authorizer_id]


def _complete(settings: dict[str, Any]) -> dict[str, Any]:
    """What moto wants named, as None where left out."""
    names = ("provider_arns", "auth_type", "authorizer_uri", "authorizer_credentials")
    others = ("identity_source", "identiy_validation_expression")  # sic
    return dict.fromkeys((*names, *others)) | settings


def check_name(name: str | None, others: Any) -> None:
    if not name:
        raise BadRequestException("Authorizer name cannot be empty")
    if any(other.name == name for other in others):
        raise ConflictException(
            f"Authorizer name must be unique. Authorizer {name} already exists in this RestApi."
        )


def check(authorizer: Authorizer) -> None:
    """Raises BadRequestException."""
    if authorizer.type not in TYPES:
        raise BadRequestException(
            f"Invalid authorizer type specified. Must be one of: [{', '.join(TYPES)}]"
        )
    low, high = TTL_SECONDS
    ttl = authorizer.authorizer_result_ttl
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not low <= ttl <= high:
        raise BadRequestException(
            f"Invalid authorizer result TTL specified: {ttl}. Must be between {low} and {high}"
            " seconds"
        )
    sources = [each.strip() for each in (authorizer.identity_source or "").split(",")]
    if authorizer.type == "COGNITO_USER_POOLS":
        if not authorizer.provider_arns:
            raise BadRequestException("Provider ARNs are required for a COGNITO_USER_POOLS type")
        return
    uri = authorizer.authorizer_uri or ""
    if not FUNCTION_URI.fullmatch(uri):
        raise BadRequestException(
            f"Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN that"
            " represents a Lambda function invocation."
        )
    check_sources(authorizer.type, [each for each in sources if each], ttl)


def check_sources(kind: str, sources: list[str], ttl_seconds: int) -> None:
    """TOKEN has one header; REQUEST any, and at least one where answers are to be cached."""
    if not sources and (kind == "TOKEN" or ttl_seconds):
        raise BadRequestException(
            "Identity source is required for a TOKEN authorizer and for a REQUEST authorizer with"
            " caching enabled"
        )
    if kind == "TOKEN" and len(sources) > 1:
        raise BadRequestException("A TOKEN authorizer has exactly one identity source")
    for source in sources:
        if not (HEADER if kind == "TOKEN" else SOURCE).fullmatch(source):
            raise BadRequestException(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors :"
                f" [Invalid mapping expression specified: {source}]"
            )
