from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_aws import ec2, lb, route53, vpc, wafv2

from components.alb import Alb, AlbArgs, ExistingAlbArgs
from components.domains import check_domain
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

With the names changed, a header under one of AWS's can only come from a client, and is refused.
"""

API_PRIORITY = 50_000
"""The highest a rule may have: path routes come before the API, which takes all the rest."""

MAX_PATTERNS = 4
"""Of a path route: one of the five values that a rule may compare with is the host name."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who may connect: an existing `security_group_id`, or None for a new one to put clients in."""

    security_group_id: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class PathRoute:
    """Layer 7 routing to a target group other than the API's, by path.

    `priority` (100 to 49999) is yours to choose and unique. The load balancer may connect to
    `security_group_id` on `port`; leave it out for targets without one, such as Lambda functions.
    """

    path_patterns: tuple[str, ...]
    target_group_arn: pulumi.Input[str]
    priority: int
    security_group_id: pulumi.Input[str] | None = None
    port: int = 443


@dataclass(frozen=True, kw_only=True)
class MtlsAlbFrontArgs:
    """`clients` and `path_routes` go by names of yours, `endpoint_ips` by zone id.

    `api_host` and `stage_name` say which stage of which API stands behind; the endpoint is reached
    at `endpoint_ips` and opened by its security group. `validation_zone_id` is the public hosted
    zone that proves `domain` to ACM. `alb` is the load balancer to make, or one to put the listener
    on.
    """

    domain: str
    vpc_id: pulumi.Input[str]
    alb: AlbArgs | ExistingAlbArgs
    trust_store_arn: pulumi.Input[str]
    validation_zone_id: pulumi.Input[str]
    api_host: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    endpoint_ips: Mapping[str, str]
    endpoint_security_group_id: pulumi.Input[str]
    clients: Mapping[str, Client] = field(default_factory=dict[str, Client])
    path_routes: Mapping[str, PathRoute] = field(default_factory=dict[str, PathRoute])
    web_acl_arn: pulumi.Input[str] | None = None
    tls_policy: str = TLS_POLICY

    def __post_init__(self) -> None:
        check_domain("domain", self.domain)
        taken: dict[int, str] = {}
        for key, route in self.path_routes.items():
            if not 100 <= route.priority < API_PRIORITY:
                raise ValueError(
                    f"path_routes.{key}.priority: want 100 to {API_PRIORITY - 1}; "
                    f"got {route.priority}"
                )
            if other := taken.get(route.priority):
                raise ValueError(
                    f"path_routes.{key}.priority: want one of its own; "
                    f"got {route.priority}, which {other} has"
                )
            taken[route.priority] = key
            _check_patterns(f"path_routes.{key}.path_patterns", route.path_patterns)


class MtlsAlbFront(pulumi.ComponentResource):
    """Mutual TLS in front of a private API: only holders of a trusted certificate get an answer.

    The load balancer checks the client's certificate against the trust store while the connection
    is set up, so whoever has none never sends a request. One rule leads to the API, for one host
    name; everything else ends in a fixed 404. The API is picked by rewriting host and path on the
    way in, so it needs no domain name of its own. There is no plain HTTP listener.
    """

    url: pulumi.Output[str]
    alb_arn: pulumi.Output[str]
    alb_security_group_id: pulumi.Output[str]
    listener_arn: pulumi.Output[str]
    client_security_group_ids: dict[str, pulumi.Output[str]]
    """By client: put what calls the API into this group."""
    log_bucket: pulumi.Output[str] | None
    """Where access, connection and health check logs go; None for an existing load balancer."""

    def __init__(
        self, name: str, args: MtlsAlbFrontArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:MtlsAlbFront", name, None, opts)
        alb = Alb(f"{name}-alb", args.alb, pulumi.ResourceOptions(parent=self))
        self._connect(name, args, alb)
        self.client_security_group_ids = self._admit_clients(name, args, alb)
        targets = self._targets(name, args)
        listener = self._listener(name, args, alb)
        self._refuse_forged_headers(name, listener)
        self._route(name, args, listener, targets)
        self._give_name(name, args, alb)
        if args.web_acl_arn is not None:
            wafv2.WebAclAssociation(
                f"{name}-web-acl",
                resource_arn=alb.arn,
                web_acl_arn=args.web_acl_arn,
                opts=pulumi.ResourceOptions(parent=self),
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
                "client_security_group_ids": self.client_security_group_ids,
                "log_bucket": self.log_bucket,
            }
        )

    def _connect(self, name: str, args: MtlsAlbFrontArgs, alb: Alb) -> None:
        """The load balancer, and nothing else, may connect to the endpoint."""
        self._edge(f"{name}-endpoint", alb.security_group_id, args.endpoint_security_group_id, 443)
        for key, route in args.path_routes.items():
            if route.security_group_id is not None:
                # Whoever runs those targets opens them; here the way out is enough.
                self._egress(
                    f"{name}-to-{key}", alb.security_group_id, route.security_group_id, route.port
                )

    def _admit_clients(
        self, name: str, args: MtlsAlbFrontArgs, alb: Alb
    ) -> dict[str, pulumi.Output[str]]:
        groups: dict[str, pulumi.Output[str]] = {}
        for key, client in args.clients.items():
            if client.security_group_id is not None:
                groups[key] = pulumi.Output.from_input(client.security_group_id)
            else:
                groups[key] = ec2.SecurityGroup(
                    f"{name}-client-{key}",
                    vpc_id=args.vpc_id,
                    description=f"Client {key}: may connect to the load balancer",
                    opts=pulumi.ResourceOptions(parent=self),
                ).id
            self._edge(f"{name}-from-{key}", groups[key], alb.security_group_id, 443)
        return groups

    def _edge(
        self, name: str, source: pulumi.Input[str], target: pulumi.Input[str], port: int
    ) -> None:
        """Lets `source` connect to `target`: out of the one group, and into the other."""
        self._egress(name, source, target, port)
        vpc.SecurityGroupIngressRule(
            f"{name}-in",
            security_group_id=target,
            referenced_security_group_id=source,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _egress(
        self, name: str, source: pulumi.Input[str], target: pulumi.Input[str], port: int
    ) -> None:
        vpc.SecurityGroupEgressRule(
            f"{name}-out",
            security_group_id=source,
            referenced_security_group_id=target,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            opts=pulumi.ResourceOptions(parent=self),
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
        certificate = ServerCertificate(
            f"{name}-server",
            ServerCertificateArgs(domain=args.domain, validation_zone_id=args.validation_zone_id),
            pulumi.ResourceOptions(parent=self),
        )
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
            certificate_arn=certificate.arn,
            mutual_authentication={"mode": "verify", "trust_store_arn": args.trust_store_arn},
            default_actions=[_answer(404)],
            routing_http_response_server_enabled=False,
            opts=pulumi.ResourceOptions(parent=self),
            **renamed,
        )

    def _refuse_forged_headers(self, name: str, listener: lb.Listener) -> None:
        for priority, header in enumerate(CLIENT_CERTIFICATE_HEADERS, start=1):
            lb.ListenerRule(
                f"{name}-refuse-{header.lower()}",
                listener_arn=listener.arn,
                priority=priority,
                conditions=[{"http_header": {"http_header_name": header, "values": ["*"]}}],
                actions=[_answer(403)],
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _route(
        self, name: str, args: MtlsAlbFrontArgs, listener: lb.Listener, targets: lb.TargetGroup
    ) -> None:
        mine = pulumi.ResourceOptions(parent=self)
        for_domain: lb.ListenerRuleConditionArgsDict = {"host_header": {"values": [args.domain]}}
        for key, route in args.path_routes.items():
            lb.ListenerRule(
                f"{name}-route-{key}",
                listener_arn=listener.arn,
                priority=route.priority,
                conditions=[for_domain, {"path_pattern": {"values": list(route.path_patterns)}}],
                actions=[{"type": "forward", "target_group_arn": route.target_group_arn}],
                opts=mine,
            )
        stage_path = pulumi.Output.concat("/", args.stage_name, "/$1")
        lb.ListenerRule(
            f"{name}-api",
            listener_arn=listener.arn,
            priority=API_PRIORITY,
            conditions=[for_domain],
            actions=[{"type": "forward", "target_group_arn": targets.arn}],
            transforms=[
                {
                    "type": "host-header-rewrite",
                    "host_header_rewrite_config": {
                        "rewrite": {"regex": "^.*$", "replace": args.api_host}
                    },
                },
                {
                    "type": "url-rewrite",
                    "url_rewrite_config": {"rewrite": {"regex": "^/(.*)$", "replace": stage_path}},
                },
            ],
            opts=mine,
        )

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


def _answer(status: int) -> lb.ListenerRuleActionArgsDict:
    return {
        "type": "fixed-response",
        "fixed_response": {"status_code": str(status), "content_type": "text/plain"},
    }


def _suffix(header: str) -> str:
    """'X-Amzn-Mtls-Clientcert-Serial-Number' is the listener attribute '…_serial_number'."""
    return header.removeprefix("X-Amzn-Mtls-Clientcert").replace("-", "_").lower()


def _check_patterns(field: str, patterns: tuple[str, ...]) -> None:
    """Refuse path patterns that a listener rule does not take beside its host name.

    ELB user guide, "Quotas for your Application Load Balancers": five values in the conditions of a
    rule. Raises ValueError naming `field`.
    """
    if not 1 <= len(patterns) <= MAX_PATTERNS:
        raise ValueError(
            f"{field}: want 1 to {MAX_PATTERNS}, such as '/reports/*'; "
            f"got {len(patterns) or 'none'}"
        )
    for pattern in patterns:
        if not pattern.startswith(("/", "*")):
            raise ValueError(f"{field}: want a path such as '/reports/*'; got {pattern!r}")
