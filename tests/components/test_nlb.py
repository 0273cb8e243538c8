"""The network load balancer: TCP to the load balancer behind, and a health check that can pass."""

from typing import Any

import pulumi
import pytest

from components.nlb import Nlb, NlbArgs
from tests.components.checks import check_family, edges, refused
from tests.conftest import Deploy, Deployed


def args(**changes: Any) -> NlbArgs:
    given: dict[str, Any] = {
        "vpc_id": "vpc-1",
        "subnet_ids": {"az1": "subnet-1", "az2": "subnet-2"},
        "alb_arn": "arn:alb",
        "alb_security_group_id": "sg-alb",
        "listener_arn": "arn:listener",
        "certificate_arn": "arn:certificate",
    }
    return NlbArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    return deploy(lambda opts: {"arn": Nlb("n", args(**changes), opts).arn})


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    return made(deploy)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: Nlb(name, args(), opts))


def test_one_zone_is_refused():
    with refused(
        "subnet_ids: want at least two Availability Zones, such as 'euw1-az1' and 'euw1-az2'; "
        "got az1"
    ):
        args(subnet_ids={"az1": "subnet-1"})


def test_it_is_internal_with_a_group_of_its_own_from_the_start(plain: Deployed):
    assert plain.one("LoadBalancer").inputs == {
        "loadBalancerType": "network",
        "internal": True,
        "subnets": ["subnet-1", "subnet-2"],
        "securityGroups": ["n-group-id"],
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
        "enableCrossZoneLoadBalancing": True,
        "enableDeletionProtection": True,
    }
    assert plain.outputs == {"arn": "arn:n-lb"}


def test_deletion_protection_can_be_left_off(deploy: Deploy):
    balancer = made(deploy, deletion_protection=False).one("LoadBalancer")
    assert balancer.inputs["enableDeletionProtection"] is False


def test_it_reaches_the_load_balancer_behind_on_two_ports_and_nobody_reaches_it(plain: Deployed):
    path = {("n-group-id", "sg-alb", 443), ("n-group-id", "sg-alb", 8443)}
    assert edges(plain, "SecurityGroupEgressRule") == path
    assert edges(plain, "SecurityGroupIngressRule") == path
    assert set(plain.one("SecurityGroup").inputs) & {"ingress", "egress"} == set()


def test_tcp_passes_through_unopened(plain: Deployed):
    assert plain.one("aws:lb/listener:Listener", "n-tcp").inputs == {
        "loadBalancerArn": "arn:n-lb",
        "protocol": "TCP",
        "port": 443,
        "defaultActions": [{"type": "forward", "targetGroupArn": "arn:n-alb"}],
    }


def test_the_target_is_checked_where_no_client_certificate_is_asked(plain: Deployed):
    assert plain.one("TargetGroup").inputs == {
        "vpcId": "vpc-1",
        "targetType": "alb",
        "protocol": "TCP",
        "port": 443,
        "healthCheck": {
            "protocol": "HTTPS",
            "port": "8443",
            "path": "/health",
            "matcher": "200",
        },
    }


def test_the_health_listener_answers_and_leads_nowhere(plain: Deployed):
    assert plain.one("aws:lb/listener:Listener", "n-health").inputs == {
        "loadBalancerArn": "arn:alb",
        "protocol": "HTTPS",
        "port": 8443,
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "certificateArn": "arn:certificate",
        "mutualAuthentication": {"mode": "off"},
        "defaultActions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"statusCode": "200", "contentType": "text/plain"},
            }
        ],
        "routingHttpResponseServerEnabled": False,
    }
    assert plain.of("ListenerRule") == []


def test_the_target_is_registered_when_it_listens_on_both_ports(deploy: Deploy):
    def build(opts: pulumi.ResourceOptions) -> None:
        # Somebody else's listener, of which only the ARN is handed over.
        arn = Nlb("other", args(), opts).arn
        Nlb("n", args(listener_arn=arn), opts)

    deployed = deploy(build)
    attached = deployed.one("TargetGroupAttachment", "n-alb")
    assert attached.inputs == {
        "targetGroupArn": "arn:n-alb",
        "targetId": "arn:alb",
        "port": 443,
    }
    assert deployed.one("aws:lb/listener:Listener", "n-health").urn in attached.depends_on
    assert deployed.one("LoadBalancer", "other-lb").urn in attached.depends_on
