"""S3's backend: moto's, with what this lab refuses (moto's form)."""

import json
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.utils import bucket_policy_is_public

from lab.cloud.policies import listed, resource_policy_fault

MAX_POLICY_BYTES = 20 * 1024
_OVER_TLS = {"Bool": {"aws:SecureTransport": "true"}}


class Bucket(FakeBucket):
    """A bucket whose policy is judged with its conditions; moto leaves them out of account.

    Calls count as made over TLS, as the API at this address stands for AWS's. A statement under any
    other condition is not judged.
    """

    def get_permission(self, action: str, resource: str) -> Any:
        if self.policy is None:
            return PermissionResult.NEUTRAL
        statements = listed(json.loads(self.policy)["Statement"])
        judged = [one for one in statements if one.get("Condition") in (None, {}, _OVER_TLS)]
        document = json.dumps({"Version": "2012-10-17", "Statement": judged})
        return IAMPolicy(document).is_action_permitted(action, resource)


class Backend(S3Backend):
    """Buckets of one account; "Bucket policies" and "Blocking public access" in the S3 guide."""

    def create_bucket(self, *args: Any, **kwargs: Any) -> FakeBucket:
        bucket = super().create_bucket(*args, **kwargs)
        bucket.__class__ = Bucket  # moto names its own class where it makes one
        return bucket

    def put_bucket_policy(self, bucket_name: str, policy: bytes) -> None:
        """Raises MalformedPolicy, or AccessDenied for a public policy where these are blocked."""
        bucket = self.get_bucket(bucket_name)
        check_policy(bucket.arn, policy)
        block: Any = bucket.public_access_block
        blocked = block and str(block.block_public_policy).lower() == "true"
        if blocked and bucket_policy_is_public(policy):
            raise S3ClientError(
                "AccessDenied",
                "User is not authorized to perform: s3:PutBucketPolicy on resource: "
                f'"{bucket.arn}" because public policies are prevented by the '
                "BlockPublicPolicy setting in S3 Block Public Access.",
            )
        super().put_bucket_policy(bucket_name, policy)


def check_policy(bucket_arn: str, policy: bytes) -> None:
    if len(policy) > MAX_POLICY_BYTES:
        raise malformed("Policy exceeds the maximum allowed document size.")
    try:
        document = json.loads(policy)
    except ValueError:
        raise malformed("Policies must be valid JSON and the first byte must be '{'") from None
    fault = resource_policy_fault(document)
    if fault is not None:
        raise malformed(f"Missing or invalid field: {fault}" if fault else "Policy is not valid")
    for statement in listed(document["Statement"]):
        for action in listed(statement.get("Action", statement.get("NotAction"))):
            if action != "*" and not str(action).lower().startswith("s3:"):
                raise malformed("Policy has invalid action")
        for resource in listed(statement.get("Resource", statement.get("NotResource"))):
            if resource != bucket_arn and not str(resource).startswith(f"{bucket_arn}/"):
                raise malformed("Policy has invalid resource")


def malformed(message: str) -> S3ClientError:
    return S3ClientError("MalformedPolicy", message)
