"""Examples of buckets: aws:s3."""

import pulumi

from . import places
from .conftest import World
from .examples import TAGS, Example, Examples
from .places import policy

EXAMPLES = Examples()


@EXAMPLES.of("aws:s3/bucket:Bucket")
def _bucket(world: World) -> Example:
    return Example(
        inputs={"bucket": world.unique("an-example"), "tags": {"team": "a"}},
        changes=[{"forceDestroy": True}, *TAGS],
    )


@EXAMPLES.of("aws:s3/bucketVersioning:BucketVersioning")
def _versioning(world: World) -> Example:
    return Example(
        inputs={
            "bucket": world.make("aws:s3/bucket:Bucket")["id"],
            "versioningConfiguration": {"status": "Enabled"},
        },
        changes=[{"versioningConfiguration": {"status": "Suspended"}}],
        outlives_delete=True,
    )


@EXAMPLES.of(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
def _encryption(world: World) -> Example:
    default = {"sseAlgorithm": "AES256"}
    rule = {"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": False}
    kms = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:kms:eu-west-1:1:key/1"}
    return Example(
        inputs={"bucket": places.bucket(world), "rules": [rule]},
        changes=[
            {"rules": [{"applyServerSideEncryptionByDefault": kms, "bucketKeyEnabled": True}]}
        ],
    )


@EXAMPLES.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
def _public_access(world: World) -> Example:
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    return Example(
        inputs={"bucket": places.bucket(world), **dict.fromkeys(flags, True)},
        changes=[{flag: False} for flag in flags],
    )


@EXAMPLES.of("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def _ownership(world: World) -> Example:
    return Example(
        inputs={
            "bucket": places.bucket(world),
            "rule": {"objectOwnership": "BucketOwnerEnforced"},
        },
        changes=[{"rule": {"objectOwnership": "BucketOwnerPreferred"}}],
    )


@EXAMPLES.of("aws:s3/bucketPolicy:BucketPolicy")
def _bucket_policy(world: World) -> Example:
    name = places.bucket(world)
    who = {"AWS": f"arn:aws:iam::{places.ACCOUNT}:root"}
    documents = [
        policy(action, f"arn:aws:s3:::{name}/*", Principal=who)
        for action in ("s3:GetObject", "s3:PutObject")
    ]
    return Example(
        inputs={"bucket": name, "policy": documents[0]}, changes=[{"policy": documents[1]}]
    )


@EXAMPLES.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
def _lifecycle(world: World) -> Example:
    rule = {
        "id": "expire",
        "status": "Enabled",
        "expiration": {"days": 90},
        "noncurrentVersionExpiration": {"noncurrentDays": 7},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1},
    }
    return Example(
        inputs={"bucket": places.bucket(world), "rules": [rule]},
        changes=[
            {"rules": [{**rule, "expiration": {"days": 30}}]},
            {"rules": [{**rule, "filter": {"prefix": "logs/"}}]},
        ],
    )


@EXAMPLES.of("aws:s3/bucketObjectv2:BucketObjectv2")
def _object(world: World) -> Example:
    return Example(
        inputs={
            "bucket": places.bucket(world),
            "key": "some/object.txt",
            "content": "one",
            "contentType": "text/plain",
            "tags": {"team": "a"},
        },
        changes=[
            {"content": "two"},
            {"contentType": "text/markdown"},
            {"metadata": {"origin": "test"}},
            {"cacheControl": "no-store"},
            {"contentDisposition": "inline"},
            {"contentEncoding": "identity"},
            {"contentLanguage": "en"},
            {"serverSideEncryption": "aws:kms"},
            {"storageClass": "STANDARD_IA"},
            {"sourceHash": "1"},
            {"forceDestroy": True},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:s3/bucketObjectv2:BucketObjectv2#other bodies")
def _other_body(world: World) -> Example:
    return Example(
        inputs={
            "bucket": places.versioned_bucket(world),
            "key": "some/body",
            "content": "one",
            "sourceHash": "1",
        },
        changes=[
            {"content": None, "contentBase64": "dHdv"},
            {"contentBase64": None, "source": pulumi.StringAsset("three")},
            {"source": pulumi.StringAsset("four")},
            {"sourceHash": "2"},
            {"contentType": "text/plain"},
        ],
    )
