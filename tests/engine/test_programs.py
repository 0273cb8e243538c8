"""What the engine asks of a provider beyond the daily life of one stack, on small programs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from pulumi.automation.events import EngineEvent

from lab.provider.engine import Engine, Step
from lab.provider.inprocess import DeployError
from lab.provider.state import Entry
from tests.engine.conftest import REGION, Account, Written

pytestmark = pytest.mark.engine

CONFIG = {"aws:region": REGION}
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


def test_each_explicit_provider_keeps_its_own_region_and_tags(account: Account, written):
    engine = written(CONFIG).write("""
        for region in ("us-east-1", "eu-central-1"):
            tags = aws.ProviderDefaultTagsArgs(tags={"where": region})
            there = aws.Provider(region, region=region, default_tags=tags)
            opts = pulumi.ResourceOptions(provider=there)
            group = aws.cloudwatch.LogGroup(region, opts=opts)
            pulumi.export(region, {"arn": group.arn, "tags": group.tags_all})
        pulumi.export("here", aws.cloudwatch.LogGroup("here").arn)
    """)
    outputs = engine.up().outputs
    for region in ("us-east-1", "eu-central-1"):
        assert outputs[region]["arn"].split(":")[3] == region
        assert outputs[region]["tags"] == {"where": region}
    assert outputs["here"].split(":")[3] == REGION
    assert engine.up().changing == []


def test_a_resource_that_is_there_can_be_imported(account: Account, written):
    logs = account.client("logs")
    logs.create_log_group(logGroupName="there", tags={"of": "somebody"})
    logs.put_retention_policy(logGroupName="there", retentionInDays=7)
    engine = written(CONFIG).write("""
        opts = pulumi.ResourceOptions(import_="there")
        tags = {"of": "somebody"}
        aws.cloudwatch.LogGroup("g", name="there", retention_in_days=7, tags=tags, opts=opts)
    """)
    result = engine.up()
    assert [step.name for step in result.of("import")] == ["g"]
    assert engine.up().changing == []


def test_what_aws_refuses_is_shown_on_the_resource_in_its_words(account: Account, written):
    engine = written(CONFIG).write("""
        aws.ec2.Vpc("v", cidr_block="10.0.0.0/8")
    """)
    with pytest.raises(DeployError) as failure:
        engine.up()
    (shown, *_) = [one for one in failure.value.diagnostics if one.urn.endswith("::v")]
    assert "api error InvalidVpc.Range" in shown.message


def test_a_half_made_resource_is_kept_and_finished_by_the_next_deployment(
    account: Account, written
):
    program = written(CONFIG)
    with pytest.raises(DeployError, match="InvalidParameterException"):
        program.write("""aws.cloudwatch.LogGroup("g", retention_in_days=2)""").up()
    (kept,) = program.engine.entries()
    assert kept.id.startswith("g-")
    mended = program.write("""aws.cloudwatch.LogGroup("g", retention_in_days=3)""").up()
    assert [step.operation for step in mended.changing] == ["update"]
    (entry,) = program.engine.entries()
    assert (entry.id, entry.outputs["retentionInDays"]) == (kept.id, 3)
    assert program.engine.up().changing == []


def test_a_secret_stays_one_in_the_state(account: Account, written):
    engine = written(CONFIG).write("""
        key = tls.PrivateKey("key", algorithm="ECDSA", ecdsa_curve="P256")
        pulumi.export("key", key.private_key_pem)
    """)
    result = engine.up()
    assert result.secret_outputs == {"key"}
    state = next((engine.folder / "state").rglob("test.json")).read_text()
    assert "PRIVATE KEY" not in state


def test_a_protected_resource_is_not_deleted(account: Account, written):
    program = written(CONFIG)
    program.write("""
        aws.cloudwatch.LogGroup("g", opts=pulumi.ResourceOptions(protect=True))
    """).up()
    with pytest.raises(DeployError, match="protect"):
        program.write("").up()
    program.write("""aws.cloudwatch.LogGroup("g")""").up()


def test_a_planned_name_is_the_deployed_one(account: Account, written):
    engine = written(CONFIG).write("""aws.cloudwatch.LogGroup("g")""")
    plan = str(engine.folder / "plan.json")
    planned: list[str] = []

    def heard(event: EngineEvent) -> None:
        if event.resource_pre_event and event.resource_pre_event.metadata.type == LOG_GROUP:
            new = event.resource_pre_event.metadata.new
            assert new
            assert new.inputs
            planned.append(new.inputs["name"])

    engine.stack.preview(plan=plan, on_event=heard)
    engine.stack.up(plan=plan)
    (entry,) = engine.entries()
    assert planned == [entry.outputs["name"]]


def test_names_are_as_the_stacks_autonaming_asks(account: Account, written):
    naming = {"pulumi:autonaming": {"pattern": "of-${stack}-${name}-${hex(4)}"}}
    engine = written({**CONFIG, **naming}).write("""
        group = aws.ec2.SecurityGroup("g", description=pulumi.Config().get("text") or "one")
        pulumi.export("name", group.name)
    """)
    first = engine.up().outputs["name"]
    assert re.fullmatch(r"of-test-g-[0-9a-f]{4}", first)
    assert engine.up().changing == []
    replaced = engine.up({"demo:text": "two"})
    assert replaced.outputs["name"] != first
    assert [step.operation for step in replaced.steps if step.name == "g"] == [
        "create-replacement",
        "replace",
        "delete-replaced",
    ]


@dataclass(kw_only=True)
class Twice:
    """A program deployed in two versions: what there was after each, by name, and the steps."""

    before: dict[str, Entry]
    after: dict[str, Entry]
    steps: list[Step]

    def of(self, name: str) -> list[str]:
        return [step.operation for step in self.steps if step.name == name]


@pytest.fixture(scope="module")
def twice(account: Account, cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twice]:
    """Each resource option at work, in one program to save runs of the engine."""
    root = tmp_path_factory.mktemp("options")
    program = Written(
        engine=Engine(root, root / ".state", "demo", "test", CONFIG, account.providers.ports)
    )
    program.write("""
        opts = pulumi.ResourceOptions
        aws.cloudwatch.LogGroup("ignoring", retention_in_days=7)
        aws.cloudwatch.LogGroup("old-name", retention_in_days=7)
        aws.cloudwatch.LogGroup("replacing", retention_in_days=7)
        aws.cloudwatch.LogGroup("retained", name="retained", opts=opts(retain_on_delete=True))
        aws.ec2.SecurityGroup("first-new", description="one")
        aws.ec2.SecurityGroup("first-gone", description="one")
    """).up()
    before = {entry.urn.rpartition("::")[2]: entry for entry in program.engine.entries()}
    result = program.write("""
        opts = pulumi.ResourceOptions
        ignoring = opts(ignore_changes=["retention_in_days"])
        aws.cloudwatch.LogGroup("ignoring", retention_in_days=30, opts=ignoring)
        renamed = opts(aliases=[pulumi.Alias(name="old-name")])
        aws.cloudwatch.LogGroup("new-name", retention_in_days=30, opts=renamed)
        replacing = opts(replace_on_changes=["retention_in_days"])
        aws.cloudwatch.LogGroup("replacing", retention_in_days=30, opts=replacing)
        aws.ec2.SecurityGroup("first-new", description="two")
        gone_first = opts(delete_before_replace=True)
        aws.ec2.SecurityGroup("first-gone", description="two", opts=gone_first)
    """).up()
    after = {entry.urn.rpartition("::")[2]: entry for entry in program.engine.entries()}
    yield Twice(before=before, after=after, steps=result.steps)
    program.engine.destroy()


def test_what_is_ignored_stays_as_it_was(twice: Twice):
    assert twice.of("ignoring") == ["same"]
    assert twice.after["ignoring"].outputs["retentionInDays"] == 7


def test_a_renamed_resource_with_an_alias_is_the_same_one(twice: Twice):
    assert twice.of("new-name") == ["update"]
    assert twice.after["new-name"].id == twice.before["old-name"].id
    assert "old-name" not in twice.after


def test_a_change_may_be_asked_to_replace(twice: Twice):
    assert twice.of("replacing") == ["create-replacement", "replace", "delete-replaced"]
    assert twice.after["replacing"].id != twice.before["replacing"].id


def test_the_old_one_goes_last_unless_asked_to_go_first(twice: Twice):
    assert twice.of("first-new") == ["create-replacement", "replace", "delete-replaced"]
    assert twice.of("first-gone") == ["delete-replaced", "replace", "create-replacement"]


def test_what_is_retained_leaves_the_state_but_not_aws(account: Account, twice: Twice):
    assert twice.of("retained") == ["delete"]
    assert "retained" not in twice.after
    logs = account.client("logs")
    found = logs.describe_log_groups(logGroupNamePrefix="retained")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["retained"]
