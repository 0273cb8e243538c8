import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pulumi
from pulumi_aws import apigateway, get_partition_output, get_region_output, lambda_

from components import policies
from components.addresses import check_endpoint_ips
from components.api_stage import ApiStage, ApiStageArgs
from components.execute_api_endpoint import ExecuteApiEndpoint, ExecuteApiEndpointArgs
from components.routes import (
    Route,
    check_backends,
    check_openapi,
    check_routes,
    fill_openapi,
    invocation_uri,
    parent_path,
    resource_paths,
)


@dataclass(frozen=True, kw_only=True)
class PrivateApiArgs:
    """Give `routes` or `openapi`.

    `backends` maps a name of yours to the ARN of a Lambda function. `routes` maps 'METHOD /path' to
    a backend. An `openapi` document (3.0 or 2.0) says `${backend}` where a URI belongs.
    `subnet_ids` and `endpoint_ips` go by zone id. Throttling limits are per second, for the stage.
    `manage_log_role` sets the role by which API Gateway logs, which a whole account shares in a
    region: leave it off where somebody set it already.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    endpoint_ips: Mapping[str, str]
    backends: Mapping[str, pulumi.Input[str]]
    routes: Mapping[str, str] = field(default_factory=dict[str, str])
    openapi: Mapping[str, Any] | None = None
    stage_name: str = "live"
    throttling_rate_limit: float = 100
    throttling_burst_limit: int = 200
    log_retention_days: int = 90
    manage_log_role: bool = False

    def __post_init__(self) -> None:
        check_endpoint_ips("endpoint_ips", self.subnet_ids, self.endpoint_ips)
        if bool(self.routes) == (self.openapi is not None):
            raise ValueError(
                "routes, openapi: want one of the two, as in routes={'GET /widgets': 'widgets'}; "
                f"got {'both' if self.routes else 'neither'}"
            )
        check_backends(self.routes.values(), self.backends, "routes")
        check_routes(self.routes)
        if self.openapi is not None:
            check_openapi(self.openapi, self.backends)


class PrivateApi(pulumi.ComponentResource):
    """A private REST API and the one endpoint it answers to.

    Two of the four guards against going round mutual TLS live here: the endpoint's policy lets this
    API pass and no other, and the API's policy denies every other endpoint. The third, who may
    connect to the endpoint, belongs to what stands in front: `endpoint_security_group_id` admits
    nobody until a front opens it for itself.
    """

    api_id: pulumi.Output[str]
    api_host: pulumi.Output[str]
    """The name by which API Gateway picks this API at the endpoint."""
    stage_name: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    endpoint_ips: dict[str, str]
    endpoint_security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: PrivateApiArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__("mtls:index:PrivateApi", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        uris = {
            backend: pulumi.Output.from_input(arn).apply(invocation_uri)
            for backend, arn in args.backends.items()
        }
        api = self._rest_api(name, args, uris)
        endpoint = ExecuteApiEndpoint(
            f"{name}-endpoint",
            ExecuteApiEndpointArgs(
                vpc_id=args.vpc_id,
                subnet_ids=args.subnet_ids,
                endpoint_ips=args.endpoint_ips,
                policy=api.execution_arn.apply(policies.endpoint),
            ),
            mine,
        )
        definition, parts = self._routes(name, args, api, uris)
        policy = self._policy(name, api, endpoint.endpoint_id, definition)
        self._permissions(name, args, api)
        stage = ApiStage(
            f"{name}-stage",
            ApiStageArgs(
                rest_api_id=api.id,
                stage_name=args.stage_name,
                definition_hash=pulumi.Output.all(definition, policy.policy).apply(
                    lambda texts: sha256(json.dumps(texts).encode()).hexdigest()
                ),
                throttling_rate_limit=args.throttling_rate_limit,
                throttling_burst_limit=args.throttling_burst_limit,
                log_retention_days=args.log_retention_days,
                manage_log_role=args.manage_log_role,
                deploy_after=(policy, *parts),
            ),
            mine,
        )
        looked_up = pulumi.InvokeOptions(parent=self)
        self.api_id = api.id
        self.api_host = pulumi.Output.format(
            "{0}.execute-api.{1}.{2}",
            api.id,
            get_region_output(opts=looked_up).region,
            get_partition_output(opts=looked_up).dns_suffix,
        )
        self.stage_name = stage.stage_name
        self.endpoint_id = endpoint.endpoint_id
        self.endpoint_ips = dict(args.endpoint_ips)
        self.endpoint_security_group_id = endpoint.security_group_id
        self.register_outputs(
            {
                "api_id": self.api_id,
                "api_host": self.api_host,
                "stage_name": self.stage_name,
                "endpoint_id": self.endpoint_id,
                "endpoint_ips": self.endpoint_ips,
                "endpoint_security_group_id": self.endpoint_security_group_id,
            }
        )

    def _rest_api(
        self, name: str, args: PrivateApiArgs, uris: Mapping[str, pulumi.Output[str]]
    ) -> apigateway.RestApi:
        document = args.openapi
        return apigateway.RestApi(
            # What a document made cannot be taken over by single resources, nor the other way
            # round: changing over makes a new API.
            f"{name}-rest-api" if document is None else f"{name}-openapi",
            description="Private; reached only through a load balancer with mutual TLS",
            endpoint_configuration={"types": "PRIVATE"},
            # The load balancer calls it by this name.
            disable_execute_api_endpoint=False,
            body=None
            if document is None
            else pulumi.Output.all(**uris).apply(lambda known: fill_openapi(document, known)),
            # Merging would leave a route that the document no longer has.
            put_rest_api_mode=None if document is None else "overwrite",
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _routes(
        self,
        name: str,
        args: PrivateApiArgs,
        api: apigateway.RestApi,
        uris: Mapping[str, pulumi.Output[str]],
    ) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
        """The definition of the API as text, and the resources that a deployment must wait for."""
        if args.openapi is not None:
            return api.body.apply(str), []
        mine = pulumi.ResourceOptions(parent=self)
        resources = {"": api.root_resource_id, "/": api.root_resource_id}
        routes = {Route.parse(text): backend for text, backend in args.routes.items()}
        for path in resource_paths(routes):
            resources[path] = apigateway.Resource(
                f"{name}-{path}",
                rest_api=api.id,
                parent_id=resources[parent_path(path)],
                path_part=path.rpartition("/")[2],
                opts=mine,
            ).id
        made: list[pulumi.Resource] = []
        definition: dict[str, dict[str, pulumi.Input[str]]] = {}
        for route, backend in routes.items():
            method: dict[str, str] = {"authorization": "NONE"}
            integration: dict[str, pulumi.Input[str]] = {
                "type": "AWS_PROXY",
                "integration_http_method": "POST",
                "uri": uris[backend],
            }
            definition[f"{route.method} {route.path}"] = {**method, **integration}
            made += self._route(
                f"{name}-{route.method}-{route.path}",
                api,
                resources[route.path],
                route,
                method,
                integration,
            )
        return pulumi.Output.json_dumps(definition, sort_keys=True), made

    def _route(
        self,
        name: str,
        api: apigateway.RestApi,
        resource_id: pulumi.Output[str],
        route: Route,
        method: Mapping[str, str],
        integration: Mapping[str, pulumi.Input[str]],
    ) -> list[pulumi.Resource]:
        declared = apigateway.Method(
            f"{name}-method",
            rest_api=api.id,
            resource_id=resource_id,
            http_method=route.method,
            authorization=method["authorization"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        answered = apigateway.Integration(
            f"{name}-integration",
            rest_api=api.id,
            resource_id=resource_id,
            http_method=declared.http_method,
            type=integration["type"],
            integration_http_method=integration["integration_http_method"],
            uri=integration["uri"],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return [declared, answered]

    def _policy(
        self,
        name: str,
        api: apigateway.RestApi,
        endpoint_id: pulumi.Output[str],
        definition: pulumi.Output[str],
    ) -> apigateway.RestApiPolicy:
        # Importing a document may drop the policy, so a new definition puts it again.
        document = pulumi.Output.all(api.execution_arn, endpoint_id, definition).apply(
            lambda values: policies.private_api(
                values[0], values[1], of_definition=sha256(values[2].encode()).hexdigest()
            )
        )
        return apigateway.RestApiPolicy(
            f"{name}-policy",
            rest_api_id=api.id,
            policy=pulumi.Output.json_dumps(document),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _permissions(self, name: str, args: PrivateApiArgs, api: apigateway.RestApi) -> None:
        for backend, arn in args.backends.items():
            lambda_.Permission(
                f"{name}-may-invoke-{backend}",
                function=arn,
                action="lambda:InvokeFunction",
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(api.execution_arn, f"/{args.stage_name}/*"),
                opts=pulumi.ResourceOptions(parent=self),
            )
