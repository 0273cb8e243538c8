"""Gateway responses: every type has one, customised or not.

"Gateway response types for API Gateway" (Developer Guide) gives the types and their default
statuses.
"""

import copy
import re
from typing import Any

from moto.apigateway.models import GatewayResponse

from lab.cloud.apigateway.exceptions import BadRequestException, NotFoundException
from lab.cloud.apigateway.patches import apply_to_fields, text

DEFAULT_STATUSES: dict[str, str | None] = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
DEFAULT_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}
STATUS = re.compile(r"[1-5]\d\d")
TARGET = re.compile(r"gatewayresponse\.(header|querystring|path)\.[A-Za-z0-9_.-]+")
SOURCE = re.compile(
    r"'[^\r\n]*'|method\.request\.(header|querystring|path)\.[\w.-]+|(context|stageVariables)\.[\w.]+"
)
MAPS = {
    "responseParameters": ("response_parameters", text),
    "responseTemplates": ("response_templates", text),
}


class GatewayResponseBackend:
    """Overrides moto's."""

    def put_gateway_response(
        self,
        rest_api_id: str,
        response_type: str,
        status_code: str | None,
        response_parameters: dict[str, str] | None,
        response_templates: dict[str, str] | None,
    ) -> GatewayResponse:
        check_type(response_type)
        check_settings(status_code, response_parameters or {})
        return super().put_gateway_response(  # type: ignore[misc]
            rest_api_id,
            response_type,
            status_code or DEFAULT_STATUSES[response_type],
            response_parameters or {},
            response_templates or {},
        )

    def get_gateway_response(self, rest_api_id: str, response_type: str) -> GatewayResponse:
        check_type(response_type)
        api = self.get_rest_api(rest_api_id)  # type: ignore[attr-defined]
        return api.gateway_responses.get(response_type) or default_response(response_type)

    def get_gateway_responses(self, rest_api_id: str) -> list[GatewayResponse]:
        return [self.get_gateway_response(rest_api_id, each) for each in DEFAULT_STATUSES]

    def update_gateway_response(
        self, rest_api_id: str, response_type: str, patches: list[dict[str, Any]]
    ) -> GatewayResponse:
        response: Any = copy.deepcopy(self.get_gateway_response(rest_api_id, response_type))
        apply_to_fields(response, patches, {"/statusCode": ("status_code", text)}, MAPS)
        check_settings(response.status_code, response.response_parameters)
        response.default_response = False
        self.get_rest_api(rest_api_id).gateway_responses[response_type] = response  # type: ignore[attr-defined]
        return response

    def delete_gateway_response(self, rest_api_id: str, response_type: str) -> None:
        check_type(response_type)
        if response_type not in self.get_rest_api(rest_api_id).gateway_responses:  # type: ignore[attr-defined]
            raise NotFoundException("Gateway response type not defined on api")
        super().delete_gateway_response(rest_api_id, response_type)  # type: ignore[misc]


def check_type(response_type: str) -> None:
    if response_type not in DEFAULT_STATUSES:
        raise BadRequestException(
            f"Invalid gateway response type specified: {response_type}. Must be one of:"
            f" [{', '.join(DEFAULT_STATUSES)}]"
        )


def check_settings(status_code: str | None, parameters: dict[str, str]) -> None:
    """Raises BadRequestException for a status or a mapping that is none
    ("x-amazon-apigateway-gateway-responses.responseParameters object").
    """
    if status_code is not None and not STATUS.fullmatch(status_code):
        raise BadRequestException(f"Invalid status code specified: {status_code}")
    for target, source in parameters.items():
        for expression, known in ((target, TARGET), (source, SOURCE)):
            if not known.fullmatch(expression):
                raise BadRequestException(
                    "Invalid mapping expression specified: Validation Result: warnings : [],"
                    f" errors : [Invalid mapping expression specified: {expression}]"
                )


def default_response(response_type: str) -> GatewayResponse:
    status: Any = DEFAULT_STATUSES[response_type]
    response: Any = GatewayResponse(response_type, status, {}, dict(DEFAULT_TEMPLATES))
    response.default_response = True
    return response
