"""Resources, methods and integrations: checks that API Gateway makes and moto does not.

"PutMethod", "PutIntegration", "CreateResource" (API Gateway REST API Reference) and "Patch
Operations".
"""

import re
from collections.abc import Mapping
from typing import Any

from moto.apigateway.models import Integration as MotoIntegration
from moto.apigateway.models import Method, Resource

from lab.cloud.apigateway.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
)
from lab.cloud.apigateway.patches import apply_to_fields, boolean, integer, text

HTTP_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
AUTHORIZATION_TYPES = ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS")
INTEGRATION_TYPES = ("HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY")
PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
TIMEOUT_MILLIS = (50, 29_000)
MAPPED_PARAMETER = re.compile(r"method\.request\.(?:path|querystring|header)\.[\w.-]+")

METHOD_FIELDS = {
    "/authorizationType": ("authorization_type", text),
    "/authorizerId": ("authorizer_id", text),
    "/apiKeyRequired": ("api_key_required", boolean),
    "/operationName": ("operation_name", text),
    "/requestValidatorId": ("request_validator_id", text),
}
METHOD_MAPS = {
    "requestParameters": ("request_parameters", boolean),
    "requestModels": ("request_models", text),
}
INTEGRATION_FIELDS = {
    "/uri": ("uri", text),
    "/httpMethod": ("http_method", text),
    "/credentials": ("credentials", text),
    "/passthroughBehavior": ("passthrough_behaviour", text),
    "/contentHandling": ("content_handling", text),
    "/cacheNamespace": ("cache_namespace", text),
    "/timeoutInMillis": ("timeout_in_millis", integer),
}
INTEGRATION_MAPS = {
    "requestParameters": ("request_parameters", text),
    "requestTemplates": ("request_templates", text),
}


class Integration(MotoIntegration):
    """As GetIntegration answers it: what is unset is absent."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in super().to_json().items() if value is not None}


def check_method_request(
    resource: Resource, http_method: str, authorization_type: str | None
) -> None:
    if http_method not in HTTP_METHODS:
        raise BadRequestException(
            f"Invalid HTTP method specified. Must be one of: [{', '.join(HTTP_METHODS)}]"
        )
    if http_method in resource.resource_methods:
        raise ConflictException("Method already exists for this resource")
    if authorization_type not in AUTHORIZATION_TYPES:
        raise BadRequestException(
            "Invalid authorization type specified. Must be one of:"
            f" [{', '.join(AUTHORIZATION_TYPES)}]"
        )


def check_method(method: Method, authorizers: Mapping[str, Any]) -> None:
    if (
        method.authorization_type in ("CUSTOM", "COGNITO_USER_POOLS")
        and method.authorizer_id not in authorizers
    ):
        raise BadRequestException(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or"
            " COGNITO_USER_POOLS requires a valid authorizer."
        )


def check_integration(integration: MotoIntegration, method: Method) -> None:
    if integration.integration_type not in INTEGRATION_TYPES:
        raise BadRequestException(
            f"Invalid integration type specified. Must be one of: [{', '.join(INTEGRATION_TYPES)}]"
        )
    if integration.passthrough_behaviour not in PASSTHROUGH:
        raise BadRequestException(
            f"Invalid passthrough behavior specified. Must be one of: [{', '.join(PASSTHROUGH)}]"
        )
    shortest, longest = TIMEOUT_MILLIS
    if not shortest <= int(integration.timeout_in_millis or 0) <= longest:
        raise BadRequestException(f"Timeout should be between {shortest} ms and {longest} ms")
    declared = method.request_parameters or {}
    for expression in (integration.request_parameters or {}).values():
        if MAPPED_PARAMETER.fullmatch(expression) and expression not in declared:
            raise BadRequestException(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors :"
                f" [Invalid mapping expression parameter specified: {expression}]"
            )


def patch_method(
    method: Method, patches: list[dict[str, Any]], authorizers: Mapping[str, Any]
) -> None:
    apply_to_fields(method, patches, METHOD_FIELDS, METHOD_MAPS)
    if method.authorization_type not in AUTHORIZATION_TYPES:
        raise BadRequestException("Invalid authorization type specified.")
    check_method(method, authorizers)


def patch_integration(method: Method, patches: list[dict[str, Any]]) -> None:
    integration = method.method_integration
    if integration is None:
        raise NotFoundException("Invalid Integration identifier specified")
    apply_to_fields(integration, patches, INTEGRATION_FIELDS, INTEGRATION_MAPS)
    check_integration(integration, method)


def check_new_resource(siblings: list[Resource], path_part: str) -> None:
    """Raises ConflictException or BadRequestException for a path part that its siblings exclude."""
    for sibling in siblings:
        if sibling.path_part == path_part:
            raise ConflictException(
                f"Another resource with the same parent already has this name: {path_part}"
            )
        if path_part.startswith("{") and sibling.path_part.startswith("{"):
            raise BadRequestException(
                f"A sibling ({sibling.path_part}) of this resource already has a variable path part"
                " -- only one is allowed"
            )
