"""A program of the producer's that deploys into a customer's account, by a role there."""

import json

import pytest

from lab.provider.inprocess import DeployError
from tests.engine.conftest import ACCOUNTS, REGION, Account

pytestmark = pytest.mark.engine

PRODUCER, ACME = ACCOUNTS["producer"], ACCOUNTS["acme"]


def test_a_role_decides_in_which_account_things_are(accounts: dict[str, Account], written):
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": PRODUCER}}
    role = (
        accounts["acme"]
        .client("iam")
        .create_role(
            RoleName="deployer",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
    )
    program = written({"aws:region": REGION})
    source = """
        role = aws.ProviderAssumeRoleArgs(role_arn="{role}", session_name="lab")
        theirs = aws.Provider("theirs", region="us-east-1", assume_roles=[role])
        opts = pulumi.ResourceOptions(provider=theirs)
        pulumi.export("theirs", aws.cloudwatch.LogGroup("g", opts=opts).arn)
        pulumi.export("ours", aws.cloudwatch.LogGroup("h").arn)
    """
    engine = program.write(source.format(role=role["Role"]["Arn"]))
    outputs = engine.up().outputs
    assert outputs["theirs"].split(":")[3:5] == ["us-east-1", ACME]
    assert outputs["ours"].split(":")[3:5] == [REGION, PRODUCER]

    program.write(source.format(role=f"arn:aws:iam::{ACME}:role/none"))
    with pytest.raises(DeployError, match=r"cannot be assumed: .*not authorized to perform"):
        engine.up()
    program.write(source.format(role=role["Role"]["Arn"]))
    engine.up()
