from dataclasses import dataclass

import pulumi
from pulumi_aws import get_caller_identity_output, s3

from components import policies


@dataclass(frozen=True, kw_only=True)
class PrivateBucketArgs:
    """`expire_after_days` deletes objects that old; without it they stay.

    `load_balancer_logs` lets Elastic Load Balancing deliver this account's logs. `force_destroy`
    lets a destroy delete what the bucket holds; the default is to refuse.
    """

    expire_after_days: int | None = None
    load_balancer_logs: bool = False
    force_destroy: bool = False


class PrivateBucket(pulumi.ComponentResource):
    """A versioned, encrypted bucket without ACLs, closed to the public and to plain HTTP.

    Encryption is SSE-S3: log delivery cannot write to a bucket with SSE-KMS (ELB user guide,
    "Connection logs for your Application Load Balancer").
    """

    bucket: pulumi.Output[str]
    """The bucket's name, known once its policy is in force."""

    def __init__(
        self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:PrivateBucket", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        bucket = s3.Bucket(f"{name}-bucket", force_destroy=args.force_destroy, opts=mine)
        s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=mine,
        )
        s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=mine,
        )
        s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=mine,
        )
        closed = s3.BucketPublicAccessBlock(
            f"{name}-public-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=mine,
        )
        self._expire(name, bucket, args.expire_after_days)
        policy = self._policy(name, bucket, args.load_balancer_logs, closed)
        self.bucket = pulumi.Output.all(bucket.id, policy.id).apply(lambda ids: str(ids[0]))
        self.register_outputs({"bucket": self.bucket})

    def _policy(
        self, name: str, bucket: s3.Bucket, elb_logs: bool, closed: s3.BucketPublicAccessBlock
    ) -> s3.BucketPolicy:
        caller = get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self))
        document = pulumi.Output.all(bucket.arn, caller.account_id).apply(
            lambda values: policies.private_bucket(values[0], values[1] if elb_logs else None)
        )
        # S3 answers OperationAborted to a policy and a public access block put at the same time.
        return s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=pulumi.Output.json_dumps(document),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[closed]),
        )

    def _expire(self, name: str, bucket: s3.Bucket, days: int | None) -> None:
        if days is None:
            return
        s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            rules=[
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": days},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                }
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
