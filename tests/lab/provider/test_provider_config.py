"""Providers that assume roles: in which account things end up, and what AWS refuses."""

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lab.cloud import Cloud
from lab.provider.aws import Aws, ProviderSettings, forget_clients
from lab.provider.inprocess import DeployError, deploy, destroy
from lab.provider.provider_config import check_config, configured
from lab.provider.registry import OperationError, Registry
from lab.provider.schema import RefusalError
from lab.provider.state import State

from .conftest import REGION

PRODUCER, ACME = "111122223333", "444455556666"


@pytest.fixture(scope="module")
def accounts() -> Iterator[dict[str, ProviderSettings]]:
    """Two accounts by name."""
    with Cloud({"producer": PRODUCER, "acme": ACME}, REGION) as cloud:
        yield {
            name: ProviderSettings(
                endpoint_url=cloud.endpoint_url,
                region=REGION,
                access_key_id=key.access_key_id,
                secret_access_key=key.secret_access_key,
            )
            for name, key in cloud.credentials.items()
        }
        forget_clients(cloud.endpoint_url)


def make_role(settings: ProviderSettings, name: str, trusted: str, **condition: Any) -> str:
    """A role's ARN; `trusted` is who may assume it."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusted}}
    document = {"Version": "2012-10-17", "Statement": [{**statement, **condition}]}
    made = (
        Aws(settings)
        .client("iam")
        .create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    )
    return made["Role"]["Arn"]


@pytest.fixture(scope="module")
def role(accounts: dict[str, ProviderSettings]) -> str:
    """A role of acme's that the producer's account may assume."""
    return make_role(accounts["acme"], "deployer", PRODUCER)


def test_a_program_deploys_into_the_account_of_the_role(
    accounts: dict[str, ProviderSettings], role: str, registry: Registry, tmp_path: Path
) -> None:
    program = f"""
        import pulumi
        import pulumi_aws as aws

        roles = [aws.ProviderAssumeRoleArgs(role_arn="{role}", session_name="lab")]
        theirs = aws.Provider("theirs", assume_roles=roles, allowed_account_ids=["{ACME}"])
        aws.cloudwatch.LogGroup("g", name="there", opts=pulumi.ResourceOptions(provider=theirs))
        aws.cloudwatch.LogGroup("h", name="here")
    """
    (tmp_path / "__main__.py").write_text(dedent(program))
    state, settings = State(tmp_path / "state.json"), accounts["producer"]

    deploy(tmp_path, "demo", "test", {}, state, registry, settings)
    assert _groups(accounts["acme"]) == ["there"]
    assert _groups(settings) == ["here"]
    destroy(State(tmp_path / "state.json"), registry, settings)
    assert _groups(accounts["acme"]) == _groups(settings) == []


def _groups(settings: ProviderSettings) -> list[str]:
    groups = Aws(settings).client("logs").describe_log_groups()["logGroups"]
    return [group["logGroupName"] for group in groups]


def test_a_role_that_cannot_be_assumed_is_an_error_of_the_provider(
    accounts: dict[str, ProviderSettings], registry: Registry, tmp_path: Path
) -> None:
    program = f"""
        import pulumi_aws as aws

        role = aws.ProviderAssumeRoleArgs(role_arn="arn:aws:iam::{ACME}:role/none")
        aws.Provider("theirs", assume_roles=[role])
    """
    (tmp_path / "__main__.py").write_text(dedent(program))
    state = State(tmp_path / "state.json")
    with pytest.raises(DeployError) as failure:
        deploy(tmp_path, "demo", "test", {}, state, registry, accounts["producer"])
    (shown,) = failure.value.diagnostics
    assert shown.urn.endswith("pulumi:providers:aws::theirs")
    assert "sts:AssumeRole on resource" in shown.message
    assert state.entries() == []


def test_roles_are_assumed_in_order(accounts: dict[str, ProviderSettings]) -> None:
    first = make_role(accounts["producer"], "first", PRODUCER)
    second = make_role(accounts["acme"], "second", first)
    roles = [{"roleArn": first}, {"roleArn": second, "sessionName": "lab"}]
    chained = Aws(configured(accounts["producer"], {"assumeRoles": roles}))
    caller = chained.client("sts").get_caller_identity()
    assert caller["Arn"] == f"arn:aws:sts::{ACME}:assumed-role/second/lab"
    with pytest.raises(
        OperationError,
        match=r"^IAM Role \(.*:role/second\) cannot be assumed: operation error STS: AssumeRole, "
        r".* api error AccessDenied: User: arn:aws:iam::111122223333:user/lab is not authorized",
    ):
        configured(accounts["producer"], {"assumeRoles": roles[1:]})


def test_an_external_id_and_a_duration_are_passed_on(
    accounts: dict[str, ProviderSettings],
) -> None:
    wanted = {"StringEquals": {"sts:ExternalId": "shared"}}
    guarded = make_role(accounts["acme"], "guarded", PRODUCER, Condition=wanted)
    role = {"roleArn": guarded, "externalId": "shared", "duration": "15m"}
    assert configured(accounts["producer"], {"assumeRoles": [role]}).session_token
    for wrong, words in (
        ({"externalId": "other"}, "AccessDenied"),
        ({"duration": "10m"}, "valid min value: 900"),
    ):
        with pytest.raises(OperationError, match=words):
            configured(accounts["producer"], {"assumeRoles": [{**role, **wrong}]})


def test_an_account_that_is_not_allowed_is_refused(
    accounts: dict[str, ProviderSettings], role: str
) -> None:
    config = {"assumeRoles": [{"roleArn": role}], "allowedAccountIds": [PRODUCER]}
    with pytest.raises(OperationError, match=f"^AWS account ID not allowed: {ACME}$"):
        configured(accounts["producer"], config)
    allowed = configured(accounts["producer"], {**config, "allowedAccountIds": [ACME]})
    assert Aws(allowed).account_id == ACME


def test_what_is_not_modelled_is_refused() -> None:
    with pytest.raises(RefusalError, match=r"unknown property 'assumeRoles\[0\]\.rolArn'"):
        check_config({"assumeRoles": '[{"rolArn": "x"}]'})
    with pytest.raises(RefusalError, match="unknown property 'profile'"):
        check_config({"profile": "x"})
    with pytest.raises(RefusalError, match="'defaultTags' must be JSON"):
        check_config({"defaultTags": "x"})
