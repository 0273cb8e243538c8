"""Whether Elastic Load Balancing may deliver logs to a bucket.

"Enable access logs for your Application Load Balancer" and "Access logs for your Network Load
Balancer" in their user guides: a bucket in the load balancer's region, SSE-S3 at most for an
Application Load Balancer, and a bucket policy that lets the log delivery service of its type write
below `[prefix/]AWSLogs/<account>/`. To find out, the service writes a test file.
"""

import json
from typing import Any

from moto.s3.models import s3_backends

from lab.cloud import changes
from lab.cloud.elbv2.exceptions import configuration
from lab.cloud.evaluation import Attempt, allows

APPLICATION = "logdelivery.elasticloadbalancing.amazonaws.com"
NETWORK = "delivery.logs.amazonaws.com"
TEST_FILES = {
    "access_logs": "ELBAccessLogTestFile",
    "connection_logs": "ELBConnectionLogTestFile",
    "health_check_logs": "ELBHealthCheckLogTestFile",
}


def enable(log: str, bucket_name: str, prefix: str, load_balancer_arn: str) -> None:
    """Writes the test file of `log` ("access_logs", …). Raises InvalidConfigurationRequest."""
    partition, _, region, account_id = load_balancer_arn.split(":")[1:5]
    if not bucket_name:
        raise configuration("Must specify a bucket name when enabling access logs")
    if "AWSLogs" in prefix:
        raise configuration(f"The S3 prefix '{prefix}' must not contain 'AWSLogs'")
    denied = configuration(
        f"Access Denied for bucket: {bucket_name}. Please check S3bucket permission"
    )
    _, owner = s3_backends.bucket_accounts.get(bucket_name, (partition, account_id))
    backend = s3_backends[owner][partition]
    bucket = backend.buckets.get(bucket_name)
    service = NETWORK if "/net/" in load_balancer_arn else APPLICATION
    if bucket is None or bucket.region_name != region:
        raise denied
    if service == APPLICATION and _uses_kms(bucket):
        raise denied
    folder = f"{prefix}/AWSLogs/{account_id}" if prefix else f"AWSLogs/{account_id}"
    key = f"{folder}/{TEST_FILES[log]}"
    context = {
        "aws:SecureTransport": "true",
        "aws:SourceAccount": account_id,
        "aws:SourceArn": load_balancer_arn,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
    }
    if service == NETWORK:
        context["s3:x-amz-acl"] = "bucket-owner-full-control"
    policy = json.loads(bucket.policy or b'{"Statement": []}')
    target = f"arn:{partition}:s3:::{bucket_name}/{key}"
    attempt = Attempt(action="s3:PutObject", resource=target, service=service, context=context)
    if not allows(policy, attempt):
        raise denied
    backend.put_object(bucket_name, key, b"Enable logging for ELB")
    changes.changed("s3")


def _uses_kms(bucket: Any) -> bool:
    rule = (bucket.encryption or {}).get("Rule", {})
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return default.get("SSEAlgorithm", "AES256") != "AES256"
