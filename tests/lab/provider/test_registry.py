"""What the registry refuses, how it names, and what it calls a replacement."""

from dataclasses import replace

import pulumi
import pytest
from botocore.exceptions import ClientError

from lab.provider.aws import Aws
from lab.provider.registry import OperationError, PartlyCreatedError, Registry
from lab.provider.resource_type import Naming
from lab.provider.schema import RefusalError

from .conftest import World

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def test_an_unknown_type_is_refused_with_the_nearest_known_one(registry: Registry) -> None:
    with pytest.raises(
        RefusalError, match=r"unknown resource type 'aws:ec2/vcp:Vcp'.*'aws:ec2/vpc:Vpc'"
    ):
        registry.type("aws:ec2/vcp:Vcp")


def test_an_unknown_property_is_refused_with_the_nearest_known_one(
    registry: Registry, aws: Aws
) -> None:
    with pytest.raises(
        RefusalError, match=r"^aws:ec2/subnet:Subnet: unknown property 'cidrBlok'.*'cidrBlock'$"
    ):
        registry.check(SUBNET, "n", {"vpcId": "vpc-1", "cidrBlok": "10.0.0.0/24"}, {}, aws)


def test_an_unknown_property_of_a_nested_block_is_refused(registry: Registry, aws: Aws) -> None:
    logs = {"bucket": "b", "enable": True}
    inputs = {"subnets": ["subnet-1"], "accessLogs": logs}
    with pytest.raises(RefusalError, match=r"unknown property 'accessLogs\.enable'.*'enabled'"):
        registry.check(BALANCER, "n", inputs, {}, aws)


def test_an_output_cannot_be_set(registry: Registry, aws: Aws) -> None:
    with pytest.raises(RefusalError, match="unknown property 'arn'"):
        registry.check(VPC, "n", {"cidrBlock": "10.0.0.0/16", "arn": "arn:x"}, {}, aws)


def test_a_missing_required_property_is_refused(registry: Registry, aws: Aws) -> None:
    with pytest.raises(RefusalError, match="missing required property 'cidrBlock'"):
        registry.check(VPC, "n", {}, {}, aws)


def test_a_value_of_the_wrong_kind_is_refused(registry: Registry, aws: Aws) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": "perhaps"}
    with pytest.raises(RefusalError, match="'enableDnsSupport' must be true or false"):
        registry.check(VPC, "n", inputs, {}, aws)


def test_a_secret_of_the_wrong_kind_is_not_shown(registry: Registry, aws: Aws) -> None:
    inputs = {
        "privateKeyPem": {"oops": "hunter2"},
        "allowedUses": [],
        "validityPeriodHours": 1,
    }
    with pytest.raises(RefusalError) as refusal:
        registry.check("tls:index/selfSignedCert:SelfSignedCert", "n", inputs, {}, aws)
    assert "hunter2" not in str(refusal.value)


def test_a_key_that_is_no_key_is_not_shown(registry: Registry, aws: Aws) -> None:
    type_ = "tls:index/selfSignedCert:SelfSignedCert"
    inputs = {"privateKeyPem": "hunter2", "allowedUses": [], "validityPeriodHours": 1}
    checked = registry.check(type_, "n", inputs, {}, aws)
    with pytest.raises(RefusalError) as refusal:
        registry.create(type_, aws, checked)
    assert "hunter2" not in str(refusal.value)


def test_whole_numbers_come_out_of_pulumis_doubles_and_strings(
    registry: Registry, aws: Aws
) -> None:
    inputs = {"subnets": ["subnet-1"], "idleTimeout": 30.0, "clientKeepAlive": "600"}
    checked = registry.check(BALANCER, "n", inputs, {}, aws)
    assert (checked["idleTimeout"], checked["clientKeepAlive"]) == (30, 600)
    assert isinstance(checked["idleTimeout"], int)


def test_a_name_is_the_resources_with_seven_hex_digits_and_is_kept(
    registry: Registry, aws: Aws
) -> None:
    first = registry.check(BALANCER, "front", {"subnets": ["subnet-1"]}, {}, aws)
    again = registry.check(BALANCER, "front", {"subnets": ["subnet-2"]}, first, aws)
    other = registry.check(BALANCER, "front", {"subnets": ["subnet-1"]}, {}, aws)
    assert first["name"].startswith("front-")
    assert len(first["name"]) == len("front-") + 7
    assert again["name"] == first["name"]
    assert other["name"] != first["name"]


def test_a_name_that_was_chosen_is_not_kept_once_it_is_left_out(
    registry: Registry, aws: Aws
) -> None:
    old = {"subnets": ["subnet-1"], "name": "front-0123abc"}
    checked = registry.check(BALANCER, "front", {"subnets": ["subnet-1"]}, old, aws)
    assert checked["name"] != "front-0123abc"


def test_a_name_that_would_be_too_long_is_refused_as_pulumi_aws_does(
    registry: Registry, aws: Aws
) -> None:
    with pytest.raises(RefusalError, match="plus 7 random chars is longer than maximum length 32"):
        registry.check(BALANCER, "a" * 25, {"subnets": ["subnet-1"]}, {}, aws)


def test_a_name_follows_from_the_engines_seed(registry: Registry, aws: Aws) -> None:
    def name(seed: bytes) -> str:
        inputs = {"subnets": ["subnet-1"]}
        return registry.check(BALANCER, "front", inputs, {}, aws, Naming(seed=seed))["name"]

    assert name(b"one") == name(b"one") != name(b"two")


def test_a_name_is_as_the_stacks_autonaming_asks(registry: Registry, aws: Aws) -> None:
    bucket, proposed = "aws:s3/bucket:Bucket", Naming(proposed="Dev-logs")
    first = registry.check(bucket, "logs", {}, {}, aws, proposed)
    assert first["bucket"] == "dev-logs"
    again = registry.check(bucket, "logs", {}, first, aws, Naming(proposed="other"))
    assert again["bucket"] == "dev-logs"
    with pytest.raises(RefusalError, match="exceeds maximum length of 63"):
        registry.check(bucket, "logs", {}, {}, aws, Naming(proposed="x" * 64))
    with pytest.raises(RefusalError, match="automatic naming is disabled but no explicit name"):
        registry.check(bucket, "logs", {}, {}, aws, Naming(disabled=True))
    assert registry.check(bucket, "logs", {"bucket": "b"}, {}, aws, Naming(disabled=True))


def test_a_bucket_is_named_in_lower_case(registry: Registry, aws: Aws) -> None:
    assert registry.check("aws:s3/bucket:Bucket", "Logs", {}, {}, aws)["bucket"].startswith("logs-")


def test_default_tags_are_put_on_but_are_not_the_resources_own(
    registry: Registry, aws: Aws
) -> None:
    tagged = Aws(replace(aws.settings, default_tags={"stack": "dev", "team": "all"}))
    inputs = {"cidrBlock": "10.7.0.0/16", "tags": {"team": "a"}}
    checked = registry.check(VPC, "n", inputs, {}, tagged)
    _, outputs = registry.create(VPC, tagged, checked)
    assert outputs["tagsAll"] == {"stack": "dev", "team": "a"}
    assert outputs["tags"] == {"team": "a"}


def test_what_no_call_can_change_is_a_replacement(registry: Registry) -> None:
    old = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True}
    diff = registry.diff(VPC, old, {**old, "cidrBlock": "10.1.0.0/16", "enableDnsSupport": False})
    assert diff.changed == {"cidrBlock", "enableDnsSupport"}
    assert diff.replaces == {"cidrBlock"}


def test_the_kind_of_a_rules_source_cannot_change_in_place(registry: Registry) -> None:
    old = {"securityGroupId": "sg-1", "ipProtocol": "tcp", "cidrIpv4": "10.0.0.0/16"}
    wider = registry.diff(RULE, old, {**old, "cidrIpv4": "10.0.0.0/8"})
    other = {**old, "referencedSecurityGroupId": "sg-2"}
    del other["cidrIpv4"]
    assert not wider.replaces
    assert registry.diff(RULE, old, other).replaces


def test_order_and_layout_that_mean_nothing_are_no_change(registry: Registry) -> None:
    old = {"subnets": ["a", "b"], "name": "n"}
    assert not registry.diff(BALANCER, old, {**old, "subnets": ["b", "a"]})
    policy = "aws:s3/bucketPolicy:BucketPolicy"
    texts = ('{"Statement": [{"Action": ["s3:*"]}]}', '{"Statement":{"Action":"s3:*"}}')
    listed, alone = ({"bucket": "b", "policy": text} for text in texts)
    assert not registry.diff(policy, listed, alone)


def test_a_stage_of_another_api_stands_beside_the_old_one_before_that_goes(
    registry: Registry,
) -> None:
    stage = "aws:apigateway/stage:Stage"
    old = {"restApi": "a", "stageName": "live", "deployment": "d"}
    moved = registry.diff(stage, old, {**old, "restApi": "b"})
    assert moved.replaces == {"restApi"}
    assert not moved.delete_before_replace


def test_a_replacement_under_a_name_that_was_chosen_deletes_first(registry: Registry) -> None:
    chosen = {"name": "n", "vpcId": "vpc-1"}
    assert registry.diff(GROUP, chosen, {**chosen, "vpcId": "vpc-2"}).delete_before_replace
    given = {"name": "front-0123abc", "vpcId": "vpc-1", "__defaults": ["name"]}
    moved = {**given, "vpcId": "vpc-2"}
    assert not registry.diff(GROUP, given, moved).delete_before_replace
    renamed = {"name": "m", "vpcId": "vpc-2"}
    assert not registry.diff(GROUP, chosen, renamed).delete_before_replace


def test_code_is_compared_by_its_content(registry: Registry) -> None:
    type_ = "aws:lambda/function:Function"

    def code(text: str) -> dict[str, object]:
        return {"code": pulumi.AssetArchive({"a.py": pulumi.StringAsset(text)})}

    assert not registry.diff(type_, code("1"), code("1"))
    assert registry.diff(type_, code("1"), code("2")).changed == {"code"}


def test_drift_is_what_differs_from_what_was_asked_for(registry: Registry) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True}
    outputs = {**inputs, "enableDnsHostnames": False, "enableNetworkAddressUsageMetrics": False}
    refreshed = registry.refreshed_inputs(VPC, inputs, outputs)
    assert refreshed == {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": False}
    assert registry.diff(VPC, refreshed, inputs).changed == {"enableDnsHostnames"}


def test_awss_refusal_is_shown_in_its_words(registry: Registry, aws: Aws) -> None:
    inputs = {"vpcId": "vpc-00000000", "cidrBlock": "10.0.0.0/24"}
    checked = registry.check(SUBNET, "n", inputs, {}, aws)
    with pytest.raises(
        OperationError,
        match=r"^creating EC2 Subnet: operation error EC2: CreateSubnet, https response error "
        r"StatusCode: 400, RequestID: .*, api error InvalidVpcID\.NotFound: ",
    ):
        registry.create(SUBNET, aws, checked)


def test_what_exists_after_a_half_creation_is_told_and_can_be_finished(
    registry: Registry, aws: Aws, world: World
) -> None:
    type_ = "aws:lambda/function:Function"
    role = world.make(
        "aws:iam/role:Role",
        assumeRolePolicy='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": '
        '"sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]}',
    )
    inputs = {
        "code": pulumi.AssetArchive({"a.py": pulumi.StringAsset("")}),
        "role": role["arn"],
        "runtime": "python3.13",
        "handler": "a.b",
        "reservedConcurrentExecutions": 5000,
    }
    checked = registry.check(type_, "half", inputs, {}, aws)
    with pytest.raises(PartlyCreatedError, match="PutFunctionConcurrency") as stopped:
        registry.create(type_, aws, checked)
    assert stopped.value.id == checked["name"]
    checked["reservedConcurrentExecutions"] = 5
    outputs = registry.resume(type_, aws, stopped.value.id, checked)
    assert outputs["reservedConcurrentExecutions"] == 5


def test_deleting_what_is_gone_is_no_error(registry: Registry, aws: Aws, world: World) -> None:
    made = world.make(VPC, cidrBlock="10.6.0.0/16")
    registry.delete(VPC, aws, made["id"], made)
    registry.delete(VPC, aws, made["id"], made)


def test_a_deletion_is_waited_for_until_aws_knows_the_resource_no_more(
    registry: Registry, aws: Aws
) -> None:
    answers = [None, None, ClientError({"Error": {"Code": "InvalidVpcID.NotFound"}}, "Describe")]

    def look() -> None:
        if answer := answers.pop(0):
            raise answer

    registry.type(VPC).wait_until_gone(aws, "VPC", look)
    assert answers == []
    answers = [ClientError({"Error": {"Code": "UnauthorizedOperation"}}, "Describe")]
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        registry.type(VPC).wait_until_gone(aws, "VPC", look)


def test_a_resource_is_found_by_its_id_alone(registry: Registry, aws: Aws, world: World) -> None:
    made = world.make(VPC, cidrBlock="10.5.0.0/16")
    found = registry.read(VPC, aws, made["id"], {})
    assert found is not None
    assert found["cidrBlock"] == "10.5.0.0/16"


def test_an_id_with_parts_says_where_to_look(registry: Registry, aws: Aws, world: World) -> None:
    bucket = world.make("aws:s3/bucket:Bucket")["id"]
    type_ = "aws:s3/bucketObjectv2:BucketObjectv2"
    world.make(type_, bucket=bucket, key="a/b", content="x")
    found = registry.read(type_, aws, f"{bucket}/a/b", {})
    assert found is not None
    assert (found["bucket"], found["key"]) == (bucket, "a/b")
    with pytest.raises(RefusalError, match="expected BUCKET/KEY"):
        registry.read(type_, aws, "nothing", {})


def test_a_resource_may_lie_in_another_region(registry: Registry, aws: Aws) -> None:
    inputs = {"cidrBlock": "10.0.0.0/16", "region": "eu-central-1"}
    checked = registry.check(VPC, "n", inputs, {}, aws)
    id_, outputs = registry.create(VPC, aws, checked)
    assert outputs["region"] == "eu-central-1"
    assert ":eu-central-1:" in outputs["arn"]
    assert registry.read(VPC, aws, id_, {}) is None
    assert registry.read(VPC, aws, id_, outputs) == outputs


def test_functions_answer_and_unknown_ones_are_refused(
    registry: Registry, aws: Aws, world: World
) -> None:
    caller = registry.invoke("aws:index/getCallerIdentity:getCallerIdentity", aws, {})
    assert caller["accountId"] == "111111111111"
    assert registry.invoke("aws:index/getRegion:getRegion", aws, {})["region"] == "eu-west-1"
    assert registry.invoke("aws:index/getPartition:getPartition", aws, {})["partition"] == "aws"
    with pytest.raises(RefusalError, match="unknown function"):
        registry.invoke("aws:index/getRegions:getRegions", aws, {})
    with pytest.raises(RefusalError, match="unknown argument 'filter'"):
        registry.invoke("aws:index/getRegion:getRegion", aws, {"filter": "x"})


def test_a_zone_is_found_by_name_when_there_is_exactly_one(
    registry: Registry, aws: Aws, world: World
) -> None:
    type_ = "aws:route53/getZone:getZone"
    with pytest.raises(RefusalError, match="no matching Route 53 Hosted Zone"):
        registry.invoke(type_, aws, {"name": "found.example.com"})
    made = world.make("aws:route53/zone:Zone", name="found.example.com")
    found = registry.invoke(type_, aws, {"name": "found.example.com."})
    assert (found["zoneId"], found["privateZone"]) == (made["id"], False)
    world.make("aws:route53/zone:Zone", name="found.example.com")
    with pytest.raises(RefusalError, match="multiple Route 53 Hosted Zone"):
        registry.invoke(type_, aws, {"name": "found.example.com"})
