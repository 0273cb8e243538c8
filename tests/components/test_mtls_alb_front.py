"""The front: who gets in, what leads where, and that nothing else does."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.alb import AlbArgs, ExistingAlbArgs
from components.listener_rules import ApiTarget, PathRoute
from components.mtls_alb_front import MtlsAlbFront, MtlsAlbFrontArgs
from components.security_groups import Client
from tests.components.checks import check_family, edges, refused
from tests.conftest import Deploy, Deployed

NEW = AlbArgs(vpc_id="vpc-1", subnet_ids={"az1": "subnet-1", "az2": "subnet-2"})
THERE = ExistingAlbArgs(arn="arn:there", security_group_id="sg-alb")
REPORTS = PathRoute(
    path_patterns=("/reports", "/reports/*"),
    target_group_arn="arn:reports",
    priority=200,
    security_group_id="sg-reports",
    port=8443,
)
LEGACY = PathRoute(path_patterns=("/old/*",), target_group_arn="arn:legacy", priority=100)

REFUSED = [
    "X-Amzn-Mtls-Clientcert",
    "X-Amzn-Mtls-Clientcert-Issuer",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "X-Amzn-Mtls-Clientcert-Serial-Number",
    "X-Amzn-Mtls-Clientcert-Subject",
    "X-Amzn-Mtls-Clientcert-Validity",
    "X-Client-Cert",
    "X-Client-Cert-Issuer",
    "X-Client-Cert-Leaf",
    "X-Client-Cert-Serial-Number",
    "X-Client-Cert-Subject",
    "X-Client-Cert-Validity",
]


def args(**changes: Any) -> MtlsAlbFrontArgs:
    given: dict[str, Any] = {
        "domain": "api.example.com",
        "vpc_id": "vpc-1",
        "alb": NEW,
        "trust_store_arn": "arn:trust",
        "validation_zone_id": "Z-PUBLIC",
        "api": ApiTarget(host="abc.execute-api.eu-west-1.amazonaws.com", stage_name="live"),
        "endpoint_ips": {"az1": "10.0.0.16", "az2": "10.0.1.16"},
        "endpoint_security_group_id": "sg-endpoint",
    }
    return MtlsAlbFrontArgs(**given | changes)


FULL: dict[str, Any] = {
    "clients": {"shop": Client(), "bank": Client(security_group_id="sg-bank")},
    "path_routes": {"reports": REPORTS, "legacy": LEGACY},
    "web_acl_arn": "arn:acl",
}


def made(deploy: Deploy, **changes: Any) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        front = MtlsAlbFront("f", args(**changes), opts)
        return {key: getattr(front, key) for key in MtlsAlbFront.__annotations__}

    return deploy(build)


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    """Only what must be given."""
    return made(deploy)


@pytest.fixture(scope="module")
def full(deploy: Deploy) -> Deployed:
    """All that may be given."""
    return made(deploy, **FULL)


@pytest.mark.parametrize("changes", [FULL, FULL | {"alb": THERE}], ids=["new", "existing"])
def test_what_it_makes_is_its_own(deploy: Deploy, changes: dict[str, Any]):
    check_family(deploy, lambda name, opts: MtlsAlbFront(name, args(**changes), opts))


def test_routes_and_clients_may_have_any_name(deploy: Deploy):
    names = ("api", "endpoint", "alias", "zone", "https")
    routes = {
        name: PathRoute(
            path_patterns=("/x",),
            target_group_arn="arn:x",
            priority=priority,
            security_group_id="sg-x",
        )
        for priority, name in enumerate(names, start=100)
    }
    deployed = made(deploy, path_routes=routes, clients=dict.fromkeys(names, Client()))
    assert len(deployed.of("ListenerRule")) == len(REFUSED) + len(names) + 1


# Refusals


def test_a_domain_that_is_none_is_refused():
    with refused(
        "domain: want a lower-case host name of at most 64 characters, no trailing dot, "
        "such as 'api.example.com'; got 'api.example.com.'"
    ):
        args(domain="api.example.com.")


def test_a_route_that_does_not_fit_is_refused():
    with refused("path_routes.reports.priority: want 100 to 49999; got 1"):
        args(path_routes={"reports": replace(REPORTS, priority=1)})


# Who may connect to whom


@pytest.mark.parametrize(("alb", "group"), [(NEW, "f-alb-group-id"), (THERE, "sg-alb")])
def test_groups_let_clients_reach_the_load_balancer_and_it_the_endpoint_and_nothing_else(
    deploy: Deploy, alb: AlbArgs | ExistingAlbArgs, group: str
):
    deployed = made(deploy, **FULL | {"alb": alb})
    path = {
        ("f-client-shop-id", group, 443),
        ("sg-bank", group, 443),
        (group, "sg-endpoint", 443),
    }
    assert edges(deployed, "SecurityGroupIngressRule") == path
    # Who runs the reports opens them; the way out is given here.
    assert edges(deployed, "SecurityGroupEgressRule") == path | {(group, "sg-reports", 8443)}
    for made_here in deployed.of("aws:ec2/securityGroup:SecurityGroup"):
        assert set(made_here.inputs) & {"ingress", "egress"} == set()


def test_without_clients_nobody_reaches_the_load_balancer(plain: Deployed):
    into = edges(plain, "SecurityGroupIngressRule")
    assert into == {("f-alb-group-id", "sg-endpoint", 443)}


def test_a_client_without_a_group_gets_one(full: Deployed):
    deployed = full
    assert deployed.one("SecurityGroup", "f-client-shop").inputs["vpcId"] == "vpc-1"
    assert {r.name for r in deployed.of("aws:ec2/securityGroup:SecurityGroup")} == {
        "f-client-shop",
        "f-alb-group",
    }
    assert deployed.outputs["client_security_group_ids"] == {
        "shop": "f-client-shop-id",
        "bank": "sg-bank",
    }


# The listener


def test_the_only_listener_verifies_client_certificates_against_the_trust_store(plain: Deployed):
    listener = plain.one("aws:lb/listener:Listener").inputs
    assert listener["loadBalancerArn"] == "arn:f-alb-lb"
    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["mutualAuthentication"] == {"mode": "verify", "trustStoreArn": "arn:trust"}
    assert listener["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"


def test_the_listener_answers_404_to_what_no_rule_takes(full: Deployed):
    assert full.one("aws:lb/listener:Listener").inputs["defaultActions"] == [
        {
            "type": "fixed-response",
            "fixedResponse": {"statusCode": "404", "contentType": "text/plain"},
        }
    ]


def test_the_listener_gives_every_certificate_header_a_name_of_its_own(plain: Deployed):
    listener = plain.one("aws:lb/listener:Listener").inputs
    prefix = "routingHttpRequestXAmznMtlsClientcert"
    names = {
        key.removeprefix(prefix): value for key, value in listener.items() if key.startswith(prefix)
    }
    assert names == {
        "HeaderName": "X-Client-Cert",
        "IssuerHeaderName": "X-Client-Cert-Issuer",
        "LeafHeaderName": "X-Client-Cert-Leaf",
        "SerialNumberHeaderName": "X-Client-Cert-Serial-Number",
        "SubjectHeaderName": "X-Client-Cert-Subject",
        "ValidityHeaderName": "X-Client-Cert-Validity",
    }


def test_the_listener_does_not_say_what_it_is(plain: Deployed):
    listener = plain.one("aws:lb/listener:Listener").inputs
    assert listener["routingHttpResponseServerEnabled"] is False


def test_the_listener_waits_for_a_certificate_that_is_issued(plain: Deployed):
    deployed = plain
    listener = deployed.one("aws:lb/listener:Listener")
    assert listener.inputs["certificateArn"] == "arn:f-server-certificate"
    assert deployed.one("CertificateValidation").urn in listener.depends_on
    assert deployed.one("Certificate").inputs["domainName"] == "api.example.com"
    assert deployed.one("Record", "f-server-validation").inputs["zoneId"] == "Z-PUBLIC"


def test_another_tls_policy_can_be_asked_for(deploy: Deploy):
    policy = "ELBSecurityPolicy-TLS13-1-3-2021-06"
    listener = made(deploy, tls_policy=policy).one("aws:lb/listener:Listener").inputs
    assert listener["sslPolicy"] == policy


# The rules

FOR_DOMAIN = {"hostHeader": {"values": ["api.example.com"]}}


def rules(deployed: Deployed) -> list[Mapping[str, Any]]:
    """In the order in which the listener looks at them."""
    found = sorted((r.inputs for r in deployed.of("ListenerRule")), key=lambda r: r["priority"])
    assert {r["listenerArn"] for r in found} == {"arn:f-https"}
    assert len({r["priority"] for r in found}) == len(found)
    return found


def test_path_routes_come_by_priority_and_before_the_api(full: Deployed):
    legacy, reports, api = rules(full)[len(REFUSED) :]
    assert legacy["priority"] == 100
    assert legacy["conditions"] == [FOR_DOMAIN, {"pathPattern": {"values": ["/old/*"]}}]
    assert legacy["actions"] == [{"type": "forward", "targetGroupArn": "arn:legacy"}]
    assert reports["priority"] == 200
    assert reports["conditions"] == [
        FOR_DOMAIN,
        {"pathPattern": {"values": ["/reports", "/reports/*"]}},
    ]
    assert reports["actions"] == [{"type": "forward", "targetGroupArn": "arn:reports"}]
    assert "transforms" not in legacy
    assert "transforms" not in reports
    assert api["priority"] == 50_000


def test_the_api_takes_every_other_path_of_the_domain_and_is_picked_by_rewriting(deploy: Deploy):
    stage = pulumi.Output.from_input("v1")
    target = ApiTarget(host="abc.execute-api.eu-west-1.amazonaws.com", stage_name=stage)
    api = rules(made(deploy, api=target))[-1]
    assert api["conditions"] == [FOR_DOMAIN]
    assert api["actions"] == [{"type": "forward", "targetGroupArn": "arn:f-api"}]
    assert api["transforms"] == [
        {
            "type": "host-header-rewrite",
            "hostHeaderRewriteConfig": {
                "rewrite": {
                    "regex": "^.*$",
                    "replace": "abc.execute-api.eu-west-1.amazonaws.com",
                }
            },
        },
        {
            "type": "url-rewrite",
            "urlRewriteConfig": {"rewrite": {"regex": "^/(.*)$", "replace": "/v1/$1"}},
        },
    ]


def test_nothing_else_forwards_and_nothing_forwards_for_another_host(full: Deployed):
    deployed = full
    forwarding = [r for r in rules(deployed) if r["actions"][0]["type"] != "fixed-response"]
    assert [[a["targetGroupArn"] for a in r["actions"]] for r in forwarding] == [
        ["arn:legacy"],
        ["arn:reports"],
        ["arn:f-api"],
    ]
    assert all(FOR_DOMAIN in r["conditions"] for r in forwarding)
    assert len(rules(deployed)) == len(REFUSED) + 3
    for kind in ("aws:lb/listener:Listener", "TargetGroup"):
        assert len(deployed.of(kind)) == 1


# The targets


def test_the_targets_are_the_fixed_addresses_of_the_endpoint_over_https(plain: Deployed):
    deployed = plain
    assert deployed.one("TargetGroup").inputs == {
        "vpcId": "vpc-1",
        "targetType": "ip",
        "protocol": "HTTPS",
        "port": 443,
        "healthCheck": {"protocol": "HTTPS", "path": "/ping", "matcher": "200"},
        "deregistrationDelay": 30,
    }
    assert {r.name: r.inputs for r in deployed.of("TargetGroupAttachment")} == {
        "f-api-az1": {"targetGroupArn": "arn:f-api", "targetId": "10.0.0.16"},
        "f-api-az2": {"targetGroupArn": "arn:f-api", "targetId": "10.0.1.16"},
    }


# The name, the rest


@pytest.mark.parametrize(
    ("alb", "dns_name"),
    [(NEW, "f-alb-lb.elb.amazonaws.com"), (THERE, "there.elb.amazonaws.com")],
    ids=["new", "existing"],
)
def test_the_domain_leads_to_the_load_balancer_inside_the_vpc_only(
    deploy: Deploy, alb: AlbArgs | ExistingAlbArgs, dns_name: str
):
    deployed = made(deploy, alb=alb)
    zone = deployed.one("Zone").inputs
    assert (zone["name"], zone["vpcs"]) == ("api.example.com", [{"vpcId": "vpc-1"}])
    assert deployed.one("Record", "f-alias").inputs == {
        "zoneId": "f-zone-id",
        "name": "api.example.com",
        "type": "A",
        "aliases": [{"name": dns_name, "zoneId": "Z-ELB", "evaluateTargetHealth": True}],
    }


def test_a_web_acl_is_put_on_the_load_balancer_if_given(deploy: Deploy, plain: Deployed):
    assert plain.of("WebAclAssociation") == []
    assert made(deploy, web_acl_arn="arn:acl").one("WebAclAssociation").inputs == {
        "resourceArn": "arn:f-alb-lb",
        "webAclArn": "arn:acl",
    }


def test_an_existing_load_balancer_gets_the_listener_and_is_otherwise_left_alone(deploy: Deploy):
    deployed = made(deploy, alb=THERE)
    assert deployed.of("LoadBalancer") == deployed.of("Bucket") == []
    there = deployed.outputs["alb_arn"]
    assert there.endswith("loadbalancer/app/there/1")
    assert deployed.one("aws:lb/listener:Listener").inputs["loadBalancerArn"] == there
    assert deployed.outputs["log_bucket"] is None
    assert deployed.outputs["alb_security_group_id"] == "sg-alb"


def test_outputs_are_what_clients_and_operators_need(full: Deployed):
    assert full.outputs == {
        "url": "https://api.example.com",
        "alb_arn": "arn:f-alb-lb",
        "alb_security_group_id": "f-alb-group-id",
        "listener_arn": "arn:f-https",
        "certificate_arn": "arn:f-server-certificate",
        "client_security_group_ids": {"shop": "f-client-shop-id", "bank": "sg-bank"},
        "log_bucket": "f-alb-logs-bucket-id",
    }
