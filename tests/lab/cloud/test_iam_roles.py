import json

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def iam(client):
    return client("iam")


def trust(**changes):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    } | changes
    kept = {name: value for name, value in statement.items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [kept]})


@pytest.fixture
def role(iam):
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust())
    yield {"RoleName": "r"}
    for name in iam.list_role_policies(RoleName="r")["PolicyNames"]:
        iam.delete_role_policy(RoleName="r", PolicyName=name)
    iam.delete_role(RoleName="r")


MALFORMED = [
    ("{", "MalformedPolicyDocument"),
    (trust(Effect="Permit"), "MalformedPolicyDocument"),
    (trust(Principal=None), "Missing required field Principal"),
    (trust(Principal={"Service": "lambda"}), 'Invalid principal in policy: "SERVICE":"lambda"'),
    (trust(Action="s3:GetObject"), "Trust Policy statement actions can only be sts:AssumeRole"),
    (trust(Resource="*"), "Has prohibited field Resource"),
    (trust(Sid="x" * 2048), "Cannot exceed quota for ACLSizePerRole: 2048"),
]


@pytest.mark.parametrize(("document", "words"), MALFORMED)
def test_a_role_is_refused_for_its_trust_policy(iam, role, document, words):
    with pytest.raises(ClientError, match=words):
        iam.create_role(RoleName="other", AssumeRolePolicyDocument=document)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="other")
    with pytest.raises(ClientError, match=words):
        iam.update_assume_role_policy(**role, PolicyDocument=document)


def permissions(sid):
    statement = {"Sid": sid, "Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_inline_policies_come_back_as_they_were_sent(iam, role):
    iam.put_role_policy(**role, PolicyName="p", PolicyDocument=permissions("a"))
    got = iam.get_role_policy(**role, PolicyName="p")["PolicyDocument"]
    assert got == json.loads(permissions("a"))


def test_a_malformed_inline_policy_is_refused(iam, role):
    document = permissions("a").replace('"Resource"', '"Resources"')
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.put_role_policy(**role, PolicyName="p", PolicyDocument=document)


def test_all_inline_policies_of_a_role_have_10240_characters(iam, role):
    big = permissions("x" * 6000)
    iam.put_role_policy(**role, PolicyName="p", PolicyDocument=big)
    iam.put_role_policy(**role, PolicyName="p", PolicyDocument=big)
    with pytest.raises(ClientError, match="Maximum policy size of 10240 bytes exceeded for role r"):
        iam.put_role_policy(**role, PolicyName="q", PolicyDocument=big)
