"""The OpenAPI document of a deployment.

"Export a REST API from API Gateway" and "OpenAPI extensions for API Gateway" (Developer Guide):
OpenAPI 3.0 as JSON. Which `x-amazon-apigateway-…` extensions are in it is the caller's choice. Not
modelled: Swagger 2.0, YAML, documentation and Postman extensions, models.
"""

import re
import time
from collections.abc import Mapping
from typing import Any

INTEGRATIONS, AUTHORIZERS, ALL = "integrations", "authorizers", "apigateway"

Json = dict[str, Any]


def openapi(snapshot: Mapping[str, Any], stage_name: str, extensions: set[str]) -> Json:
    """The document of `snapshot` (see `deployments.taken`) as `stage_name` serves it."""
    host = f"https://{snapshot['id']}.execute-api.{snapshot['region']}.amazonaws.com"
    server: Json = {
        "url": f"{host}/{{basePath}}",
        "variables": {"basePath": {"default": stage_name}},
    }
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(snapshot["createdDate"]))
    info = {"title": snapshot["name"], "version": created}
    if snapshot["description"]:
        info["description"] = snapshot["description"]
    document: Json = {"openapi": "3.0.1", "info": info, "servers": [server]}
    document["paths"] = {
        path: {
            _operation_name(name): _operation(snapshot, path, method, extensions)
            for name, method in methods.items()
        }
        for path, methods in snapshot["resources"].items()
        if methods
    }
    document["components"] = {"securitySchemes": _security_schemes(snapshot, extensions)}
    if ALL in extensions:
        server["x-amazon-apigateway-endpoint-configuration"] = _endpoint(snapshot)
        document |= _api_extensions(snapshot)
    return document


def _operation_name(method: str) -> str:
    return "x-amazon-apigateway-any-method" if method == "ANY" else method.lower()


def _operation(snapshot: Mapping[str, Any], path: str, method: Json, extensions: set[str]) -> Json:
    operation: Json = {}
    if method["operationName"]:
        operation["operationId"] = method["operationName"]
    if parameters := _parameters(path, method):
        operation["parameters"] = parameters
    operation["responses"] = {
        status: {"description": f"{status} response", "content": {}}
        for status in method["methodResponses"]
    }
    if security := _security(snapshot, method):
        operation["security"] = security
    if extensions & {INTEGRATIONS, ALL} and method["methodIntegration"]:
        operation["x-amazon-apigateway-integration"] = _integration(method["methodIntegration"])
    return operation


def _parameters(path: str, method: Json) -> list[Json]:
    kinds = {"path": "path", "querystring": "query", "header": "header"}
    declared = dict(method["requestParameters"] or {})
    for name in re.findall(r"\{([^}+]+)\+?\}", path):
        declared.setdefault(f"method.request.path.{name}", True)
    parameters = []
    for expression, required in declared.items():
        kind, name = expression.split(".", 3)[2:]
        entry = {"name": name, "in": kinds[kind], "schema": {"type": "string"}}
        if required or kind == "path":
            entry["required"] = True
        parameters.append(entry)
    return parameters


def _security(snapshot: Mapping[str, Any], method: Json) -> list[Json]:
    requirements: Json = {}
    if method["authorizationType"] == "AWS_IAM":
        requirements["sigv4"] = []
    elif method["authorizerId"]:
        name = snapshot["authorizers"][method["authorizerId"]]["name"]
        requirements[name] = method["authorizationScopes"] or []
    if method["apiKeyRequired"]:
        requirements["api_key"] = []
    return [{name: scopes} for name, scopes in requirements.items()]


def _integration(integration: Json) -> Json:
    """As the extension spells it: types and behaviours in lower case, responses by pattern."""
    entry = {
        name: value
        for name, value in integration.items()
        if value and name not in ("type", "passthroughBehavior", "integrationResponses")
    }
    entry["type"] = integration["type"].lower()
    entry["passthroughBehavior"] = integration["passthroughBehavior"].lower()
    responses = {}
    for response in integration.get("integrationResponses", {}).values():
        pattern = response.get("selectionPattern") or "default"
        responses[pattern] = {
            name: value for name, value in response.items() if value and name != "selectionPattern"
        }
    if responses:
        entry["responses"] = responses
    return entry


def _security_schemes(snapshot: Mapping[str, Any], extensions: set[str]) -> Json:
    methods = [m for methods in snapshot["resources"].values() for m in methods.values()]
    schemes: Json = {}
    if any(method["authorizationType"] == "AWS_IAM" for method in methods):
        schemes["sigv4"] = {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "awsSigv4",
        }
    if any(method["apiKeyRequired"] for method in methods):
        schemes["api_key"] = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    for authorizer in snapshot["authorizers"].values():
        schemes[authorizer["name"]] = _authorizer(authorizer, extensions)
    return schemes


def _authorizer(authorizer: Json, extensions: set[str]) -> Json:
    first_source = authorizer.get("identitySource", "").split(",")[0]
    scheme: Json = {
        "type": "apiKey",
        "name": first_source.rpartition(".")[2] if authorizer["type"] == "TOKEN" else "Unused",
        "in": "header",
        "x-amazon-apigateway-authtype": authorizer.get("authType", "custom"),
    }
    if extensions & {AUTHORIZERS, ALL}:
        entry = {
            name: value
            for name, value in authorizer.items()
            if value is not None and name not in ("id", "name", "authType")
        }
        scheme["x-amazon-apigateway-authorizer"] = entry | {"type": authorizer["type"].lower()}
    return scheme


def _endpoint(snapshot: Mapping[str, Any]) -> Json:
    entry: Json = {"disableExecuteApiEndpoint": snapshot["disableExecuteApiEndpoint"]}
    if endpoint_ids := snapshot["endpointConfiguration"].get("vpcEndpointIds"):
        entry["vpcEndpointIds"] = endpoint_ids
    return entry


def _api_extensions(snapshot: Mapping[str, Any]) -> Json:
    entries: Json = {}
    if snapshot["policy"]:
        entries["x-amazon-apigateway-policy"] = snapshot["policy"]
    if snapshot["gatewayResponses"]:
        entries["x-amazon-apigateway-gateway-responses"] = {
            name: {
                key: value
                for key, value in response.items()
                if key not in ("responseType", "defaultResponse") and value
            }
            for name, response in snapshot["gatewayResponses"].items()
        }
    if snapshot["binaryMediaTypes"]:
        entries["x-amazon-apigateway-binary-media-types"] = snapshot["binaryMediaTypes"]
    if snapshot["minimumCompressionSize"] is not None:
        entries["x-amazon-apigateway-minimum-compression-size"] = snapshot["minimumCompressionSize"]
    if snapshot["apiKeySource"] != "HEADER":
        entries["x-amazon-apigateway-api-key-source"] = snapshot["apiKeySource"]
    return entries
