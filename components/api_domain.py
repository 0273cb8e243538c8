from dataclasses import dataclass
from typing import Literal, get_args

import pulumi
from pulumi_aws import apigateway

from components import policies

Kind = Literal["private-domain", "regional-domain"]


@dataclass(frozen=True, kw_only=True)
class ApiDomainTarget:
    """A stage of a private API, picked by a custom domain name of API Gateway.

    `endpoint_id` is the one VPC endpoint that a private domain answers to; a regional one does not
    ask.
    """

    kind: Kind
    rest_api_id: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    endpoint_id: pulumi.Input[str]

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind: want 'private-domain' or 'regional-domain'; got {self.kind!r}")


@dataclass(frozen=True, kw_only=True)
class ApiDomainArgs:
    """`certificate_arn` is one of ACM's for `domain`, in the region of the API.

    Of keys API Gateway takes RSA 2048 and ECDSA P-256 and P-384 (API Gateway developer guide,
    "Custom domain names for private APIs").
    """

    domain: str
    certificate_arn: pulumi.Input[str]
    api: ApiDomainTarget


class ApiDomain(pulumi.ComponentResource):
    """A custom domain name by which API Gateway picks a private API from the `Host` header.

    A private domain answers to one endpoint only, by a policy of its own beside the API's. It takes
    some 15 minutes to make, and the endpoint's association as long again.

    A regional domain is what there was before: its name must be free in the whole region, whoever
    owns it, and it gives the API a public regional endpoint. Nothing but the API's resource policy
    closes that one.
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: ApiDomainArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__("mtls:index:ApiDomain", name, None, opts)
        if args.api.kind == "private-domain":
            self.arn = self._private(name, args)
        else:
            self.arn = self._regional(name, args)
        self.register_outputs({"arn": self.arn})

    def _private(self, name: str, args: ApiDomainArgs) -> pulumi.Output[str]:
        mine = pulumi.ResourceOptions(parent=self)
        policy = pulumi.Output.from_input(args.api.endpoint_id).apply(policies.private_domain)
        domain = apigateway.DomainName(
            f"{name}-private",
            domain_name=args.domain,
            certificate_arn=args.certificate_arn,
            endpoint_configuration={"types": "PRIVATE"},
            policy=pulumi.Output.json_dumps(policy),
            security_policy="TLS_1_2",
            opts=mine,
        )
        self._map(name, args, domain, domain.domain_name_id)
        apigateway.DomainNameAccessAssociation(
            f"{name}-association",
            domain_name_arn=domain.arn,
            access_association_source=args.api.endpoint_id,
            access_association_source_type="VPCE",
            opts=mine,
        )
        return domain.arn

    def _regional(self, name: str, args: ApiDomainArgs) -> pulumi.Output[str]:
        domain = apigateway.DomainName(
            f"{name}-regional",
            domain_name=args.domain,
            regional_certificate_arn=args.certificate_arn,
            endpoint_configuration={"types": "REGIONAL"},
            security_policy="TLS_1_2",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._map(name, args, domain, None)
        return domain.arn

    def _map(
        self,
        name: str,
        args: ApiDomainArgs,
        domain: apigateway.DomainName,
        domain_name_id: pulumi.Output[str] | None,
    ) -> None:
        apigateway.BasePathMapping(
            f"{name}-mapping",
            domain_name=domain.domain_name,
            domain_name_id=domain_name_id,
            rest_api=args.api.rest_api_id,
            stage_name=args.api.stage_name,
            opts=pulumi.ResourceOptions(parent=self),
        )
