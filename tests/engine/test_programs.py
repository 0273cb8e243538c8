"""What the engine asks of a provider beyond the daily life of one stack, on small programs."""

import pytest

from lab.provider.inprocess import DeployError
from tests.engine.conftest import REGION, Account

pytestmark = pytest.mark.engine

CONFIG = {"aws:region": REGION}


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
