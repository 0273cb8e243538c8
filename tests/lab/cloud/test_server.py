import json
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from lab.cloud import Cloud

REGION = "eu-west-1"


def counts(cloud):
    with urllib.request.urlopen(f"{cloud.endpoint_url}/_lab/changes") as answer:  # noqa: S310
        return json.load(answer)


def test_each_access_key_belongs_to_its_account(client):
    for name, account_id in {"producer": "111111111111", "customer": "222222222222"}.items():
        assert client("sts", name).get_caller_identity()["Account"] == account_id


def test_an_account_does_not_see_what_another_one_has(client):
    client("logs").create_log_group(logGroupName="mine")
    assert client("logs").describe_log_groups()["logGroups"]
    assert client("logs", "customer").describe_log_groups()["logGroups"] == []


def test_an_unknown_access_key_is_refused(cloud):
    ec2 = boto3.client(
        "ec2",
        REGION,
        endpoint_url=cloud.endpoint_url,
        aws_access_key_id="AKIAUNKNOWN",
        aws_secret_access_key="x",  # noqa: S106
    )
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        ec2.describe_vpcs()
    ec2.close()


def test_a_change_is_counted_for_its_service_only(cloud, client):
    client("ec2").describe_vpcs()
    before = counts(cloud)
    client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    after = counts(cloud)
    assert after["ec2"] == before.get("ec2", 0) + 1
    assert {k: v for k, v in after.items() if k != "ec2"} == {
        k: v for k, v in before.items() if k != "ec2"
    }


def test_reads_and_refused_calls_are_not_counted(cloud, client):
    before = counts(cloud)
    client("ec2").describe_subnets()
    client("s3").list_buckets()
    with pytest.raises(ClientError):
        client("ec2").delete_vpc(VpcId="vpc-00000000000000000")
    assert counts(cloud) == before


def test_rest_and_json_services_are_counted_under_their_client_names(cloud, client):
    before = counts(cloud)
    client("s3").create_bucket(
        Bucket="counted", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    client("logs").create_log_group(logGroupName="counted")
    after = counts(cloud)
    assert after["s3"] == before.get("s3", 0) + 1
    assert after["logs"] == before.get("logs", 0) + 1


def test_an_operation_that_is_not_modelled_says_so(client):
    with pytest.raises(ClientError, match="the lab does not model it") as refusal:
        client("ec2").describe_verified_access_groups()
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_an_unknown_internal_route_is_not_found(cloud):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{cloud.endpoint_url}/_lab/nothing")  # noqa: S310
    refusal.value.close()
    assert refusal.value.code == 404


def test_a_second_cloud_in_the_process_is_refused(cloud):
    assert cloud.endpoint_url
    with pytest.raises(RuntimeError, match="already runs"):
        Cloud({"a": "333333333333"}, REGION).start()


def test_an_account_id_is_twelve_digits():
    with pytest.raises(ValueError, match=r"accounts\['a'\]: want 12 digits; got '123'"):
        Cloud({"a": "123"}, REGION)


def test_managed_policies_of_aws_can_be_attached(client):
    iam = client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert [p["PolicyArn"] for p in attached] == [arn]


def test_the_command_prints_what_a_client_needs_and_ends_on_sigterm():
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.cloud", "--region", REGION], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        first = process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert first.startswith("export AWS_ENDPOINT_URL=http://127.0.0.1:")
