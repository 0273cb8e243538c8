"""Health checks that the wire makes in front of the stack, and what traffic makes of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lab.certificates import Issued
from tests.lab.wire.link import Link, tcp

HEALTHY = {"State": "healthy"}


def failed(reason: str, description: str) -> dict[str, str]:
    return {"State": "unhealthy", "Reason": reason, "Description": description}


REFUSED = failed("Target.FailedHealthChecks", "Health checks failed")
SILENT = failed("Target.Timeout", "Request timed out")


@contextmanager
def group(link: Link, name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[None]:
    """A target group changed meanwhile."""
    modify = link.client("elbv2").modify_target_group
    modify(TargetGroupArn=link.ids[name], **after)
    yield
    modify(TargetGroupArn=link.ids[name], **before)
    assert link.health(link.ids[name], "healthy") == HEALTHY


def reaches_the_api(link: Link, trusted: Issued) -> None:
    """By PrivateLink through both load balancers."""
    consumer = link.consumers["acme"]
    assert link.event(consumer.call(trusted))["path"] == "/widgets"


def test_both_load_balancers_find_their_targets_healthy(link: Link) -> None:
    for name in ("group", "nlb_target_group"):
        assert link.health(link.ids[name], "healthy") == HEALTHY


def test_a_network_load_balancer_asks_as_itself_in_tls_1_2(link: Link) -> None:
    link.health(link.ids["nlb_target_group"], "healthy")
    asked = {
        (line[12], line[13], line[15])
        for line in wait_for_lines(link)
        if "ELB-HealthChecker" in line[13]
    }
    nodes = [f"GET https://{one.ip}:8443/health HTTP/1.1" for one in link.nodes()]
    assert asked == {(url, "ELB-HealthChecker/2.0", "TLSv1.2") for url in nodes}


def wait_for_lines(link: Link) -> list[list[str]]:
    """The access log once both nodes' checks are in it."""
    lines: list[list[str]] = []
    for _ in range(50):
        lines = link.stack.lines("access_logs")
        if len({line[12] for line in lines if "ELB-HealthChecker" in line[13]}) == 2:
            break
        time.sleep(0.1)
    return lines


def test_a_listener_that_wants_a_certificate_fails_the_check_and_is_used_all_the_same(
    link: Link, trusted: Issued
) -> None:
    with group(link, "nlb_target_group", {"HealthCheckPort": "8443"}, {"HealthCheckPort": "443"}):
        assert link.health(link.ids["nlb_target_group"], "unhealthy") == REFUSED
        reaches_the_api(link, trusted)


def test_another_answer_than_the_matcher_wants_is_a_mismatch(link: Link, trusted: Issued) -> None:
    with group(
        link,
        "nlb_target_group",
        {"Matcher": {"HttpCode": "200"}},
        {"Matcher": {"HttpCode": "201-204,301"}},
    ):
        found = link.health(link.ids["nlb_target_group"], "unhealthy")
        text = "Health checks failed with these codes: [200]"
        assert found == failed("Target.ResponseCodeMismatch", text)
        reaches_the_api(link, trusted)


def test_a_listener_for_tls_1_3_only_fails_the_check(link: Link) -> None:
    elbv2, listener = link.client("elbv2"), link.ids["health_listener"]
    policies = {
        "unhealthy": ("ELBSecurityPolicy-TLS13-1-3-2021-06", REFUSED),
        "healthy": ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", HEALTHY),
    }
    for state, (policy, expected) in policies.items():
        elbv2.modify_listener(ListenerArn=listener, SslPolicy=policy)
        assert link.health(link.ids["nlb_target_group"], state) == expected


@pytest.mark.parametrize(
    ("direction", "of", "other"),
    [("ingress", "alb_group", "nlb_group"), ("egress", "nlb_group", "alb_group")],
)
def test_checks_obey_security_groups(
    link: Link, trusted: Issued, direction: str, of: str, other: str
) -> None:
    ec2 = link.client("ec2")
    rule = {
        "GroupId": link.ids[of],
        "IpPermissions": [tcp(8443, UserIdGroupPairs=[{"GroupId": link.ids[other]}])],
    }
    getattr(ec2, f"revoke_security_group_{direction}")(**rule)
    assert link.health(link.ids["nlb_target_group"], "unhealthy") == SILENT
    reaches_the_api(link, trusted)
    getattr(ec2, f"authorize_security_group_{direction}")(**rule)
    assert link.health(link.ids["nlb_target_group"], "healthy") == HEALTHY


def test_with_all_targets_unhealthy_an_application_load_balancer_uses_all(
    link: Link, trusted: Issued
) -> None:
    with group(link, "group", {"Matcher": {"HttpCode": "200"}}, {"Matcher": {"HttpCode": "299"}}):
        found = link.health(link.ids["group"], "unhealthy")
        assert found["Reason"] == "Target.ResponseCodeMismatch"
        reaches_the_api(link, trusted)


def test_an_unhealthy_target_among_healthy_ones_gets_no_request(
    link: Link, trusted: Issued
) -> None:
    elbv2 = link.client("elbv2")
    nobody = {"TargetGroupArn": link.ids["group"], "Targets": [{"Id": "10.0.0.200", "Port": 443}]}
    answer = elbv2.register_targets(**nobody)
    for _ in range(150):
        answer = elbv2.describe_target_health(**nobody)
        if answer["TargetHealthDescriptions"][0]["TargetHealth"] == SILENT:
            break
        time.sleep(0.1)
    else:
        raise AssertionError(f"not unhealthy in 15 s: {answer}")
    for _ in range(4):
        reaches_the_api(link, trusted)
    elbv2.deregister_targets(**nobody)
