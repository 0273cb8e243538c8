import json

import pytest

BUCKET = "settings"
ARN = f"arn:aws:s3:::{BUCKET}"
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [ARN, f"{ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.fixture(scope="module")
def s3(client):
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return s3


def policy(**changes):
    return json.dumps({"Version": "2012-10-17", "Statement": [TLS_ONLY | changes]})


def test_versioning_gives_each_object_a_version(s3):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    versions = [s3.put_object(Bucket=BUCKET, Key="k", Body=body)["VersionId"] for body in "ab"]
    bodies = [
        s3.get_object(Bucket=BUCKET, Key="k", VersionId=version)["Body"].read()
        for version in versions
    ]
    assert bodies == [b"a", b"b"]


def test_a_bucket_with_versions_left_is_not_deleted(s3, refused):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key="left", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="left")
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket=BUCKET)


def test_encryption_comes_back(s3):
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": False,
    }
    s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
    found = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    assert found["Rules"] == [rule]


def test_ownership_controls_come_back(s3):
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=BUCKET, OwnershipControls=controls)
    assert s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"] == controls


def test_lifecycle_rules_come_back(s3):
    rules = [
        {
            "ID": "expire",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Days": 90},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        }
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"] == rules


def test_a_policy_comes_back(s3):
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy())
    assert json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"]) == json.loads(policy())


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("nonsense", "must be valid JSON"),
        (policy(Effect="Maybe"), "Missing or invalid field: Effect"),
        (policy(Principals="*"), "Missing or invalid field: Principals"),
        (policy(Action="ec2:RunInstances"), "Policy has invalid action"),
        (policy(Resource="arn:aws:s3:::another/*"), "Policy has invalid resource"),
        (policy(Sid="x" * 21000), "maximum allowed document size"),
    ],
    ids=["json", "effect", "key", "action", "resource", "size"],
)
def test_a_malformed_policy_is_refused(s3, refused, document, words):
    with refused("MalformedPolicy", words):
        s3.put_bucket_policy(Bucket=BUCKET, Policy=document)


def test_a_public_policy_is_refused_where_these_are_blocked(s3, refused):
    block = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    s3.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=block)
    found = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert found == block
    public = TLS_ONLY | {"Effect": "Allow", "Action": "s3:GetObject"}
    del public["Condition"]
    with refused("AccessDenied", "BlockPublicPolicy"):
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": [public]}))
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy())
