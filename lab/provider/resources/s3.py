"""aws:s3: buckets and their sub-resources."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lab.provider.aws import Aws, error_code
from lab.provider.resource_type import Autoname, ResourceType, tag_list, tag_map
from lab.provider.schema import (
    block,
    blocks,
    decimal,
    document,
    flag,
    integer,
    mapping,
    output,
    table,
    text,
)


class _S3Type(ResourceType):
    service = "s3"
    gone = frozenset({"NoSuchBucket", "404"})

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("bucket") or id_)


def empty_bucket(client: Any, bucket: str, prefix: str = "", only_key: str | None = None) -> None:
    """Deletes every version of every object, or of the one object named `only_key`."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        versions = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in page.get("Versions", []) + page.get("DeleteMarkers", [])
            if only_key is None or one["Key"] == only_key
        ]
        if versions:
            client.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})


class Bucket(_S3Type):
    urn_type = "aws:s3/bucket:Bucket"
    title = "S3 Bucket"
    autoname = Autoname(prop="bucket", limit=63, lower=True)
    properties = table(
        {
            "bucket": text(replaces=True),
            "forceDestroy": flag(default=False, unread=True),
            "objectLockEnabled": flag(default=False, replaces=True, unread=True),
            "tags": mapping(),
            "arn": output(),
            "bucketDomainName": output(),
            "bucketRegion": output(),
            "bucketRegionalDomainName": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked: dict[str, Any] = {"Bucket": inputs["bucket"]}
        if aws.region != "us-east-1":
            asked["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
        if inputs["objectLockEnabled"]:
            asked["ObjectLockEnabledForBucket"] = True
        aws.client("s3").create_bucket(**asked)
        return inputs["bucket"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs.get("tagsAll"):
            self._put_tags(aws, id_, inputs["tagsAll"])

    def _put_tags(self, aws: Aws, id_: str, tags: Mapping[str, str]) -> None:
        aws.client("s3").put_bucket_tagging(Bucket=id_, Tagging={"TagSet": tag_list(tags)})

    def _tags(self, aws: Aws, id_: str) -> dict[str, str]:
        try:
            return tag_map(aws.client("s3").get_bucket_tagging(Bucket=id_)["TagSet"])
        except ClientError as error:
            if error_code(error) == "NoSuchTagSet":
                return {}
            raise

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        place = aws.client("s3").get_bucket_location(Bucket=id_)["LocationConstraint"]
        region = place or "us-east-1"
        return {
            "bucket": id_,
            "arn": f"arn:{aws.partition}:s3:::{id_}",
            "bucketDomainName": f"{id_}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{id_}.s3.{region}.amazonaws.com",
            "bucketRegion": region,
            "tagsAll": self._tags(aws, id_),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        """`forceDestroy` is the only thing left that can change, and only the state holds it."""

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        tags = {**self._tags(aws, id_), **put}
        left = {key: value for key, value in tags.items() if key not in drop}
        if left:
            self._put_tags(aws, id_, left)
        else:
            aws.client("s3").delete_bucket_tagging(Bucket=id_)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        if known.get("forceDestroy"):
            empty_bucket(aws.client("s3"), id_)
        aws.client("s3").delete_bucket(Bucket=id_)


class _BucketSetting(_S3Type):
    """A sub-resource of a bucket that is put as a whole; its id is the bucket's name."""

    id_parts = ("bucket",)

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self.put(aws, inputs)
        return inputs["bucket"]

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self.put(aws, new)


class BucketVersioning(_BucketSetting):
    urn_type = "aws:s3/bucketVersioning:BucketVersioning"
    title = "S3 Bucket Versioning"
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "versioningConfiguration": block(
                {"status": text(required=True), "mfaDelete": text(aws="MFADelete")}, required=True
            ),
        }
    )

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        asked = self.to_aws(inputs, ("bucket", "versioningConfiguration"))
        if inputs["versioningConfiguration"]["status"] != "Disabled":
            aws.client("s3").put_bucket_versioning(**asked)

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("s3").get_bucket_versioning(Bucket=id_)
        status = answer.get("Status", "Disabled")
        second = {"mfaDelete": answer["MFADelete"]} if answer.get("MFADelete") else {}
        return {"bucket": id_, "versioningConfiguration": {"status": status, **second}}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        if known["versioningConfiguration"]["status"] == "Enabled":
            suspended = {"Status": "Suspended"}
            aws.client("s3").put_bucket_versioning(Bucket=id_, VersioningConfiguration=suspended)


class BucketServerSideEncryptionConfiguration(_BucketSetting):
    urn_type = (
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    title = "S3 Bucket Server-side Encryption Configuration"
    gone = frozenset({"NoSuchBucket", "ServerSideEncryptionConfigurationNotFoundError"})
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "rules": blocks(
                {
                    "applyServerSideEncryptionByDefault": block(
                        {
                            "sseAlgorithm": text(required=True, aws="SSEAlgorithm"),
                            "kmsMasterKeyId": text(aws="KMSMasterKeyID"),
                        }
                    ),
                    "bucketKeyEnabled": flag(),
                },
                required=True,
                unordered=True,
            ),
        }
    )

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        rules = self.to_aws(inputs, ("rules",))
        aws.client("s3").put_bucket_encryption(
            Bucket=inputs["bucket"], ServerSideEncryptionConfiguration=rules
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("s3").get_bucket_encryption(Bucket=id_)
        found = self.from_aws(answer["ServerSideEncryptionConfiguration"], ("rules",))
        return {"bucket": id_, **found}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("s3").delete_bucket_encryption(Bucket=id_)


class BucketPublicAccessBlock(_BucketSetting):
    urn_type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    title = "S3 Bucket Public Access Block"
    gone = frozenset({"NoSuchBucket", "NoSuchPublicAccessBlockConfiguration"})
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "blockPublicAcls": flag(default=False),
            "blockPublicPolicy": flag(default=False),
            "ignorePublicAcls": flag(default=False),
            "restrictPublicBuckets": flag(default=False),
        }
    )
    _flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        aws.client("s3").put_public_access_block(
            Bucket=inputs["bucket"],
            PublicAccessBlockConfiguration=self.to_aws(inputs, self._flags),
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("s3").get_public_access_block(Bucket=id_)
        return {
            "bucket": id_,
            **self.from_aws(answer["PublicAccessBlockConfiguration"], self._flags),
        }

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("s3").delete_public_access_block(Bucket=id_)


class BucketOwnershipControls(_BucketSetting):
    urn_type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    title = "S3 Bucket Ownership Controls"
    gone = frozenset({"NoSuchBucket", "OwnershipControlsNotFoundError"})
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "rule": block({"objectOwnership": text(required=True)}, required=True),
        }
    )

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        aws.client("s3").put_bucket_ownership_controls(
            Bucket=inputs["bucket"],
            OwnershipControls={"Rules": [self.to_aws(inputs, ("rule",))["Rule"]]},
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("s3").get_bucket_ownership_controls(Bucket=id_)
        rule = answer["OwnershipControls"]["Rules"][0]
        return {"bucket": id_, **self.from_aws({"Rule": rule}, ("rule",))}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("s3").delete_bucket_ownership_controls(Bucket=id_)


class BucketPolicy(_BucketSetting):
    urn_type = "aws:s3/bucketPolicy:BucketPolicy"
    title = "S3 Bucket Policy"
    gone = frozenset({"NoSuchBucket", "NoSuchBucketPolicy"})
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "policy": document(required=True),
        }
    )

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        aws.client("s3").put_bucket_policy(**self.to_aws(inputs, ("bucket", "policy")))

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        return {"bucket": id_, "policy": aws.client("s3").get_bucket_policy(Bucket=id_)["Policy"]}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("s3").delete_bucket_policy(Bucket=id_)


_TRANSITION = {"days": integer(), "date": text(), "storageClass": text(required=True)}
_NONCURRENT_TRANSITION = {
    "noncurrentDays": integer(required=True),
    "newerNoncurrentVersions": integer(),
    "storageClass": text(required=True),
}


class BucketLifecycleConfiguration(_BucketSetting):
    urn_type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    title = "S3 Bucket Lifecycle Configuration"
    gone = frozenset({"NoSuchBucket", "NoSuchLifecycleConfiguration"})
    properties = table(
        {
            "bucket": text(required=True, replaces=True),
            "rules": blocks(
                {
                    "id": text(required=True, aws="ID"),
                    "status": text(required=True),
                    "filter": block(
                        {
                            "prefix": text(),
                            "objectSizeGreaterThan": decimal(),
                            "objectSizeLessThan": decimal(),
                            "tag": block(
                                {"key": text(required=True), "value": text(required=True)}
                            ),
                        }
                    ),
                    "expiration": block(
                        {"days": integer(), "date": text(), "expiredObjectDeleteMarker": flag()}
                    ),
                    "noncurrentVersionExpiration": block(
                        {
                            "noncurrentDays": integer(required=True),
                            "newerNoncurrentVersions": integer(),
                        }
                    ),
                    "abortIncompleteMultipartUpload": block({"daysAfterInitiation": integer()}),
                    "transitions": blocks(_TRANSITION, unordered=True),
                    "noncurrentVersionTransitions": blocks(_NONCURRENT_TRANSITION, unordered=True),
                },
                required=True,
            ),
        }
    )

    def put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        rules = self.to_aws(inputs, ("rules",))["Rules"]
        for rule in rules:
            if not rule.get("Filter"):
                rule["Filter"] = {"Prefix": ""}  # what pulumi-aws sends for "all objects"
        aws.client("s3").put_bucket_lifecycle_configuration(
            Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules}
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=id_)
        return {"bucket": id_, **self.from_aws(answer, ("rules",))}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("s3").delete_bucket_lifecycle(Bucket=id_)


TYPES = (
    Bucket,
    BucketVersioning,
    BucketServerSideEncryptionConfiguration,
    BucketPublicAccessBlock,
    BucketOwnershipControls,
    BucketPolicy,
    BucketLifecycleConfiguration,
)
