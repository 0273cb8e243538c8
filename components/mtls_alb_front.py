from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import pulumi
from pulumi_aws import lb, route53, wafv2

from components.alb import Alb, AlbArgs, ExistingAlbArgs
from components.api_domain import ApiDomain, ApiDomainArgs, ApiDomainTarget
from components.domains import check_domain
from components.listener_rules import (
    ApiTarget,
    PathRoute,
    answer,
    check_passes_through,
    check_path_routes,
    refuse_headers,
    route_api,
    route_paths,
)
from components.security_groups import Client, client_groups, edge, egress
from components.server_certificate import ServerCertificate, ServerCertificateArgs

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""TLS 1.2 and 1.3 with forward secrecy, authenticated ciphers, post-quantum key exchange."""

CLIENT_CERTIFICATE_HEADERS = {
    "X-Amzn-Mtls-Clientcert": "X-Client-Cert",
    "X-Amzn-Mtls-Clientcert-Issuer": "X-Client-Cert-Issuer",
    "X-Amzn-Mtls-Clientcert-Leaf": "X-Client-Cert-Leaf",
    "X-Amzn-Mtls-Clientcert-Serial-Number": "X-Client-Cert-Serial-Number",
    "X-Amzn-Mtls-Clientcert-Subject": "X-Client-Cert-Subject",
    "X-Amzn-Mtls-Clientcert-Validity": "X-Client-Cert-Validity",
}
"""AWS's names of the headers that carry the client's certificate, and those the listener gives.

Passthrough writes the first alone, verify the others (ELB user guide, "Mutual authentication with
TLS", HTTP headers).
"""

REFUSED_HEADERS = (*CLIENT_CERTIFICATE_HEADERS, *CLIENT_CERTIFICATE_HEADERS.values())
"""What no client may send.

AWS does not say that the load balancer replaces what a client sends under the name of a header that
it writes. A second value might be the one by which API Gateway finds an answer that it remembers
for somebody else; and in passthrough, where a client without a certificate gets no header, it would
be the only one, and would name anybody whose certificate that client has seen.
"""

MutualAuthentication = Literal["verify", "passthrough"]
"""In AWS's words: the load balancer verifies the client's certificate, or only passes it on."""


@dataclass(frozen=True, kw_only=True)
class MtlsAlbFrontArgs:
    """`clients` and `path_routes` go by names of yours, `endpoint_ips` by zone id.

    `api` says which stage of which API stands behind, and how API Gateway picks it: an `ApiTarget`
    by rewriting, an `ApiDomainTarget` by a custom domain name for `domain`. The endpoint is reached
    at `endpoint_ips` and opened by its security group. `validation_zone_id` is the public hosted
    zone that proves `domain` to ACM. `alb` is the load balancer to make, or one to put the listener
    on.

    `mode` "verify" needs a `trust_store_arn`. "passthrough" takes none: then whoever connects, with
    any certificate or with none, reaches the API, whose authorizer must verify the chain that comes
    in 'X-Client-Cert' and refuse a request without. Chain, token and all other headers together may
    have 8,000 bytes (API Gateway, "Quotas for configuring and running a REST API": private APIs).
    """

    domain: str
    vpc_id: pulumi.Input[str]
    alb: AlbArgs | ExistingAlbArgs
    validation_zone_id: pulumi.Input[str]
    api: ApiTarget | ApiDomainTarget
    endpoint_ips: Mapping[str, str]
    endpoint_security_group_id: pulumi.Input[str]
    mode: MutualAuthentication = "verify"
    trust_store_arn: pulumi.Input[str] | None = None
    clients: Mapping[str, Client] = field(default_factory=dict[str, Client])
    path_routes: Mapping[str, PathRoute] = field(default_factory=dict[str, PathRoute])
    web_acl_arn: pulumi.Input[str] | None = None
    tls_policy: str = TLS_POLICY

    def __post_init__(self) -> None:
        check_domain("domain", self.domain)
        check_path_routes("path_routes", self.path_routes)
        if self.mode not in get_args(MutualAuthentication):
            raise ValueError(f"mode: want 'verify' or 'passthrough'; got {self.mode!r}")
        if self.mode == "passthrough":
            check_passes_through("path_routes", self.path_routes)
            if self.trust_store_arn is not None:
                raise ValueError(
                    "trust_store_arn: want none in mode 'passthrough', in which the load balancer "
                    "verifies nothing; got one"
                )
        elif self.trust_store_arn is None:
            raise ValueError("trust_store_arn: want one to verify certificates against; got none")


class MtlsAlbFront(pulumi.ComponentResource):
    """Mutual TLS in front of a private API: only holders of a trusted certificate get an answer.

    In "verify" the load balancer checks the client's certificate against the trust store while the
    connection is set up, so whoever has none never sends a request. In "passthrough" it asks for
    one and leaves it to the API's authorizer to check. One rule leads to the API, for one host
    name; everything else ends in a fixed 404. There is no plain HTTP listener.
    """

    url: pulumi.Output[str]
    alb_arn: pulumi.Output[str]
    alb_security_group_id: pulumi.Output[str]
    listener_arn: pulumi.Output[str]
    certificate_arn: pulumi.Output[str]
    client_security_group_ids: dict[str, pulumi.Output[str]]
    """By client: put what calls the API into this group."""
    log_bucket: pulumi.Output[str] | None
    """Where access, connection and health check logs go; None for an existing load balancer."""

    def __init__(
        self, name: str, args: MtlsAlbFrontArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:MtlsAlbFront", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        alb = Alb(f"{name}-alb", args.alb, mine)
        self._connect(name, args, alb)
        self.client_security_group_ids = client_groups(
            name,
            args.clients,
            args.vpc_id,
            alb.security_group_id,
            "may connect to the load balancer",
            mine,
        )
        targets = self._targets(name, args)
        self.certificate_arn = ServerCertificate(
            f"{name}-server",
            ServerCertificateArgs(domain=args.domain, validation_zone_id=args.validation_zone_id),
            mine,
        ).arn
        listener = self._listener(name, args, alb)
        self._route(name, args, listener, targets)
        self._give_name(name, args, alb)
        if args.web_acl_arn is not None:
            wafv2.WebAclAssociation(
                f"{name}-web-acl",
                resource_arn=alb.arn,
                web_acl_arn=args.web_acl_arn,
                opts=mine,
            )
        self.url = pulumi.Output.from_input(f"https://{args.domain}")
        self.alb_arn = alb.arn
        self.alb_security_group_id = alb.security_group_id
        self.listener_arn = listener.arn
        self.log_bucket = alb.log_bucket
        self.register_outputs(
            {
                "url": self.url,
                "alb_arn": self.alb_arn,
                "alb_security_group_id": self.alb_security_group_id,
                "listener_arn": self.listener_arn,
                "certificate_arn": self.certificate_arn,
                "client_security_group_ids": self.client_security_group_ids,
                "log_bucket": self.log_bucket,
            }
        )

    def _connect(self, name: str, args: MtlsAlbFrontArgs, alb: Alb) -> None:
        """The load balancer, and nothing else, may connect to the endpoint."""
        mine = pulumi.ResourceOptions(parent=self)
        edge(
            f"{name}-endpoint",
            alb.security_group_id,
            args.endpoint_security_group_id,
            443,
            mine,
        )
        for key, route in args.path_routes.items():
            if route.security_group_id is not None:
                # Whoever runs those targets opens them; here the way out is enough.
                egress(
                    f"{name}-to-{key}",
                    alb.security_group_id,
                    route.security_group_id,
                    route.port,
                    mine,
                )

    def _targets(self, name: str, args: MtlsAlbFrontArgs) -> lb.TargetGroup:
        mine = pulumi.ResourceOptions(parent=self)
        group = lb.TargetGroup(
            f"{name}-api",
            vpc_id=args.vpc_id,
            target_type="ip",
            protocol="HTTPS",
            port=443,
            # Says that the endpoint answers, not that the API works: API Gateway keeps /ping for
            # itself (API Gateway developer guide, "Amazon API Gateway important notes").
            health_check={"protocol": "HTTPS", "path": "/ping", "matcher": "200"},
            deregistration_delay=30,
            opts=mine,
        )
        for zone, address in args.endpoint_ips.items():
            lb.TargetGroupAttachment(
                f"{name}-api-{zone}", target_group_arn=group.arn, target_id=address, opts=mine
            )
        return group

    def _listener(self, name: str, args: MtlsAlbFrontArgs, alb: Alb) -> lb.Listener:
        prefix = "routing_http_request_x_amzn_mtls_clientcert"
        renamed: dict[str, Any] = {
            f"{prefix}{_suffix(given)}_header_name": ours
            for given, ours in CLIENT_CERTIFICATE_HEADERS.items()
        }
        return lb.Listener(
            f"{name}-https",
            load_balancer_arn=alb.arn,
            protocol="HTTPS",
            port=443,
            ssl_policy=args.tls_policy,
            certificate_arn=self.certificate_arn,
            mutual_authentication=_mutual_authentication(args),
            default_actions=[answer(404)],
            routing_http_response_server_enabled=False,
            opts=pulumi.ResourceOptions(parent=self),
            **renamed,
        )

    def _route(
        self, name: str, args: MtlsAlbFrontArgs, listener: lb.Listener, targets: lb.TargetGroup
    ) -> None:
        mine = pulumi.ResourceOptions(parent=self)
        refuse_headers(name, listener, REFUSED_HEADERS, mine)
        route_paths(name, listener, args.domain, args.path_routes, targets, mine)
        if isinstance(args.api, ApiTarget):
            route_api(name, listener, args.domain, args.api, targets, mine)
            return
        domain = ApiDomain(
            f"{name}-api-domain",
            ApiDomainArgs(domain=args.domain, certificate_arn=self.certificate_arn, api=args.api),
            mine,
        )
        # A request that comes as it was sent finds no API before the domain is there.
        after = pulumi.ResourceOptions(parent=self, depends_on=[domain])
        route_api(name, listener, args.domain, None, targets, after)

    def _give_name(self, name: str, args: MtlsAlbFrontArgs, alb: Alb) -> None:
        """`domain` leads to the load balancer, in this VPC and nowhere else."""
        mine = pulumi.ResourceOptions(parent=self)
        zone = route53.Zone(
            f"{name}-zone", name=args.domain, vpcs=[{"vpc_id": args.vpc_id}], opts=mine
        )
        route53.Record(
            f"{name}-alias",
            zone_id=zone.id,
            name=args.domain,
            type="A",
            aliases=[
                {"name": alb.dns_name, "zone_id": alb.zone_id, "evaluate_target_health": True}
            ],
            opts=mine,
        )


def _mutual_authentication(args: MtlsAlbFrontArgs) -> lb.ListenerMutualAuthenticationArgsDict:
    # After the stage: an authorizer that reads the chain must be there before the chain comes, for
    # the one it replaces trusts a header that from then on only a client can have written.
    mode = pulumi.Output.from_input(args.api.stage_name).apply(lambda _: str(args.mode))
    if args.trust_store_arn is None:
        return {"mode": mode}
    return {"mode": mode, "trust_store_arn": args.trust_store_arn}


def _suffix(header: str) -> str:
    """'X-Amzn-Mtls-Clientcert-Serial-Number' is the listener attribute '…_serial_number'."""
    return header.removeprefix("X-Amzn-Mtls-Clientcert").replace("-", "_").lower()
