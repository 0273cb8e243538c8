"""An OpenAPI document turned into an API's resources, methods, integrations and settings.

"Import a REST API", "OpenAPI extensions for API Gateway" (Developer Guide); OpenAPI 3.0 and Swagger
2.0. What this does not model is refused, never dropped: other `x-amazon-apigateway-…` extensions,
OAuth and JWT security.
"""

import json
from collections.abc import Iterator
from typing import Any

from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.apigateway.rest_api import RestApi

PREFIX = "x-amazon-apigateway-"
ANY_METHOD = f"{PREFIX}any-method"
API_EXTENSIONS = {
    f"{PREFIX}{name}"
    for name in (
        "policy",
        "gateway-responses",
        "endpoint-configuration",
        "binary-media-types",
        "minimum-compression-size",
        "api-key-source",
    )
}
OPERATION_EXTENSIONS = {f"{PREFIX}integration"}
SCHEME_EXTENSIONS = {f"{PREFIX}authtype", f"{PREFIX}authorizer"}
VERBS = {"get", "put", "post", "delete", "options", "head", "patch"}
LOCATIONS = {"path": "path", "query": "querystring", "header": "header"}
INTEGRATION_FIELDS = {
    "type": "integration_type",
    "uri": "uri",
    "httpMethod": "integration_method",
    "credentials": "credentials",
    "requestTemplates": "request_templates",
    "requestParameters": "request_parameters",
    "passthroughBehavior": "passthrough_behavior",
    "tlsConfig": "tls_config",
    "cacheNamespace": "cache_namespace",
    "cacheKeyParameters": "cache_key_parameters",
    "timeoutInMillis": "timeout_in_millis",
    "contentHandling": "content_handling",
    "connectionType": "connection_type",
}
AUTHORIZER_FIELDS = {
    "type": "authorizer_type",
    "authorizerUri": "authorizer_uri",
    "authorizerCredentials": "authorizer_credentials",
    "authorizerResultTtlInSeconds": "authorizer_result_ttl",
    "identitySource": "identity_source",
    "identityValidationExpression": "identiy_validation_expression",
    "providerARNs": "provider_arns",
}

Json = dict[str, Any]


def import_document(
    backend: Any, api: RestApi, document: Json, mode: str, endpoint_types: str | None
) -> None:
    """Puts `document` into `api` (which `backend` already holds). Raises BadRequestException."""
    if mode not in ("merge", "overwrite"):
        raise BadRequestException(
            'Enumeration value of OpenAPI import mode must be "overwrite" or "merge"'
        )
    version = str(document.get("openapi", document.get("swagger", "")))
    if not version.startswith(("3.0", "2.0")) or "paths" not in document:
        raise BadRequestException("Invalid OpenAPI input.")
    refuse_unknown(document, API_EXTENSIONS, "the document")
    if mode == "overwrite":
        _clear(api)
    warnings: list[str] = []
    _settings(backend, api, document, endpoint_types)
    authorizers = dict(_authorizers(backend, api, document))
    _models(backend, api, document)
    for path, item in document["paths"].items():
        resource_id = _resource(backend, api, path)
        for name, operation in item.items():
            if name in VERBS or name == ANY_METHOD:
                method = "ANY" if name == ANY_METHOD else name.upper()
                api.resources[resource_id].resource_methods.pop(method, None)
                _Method(backend, api, document, authorizers, warnings).put(
                    resource_id, method, operation, item.get("parameters", []), f"{method} {path}"
                )
            elif name.startswith(PREFIX):
                raise _not_modelled(name, path)
    api.warnings = tuple(warnings)


def refuse_unknown(entry: Json, known: set[str], where: str) -> None:
    for name in entry:
        if name.startswith(PREFIX) and name not in known:
            raise _not_modelled(name, where)


def _not_modelled(name: str, where: str) -> BadRequestException:
    return BadRequestException(f"{name} at {where} is not supported (the lab does not model it)")


def _unknown_authorizer(where: str) -> BadRequestException:
    """For a requirement that no security scheme of the document explains. (AWS's words are those of
    a method whose authorizer does not exist.)
    """
    method, _, path = where.partition(" ")
    return BadRequestException(
        f"Unable to put method '{method}' on resource at path '{path}': Invalid authorizer ID"
        " specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a"
        " valid authorizer."
    )


def _clear(api: RestApi) -> None:
    """ "overwrite": the definition becomes the document's; only the endpoint's type stays."""
    api.resources = {api.default.id: api.default}
    api.default.resource_methods = {}
    for kept in (api.models, api.authorizers, api.gateway_responses, api.request_validators):
        kept.clear()
    api.policy = None
    api.binaryMediaTypes = []
    api.set_endpoint({"types": api.endpoint_configuration["types"]})


def _settings(backend: Any, api: RestApi, document: Json, endpoint_types: str | None) -> None:
    info = document.get("info") or {}
    api.name = info.get("title", api.name)
    api.description = info.get("description", api.description)
    if f"{PREFIX}policy" in document:
        api.set_policy(json.dumps(document[f"{PREFIX}policy"]))
    for response_type, response in document.get(f"{PREFIX}gateway-responses", {}).items():
        status = response.get("statusCode")
        backend.put_gateway_response(
            api.id,
            response_type,
            None if status is None else str(status),
            response.get("responseParameters"),
            response.get("responseTemplates"),
        )
    api.binaryMediaTypes = document.get(f"{PREFIX}binary-media-types", api.binaryMediaTypes)
    api.minimum_compression_size = document.get(
        f"{PREFIX}minimum-compression-size", api.minimum_compression_size
    )
    api.api_key_source = document.get(f"{PREFIX}api-key-source", api.api_key_source)
    endpoint = {**api.endpoint_configuration}
    if endpoint_types:
        endpoint = {"types": endpoint_types.split(",")}
    for holder in (document, *document.get("servers", [])):
        settings = dict(holder.get(f"{PREFIX}endpoint-configuration", {}))
        api.disableExecuteApiEndpoint = settings.pop(
            "disableExecuteApiEndpoint", api.disableExecuteApiEndpoint
        )
        endpoint |= settings
    api.set_endpoint(endpoint)
    api.check()


def _schemes(document: Json) -> Json:
    components = document.get("components", {})
    return components.get("securitySchemes", document.get("securityDefinitions", {}))


def _authorizers(backend: Any, api: RestApi, document: Json) -> Iterator[tuple[str, str]]:
    """Creates the document's Lambda and Cognito authorizers: name and id of each."""
    for name, scheme in _schemes(document).items():
        refuse_unknown(scheme, SCHEME_EXTENSIONS, f"security scheme {name}")
        entry = scheme.get(f"{PREFIX}authorizer")
        if entry is None:
            continue
        unknown = entry.keys() - AUTHORIZER_FIELDS.keys()
        if unknown or entry.get("type") not in ("token", "request", "cognito_user_pools"):
            raise _not_modelled(f"{min(unknown, default='type')} of an authorizer", name)
        settings = {AUTHORIZER_FIELDS[key]: value for key, value in entry.items()}
        settings["authorizer_type"] = entry["type"].upper()
        if entry["type"] == "token":
            settings.setdefault("identity_source", f"method.request.header.{scheme['name']}")
        for known in [key for key, each in api.authorizers.items() if each.name == name]:
            del api.authorizers[known]
        authorizer = backend.create_authorizer(
            api.id, name, auth_type=scheme.get(f"{PREFIX}authtype"), **settings
        )
        yield name, authorizer.id


def _models(backend: Any, api: RestApi, document: Json) -> None:
    schemas = document.get("components", {}).get("schemas", document.get("definitions", {}))
    for name, schema in schemas.items():
        api.models.pop(name, None)
        api.add_model(name, schema.get("description", ""), json.dumps(schema), "application/json")


def _resource(backend: Any, api: RestApi, path: str) -> str:
    """The id of the resource at `path`, made with its ancestors where missing."""
    if not path.startswith("/"):
        raise BadRequestException(f"Invalid OpenAPI input. Path {path} must start with '/'.")
    resource_id = api.default.id
    for part in path.strip("/").split("/") if path != "/" else []:
        children = [
            each.id
            for each in api.resources.values()
            if each.parent_id == resource_id and each.path_part == part
        ]
        resource_id = (
            children[0] if children else backend.create_resource(api.id, resource_id, part).id
        )
    return resource_id


class _Method:
    """One operation of the document, put into the API."""

    def __init__(
        self,
        backend: Any,
        api: RestApi,
        document: Json,
        authorizers: dict[str, str],
        warnings: list[str],
    ) -> None:
        self.backend = backend
        self.api = api
        self.document = document
        self.authorizers = authorizers
        self.warnings = warnings

    def put(
        self, resource_id: str, method: str, operation: Json, shared: list[Json], where: str
    ) -> None:
        refuse_unknown(operation, OPERATION_EXTENSIONS, where)
        self.backend.put_method(
            self.api.id,
            resource_id,
            method,
            request_parameters=self._parameters([*shared, *operation.get("parameters", [])], where),
            request_models=self._models(operation.get("requestBody", {}), where),
            operation_name=operation.get("operationId"),
            **self._authorization(operation, where),
        )
        for status, response in operation.get("responses", {}).items():
            if status == "default":
                continue  # API Gateway's method responses are by status
            models = self._models(self._resolved(response), where)
            self.backend.put_method_response(
                self.api.id, resource_id, method, str(status), models, None
            )
        integration = operation.get(f"{PREFIX}integration")
        if integration is None:
            self.warnings.append(f"{where} has no integration")
        else:
            self._integration(resource_id, method, integration, where)

    def _authorization(self, operation: Json, where: str) -> Json:
        settings: Json = {"authorization_type": "NONE", "api_key_required": False}
        for requirement in operation.get("security", self.document.get("security", [])):
            for name, scopes in requirement.items():
                scheme = _schemes(self.document).get(name)
                if scheme is None:
                    raise _unknown_authorizer(where)
                auth_type = scheme.get(f"{PREFIX}authtype")
                if name in self.authorizers:
                    kind = self.api.authorizers[self.authorizers[name]].type
                    cognito = kind == "COGNITO_USER_POOLS"
                    settings["authorization_type"] = "COGNITO_USER_POOLS" if cognito else "CUSTOM"
                    settings["authorizer_id"] = self.authorizers[name]
                    settings["authorization_scopes"] = scopes or None
                elif auth_type == "awsSigv4":
                    settings["authorization_type"] = "AWS_IAM"
                elif scheme.get("name", "").lower() == "x-api-key" and scheme.get("in") == "header":
                    settings["api_key_required"] = True
                else:
                    raise _not_modelled(f"security scheme {name}", where)
        return settings

    def _parameters(self, parameters: list[Json], where: str) -> dict[str, bool]:
        declared: dict[str, bool] = {}
        for parameter in map(self._resolved, parameters):
            location = LOCATIONS.get(parameter["in"])
            if location is None and parameter["in"] in ("body", "formData"):
                continue  # Swagger 2.0's way of writing a request body
            if location is None:
                self.warnings.append(f"{where}: parameter in {parameter['in']} is ignored")
                continue
            expression = f"method.request.{location}.{parameter['name']}"
            declared[expression] = bool(parameter.get("required", location == "path"))
        return declared

    def _models(self, body: Json, where: str) -> dict[str, str]:
        """Model name by content type, for what refers to a schema of the document."""
        models: dict[str, str] = {}
        for content_type, entry in self._resolved(body).get("content", {}).items():
            reference = entry.get("schema", {}).get("$ref")
            if reference:
                models[content_type] = reference.rpartition("/")[2]
            elif entry.get("schema"):
                self.warnings.append(f"{where}: inline schema of {content_type} is ignored")
        return models

    def _resolved(self, entry: Json) -> Json:
        reference = entry.get("$ref")
        if reference is None:
            return entry
        found: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            if not isinstance(found, dict) or part not in found:
                raise BadRequestException(
                    f"Invalid OpenAPI input. Unresolved reference {reference}"
                )
            found = found[part]
        return found

    def _integration(self, resource_id: str, method: str, integration: Json, where: str) -> None:
        unknown = integration.keys() - INTEGRATION_FIELDS.keys() - {"responses"}
        if unknown:
            raise _not_modelled(f"{min(unknown)} of {PREFIX}integration", where)
        settings = {INTEGRATION_FIELDS[k]: v for k, v in integration.items() if k != "responses"}
        for name in ("integration_type", "passthrough_behavior"):
            if name in settings:
                settings[name] = settings[name].upper()
        settings.setdefault("uri", None)
        settings.setdefault("integration_method", None)
        self.backend.put_integration(self.api.id, resource_id, method, **settings)
        for pattern, response in integration.get("responses", {}).items():
            self.backend.put_integration_response(
                self.api.id,
                resource_id,
                method,
                str(response.get("statusCode", "200")),
                "" if pattern == "default" else pattern,
                response.get("responseTemplates", {}),
                response.get("responseParameters", {}),
                response.get("contentHandling"),
            )
