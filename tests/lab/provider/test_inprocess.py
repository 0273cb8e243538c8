"""Programs deployed in this process: created, changed, replaced, failed, gone on, destroyed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from pulumi.runtime.proto import resource_pb2

from lab.provider.aws import Aws, ProviderSettings
from lab.provider.inprocess import DeployError, Deployment, deploy, destroy
from lab.provider.monitor import Diagnostic, Monitor, StoppedError
from lab.provider.registry import Registry
from lab.provider.state import State
from lab.provider.steps import Steps

IMPORTS = "import pulumi\nimport pulumi_aws as aws\nimport pulumi_tls as tls\n"


class Program:
    """A program in a folder of its own, and its state."""

    def __init__(self, root: Path, registry: Registry, settings: ProviderSettings) -> None:
        self.root = root
        self.state_file = root / "state.json"
        self._registry = registry
        self._settings = settings

    def write(self, source: str, name: str = "__main__.py") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source))

    def up(self, source: str | None = None, **config: str) -> Deployment:
        if source is not None:
            self.write(f"{IMPORTS}{dedent(source)}")
        return deploy(
            program=self.root,
            project="demo",
            stack="test",
            config={key.replace("__", ":"): value for key, value in config.items()},
            state=State(self.state_file),
            registry=self._registry,
            settings=self._settings,
        )

    def fails(self, source: str | None = None, **config: str) -> DeployError:
        with pytest.raises(DeployError) as failure:
            self.up(source, **config)
        return failure.value

    def destroy(self) -> None:
        destroy(State(self.state_file), self._registry, self._settings)


@pytest.fixture
def program(tmp_path: Path, registry: Registry, settings: ProviderSettings) -> Iterator[Program]:
    made = Program(tmp_path, registry, settings)
    yield made
    made.destroy()


def _done(deployment: Deployment | DeployError, operation: str) -> list[str]:
    """The names of the resources to which that was done, in order."""
    return [
        change.urn.rpartition("::")[2]
        for change in deployment.changes
        if change.operation == operation
    ]


NETWORK = """
vpc = aws.ec2.Vpc("net", cidr_block=pulumi.Config().get("cidr") or "10.1.0.0/16")
group = aws.ec2.SecurityGroup("group", vpc_id=vpc.id, description="one")
rule = aws.vpc.SecurityGroupIngressRule(
    "rule", security_group_id=group.id, ip_protocol="tcp", from_port=1, to_port=1,
    cidr_ipv4="10.0.0.0/8")
pulumi.export("vpc", vpc.id)
pulumi.export("group", group.name)
"""


def test_a_second_deployment_changes_nothing(program: Program, aws: Aws) -> None:
    first = program.up(NETWORK)
    assert _done(first, "create") == ["net", "group", "rule"]
    again = program.up()
    assert (again.count("same"), len(again.changes)) == (3, 3)
    assert again.outputs == first.outputs
    found = aws.client("ec2").describe_vpcs(VpcIds=[first.outputs["vpc"]])
    assert found["Vpcs"][0]["CidrBlock"] == "10.1.0.0/16"


def test_a_changed_property_is_updated_in_place(program: Program) -> None:
    before = program.up(NETWORK)
    after = program.up(NETWORK.replace('cidr_ipv4="10.0.0.0/8"', 'cidr_ipv4="10.0.0.0/9"'))
    assert _done(after, "update") == ["rule"]
    assert after.changes[-1].properties == ("cidrIpv4",)
    assert after.outputs == before.outputs


def test_a_replacement_is_made_before_the_old_one_and_its_dependents_go(
    program: Program, aws: Aws
) -> None:
    before = program.up(NETWORK)
    after = program.up(demo__cidr="10.2.0.0/16")
    assert _done(after, "replace") == ["net", "group", "rule"]
    assert after.outputs["group"] != before.outputs["group"]
    vpcs = aws.client("ec2").describe_vpcs()["Vpcs"]
    ids = {vpc["VpcId"] for vpc in vpcs}
    assert after.outputs["vpc"] in ids
    assert before.outputs["vpc"] not in ids
    assert State(program.state_file).pending() == []


def test_a_replacement_asked_to_delete_first_takes_its_dependents_along(program: Program) -> None:
    first = NETWORK.replace(
        ' or "10.1.0.0/16")',
        ' or "10.1.0.0/16", opts=pulumi.ResourceOptions(delete_before_replace=True))',
    )
    program.up(first)
    after = program.up(first, demo__cidr="10.2.0.0/16")
    assert _done(after, "replace") == ["net"]
    assert _done(after, "create") == ["group", "rule"]
    assert State(program.state_file).pending() == []


def test_a_resource_replaced_with_another_is_so_only_when_that_is(program: Program) -> None:
    option = "pulumi.ResourceOptions(replace_with=[vpc])"
    follower = f'{NETWORK}aws.cloudwatch.LogGroup("follower", opts={option})\n'
    program.up(follower)
    assert _done(program.up(follower), "replace") == []
    after = program.up(follower, demo__cidr="10.2.0.0/16")
    assert "follower" in _done(after, "replace")
    assert State(program.state_file).pending() == []


def test_what_is_no_longer_declared_is_deleted_dependents_first(program: Program) -> None:
    program.up(NETWORK)
    after = program.up("")
    assert _done(after, "delete") == ["rule", "group", "net"]
    assert State(program.state_file).entries() == []


def test_a_failed_deployment_goes_on_where_it_stopped(program: Program) -> None:
    broken = NETWORK.replace("10.0.0.0/8", "not-a-range")
    failure = program.fails(broken)
    assert _done(failure, "create") == ["net", "group"]
    (diagnostic,) = failure.diagnostics
    shown = str(diagnostic)
    assert shown.startswith(
        "error: aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule (rule): "
        "creating VPC Security Group Ingress Rule"
    )
    assert "operation error EC2: AuthorizeSecurityGroupIngress" in shown
    assert "api error Invalid" in shown
    after = program.up(NETWORK)
    assert _done(after, "create") == ["rule"]
    assert after.count("same") == 2


def test_nothing_is_deleted_when_a_resource_failed(program: Program) -> None:
    program.up(NETWORK)
    failure = program.fails(
        'aws.ec2.Subnet("lost", vpc_id="vpc-00000000", cidr_block="10.0.0.0/24")'
    )
    assert _done(failure, "delete") == []
    assert len(State(program.state_file).entries()) == 3


def test_nothing_more_is_begun_after_an_error(
    tmp_path: Path, registry: Registry, settings: ProviderSettings
) -> None:
    state = State(tmp_path / "state.json")
    steps = Steps(registry, state, settings)
    monitor = Monitor(steps, "demo", "test")
    monitor.fail(Diagnostic(message="no"))
    request = resource_pb2.RegisterResourceRequest(type="aws:ec2/vpc:Vpc", name="n", custom=True)
    request.object.update({"cidrBlock": "10.1.0.0/16"})
    with pytest.raises(StoppedError):
        monitor.RegisterResource(request)
    assert steps.changes == []


def test_an_unknown_property_names_the_resource(program: Program) -> None:
    failure = program.fails('aws.ec2.Vpc("net", cidr_block="10.1.0.0/16", ipv4_netmask_length=16)')
    assert str(failure).startswith(
        "error: aws:ec2/vpc:Vpc (net): aws:ec2/vpc:Vpc: unknown property 'ipv4NetmaskLength'"
    )


def test_an_exception_of_the_program_is_shown_with_its_own_lines_only(program: Program) -> None:
    program.write("def check():\n    raise ValueError('a range is wanted')\n", "helpers/rules.py")
    failure = program.fails("from helpers import rules\nrules.check()\n")
    shown = str(failure)
    assert "ValueError: a range is wanted" in shown
    assert "rules.check()" in shown
    assert "helpers/rules.py" in shown
    assert "inprocess.py" not in shown
    assert "runpy" not in shown


def test_an_exception_in_an_apply_is_shown(program: Program) -> None:
    failure = program.fails(
        """
        vpc = aws.ec2.Vpc("net", cidr_block="10.1.0.0/16")
        pulumi.export("x", vpc.id.apply(lambda _: {}["missing"]))
        """
    )
    assert "KeyError: 'missing'" in str(failure)


def test_a_missing_setting_is_shown_alone(program: Program) -> None:
    failure = program.fails('pulumi.Config().require("domain")')
    assert "demo:domain" in str(failure)
    assert "Traceback" not in str(failure)


def test_an_edited_module_is_seen_and_the_processs_own_come_back(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.write("VALUE = 1\n", "mine.py")
    loaded = ModuleType("mine")
    loaded.__file__ = str(program.root / "mine.py")
    monkeypatch.setitem(sys.modules, "mine", loaded)
    source = "import mine\npulumi.export('value', mine.VALUE)"
    assert program.up(source).outputs == {"value": 1}
    program.write("VALUE = 2\n", "mine.py")
    assert program.up(source).outputs == {"value": 2}
    assert sys.modules["mine"] is loaded
    assert str(program.root) not in sys.path
    assert Path.cwd() != program.root


def test_secrets_are_marked_and_not_shown_by_the_stack(program: Program) -> None:
    deployment = program.up(
        """
        key = tls.PrivateKey("key", algorithm="ED25519")
        pulumi.export("key", key.private_key_pem)
        pulumi.export("nested", {"inner": key.private_key_pem})
        pulumi.export("public", key.public_key_pem)
        """
    )
    assert deployment.secret_outputs == {"key", "nested"}
    assert "PRIVATE KEY" not in repr(deployment)
    assert program.state_file.stat().st_mode & 0o077 == 0


def test_a_secret_input_stays_secret_in_the_outputs(program: Program) -> None:
    deployment = program.up(
        """
        vpc = aws.ec2.Vpc("net", cidr_block="10.1.0.0/16", tags={"a": pulumi.Output.secret("s")})
        pulumi.export("tags", vpc.tags)
        pulumi.export("id", vpc.id)
        """
    )
    assert deployment.secret_outputs == {"tags"}


def test_ignored_changes_are_not_made(program: Program) -> None:
    source = """
        aws.ec2.Vpc("net", cidr_block="10.1.0.0/16", enable_dns_hostnames=%s,
                    opts=pulumi.ResourceOptions(ignore_changes=["enable_dns_hostnames"]))
        """
    program.up(source % "False")
    assert program.up(source % "True").count("same") == 1


def test_what_is_protected_is_neither_deleted_nor_replaced(program: Program) -> None:
    source = """
        aws.ec2.Vpc("net", cidr_block="10.1.0.0/16",
                    opts=pulumi.ResourceOptions(protect=%s))
        """
    program.up(source % "True")
    assert "it is protected" in str(program.fails(""))
    replaced = (source % "True").replace("10.1.0.0", "10.2.0.0")
    assert "cannot be replaced: it is protected" in str(program.fails(replaced))
    assert program.up(source % "False").count("same") == 1


def test_an_alias_keeps_the_resource(program: Program) -> None:
    old = program.up('pulumi.export("id", aws.ec2.Vpc("old", cidr_block="10.1.0.0/16").id)')
    new = program.up(
        """
        net = aws.ec2.Vpc("new", cidr_block="10.1.0.0/16",
                          opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")]))
        pulumi.export("id", net.id)
        """
    )
    assert new.outputs == old.outputs
    assert _done(new, "delete") == []


def test_children_of_components_carry_their_parents_type(program: Program) -> None:
    deployment = program.up(
        """
        class Net(pulumi.ComponentResource):
            def __init__(self, name):
                super().__init__("demo:index:Net", name)
                opts = pulumi.ResourceOptions(parent=self)
                self.vpc = aws.ec2.Vpc(f"{name}-vpc", cidr_block="10.1.0.0/16", opts=opts)
                self.register_outputs({})

        Net("a")
        """
    )
    assert [change.urn for change in deployment.changes] == [
        "urn:pulumi:test::demo::demo:index:Net$aws:ec2/vpc:Vpc::a-vpc"
    ]


def test_an_explicit_provider_gives_region_and_tags(program: Program) -> None:
    deployment = program.up(
        """
        there = aws.Provider("there", region="eu-central-1",
                             default_tags={"tags": {"stack": "x"}})
        vpc = aws.ec2.Vpc("net", cidr_block="10.1.0.0/16",
                          opts=pulumi.ResourceOptions(provider=there))
        here = aws.get_region_output()
        pulumi.export("arn", vpc.arn)
        pulumi.export("tags", vpc.tags_all)
        pulumi.export("here", here.region)
        """
    )
    assert ":eu-central-1:" in deployment.outputs["arn"]
    assert deployment.outputs["tags"] == {"stack": "x"}
    assert deployment.outputs["here"] == "eu-west-1"


def test_the_stacks_configuration_gives_region_and_tags(program: Program) -> None:
    source = """
        vpc = aws.ec2.Vpc("net", cidr_block="10.1.0.0/16")
        pulumi.export("arn", vpc.arn)
        pulumi.export("tags", vpc.tags_all)
        """
    tags = json.dumps({"tags": {"stack": "x"}})
    config: dict[str, Any] = {"aws__region": "us-east-2", "aws__defaultTags": tags}
    deployment = program.up(source, **config)
    assert ":us-east-2:" in deployment.outputs["arn"]
    assert deployment.outputs["tags"] == {"stack": "x"}
    assert "unknown configuration 'aws:profile'" in str(program.fails(source, aws__profile="me"))
    program.up("", **config)


def test_a_stack_that_names_its_accounts_is_deployed_into_no_other(program: Program) -> None:
    failure = program.fails("", aws__allowedAccountIds='["444455556666"]')
    assert str(failure) == "error: AWS account ID not allowed: 111111111111"
    program.up("", aws__allowedAccountIds='["444455556666", "111111111111"]')


def test_an_option_that_is_not_modelled_is_refused(program: Program) -> None:
    failure = program.fails(
        """
        aws.ec2.Vpc("net", cidr_block="10.1.0.0/16", opts=pulumi.ResourceOptions(import_="vpc-1"))
        """
    )
    assert "import_ is not modelled" in str(failure)


def test_two_resources_of_one_name_are_refused(program: Program) -> None:
    failure = program.fails(
        """
        for _ in range(2):
            aws.ec2.Vpc("net", cidr_block="10.1.0.0/16")
        """
    )
    assert "Duplicate resource URN" in str(failure)


def test_an_existing_resource_is_read(program: Program, aws: Aws) -> None:
    vpc = aws.client("ec2").create_vpc(CidrBlock="10.3.0.0/16")["Vpc"]["VpcId"]
    deployment = program.up(f'pulumi.export("cidr", aws.ec2.Vpc.get("there", "{vpc}").cidr_block)')
    assert deployment.outputs == {"cidr": "10.3.0.0/16"}
    assert deployment.changes == []
    failure = program.fails('aws.ec2.Vpc.get("there", "vpc-00000000")')
    assert "does not exist" in str(failure)


def test_code_of_a_folder_is_deployed_and_followed(program: Program, aws: Aws) -> None:
    source = """
        import json
        role = aws.iam.Role("role", assume_role_policy=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"}}]}))
        function = aws.lambda_.Function("f", role=role.arn, runtime="python3.13",
            handler="h.handle", code=pulumi.FileArchive("code"))
        pulumi.export("sha", function.code_sha256)
        """
    program.write("A = 1\n", "code/h.py")
    first = program.up(source)
    assert program.up(source).count("update") == 0
    program.write("A = 2\n", "code/h.py")
    second = program.up(source)
    assert second.count("update") == 1
    assert second.outputs["sha"] != first.outputs["sha"]
