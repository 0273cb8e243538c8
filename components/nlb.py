from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, lb

from components.addresses import check_zones
from components.listener_rules import answer
from components.security_groups import edge

HEALTH_PORT = 8443

HEALTH_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
"""Takes TLS 1.2 whatever the front takes: health checks of a network load balancer fail against
TLS 1.3 alone (NLB user guide, "Health checks for Network Load Balancer target groups")."""


@dataclass(frozen=True, kw_only=True)
class NlbArgs:
    """`subnet_ids` go by zone id, best the zones of the load balancer behind.

    `listener_arn` is that load balancer's HTTPS listener on port 443, `certificate_arn` the
    certificate it shows, `alb_security_group_id` the group that is opened for this one. Its port
    8443 must be free.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    alb_arn: pulumi.Input[str]
    alb_security_group_id: pulumi.Input[str]
    listener_arn: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]
    deletion_protection: bool = True

    def __post_init__(self) -> None:
        check_zones("subnet_ids", self.subnet_ids)


class Nlb(pulumi.ComponentResource):
    """An internal Network Load Balancer that hands TCP connections to an Application Load Balancer.

    TLS goes through it unopened, so mutual TLS stays with the load balancer behind. A health check
    has no client certificate to show, so it gets a listener of its own there, which answers 200 and
    leads nowhere. Only connections that come over PrivateLink get in: no rule of its security group
    admits any, and for PrivateLink none is asked.

    There are no access logs: a TCP listener writes none (NLB user guide, "Access logs for your
    Network Load Balancer"). Whatever comes over PrivateLink has this load balancer's address, so
    nothing behind can tell customers apart by address.
    """

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: NlbArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__("mtls:index:Nlb", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        group = ec2.SecurityGroup(
            f"{name}-group",
            vpc_id=args.vpc_id,
            description="Network load balancer: to the load balancer behind it only",
            opts=mine,
        )
        edge(f"{name}-https", group.id, args.alb_security_group_id, 443, mine)
        edge(f"{name}-health", group.id, args.alb_security_group_id, HEALTH_PORT, mine)
        balancer = lb.LoadBalancer(
            f"{name}-lb",
            load_balancer_type="network",
            internal=True,
            subnets=list(args.subnet_ids.values()),
            # A network load balancer made without a security group can never get one (NLB user
            # guide, "Update the security groups for your Network Load Balancer").
            security_groups=[group.id],
            # Asked, the rules would be compared with the caller's own address, in a network that
            # may overlap with any other.
            enforce_security_group_inbound_rules_on_private_link_traffic="off",
            enable_cross_zone_load_balancing=True,
            enable_deletion_protection=args.deletion_protection,
            # A zone less makes another load balancer of it, and an endpoint service with customers
            # keeps the one it has: with protection on, that is refused before anything changes.
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )
        targets = self._targets(name, args, balancer)
        lb.Listener(
            f"{name}-tcp",
            load_balancer_arn=balancer.arn,
            protocol="TCP",
            port=443,
            default_actions=[{"type": "forward", "target_group_arn": targets.arn}],
            opts=mine,
        )
        self.arn = balancer.arn
        self.register_outputs({"arn": self.arn})

    def _targets(self, name: str, args: NlbArgs, balancer: lb.LoadBalancer) -> lb.TargetGroup:
        health = self._health_listener(name, args)
        group = lb.TargetGroup(
            f"{name}-alb",
            vpc_id=args.vpc_id,
            target_type="alb",
            protocol="TCP",
            port=443,
            health_check={
                "protocol": "HTTPS",
                "port": str(HEALTH_PORT),
                "path": "/health",
                "matcher": "200",
            },
            # It serves one load balancer at a time (ELB user guide, "Target groups"), and the one
            # that is replaced goes on serving until nothing leads to it.
            opts=pulumi.ResourceOptions(parent=self, replace_with=[balancer]),
        )
        # A load balancer is refused as a target before it listens on both ports.
        listening = pulumi.Output.all(args.alb_arn, args.listener_arn)
        lb.TargetGroupAttachment(
            f"{name}-alb",
            target_group_arn=group.arn,
            target_id=listening.apply(lambda arns: arns[0]),
            port=443,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[health]),
        )
        return group

    def _health_listener(self, name: str, args: NlbArgs) -> lb.Listener:
        return lb.Listener(
            f"{name}-health",
            load_balancer_arn=args.alb_arn,
            protocol="HTTPS",
            port=HEALTH_PORT,
            ssl_policy=HEALTH_TLS_POLICY,
            certificate_arn=args.certificate_arn,
            mutual_authentication={"mode": "off"},
            default_actions=[answer(200)],
            routing_http_response_server_enabled=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
