"""A refresh: the state becomes what AWS has, and AWS stays as it is."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.provider.aws import Aws, ProviderSettings
from lab.provider.inprocess import DeployError, refresh
from lab.provider.registry import Registry
from lab.provider.state import Entry, State
from lab.provider.steps import Change

from .test_inprocess import NETWORK, Program

TAGGED = 'aws.ec2.Vpc("net", cidr_block="10.1.0.0/16", tags={"team": "a"}'
BY_PROVIDER = f"""
other = aws.Provider("other", region="eu-west-1", default_tags={{"tags": {{"stack": "dev"}}}})
{TAGGED}, opts=pulumi.ResourceOptions(provider=other))
"""


@pytest.fixture
def program(tmp_path: Path, registry: Registry, settings: ProviderSettings) -> Iterator[Program]:
    made = Program(tmp_path, registry, settings)
    yield made
    made.destroy()


def _refreshed(program: Program, registry: Registry, settings: ProviderSettings) -> list[Change]:
    return refresh(State(program.state_file), registry, settings)


def _entry(program: Program, name: str) -> Entry:
    [found] = [
        entry
        for entry in State(program.state_file).entries()
        if entry.urn.rpartition("::")[2] == name
    ]
    return found


def test_what_is_as_it_was_left_stays_in_the_state_as_it_is(
    program: Program, registry: Registry, settings: ProviderSettings
) -> None:
    program.up(NETWORK)
    _refreshed(program, registry, settings)
    before = program.state_file.read_text()
    changes = _refreshed(program, registry, settings)
    assert [change.operation for change in changes] == ["same"] * 3
    assert program.state_file.read_text() == before
    assert program.up().count("same") == 3


def test_what_was_changed_in_aws_is_in_the_state_until_the_next_deployment(
    program: Program, registry: Registry, settings: ProviderSettings, aws: Aws
) -> None:
    vpc_id = program.up(NETWORK).outputs["vpc"]
    aws.client("ec2").modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": False})
    changes = _refreshed(program, registry, settings)
    assert changes[0] == Change(
        operation="update", urn=_entry(program, "net").urn, properties=("enableDnsSupport",)
    )
    drifted = _entry(program, "net")
    assert (drifted.inputs["enableDnsSupport"], drifted.outputs["enableDnsSupport"]) == (
        False,
        False,
    )
    again = program.up()
    assert [change.properties for change in again.changes if change.operation == "update"] == [
        ("enableDnsSupport",)
    ]


def test_what_aws_decides_comes_to_the_program_with_the_next_deployment(
    program: Program, registry: Registry, settings: ProviderSettings, aws: Aws
) -> None:
    source = f"{NETWORK}pulumi.export('ingress', group.ingress.apply(len))\n"
    assert program.up(source).outputs["ingress"] == 0
    assert program.up().outputs["ingress"] == 0
    _refreshed(program, registry, settings)
    assert program.up().outputs["ingress"] == 1


def test_what_is_gone_leaves_the_state_and_is_made_anew(
    program: Program, registry: Registry, settings: ProviderSettings, aws: Aws
) -> None:
    program.up(NETWORK)
    rule = _entry(program, "rule")
    aws.client("ec2").revoke_security_group_ingress(
        GroupId=rule.inputs["securityGroupId"], SecurityGroupRuleIds=[rule.id]
    )
    gone = [one for one in _refreshed(program, registry, settings) if one.operation == "delete"]
    assert gone == [Change(operation="delete", urn=rule.urn)]
    assert len(State(program.state_file).entries()) == 2
    assert program.up().count("create") == 1


def test_each_resource_is_read_as_its_provider_is_configured(
    program: Program, registry: Registry, settings: ProviderSettings
) -> None:
    program.up(BY_PROVIDER)
    changes = _refreshed(program, registry, settings)
    assert [change.operation for change in changes] == ["same"]
    assert {entry.type for entry in State(program.state_file).entries()} == {
        "pulumi:providers:aws",
        "aws:ec2/vpc:Vpc",
    }


def test_default_tags_of_the_stack_are_no_drift(
    program: Program, registry: Registry, settings: ProviderSettings
) -> None:
    program.up(f"{TAGGED})", aws__defaultTags='{"tags": {"stack": "dev"}}')
    tagged = replace(settings, default_tags={"stack": "dev"})
    assert [change.operation for change in _refreshed(program, registry, tagged)] == ["same"]


def test_what_cannot_be_read_is_said_of_the_resource_and_stays(
    program: Program, registry: Registry, settings: ProviderSettings
) -> None:
    program.up(NETWORK)
    nobody = replace(settings, access_key_id="AKIAUNKNOWN")
    with pytest.raises(DeployError, match=r"^error: aws:ec2/vpc:Vpc \(net\): reading EC2 VPC "):
        _refreshed(program, registry, nobody)
    assert len(State(program.state_file).entries()) == 3
