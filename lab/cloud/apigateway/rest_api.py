"""A REST API's own settings: endpoint type, resource policy, compression, default endpoint.

"CreateRestApi" and "UpdateRestApi" (API Gateway REST API Reference); "Private REST APIs in API
Gateway" (Developer Guide): private APIs are dual stack, and only they have VPC endpoints.
"""

from typing import Any

from moto.apigateway.models import RestAPI

from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.apigateway.patches import Patch, boolean, integer, invalid_path, pointer, text
from lab.cloud.apigateway.policies import as_answered, stored_policy

MAX_COMPRESSION_SIZE = 10_485_760  # bytes, the limit of a payload
ENDPOINT_TYPES = ("EDGE", "REGIONAL", "PRIVATE")
API_KEY_SOURCES = ("AUTHORIZER", "HEADER")


def compression(patch: Patch) -> int | None:
    """ "Patch operations" of UpdateRestApi: no value turns compression off."""
    return integer(patch) if patch.get("value") else None


SETTINGS = {
    "/name": ("name", text),
    "/description": ("description", text),
    "/apiKeySource": ("api_key_source", text),
    "/disableExecuteApiEndpoint": ("disableExecuteApiEndpoint", boolean),
    "/minimumCompressionSize": ("minimum_compression_size", compression),
    "/securityPolicy": ("security_policy", text),
    "/endpointAccessMode": ("endpoint_access_mode", text),
}
OTHER_PATHS = (
    "/policy",
    "/binaryMediaTypes/...",
    "/endpointConfiguration/types/...",
    "/endpointConfiguration/ipAddressType",
    "/endpointConfiguration/vpcEndpointIds",
)


class RestApi(RestAPI):
    """Moto's, with `policy` kept as API Gateway keeps it and every patch checked."""

    policy: str | None
    endpoint_configuration: dict[str, Any]
    security_policy: str | None = None
    endpoint_access_mode: str | None = None
    minimum_compression_size: int | None
    warnings: tuple[str, ...] = ()

    @property
    def execution_arn(self) -> str:
        return f"arn:aws:execute-api:{self.region_name}:{self.account_id}:{self.id}/"

    @property
    def is_private(self) -> bool:
        return self.endpoint_configuration["types"] == ["PRIVATE"]

    def to_dict(self) -> dict[str, Any]:
        answer = super().to_dict()
        answer["policy"] = as_answered(self.policy) if self.policy else None
        answer["securityPolicy"] = self.security_policy
        answer["endpointAccessMode"] = self.endpoint_access_mode
        answer["warnings"] = list(self.warnings) or None
        return {name: value for name, value in answer.items() if value is not None}

    def set_policy(self, document: str) -> None:
        """An empty document removes the policy."""
        self.policy = stored_policy(document, self.execution_arn) if document else None

    def set_endpoint(self, configuration: dict[str, Any]) -> None:
        """Completes and checks the endpoint configuration."""
        types = configuration.get("types") or ["EDGE"]
        if len(types) != 1 or types[0] not in ENDPOINT_TYPES:
            raise BadRequestException(
                f"Invalid endpoint type specified. Must be one of: [{', '.join(ENDPOINT_TYPES)}]"
            )
        private = types == ["PRIVATE"]
        address_type = configuration.get("ipAddressType") or ("dualstack" if private else "ipv4")
        if private and address_type != "dualstack":
            raise BadRequestException("Only dualstack ipAddressType is supported for Private APIs.")
        endpoint_ids = list(configuration.get("vpcEndpointIds") or [])
        if endpoint_ids and not private:
            raise BadRequestException(
                "VPC endpoint IDs are supported only for APIs with the PRIVATE endpoint type."
            )
        self.endpoint_configuration = {"types": types, "ipAddressType": address_type}
        if endpoint_ids:
            self.endpoint_configuration["vpcEndpointIds"] = endpoint_ids

    def check(self) -> None:
        if self.api_key_source not in API_KEY_SOURCES:
            raise BadRequestException(
                f"Invalid API key source specified. Must be one of: [{', '.join(API_KEY_SOURCES)}]"
            )
        size = self.minimum_compression_size
        if size is not None and not 0 <= size <= MAX_COMPRESSION_SIZE:
            raise BadRequestException(
                f"Invalid minimum compression size, must be between 0 and {MAX_COMPRESSION_SIZE}"
            )

    def apply_patch_operations(self, patch_operations: list[dict[str, Any]]) -> None:
        endpoint = dict(self.endpoint_configuration)
        for patch in patch_operations:
            parts = pointer(patch["path"])
            if patch["path"] in SETTINGS and patch["op"] == "replace":
                attribute, read = SETTINGS[patch["path"]]
                setattr(self, attribute, read(patch))
            elif patch["path"] == "/policy" and patch["op"] in ("replace", "remove"):
                self.set_policy(patch.get("value", ""))
            elif parts[0] == "binaryMediaTypes" and len(parts) == 2:
                self._patch_media_types(patch, parts[1])
            elif parts[0] == "endpointConfiguration" and len(parts) >= 2:
                self._patch_endpoint(endpoint, patch, parts[1])
            else:
                raise invalid_path(patch, [*SETTINGS, *OTHER_PATHS])
        self.set_endpoint(endpoint)
        self.check()

    def _patch_media_types(self, patch: Patch, media_type: str) -> None:
        others = [each for each in self.binaryMediaTypes if each != media_type]
        if patch["op"] == "replace":
            self.binaryMediaTypes = [*others, patch["value"]]
        else:
            self.binaryMediaTypes = others if patch["op"] == "remove" else [*others, media_type]

    def _patch_endpoint(self, endpoint: dict[str, Any], patch: Patch, setting: str) -> None:
        value = patch.get("value", "")
        if setting == "types" and patch["op"] == "replace":
            endpoint["types"] = [value]
            endpoint.pop("ipAddressType", None)
        elif setting == "ipAddressType" and patch["op"] == "replace":
            endpoint["ipAddressType"] = value
        elif setting == "vpcEndpointIds" and patch["op"] in ("add", "remove"):
            others = [each for each in endpoint.get("vpcEndpointIds", []) if each != value]
            endpoint["vpcEndpointIds"] = others if patch["op"] == "remove" else [*others, value]
        else:
            raise invalid_path(patch, [*SETTINGS, *OTHER_PATHS])
