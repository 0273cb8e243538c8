"""STS across accounts: who may assume a role, and what the session can do."""

import datetime
import json

import boto3
import pytest
from botocore.config import Config
from moto.sts.models import sts_backends

ROLE = "arn:aws:iam::444455556666:role/deployer"
PRODUCER_USER = "arn:aws:iam::111122223333:user/lab"


def trust(client, principal, name="deployer", **statement):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **statement}
        ],
    }
    iam = client("iam", "acme")
    if name in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(policy))
    else:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))


def assume(client, account="producer", role=ROLE, **request):
    return client("sts", account).assume_role(RoleArn=role, RoleSessionName="deploy", **request)


@pytest.fixture
def session_client(cloud):
    """`session_client("ec2", credentials)`: a client with a session's credentials."""
    opened = []

    def get(service, credentials, token=None):
        made = boto3.client(
            service,
            region_name="eu-west-1",
            endpoint_url=cloud.endpoint_url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"] if token is None else token,
            config=Config(retries={"total_max_attempts": 1}),
        )
        opened.append(made)
        return made

    yield get
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    "principal",
    ["*", {"AWS": "*"}, {"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"},
     {"AWS": ["arn:aws:iam::777788889999:root", PRODUCER_USER]}],
)  # fmt: skip
def test_a_role_is_assumed_by_whom_its_trust_policy_names(client, principal):
    trust(client, principal)
    answer = assume(client)
    assert answer["AssumedRoleUser"]["Arn"] == (
        "arn:aws:sts::444455556666:assumed-role/deployer/deploy"
    )
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")


def test_the_session_acts_in_the_roles_account(client, session_client):
    trust(client, {"AWS": "111122223333"})
    credentials = assume(client)["Credentials"]
    identity = session_client("sts", credentials).get_caller_identity()
    assert identity["Account"] == "444455556666"
    assert identity["Arn"] == "arn:aws:sts::444455556666:assumed-role/deployer/deploy"
    vpc_id = session_client("ec2", credentials).create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    assert client("ec2", "acme").describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    mine = client("ec2").describe_vpcs()["Vpcs"]
    assert vpc_id not in [vpc["VpcId"] for vpc in mine]


def test_each_users_key_names_its_own_account_and_user(client):
    for account, account_id in (("producer", "111122223333"), ("globex", "777788889999")):
        identity = client("sts", account).get_caller_identity()
        assert identity["Account"] == account_id
        assert identity["Arn"] == f"arn:aws:iam::{account_id}:user/lab"


@pytest.mark.parametrize(
    ("principal", "statement"),
    [
        ({"AWS": "777788889999"}, {}),
        ({"AWS": "arn:aws:iam::111122223333:user/other"}, {}),
        ({"Service": "lambda.amazonaws.com"}, {}),
        ({"AWS": "111122223333"}, {"Action": "sts:TagSession"}),
        ({"AWS": "*"}, {"Condition": {"StringEquals": {"aws:PrincipalAccount": "777788889999"}}}),
        ({"AWS": "*"}, {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}),
    ],
)
def test_whom_the_trust_policy_does_not_admit_is_refused(client, refused, principal, statement):
    trust(client, principal, **statement)
    words = (
        f"User: {PRODUCER_USER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    )
    with refused("AccessDenied", words):
        assume(client)


def test_a_deny_wins(client, refused):
    both = [
        {"Effect": effect, "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        for effect, account in (("Allow", "*"), ("Deny", "111122223333"))
    ]
    client("iam", "acme").create_role(
        RoleName="denied",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": both}),
    )
    role = "arn:aws:iam::444455556666:role/denied"
    with refused("AccessDenied"):
        assume(client, role=role)
    assert assume(client, "globex", role=role)["Credentials"]


@pytest.mark.parametrize("account_id", ["444455556666", "123456789012"])
def test_a_role_that_does_not_exist_is_refused_like_one_that_does_not_trust(
    client, refused, account_id
):
    with refused("AccessDenied", f"on resource: arn:aws:iam::{account_id}:role/nobody"):
        assume(client, role=f"arn:aws:iam::{account_id}:role/nobody")


def test_an_external_id_that_the_trust_policy_asks_for_must_be_given(client, refused):
    condition = {"StringEquals": {"sts:ExternalId": "contract-7"}}
    trust(client, {"AWS": "111122223333"}, Condition=condition)
    for request in ({}, {"ExternalId": "contract-8"}):
        with refused("AccessDenied"):
            assume(client, **request)
    assert assume(client, ExternalId="contract-7")["Credentials"]


def test_a_session_assumes_a_further_role_by_its_roles_name(client, session_client, refused):
    trust(client, {"AWS": "111122223333"})
    trust(client, {"AWS": ROLE}, name="second")
    second = "arn:aws:iam::444455556666:role/second"
    with refused("AccessDenied"):
        assume(client, role=second)
    sts = session_client("sts", assume(client)["Credentials"])
    assert sts.assume_role(RoleArn=second, RoleSessionName="again")["Credentials"]
    with refused("ValidationError", "1 hour session limit for roles assumed by role chaining"):
        sts.assume_role(RoleArn=second, RoleSessionName="again", DurationSeconds=3601)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"RoleSessionName": "a b"}, "'roleSessionName' failed to satisfy constraint"),
        ({"ExternalId": "x"}, "'externalId' failed to satisfy constraint"),
        ({"DurationSeconds": 899}, "greater than or equal to 900"),
        ({"DurationSeconds": 43201}, "less than or equal to 43200"),
        ({"DurationSeconds": 3601}, "exceeds the MaxSessionDuration set for this role"),
    ],
)
def test_requests_out_of_bounds_are_refused(client, refused, request_, words):
    trust(client, {"AWS": "111122223333"})
    request = {"RoleArn": ROLE, "RoleSessionName": "deploy"} | request_
    with refused("ValidationError", words):
        client("sts").assume_role(**request)


def test_a_sessions_key_is_refused_without_its_token_and_after_its_end(
    client, session_client, refused
):
    trust(client, {"AWS": "111122223333"})
    credentials = assume(client)["Credentials"]
    with refused("InvalidClientTokenId"):
        session_client("ec2", credentials, token="another").describe_vpcs()  # noqa: S106
    for session in sts_backends["444455556666"]["aws"].assumed_roles:
        session.expiration -= datetime.timedelta(hours=2)
    with refused("ExpiredToken"):
        session_client("ec2", credentials).describe_vpcs()
