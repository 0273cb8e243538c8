"""Buckets that are closed to the public, to plain HTTP and to ACLs."""

import json

import pulumi
import pytest
from pulumi_aws import s3

from components import policies
from components.private_bucket import PrivateBucket, PrivateBucketArgs
from tests.components.checks import check_family
from tests.conftest import ACCOUNT, Deploy, Deployed


def made(deploy: Deploy, args: PrivateBucketArgs) -> Deployed:
    return deploy(lambda opts: {"bucket": PrivateBucket("b", args, opts).bucket})


def test_what_it_makes_is_its_own(deploy: Deploy):
    args = PrivateBucketArgs(expire_after_days=7, load_balancer_logs=True)
    check_family(deploy, lambda name, opts: PrivateBucket(name, args, opts))


def test_the_bucket_is_versioned_encrypted_and_closed(deploy: Deploy):
    deployed = made(deploy, PrivateBucketArgs())
    assert deployed.one("BucketVersioning").inputs == {
        "bucket": "b-bucket-id",
        "versioningConfiguration": {"status": "Enabled"},
    }
    # SSE-S3: log delivery cannot write to a bucket with SSE-KMS.
    assert deployed.one("BucketServerSideEncryptionConfiguration").inputs == {
        "bucket": "b-bucket-id",
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
    }
    assert deployed.one("BucketOwnershipControls").inputs == {
        "bucket": "b-bucket-id",
        "rule": {"objectOwnership": "BucketOwnerEnforced"},
    }
    assert deployed.one("BucketPublicAccessBlock").inputs == {
        "bucket": "b-bucket-id",
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }


@pytest.mark.parametrize(("logs", "account"), [(False, None), (True, ACCOUNT)])
def test_the_policy_is_tls_only_and_takes_logs_if_asked(
    deploy: Deploy, logs: bool, account: str | None
):
    policy = made(deploy, PrivateBucketArgs(load_balancer_logs=logs)).one("BucketPolicy").inputs
    assert policy["bucket"] == "b-bucket-id"
    assert json.loads(policy["policy"]) == policies.private_bucket("arn:b-bucket", account)


def test_the_policy_waits_for_the_public_access_block(deploy: Deploy):
    deployed = made(deploy, PrivateBucketArgs())
    closed = deployed.one("BucketPublicAccessBlock").urn
    assert closed in deployed.one("BucketPolicy").depends_on


def test_whoever_takes_the_name_waits_for_the_policy(deploy: Deploy):
    def build(opts: pulumi.ResourceOptions) -> None:
        s3.BucketObjectv2("user", bucket=PrivateBucket("b", PrivateBucketArgs(), opts).bucket)

    deployed = deploy(build)
    user = deployed.one("BucketObjectv2")
    assert user.inputs["bucket"] == "b-bucket-id"
    assert deployed.one("BucketPolicy").urn in user.depends_on


def test_objects_stay_unless_a_time_is_given(deploy: Deploy):
    assert made(deploy, PrivateBucketArgs()).of("BucketLifecycleConfiguration") == []


def test_objects_and_their_old_versions_go_after_the_time_given(deploy: Deploy):
    deployed = made(deploy, PrivateBucketArgs(expire_after_days=90))
    [rule] = deployed.one("BucketLifecycleConfiguration").inputs["rules"]
    assert rule == {
        "id": "expire",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"days": 90},
        "noncurrentVersionExpiration": {"noncurrentDays": 1},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
    }


@pytest.mark.parametrize("force", [False, True])
def test_a_bucket_that_holds_something_is_destroyed_only_if_asked(deploy: Deploy, force: bool):
    deployed = made(deploy, PrivateBucketArgs(force_destroy=force))
    assert deployed.one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is force
    assert PrivateBucketArgs().force_destroy is False
