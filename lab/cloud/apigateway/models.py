"""API Gateway's backend: moto's, with snapshots, exports, imports and checks (moto's form)."""

import copy
import re
from typing import Any

from moto.apigateway.models import APIGatewayBackend, Method, Resource
from moto.apigateway.models import Integration as MotoIntegration
from moto.apigateway.utils import ApigwDeploymentIdentifier, ApigwRestApiIdentifier
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends

from lab.cloud.apigateway.access_associations import AccessAssociationBackend
from lab.cloud.apigateway.authorizers import AuthorizerBackend
from lab.cloud.apigateway.base_path_mappings import BasePathMappingBackend
from lab.cloud.apigateway.deployments import Deployment, check_deployable, taken
from lab.cloud.apigateway.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
)
from lab.cloud.apigateway.export import openapi
from lab.cloud.apigateway.gateway_responses import GatewayResponseBackend
from lab.cloud.apigateway.imports import import_document
from lab.cloud.apigateway.methods import (
    Integration,
    check_integration,
    check_method,
    check_method_request,
    check_new_resource,
    patch_integration,
    patch_method,
)
from lab.cloud.apigateway.rest_api import RestApi
from lab.cloud.apigateway.stages import Stage, check_access_log
from lab.cloud.policies import allows_actions, role_policies, trusts_service

STAGE_NAME = re.compile(r"[a-zA-Z0-9_]{1,128}")
LOGGING_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


class Backend(  # type: ignore[override]
    GatewayResponseBackend,
    AuthorizerBackend,
    BasePathMappingBackend,
    AccessAssociationBackend,
    APIGatewayBackend,
):
    """One account's REST APIs and custom domain names in one region."""

    apis: dict[str, RestApi]  # type: ignore[assignment]

    def create_rest_api(self, name: str, description: str, **settings: Any) -> RestApi:  # type: ignore[override]
        """`settings`: CreateRestApi's own names."""
        if not name:
            raise BadRequestException("API name cannot be empty")
        identifier = ApigwRestApiIdentifier(self.account_id, self.region_name, name)
        api_id = identifier.generate(list(self.apis))
        api: Any = RestApi(
            api_id,
            self.account_id,
            self.region_name,
            name,
            description,
            api_key_source=settings.get("apiKeySource"),
            tags=settings.get("tags"),
            version=settings.get("version"),
            binaryMediaTypes=settings.get("binaryMediaTypes"),
            minimum_compression_size=settings.get("minimumCompressionSize"),
            disable_execute_api_endpoint=settings.get("disableExecuteApiEndpoint"),
        )
        api.security_policy = settings.get("securityPolicy")
        api.endpoint_access_mode = settings.get("endpointAccessMode")
        api.set_endpoint(settings.get("endpointConfiguration") or {})
        api.set_policy(settings.get("policy") or "")
        api.check()
        self.apis[api_id] = api
        return api

    def get_rest_api(self, function_id: str) -> RestApi:
        if function_id not in self.apis:
            raise NotFoundException(
                f"Invalid API identifier specified {self.account_id}:{function_id}"
            )
        return self.apis[function_id]

    def update_rest_api(self, function_id: str, patch_operations: list[dict[str, Any]]) -> RestApi:
        """All patches or none."""
        changed = copy.deepcopy(self.get_rest_api(function_id))
        changed.apply_patch_operations(patch_operations)
        self.apis[function_id] = changed
        return changed

    def delete_rest_api(self, function_id: str) -> RestApi:
        self.get_rest_api(function_id)
        self.check_unmapped(function_id)
        return self.apis.pop(function_id)

    def put_rest_api(  # type: ignore[override]
        self,
        function_id: str,
        api_doc: dict[str, Any],
        fail_on_warnings: bool,
        mode: str = "merge",
        endpoint_types: str | None = None,
    ) -> RestApi:
        """Imports an OpenAPI document; the API is unchanged when anything in it is refused."""
        before = self.get_rest_api(function_id)
        changed = copy.deepcopy(before)
        self.apis[function_id] = changed
        try:
            import_document(self, changed, api_doc, mode, endpoint_types)
            if changed.warnings and fail_on_warnings:
                found = "\n\t".join(changed.warnings)
                raise BadRequestException(f"Warnings found during import:\n\t{found}")
        except BaseException:
            self.apis[function_id] = before
            raise
        return changed

    def import_rest_api(  # type: ignore[override]
        self, api_doc: dict[str, Any], fail_on_warnings: bool, endpoint_types: str | None = None
    ) -> RestApi:
        info = api_doc.get("info") or {}
        api = self.create_rest_api(info.get("title", ""), info.get("description", ""))
        try:
            return self.put_rest_api(api.id, api_doc, fail_on_warnings, "overwrite", endpoint_types)
        except BaseException:
            del self.apis[api.id]
            raise

    def create_resource(
        self, function_id: str, parent_resource_id: str, path_part: str
    ) -> Resource:
        self.get_resource(function_id, parent_resource_id)
        siblings = [
            each for each in self.get_resources(function_id) if each.parent_id == parent_resource_id
        ]
        check_new_resource(siblings, path_part)
        return super().create_resource(function_id, parent_resource_id, path_part)

    def delete_resource(self, function_id: str, resource_id: str) -> Resource:
        """A resource goes with everything below it."""
        resource = self.get_resource(function_id, resource_id)
        if resource.parent_id is None:
            raise BadRequestException("Root resource cannot be deleted")
        for child in self.get_resources(function_id):
            if child.parent_id == resource_id:
                self.delete_resource(function_id, child.id)
        return super().delete_resource(function_id, resource_id)

    def put_method(
        self,
        function_id: str,
        resource_id: str,
        method_type: str,
        authorization_type: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> Method:
        resource = self.get_resource(function_id, resource_id)
        check_method_request(resource, method_type, authorization_type)
        method = super().put_method(
            function_id, resource_id, method_type, authorization_type, *args, **kwargs
        )
        try:
            check_method(method, self.get_rest_api(function_id).authorizers)
        except BadRequestException:
            del resource.resource_methods[method_type]
            raise
        return method

    def update_method(
        self, api_id: str, resource_id: str, http_method: str, patches: list[dict[str, Any]]
    ) -> Method:
        resource = self.get_resource(api_id, resource_id)
        changed = copy.deepcopy(resource.get_method(http_method))
        patch_method(changed, patches, self.get_rest_api(api_id).authorizers)
        resource.resource_methods[http_method] = changed
        return changed

    def delete_method(self, function_id: str, resource_id: str, method_type: str) -> None:
        self.get_method(function_id, resource_id, method_type)
        super().delete_method(function_id, resource_id, method_type)

    def put_integration(  # type: ignore[override]
        self,
        function_id: str,
        resource_id: str,
        method_type: str,
        integration_type: str,
        uri: str,
        integration_method: str,
        **settings: Any,
    ) -> MotoIntegration:
        """Replaces the method's integration, with what API Gateway fills in."""
        method = self.get_method(function_id, resource_id, method_type)
        before = method.method_integration
        settings.setdefault("cache_namespace", resource_id)
        for name, value in (
            ("passthrough_behavior", "WHEN_NO_MATCH"),
            ("timeout_in_millis", 29000),
        ):
            settings[name] = value if settings.get(name) is None else settings[name]
        cache_keys = settings.pop("cache_key_parameters", None)
        integration = super().put_integration(
            function_id,
            resource_id,
            method_type,
            integration_type,
            uri,
            integration_method,
            **settings,
        )
        integration.__class__ = Integration
        integration.cache_key_parameters = cache_keys or []
        try:
            check_integration(integration, method)
        except BadRequestException:
            method.method_integration = before
            raise
        return integration

    def update_integration(
        self, api_id: str, resource_id: str, http_method: str, patches: list[dict[str, Any]]
    ) -> MotoIntegration:
        resource = self.get_resource(api_id, resource_id)
        changed = copy.deepcopy(resource.get_method(http_method))
        patch_integration(changed, patches)
        resource.resource_methods[http_method] = changed
        assert changed.method_integration is not None  # noqa: S101 (patch_integration saw it)
        return changed.method_integration

    def get_integration(
        self, function_id: str, resource_id: str, method_type: str
    ) -> MotoIntegration:
        method = self.get_method(function_id, resource_id, method_type)
        if method.method_integration is None:
            raise NotFoundException("Invalid Integration identifier specified")
        return method.method_integration

    def create_deployment(  # type: ignore[override]
        self, function_id: str, name: str, description: str = "", stage_variables: Any = None
    ) -> Deployment:
        """`name`: of a stage that is made, or moved to the new deployment; empty for none."""
        api = self.get_rest_api(function_id)
        check_deployable(api)
        identifier = ApigwDeploymentIdentifier(self.account_id, self.region_name, stage_name=name)
        deployment: Any = Deployment(
            identifier.generate(list(api.deployments)), description, taken(api)
        )
        if name and name in api.stages:
            api.stages[name].deployment_id = deployment.id
            api.stages[name].variables.update(stage_variables or {})
        elif name:
            check_stage_name(name)
            stage: Any = Stage(name=name, deployment_id=deployment.id, variables=stage_variables)
            api.stages[name] = stage
        api.deployments[deployment.id] = deployment
        return deployment

    def get_deployment(self, function_id: str, deployment_id: str) -> Deployment:
        deployment = self.get_rest_api(function_id).deployments.get(deployment_id)
        if not isinstance(deployment, Deployment):
            raise NotFoundException("Invalid Deployment identifier specified")
        return deployment

    def delete_deployment(self, function_id: str, deployment_id: str) -> Deployment:
        api, deployment = (
            self.get_rest_api(function_id),
            self.get_deployment(function_id, deployment_id),
        )
        if any(stage.deployment_id == deployment_id for stage in api.stages.values()):
            raise BadRequestException(
                "Active stages pointing to this deployment must be moved or deleted"
            )
        del api.deployments[deployment_id]
        return deployment

    def create_stage(  # type: ignore[override]
        self,
        function_id: str,
        stage_name: str,
        deploymentId: str,  # noqa: N803 - moto's own declaration
        **settings: Any,
    ) -> Stage:
        api = self.get_rest_api(function_id)
        self.get_deployment(function_id, deploymentId)
        check_stage_name(stage_name)
        if stage_name in api.stages:
            raise ConflictException("Stage already exists")
        if settings.get("cacheClusterEnabled"):
            raise NotImplementedError("CreateStage with a cache cluster")
        stage: Any = Stage(name=stage_name, deployment_id=deploymentId, **settings)
        api.stages[stage_name] = stage
        return stage

    def get_stage(self, function_id: str, stage_name: str) -> Stage:
        stage = self.get_rest_api(function_id).stages.get(stage_name)
        if not isinstance(stage, Stage):
            raise NotFoundException("Invalid stage identifier specified")
        return stage

    def update_stage(self, function_id: str, stage_name: str, patch_operations: Any) -> Stage:
        """All patches or none."""
        changed = copy.deepcopy(self.get_stage(function_id, stage_name))
        changed.apply_operations(patch_operations)
        self.get_deployment(function_id, changed.deployment_id or "")
        if changed.logs and not self.account.cloudwatch_role_arn:
            raise BadRequestException(
                "CloudWatch Logs role ARN must be set in account settings to enable logging"
            )
        if changed.access_log_settings:
            check_access_log(
                changed.access_log_settings,
                lambda account, region: logs_backends[account][region].groups,
            )
        self.get_rest_api(function_id).stages[stage_name] = changed
        return changed

    def export(self, api_id: str, stage_name: str, extensions: set[str]) -> dict[str, Any]:
        """The OpenAPI 3.0 document of what a stage serves now."""
        stage = self.get_stage(api_id, stage_name)
        deployment = self.get_deployment(api_id, stage.deployment_id or "")
        return openapi(deployment.snapshot, stage_name, extensions)

    def update_account(self, patch_operations: list[dict[str, Any]]) -> Any:
        for patch in patch_operations:
            if patch["path"] == "/cloudwatchRoleArn" and patch.get("value"):
                self._check_log_role(patch["value"])
        return super().update_account(patch_operations)

    def _check_log_role(self, role_arn: str) -> None:
        """API Gateway must be able to assume the role and to log ("Permissions for CloudWatch
        logging" in the Developer Guide).
        """
        backend = iam_backends[self.account_id][self.partition]
        roles = [role for role in backend.roles.values() if role.arn == role_arn]
        if not any(
            trusts_service(role.assume_role_policy_document, "apigateway.amazonaws.com")
            and allows_actions(role_policies(backend, role), LOGGING_ACTIONS)
            for role in roles
        ):
            raise BadRequestException(
                "The role ARN does not have required permissions configured. Please grant trust"
                " permission for API Gateway and add the required role policy."
            )


def check_stage_name(name: str) -> None:
    if not STAGE_NAME.fullmatch(name or ""):
        raise BadRequestException("Stage name only allows a-zA-Z0-9_")
