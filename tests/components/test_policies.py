"""Every policy document, whole."""

import json

import pytest

from components import policies

API = "arn:aws:execute-api:eu-west-1:111122223333:abc"
LOGS = "arn:aws:logs:eu-west-1:111122223333:log-group:g"


def test_a_trusted_service_may_assume_the_role():
    assert policies.trust("lambda.amazonaws.com") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }


def test_a_service_may_be_trusted_for_one_account_only():
    assert policies.trust("vpc-flow-logs.amazonaws.com", "111122223333") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
            }
        ],
    }


def test_logs_are_written_to_the_streams_of_one_group():
    assert policies.write_logs(LOGS) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"{LOGS}:*",
            }
        ],
    }


def test_flow_logs_may_also_look_at_the_streams_of_their_group():
    assert policies.flow_logs(LOGS) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "logs:CreateLogStream",
                    "logs:PutLogEvents",
                    "logs:DescribeLogStreams",
                ],
                "Resource": f"{LOGS}:*",
            }
        ],
    }


def test_traces_are_the_only_thing_allowed_without_a_resource():
    assert policies.write_traces() == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                "Resource": "*",
            }
        ],
    }


def test_the_endpoint_lets_one_api_pass():
    assert policies.endpoint(API) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": f"{API}/*",
            }
        ],
    }


def test_the_endpoint_lets_the_named_apis_and_the_domain_pass():
    account = API.rpartition(":")[0]
    (statement,) = policies.endpoint(API, {"zzz", "aaa"}, "api.example.com")["Statement"]
    assert statement["Resource"] == [
        *sorted(f"{account}:{api}/*" for api in ("aaa", API.rpartition(":")[2], "zzz")),
        f"{account}:/domainnames/api.example.com+*",
    ]


def test_the_api_answers_to_one_endpoint_and_denies_every_other():
    assert policies.private_api(API, "vpce-1", of_definition="d0") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowTheEndpointd0",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": f"{API}/*",
                "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
            },
            {
                "Sid": "DenyEveryOtherd0",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": f"{API}/*",
                "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
            },
        ],
    }


TLS_ONLY = {
    "Sid": "DenyPlainHttp",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_a_bucket_denies_plain_http_and_allows_nobody():
    assert policies.private_bucket("arn:aws:s3:::b") == {
        "Version": "2012-10-17",
        "Statement": [TLS_ONLY],
    }


def test_a_log_bucket_takes_the_load_balancer_logs_of_one_account():
    assert policies.private_bucket("arn:aws:s3:::b", "111122223333") == {
        "Version": "2012-10-17",
        "Statement": [
            TLS_ONLY,
            {
                "Sid": "LoadBalancerLogDelivery",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::b/AWSLogs/111122223333/*",
            },
        ],
    }


def test_merged_documents_hold_the_statements_of_all_in_order():
    assert policies.merge(policies.write_logs(LOGS), policies.write_traces()) == {
        "Version": "2012-10-17",
        "Statement": [
            *policies.write_logs(LOGS)["Statement"],
            *policies.write_traces()["Statement"],
        ],
    }


@pytest.mark.parametrize("digits", [0, 64])
def test_a_resource_policy_is_as_short_as_api_gateway_wants_it(digits: int):
    document = policies.private_api(API, "vpce-0123456789abcdef0", of_definition="f" * digits)
    assert len(json.dumps(document)) < 8192


def test_a_private_domain_answers_to_one_endpoint():
    invoke = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    assert policies.private_domain("vpce-1") == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", **invoke},
            {
                "Effect": "Deny",
                **invoke,
                "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
            },
        ],
    }


SERVICE = "arn:aws-cn:ec2:cn-north-1:111122223333:vpc-endpoint-service/vpce-svc-1"
FOR_SERVICE = {
    "ArnLike": {"aws:SourceArn": SERVICE},
    "StringEquals": {"aws:SourceAccount": "111122223333"},
}


def test_privatelink_alone_publishes_to_the_topic_and_for_one_service():
    assert policies.connection_topic("arn:topic", SERVICE) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpce.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": "arn:topic",
                "Condition": FOR_SERVICE,
            }
        ],
    }


def test_the_account_keeps_the_key_and_privatelink_encrypts_with_it_for_one_service():
    assert policies.connection_topic_key(SERVICE) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws-cn:iam::111122223333:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "vpce.amazonaws.com"},
                "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
                "Resource": "*",
                "Condition": FOR_SERVICE,
            },
        ],
    }
