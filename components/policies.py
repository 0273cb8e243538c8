"""Policy documents, as plain dictionaries: who may do what, and from where."""

from collections.abc import Collection
from typing import Any

Policy = dict[str, Any]


def _document(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(service: str, for_account: str | None = None) -> Policy:
    """Lets `service` assume a role; `for_account` limits it to work done for that account.

    Give the account where the service sends `aws:SourceAccount` (the confused-deputy guard).
    """
    statement: Policy = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if for_account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": for_account}}
    return _document(statement)


def write_logs(log_group_arn: str) -> Policy:
    """Lets a role write to the streams of one log group."""
    return _document(
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        }
    )


def flow_logs(log_group_arn: str) -> Policy:
    """Lets VPC flow logs write to one log group.

    VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
    """
    document = write_logs(log_group_arn)
    document["Statement"][0]["Action"] += ["logs:DescribeLogStreams"]
    return document


def write_traces() -> Policy:
    """Lets a function send X-Ray segments; X-Ray has no resource to name."""
    return _document(
        {
            "Effect": "Allow",
            "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            "Resource": "*",
        }
    )


def endpoint(
    api_execution_arn: str, other_api_ids: Collection[str] = (), domain: str | None = None
) -> Policy:
    """Endpoint policy: this API and the named others pass, so that the endpoint leads nowhere else.

    The others are of the same account and region. A request for a private custom `domain` is
    judged by the domain's ARN too, which ends in an id that only API Gateway knows. API Gateway
    developer guide, "Use VPC endpoint policies for private APIs in API Gateway".
    """
    account, _, api_id = api_execution_arn.rpartition(":")
    passing = [f"{account}:{one}/*" for one in sorted({api_id, *other_api_ids})]
    if domain is not None:
        passing.append(f"{account}:/domainnames/{domain}+*")
    return _document(
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": passing if len(passing) > 1 else passing[0],
        }
    )


def private_api(api_execution_arn: str, vpc_endpoint_id: str, of_definition: str) -> Policy:
    """Resource policy: the API answers to one endpoint only.

    The Deny holds even where an Allow is wider. API Gateway developer guide, "API Gateway resource
    policy examples": a VPC endpoint is named by `aws:SourceVpce`. `of_definition`, a hash in hex,
    ends up in the statements' ids and so makes each definition of the API have a policy of its own.
    """
    invoke = {
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": f"{api_execution_arn}/*",
    }
    return _document(
        {
            "Sid": f"AllowTheEndpoint{of_definition}",
            "Effect": "Allow",
            **invoke,
            "Condition": {"StringEquals": {"aws:SourceVpce": vpc_endpoint_id}},
        },
        {
            "Sid": f"DenyEveryOther{of_definition}",
            "Effect": "Deny",
            **invoke,
            "Condition": {"StringNotEquals": {"aws:SourceVpce": vpc_endpoint_id}},
        },
    )


def private_domain(vpc_endpoint_id: str) -> Policy:
    """Policy of a private custom domain name: it answers to one endpoint only.

    'execute-api:/*' is the domain itself, whose ARN is not known before it exists. API Gateway
    developer guide, "Tutorial: Create and invoke a custom domain name for private APIs".
    """
    invoke = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    return _document(
        {"Effect": "Allow", **invoke},
        {
            "Effect": "Deny",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": vpc_endpoint_id}},
            **invoke,
        },
    )


def _for_service(endpoint_service_arn: str) -> Policy:
    """Condition: PrivateLink acts for this endpoint service, and for no other's."""
    account = endpoint_service_arn.split(":")[4]
    return {
        "ArnLike": {"aws:SourceArn": endpoint_service_arn},
        "StringEquals": {"aws:SourceAccount": account},
    }


def connection_topic(topic_arn: str, endpoint_service_arn: str) -> Policy:
    """Lets PrivateLink, for one endpoint service, and nobody else publish to a topic.

    AWS PrivateLink guide, "Receive alerts for endpoint service events".
    """
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpce.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": _for_service(endpoint_service_arn),
        }
    )


def connection_topic_key(endpoint_service_arn: str) -> Policy:
    """Key policy: the account manages the key, PrivateLink encrypts with it for one service.

    In a key policy '*' is the key itself. AWS PrivateLink guide, "Receive alerts for endpoint
    service events"; KMS developer guide, "Default key policy".
    """
    _, partition, _, _, account, _ = endpoint_service_arn.split(":", 5)
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpce.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
            "Condition": _for_service(endpoint_service_arn),
        },
    )


def private_bucket(bucket_arn: str, elb_logs_of_account: str | None = None) -> Policy:
    """Bucket policy: TLS only; and, if asked for, load balancer logs of one account.

    ELB user guide, "Enable connection logs": the log delivery service writes below
    `AWSLogs/<account id>/`.
    """
    statements: list[Policy] = [
        {
            "Sid": "DenyPlainHttp",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if elb_logs_of_account:
        statements.append(
            {
                "Sid": "LoadBalancerLogDelivery",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"{bucket_arn}/AWSLogs/{elb_logs_of_account}/*",
            }
        )
    return _document(*statements)


def merge(*documents: Policy) -> Policy:
    """One document with the statements of all."""
    return _document(*(statement for document in documents for statement in document["Statement"]))
