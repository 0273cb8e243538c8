"""API Gateway's answers: moto's, with this lab's operations (moto's form)."""

import json
from typing import Any
from urllib.parse import unquote

import yaml
from moto.core.common_types import TYPE_RESPONSE

from lab.cloud.apigateway.domain_responses import DomainResponse
from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.apigateway.models import Backend
from lab.cloud.apigateway.patches import invalid_path

MAX_PAGE = 500
DEFAULT_PAGE = 25


class Response(DomainResponse):
    """Ids are taken from the path, as in moto."""

    backend: Backend  # type: ignore[assignment]

    def _ids(self) -> list[str]:
        """The parts of `/restapis/{id}/resources/{id}/methods/{method}` that are ids, in order."""
        return [unquote(part) for part in self.path.split("/")[2::2]]

    def _method(self) -> tuple[str, str, str]:
        """API, resource and HTTP method of a method's path, or of its integration's."""
        api_id, resource_id, http_method = self._ids()[:3]
        return api_id, resource_id, http_method

    def _answer(self, item: Any, status: int = 200) -> TYPE_RESPONSE:
        return status, {"status": str(status)}, json.dumps(item)

    def _page(self, items: list[dict[str, Any]]) -> TYPE_RESPONSE:
        start = int(self._get_param("position") or 0)
        limit = int(self._get_param("limit") or DEFAULT_PAGE)
        if not 0 < limit <= MAX_PAGE:
            raise BadRequestException(f"Invalid limit specified. Must be between 1 and {MAX_PAGE}")
        page: dict[str, Any] = {"item": items[start : start + limit]}
        if len(items) > start + limit:
            page["position"] = str(start + limit)
        return self._answer(page)

    def create_rest_api(self) -> TYPE_RESPONSE:
        settings = json.loads(self.body)
        if "cloneFrom" in settings:
            raise NotImplementedError("CreateRestApi with cloneFrom")
        name, description = settings.pop("name", ""), settings.pop("description", "")
        api = self.backend.create_rest_api(name, description, **settings)
        return self._answer(api.to_dict(), 201)

    def import_rest_api(self) -> TYPE_RESPONSE:
        document, warnings_fail, endpoint_types = self._import()
        api = self.backend.import_rest_api(document, warnings_fail, endpoint_types)
        return self._answer(api.to_dict(), 201)

    def put_rest_api(self) -> TYPE_RESPONSE:
        document, warnings_fail, endpoint_types = self._import()
        mode = self.querystring.get("mode", ["merge"])[0]
        api = self.backend.put_rest_api(
            self._ids()[0], document, warnings_fail, mode, endpoint_types
        )
        return self._answer(api.to_dict())

    def _import(self) -> tuple[dict[str, Any], bool, str | None]:
        document = parsed(self.body)
        basepath = self.querystring.get("basepath", ["ignore"])[0]
        if basepath != "ignore":
            raise NotImplementedError(f"import with basepath={basepath}")
        warnings_fail = self.querystring.get("failonwarnings", ["false"])[0].lower() == "true"
        return (
            document,
            warnings_fail,
            self.querystring.get("endpointConfigurationTypes", [None])[0],
        )

    def update_rest_api(self) -> TYPE_RESPONSE:
        patches = self._get_param("patchOperations")
        return self._answer(self.backend.update_rest_api(self._ids()[0], patches).to_dict())

    def delete_rest_api(self) -> TYPE_RESPONSE:
        self.backend.delete_rest_api(self._ids()[0])
        return self._answer({}, 202)

    def get_rest_apis(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return self._page([api.to_dict() for api in self.backend.list_apis()])

    def get_resources(self) -> TYPE_RESPONSE:  # type: ignore[override]
        found = self.backend.get_resources(self._ids()[0])
        return self._page([self._resource(each) for each in found])

    def get_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        api_id, resource_id = self._ids()
        return self._answer(self._resource(self.backend.get_resource(api_id, resource_id)))

    def _resource(self, resource: Any) -> dict[str, Any]:
        """Methods are only named unless the caller asks to embed them."""
        answer = resource.to_dict()
        if "methods" not in self.querystring.get("embed", []) and "resourceMethods" in answer:
            answer["resourceMethods"] = {name: {} for name in answer["resourceMethods"]}
        return answer

    def update_resource(self) -> TYPE_RESPONSE:
        raise NotImplementedError("UpdateResource")

    def update_method(self) -> TYPE_RESPONSE:
        patches = self._get_param("patchOperations")
        return self._answer(self.backend.update_method(*self._method(), patches).to_json())

    def put_integration(self) -> TYPE_RESPONSE:
        request = json.loads(self.body)
        for name in ("connectionId", "responseTransferMode", "integrationTarget"):
            if name in request:
                raise NotImplementedError(f"PutIntegration with {name}")
        integration = self.backend.put_integration(
            *self._method(),
            request["type"],
            request.get("uri"),
            request.get("httpMethod") or request.get("integrationHttpMethod"),
            credentials=request.get("credentials"),
            request_templates=request.get("requestTemplates"),
            passthrough_behavior=request.get("passthroughBehavior"),
            tls_config=request.get("tlsConfig"),
            timeout_in_millis=request.get("timeoutInMillis"),
            request_parameters=request.get("requestParameters"),
            content_handling=request.get("contentHandling"),
            connection_type=request.get("connectionType"),
            cache_key_parameters=request.get("cacheKeyParameters"),
            **(
                {"cache_namespace": request["cacheNamespace"]}
                if "cacheNamespace" in request
                else {}
            ),
        )
        return self._answer(integration.to_json(), 201)

    def update_integration(self) -> TYPE_RESPONSE:
        patches = self._get_param("patchOperations")
        return self._answer(self.backend.update_integration(*self._method(), patches).to_json())

    def update_deployment(self) -> TYPE_RESPONSE:
        api_id, deployment_id = self._ids()
        deployment = self.backend.get_deployment(api_id, deployment_id)
        for patch in self._get_param("patchOperations"):
            if patch["path"] != "/description" or patch["op"] != "replace":
                raise invalid_path(patch, ["/description"])
            deployment.description = patch["value"]
        return self._answer(deployment.to_json())

    def get_export(self) -> TYPE_RESPONSE:
        api_id, stage_name, export_type = self._ids()
        if export_type == "swagger" or "yaml" in self.headers.get("Accept", ""):
            raise NotImplementedError("GetExport as Swagger or as YAML")
        if export_type != "oas30":
            raise BadRequestException(f"No API exporter for type '{export_type}'")
        wanted = self.querystring.get("extensions", [""])[0]
        extensions = {each.strip() for each in wanted.split(",") if each.strip()}
        document = self.backend.export(api_id, stage_name, extensions)
        file_name = f"oas30_{document['info']['version']}.json"
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": f'attachment; filename="{file_name}"',
        }
        return 200, headers, json.dumps(document)

    def update_gateway_response(self) -> TYPE_RESPONSE:
        patches = self._get_param("patchOperations")
        api_id, response_type = self._ids()
        response = self.backend.update_gateway_response(api_id, response_type, patches)
        return self._answer(response.to_json())

    def get_tags(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return self._answer({"tags": self._tagged().tags or {}})

    def tag_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        tagged = self._tagged()
        tagged.tags = {**(tagged.tags or {}), **self._get_param("tags")}
        return self._answer({}, 204)

    def untag_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        tagged, gone = self._tagged(), self.querystring.get("tagKeys", [])
        tagged.tags = {name: v for name, v in (tagged.tags or {}).items() if name not in gone}
        return self._answer({}, 204)

    def _tagged(self) -> Any:
        """What an ARN names: `…:/restapis/id[/stages/name]`, `…:/domainnames/name[+id]` or
        `…:/domainnameaccessassociations/…`."""
        arn = unquote(self.path).removeprefix("/tags/")
        kind, *parts = arn.split(":", 5)[5].strip("/").split("/")
        if kind == "domainnameaccessassociations":
            return self.backend.association(arn)
        if kind == "domainnames":
            name, _, domain_id = parts[0].partition("+")
            return self.backend.domain(name, domain_id or None)
        if len(parts) == 3:
            return self.backend.get_stage(parts[0], parts[2])
        return self.backend.get_rest_api(parts[0])


def parsed(body: str | bytes) -> dict[str, Any]:
    """An OpenAPI document in JSON or YAML (of which JSON is a part)."""
    try:
        document = yaml.safe_load(body)
    except yaml.YAMLError:
        raise BadRequestException("Invalid OpenAPI input.") from None
    if not isinstance(document, dict):
        raise BadRequestException("Invalid OpenAPI input.")
    return document
