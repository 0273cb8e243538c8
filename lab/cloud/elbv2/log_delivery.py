"""Whether Elastic Load Balancing may deliver logs to a bucket.

"Enable access logs for your Application Load Balancer" in its user guide: a bucket in the load
balancer's region, SSE-S3 at most, and a bucket policy that lets the log delivery service write
below `[prefix/]AWSLogs/<account>/`. To find out, the service writes a test file.
"""

import fnmatch
import json
from typing import Any

from moto.s3.models import s3_backends

from lab.cloud import changes
from lab.cloud.elbv2.exceptions import configuration
from lab.cloud.policies import listed

SERVICE = "logdelivery.elasticloadbalancing.amazonaws.com"
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
    if bucket is None or bucket.region_name != region or _uses_kms(bucket):
        raise denied
    folder = f"{prefix}/AWSLogs/{account_id}" if prefix else f"AWSLogs/{account_id}"
    key = f"{folder}/{TEST_FILES[log]}"
    context = {
        "aws:SecureTransport": "true",
        "aws:SourceAccount": account_id,
        "aws:SourceArn": load_balancer_arn,
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": SERVICE,
    }
    policy = json.loads(bucket.policy or b'{"Statement": []}')
    if not allows(policy, "s3:PutObject", f"arn:{partition}:s3:::{bucket_name}/{key}", context):
        raise denied
    backend.put_object(bucket_name, key, b"Enable logging for ELB")
    changes.changed("s3")


def allows(policy: dict[str, Any], action: str, resource: str, context: dict[str, str]) -> bool:
    """Whether a resource policy lets the service do `action`: some Allow applies and no Deny does.

    A condition that this does not know makes an Allow void and a Deny apply.
    """
    statements = listed(policy["Statement"])
    applying = {
        statement["Effect"]
        for statement in statements
        if _applies(statement, action, resource, context)
    }
    return "Allow" in applying and "Deny" not in applying


def _applies(
    statement: dict[str, Any], action: str, resource: str, context: dict[str, str]
) -> bool:
    """For a service as the principal; "IAM JSON policy elements reference" in the IAM guide."""
    deny = statement["Effect"] == "Deny"
    principal = statement.get("Principal", {})
    everyone = principal == "*" or "*" in listed(
        principal.get("AWS", []) if isinstance(principal, dict) else []
    )
    named = isinstance(principal, dict) and SERVICE in listed(principal.get("Service", []))
    if "NotPrincipal" in statement or "NotAction" in statement or "NotResource" in statement:
        return deny
    if not (everyone or named):
        return False
    if not _like_any(action.lower(), [each.lower() for each in listed(statement["Action"])]):
        return False
    if not _like_any(resource, listed(statement["Resource"])):
        return False
    return all(
        _holds(operator, key, listed(values), context, unknown=deny)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _holds(
    operator: str, key: str, values: list[str], context: dict[str, str], *, unknown: bool
) -> bool:
    actual = {known.lower(): value for known, value in context.items()}.get(key.lower())
    wanted = [str(value) for value in values]
    name = operator.removesuffix("IfExists")
    if name == "Null":
        return (actual is None) == (wanted == ["true"])
    negated = "Not" in name
    if actual is None:
        return negated or operator != name
    match name.replace("Not", ""):
        case "StringEquals":
            found = actual in wanted
        case "StringEqualsIgnoreCase" | "Bool":
            found = actual.lower() in [value.lower() for value in wanted]
        case "StringLike" | "ArnLike" | "ArnEquals":
            found = _like_any(actual, wanted)
        case _:
            return unknown
    return found != negated


def _like_any(value: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern.replace("[", "[[]")) for pattern in patterns)


def _uses_kms(bucket: Any) -> bool:
    rule = (bucket.encryption or {}).get("Rule", {})
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return default.get("SSEAlgorithm", "AES256") != "AES256"
