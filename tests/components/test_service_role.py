"""Roles: who may take them, and what they may do."""

import json

import pulumi
from pulumi_aws import sns

from components import policies
from components.service_role import ServiceRole, ServiceRoleArgs
from tests.components.checks import check_family
from tests.conftest import ACCOUNT, Deploy

LOGS = policies.write_logs("arn:aws:logs:g")


def test_what_it_makes_is_its_own(deploy: Deploy):
    args = ServiceRoleArgs(service="lambda.amazonaws.com", policy=LOGS, aws_managed_policy="p")
    check_family(deploy, lambda name, opts: ServiceRole(name, args, opts))


def test_the_role_is_for_one_service_and_holds_one_policy(deploy: Deploy):
    args = ServiceRoleArgs(service="lambda.amazonaws.com", policy=LOGS)
    deployed = deploy(lambda opts: {"arn": ServiceRole("r", args, opts).arn})
    role = deployed.one("aws:iam/role:Role").inputs
    assert json.loads(role["assumeRolePolicy"]) == policies.trust("lambda.amazonaws.com")
    policy = deployed.one("RolePolicy").inputs
    assert json.loads(policy["policy"]) == LOGS
    assert policy["role"] == "r-role"
    assert deployed.of("RolePolicyAttachment") == []
    assert deployed.outputs["arn"] == "arn:r-role"


def test_a_policy_that_is_known_late_is_taken(deploy: Deploy):
    late = pulumi.Output.from_input("arn:late").apply(policies.write_logs)
    args = ServiceRoleArgs(service="lambda.amazonaws.com", policy=late)
    deployed = deploy(lambda opts: ServiceRole("r", args, opts) and None)
    assert json.loads(deployed.one("RolePolicy").inputs["policy"]) == policies.write_logs(
        "arn:late"
    )


def test_the_role_may_be_limited_to_work_for_this_account(deploy: Deploy):
    service = "vpc-flow-logs.amazonaws.com"
    args = ServiceRoleArgs(service=service, policy=LOGS, for_this_account_only=True)
    deployed = deploy(lambda opts: ServiceRole("r", args, opts) and None)
    trusted = json.loads(deployed.one("aws:iam/role:Role").inputs["assumeRolePolicy"])
    assert trusted == policies.trust(service, ACCOUNT)
    assert trusted != policies.trust(service)


def test_a_policy_of_awss_own_is_attached_by_name(deploy: Deploy):
    args = ServiceRoleArgs(service="apigateway.amazonaws.com", aws_managed_policy="service-role/P")
    deployed = deploy(lambda opts: ServiceRole("r", args, opts) and None)
    assert deployed.one("RolePolicyAttachment").inputs == {
        "role": "r-role",
        "policyArn": "arn:aws:iam::aws:policy/service-role/P",
    }
    assert deployed.of("RolePolicy") == []


def test_whoever_takes_the_arn_waits_for_the_permissions(deploy: Deploy):
    args = ServiceRoleArgs(service="s.amazonaws.com", policy=LOGS, aws_managed_policy="p")

    def build(opts: pulumi.ResourceOptions) -> None:
        sns.Topic("user", http_success_feedback_role_arn=ServiceRole("r", args, opts).arn)

    deployed = deploy(build)
    awaited = deployed.one("Topic").depends_on
    assert {deployed.one(t).urn for t in ("RolePolicy", "RolePolicyAttachment")} <= awaited
