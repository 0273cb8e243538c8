"""The load balancer: internal, protected, and with a log of what it refuses."""

import json
from typing import Any

import pulumi
import pytest

from components import policies
from components.alb import Alb, AlbArgs, ExistingAlbArgs
from tests.components.checks import check_family, refused
from tests.conftest import ACCOUNT, Deploy, Deployed

SUBNETS = {"az1": "subnet-1", "az2": "subnet-2"}
THERE = ExistingAlbArgs(arn="arn:there", security_group_id="sg-there")


def args(**changes: Any) -> AlbArgs:
    given: dict[str, Any] = {"vpc_id": "vpc-1", "subnet_ids": SUBNETS}
    return AlbArgs(**given | changes)


def made(deploy: Deploy, given: AlbArgs | ExistingAlbArgs | None = None) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        alb = Alb("a", given or args(), opts)
        return {key: getattr(alb, key) for key in Alb.__annotations__}

    return deploy(build)


@pytest.mark.parametrize("given", [args(), THERE], ids=["new", "existing"])
def test_what_it_makes_is_its_own(deploy: Deploy, given: AlbArgs | ExistingAlbArgs):
    check_family(deploy, lambda name, opts: Alb(name, given, opts))


def test_a_load_balancer_in_one_zone_is_refused():
    with refused(
        "subnet_ids: want at least two Availability Zones, such as 'euw1-az1' and 'euw1-az2'; "
        "got az1"
    ):
        args(subnet_ids={"az1": "subnet-1"})


@pytest.mark.parametrize("seconds", [0, 59, 604_801])
def test_a_keep_alive_that_elb_does_not_take_is_refused(seconds: int):
    with refused(f"client_keep_alive_seconds: want 60 to 604800, such as 300; got {seconds}"):
        args(client_keep_alive_seconds=seconds)


@pytest.mark.parametrize("seconds", [60, 604_800])
def test_the_shortest_and_the_longest_keep_alive_are_taken(seconds: int):
    assert args(client_keep_alive_seconds=seconds).client_keep_alive_seconds == seconds


def test_the_load_balancer_is_internal_strict_about_headers_and_protected(deploy: Deploy):
    logs = {"bucket": "a-logs-bucket-id", "enabled": True}
    assert made(deploy).one("LoadBalancer").inputs == {
        "loadBalancerType": "application",
        "internal": True,
        "subnets": ["subnet-1", "subnet-2"],
        "securityGroups": ["a-group-id"],
        "accessLogs": logs,
        "connectionLogs": logs,
        "healthCheckLogs": logs,
        "dropInvalidHeaderFields": True,
        "desyncMitigationMode": "defensive",
        "clientKeepAlive": 300,
        "enableDeletionProtection": True,
    }


def test_protection_can_be_taken_off(deploy: Deploy):
    deployed = made(deploy, args(deletion_protection=False, client_keep_alive_seconds=60))
    assert deployed.one("LoadBalancer").inputs["enableDeletionProtection"] is False
    assert deployed.one("LoadBalancer").inputs["clientKeepAlive"] == 60
    assert deployed.one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is True
    protected = made(deploy).one("aws:s3/bucket:Bucket")
    assert protected.inputs["forceDestroy"] is False


def test_logs_can_be_delivered_before_the_load_balancer_asks_for_it(deploy: Deploy):
    deployed = made(deploy)
    policy = deployed.one("BucketPolicy")
    assert json.loads(policy.inputs["policy"]) == policies.private_bucket(
        "arn:a-logs-bucket", ACCOUNT
    )
    assert policy.urn in deployed.one("LoadBalancer").depends_on


def test_logs_go_after_the_time_given(deploy: Deploy):
    deployed = made(deploy, args(log_retention_days=7))
    [rule] = deployed.one("BucketLifecycleConfiguration").inputs["rules"]
    assert rule["expiration"] == {"days": 7}


def test_nothing_goes_in_or_out_until_rules_are_added(deploy: Deploy):
    deployed = made(deploy)
    group = deployed.one("SecurityGroup").inputs
    assert group["vpcId"] == "vpc-1"
    assert set(group) & {"ingress", "egress"} == set()
    assert [r.name for r in deployed.resources if "Rule" in r.type or "istener" in r.type] == []


def test_outputs_are_those_of_the_new_load_balancer(deploy: Deploy):
    assert made(deploy).outputs == {
        "arn": "arn:a-lb",
        "dns_name": "a-lb.elb.amazonaws.com",
        "zone_id": "Z-ELB",
        "security_group_id": "a-group-id",
        "log_bucket": "a-logs-bucket-id",
    }


def test_an_existing_load_balancer_is_used_as_it_is(deploy: Deploy):
    deployed = made(deploy, THERE)
    assert {r.type for r in deployed.resources} == {"test:index:Outer", "mtls:index:Alb"}
    assert deployed.outputs == {
        "arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/there/1",
        "dns_name": "there.elb.amazonaws.com",
        "zone_id": "Z-ELB",
        "security_group_id": "sg-there",
        "log_bucket": None,
    }
