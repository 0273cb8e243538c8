import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pulumi
from pulumi_aws import apigateway, get_partition_output, get_region_output, lambda_

from components import policies
from components.addresses import check_endpoint_ips
from components.api_authorizer import BEARER_RESPONSES, CertificateHeader, with_authorizer
from components.api_stage import ApiStage, ApiStageArgs
from components.authorizers import (
    STAGE_NAME,
    AuthorizerArgs,
    check_certificate_header,
    complete_authorizer,
)
from components.execute_api_endpoint import ExecuteApiEndpoint, ExecuteApiEndpointArgs
from components.jwt_authorizer import JwtAuthorizer, JwtAuthorizerArgs
from components.routes import (
    check_backends,
    check_openapi,
    check_routes,
    fill_openapi,
    invocation_uri,
    routes_document,
    unqualified,
)


@dataclass(frozen=True, kw_only=True)
class PrivateApiArgs:
    """Give `routes` or `openapi`.

    `backends` maps a name of yours to the ARN of a Lambda function. `routes` maps 'METHOD /path' to
    a backend. An `openapi` document (3.0 or 2.0) says `${backend}` where a URI belongs.
    `subnet_ids` and `endpoint_ips` go by zone id. Throttling limits are per second, for the stage.
    `manage_log_role` sets the role by which API Gateway logs, which a whole account shares in a
    region: leave it off where somebody set it already.

    `authorizer` says who may call: one made here, or a function of yours; None leaves it to the
    certificate alone, and so to whoever signs certificates. `certificate_header` is the one that
    the load balancer puts the client's certificate into: the leaf where it verified it, the chain
    'X-Client-Cert' where it passed it through.

    The endpoint leads to this API and to `admitted_api_ids`: other APIs of the account that are
    called through it, and an earlier one that this API takes the place of, so that it answers until
    nobody calls it any more (None stands for no API). `domain` is a private custom domain name by
    which the endpoint may be asked for the API, or was until now.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    endpoint_ips: Mapping[str, str]
    backends: Mapping[str, pulumi.Input[str]]
    authorizer: AuthorizerArgs | None
    certificate_header: CertificateHeader = "X-Client-Cert-Leaf"
    routes: Mapping[str, str] = field(default_factory=dict[str, str])
    openapi: Mapping[str, Any] | None = None
    stage_name: str = STAGE_NAME
    throttling_rate_limit: float = 100
    throttling_burst_limit: int = 200
    log_retention_days: int = 90
    manage_log_role: bool = False
    admitted_api_ids: Sequence[pulumi.Input[str | None]] = ()
    domain: pulumi.Input[str | None] = None

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
        if self.authorizer is not None:
            check_certificate_header(self.authorizer, self.certificate_header)
            self.complete_authorizer(self.authorizer)

    def complete_authorizer(self, authorizer: AuthorizerArgs) -> AuthorizerArgs:
        """One that knows this API's routes. Raises ValueError."""
        return complete_authorizer(
            "authorizer", authorizer, self.routes, self.openapi, self.stage_name
        )


class PrivateApi(pulumi.ComponentResource):
    """A private REST API, who may call it, and the one endpoint it answers to.

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
        authorizer_arn = self._authorizer_arn(name, args)
        api = self._rest_api(name, args, authorizer_arn)
        endpoint = ExecuteApiEndpoint(
            f"{name}-endpoint",
            ExecuteApiEndpointArgs(
                vpc_id=args.vpc_id,
                subnet_ids=args.subnet_ids,
                endpoint_ips=args.endpoint_ips,
                policy=_endpoint_policy(api, args),
            ),
            mine,
        )
        definition = api.body.apply(str)
        policy = self._policy(name, api, endpoint.endpoint_id, definition)
        permissions = self._permissions(name, args, api, authorizer_arn)
        stage = ApiStage(
            f"{name}-stage",
            ApiStageArgs(
                rest_api_id=api.id,
                stage_name=args.stage_name,
                definition_hash=_hash(definition, policy.policy, after=permissions),
                throttling_rate_limit=args.throttling_rate_limit,
                throttling_burst_limit=args.throttling_burst_limit,
                log_retention_days=args.log_retention_days,
                manage_log_role=args.manage_log_role,
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

    def _authorizer_arn(self, name: str, args: PrivateApiArgs) -> pulumi.Output[str] | None:
        if args.authorizer is None:
            return None
        authorizer = args.complete_authorizer(args.authorizer)
        if isinstance(authorizer, JwtAuthorizerArgs):
            mine = pulumi.ResourceOptions(parent=self)
            return JwtAuthorizer(f"{name}-authorizer", authorizer, mine).arn
        return pulumi.Output.from_input(authorizer.function_arn)

    def _rest_api(
        self, name: str, args: PrivateApiArgs, authorizer_arn: pulumi.Output[str] | None
    ) -> apigateway.RestApi:
        return apigateway.RestApi(
            f"{name}-rest-api",
            description="Private; reached only through a load balancer with mutual TLS",
            endpoint_configuration={"types": "PRIVATE"},
            # The load balancer calls it by this name.
            disable_execute_api_endpoint=False,
            # One document, and not a resource for each route: Pulumi deletes last, so a deployment
            # would still hold the route that was taken out.
            body=_definition(name, args, authorizer_arn),
            # Merging would leave a route that the document no longer has.
            put_rest_api_mode="overwrite",
            opts=pulumi.ResourceOptions(parent=self),
        )

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

    def _permissions(
        self,
        name: str,
        args: PrivateApiArgs,
        api: apigateway.RestApi,
        authorizer_arn: pulumi.Output[str] | None,
    ) -> list[lambda_.Permission]:
        stage, authorizers = f"/{args.stage_name}/*", "/authorizers/*"
        invoked = {
            f"{name}-may-invoke-{backend}": (pulumi.Output.from_input(arn), stage)
            for backend, arn in args.backends.items()
        }
        if authorizer_arn is not None:
            invoked[f"{name}-authorizer-permission"] = (authorizer_arn, authorizers)
        return [
            lambda_.Permission(
                key,
                function=arn.apply(lambda arn: unqualified(arn)[0]),
                qualifier=arn.apply(lambda arn: unqualified(arn)[1]),
                action="lambda:InvokeFunction",
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(api.execution_arn, below),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for key, (arn, below) in invoked.items()
        ]


def _definition(
    name: str, args: PrivateApiArgs, authorizer_arn: pulumi.Output[str] | None
) -> pulumi.Output[str]:
    """The API's document, with the functions that answer in it and the one that says who may."""
    document = routes_document(name, args.routes) if args.openapi is None else args.openapi
    responses = BEARER_RESPONSES if isinstance(args.authorizer, JwtAuthorizerArgs) else {}
    ttl = args.authorizer.cache_ttl_seconds if args.authorizer else 0
    functions = dict(args.backends)

    def definition(known: list[Any]) -> str:
        arn, *backends = known
        uris = {key: invocation_uri(each) for key, each in zip(functions, backends, strict=True)}
        whole = document
        if arn is not None:
            header = args.certificate_header
            whole = with_authorizer(document, invocation_uri(arn), header, ttl, responses)
        return fill_openapi(whole, uris)

    return pulumi.Output.all(authorizer_arn, *functions.values()).apply(definition)


def _hash(*texts: pulumi.Output[str], after: Sequence[lambda_.Permission]) -> pulumi.Output[str]:
    """Of texts alone, but known only when API Gateway may invoke what it deploys."""
    awaited = [permission.id for permission in after]
    return pulumi.Output.all(*texts, *awaited).apply(
        lambda values: sha256(json.dumps(values[: len(texts)]).encode()).hexdigest()
    )


def _endpoint_policy(
    api: apigateway.RestApi, args: PrivateApiArgs
) -> pulumi.Output[policies.Policy]:
    def document(known: Sequence[str | None]) -> policies.Policy:
        this, domain, *others = known
        return policies.endpoint(str(this), [one for one in others if one], domain)

    return pulumi.Output.all(api.execution_arn, args.domain, *args.admitted_api_ids).apply(document)
