"""What a program deployed in this process sees of other stacks, and of its own last deployment."""

from pathlib import Path

import pytest

from lab.provider.aws import ProviderSettings
from lab.provider.inprocess import DeployError, Deployment, deploy
from lab.provider.registry import Registry
from lab.provider.state import State

REFERENCE = """
import pulumi
one = pulumi.StackReference("one", stack_name=f"organization/demo/{pulumi.Config().require('of')}")
"""
PROGRAM = f"""{REFERENCE}
pulumi.export("open", one.get_output("open"))
pulumi.export("key", one.get_output("key"))
"""
OTHER = Deployment(outputs={"open": "o", "key": "k"}, secret_outputs=frozenset({"key"}), changes=[])


def up(
    folder: Path, registry: Registry, settings: ProviderSettings, of: str, **deployed: Deployment
) -> Deployment:
    if not (folder / "__main__.py").exists():
        (folder / "__main__.py").write_text(PROGRAM)
    return deploy(
        program=folder,
        project="demo",
        stack="test",
        config={"demo:of": of},
        state=State(folder / "state.json"),
        registry=registry,
        settings=settings,
        deployed=deployed,
    )


def test_another_stack_shows_its_outputs_and_which_are_secret(
    tmp_path: Path, registry: Registry, settings: ProviderSettings
):
    seen = up(tmp_path, registry, settings, "other", other=OTHER)
    assert seen.outputs == {"open": "o", "key": "k"}
    assert "key" in seen.secret_outputs


def test_a_stack_sees_nothing_of_itself_before_it_was_deployed(
    tmp_path: Path, registry: Registry, settings: ProviderSettings
):
    assert up(tmp_path, registry, settings, "test").outputs.get("open") is None
    assert up(tmp_path, registry, settings, "test", test=OTHER).outputs["open"] == "o"


def test_a_stack_that_is_not_there_is_refused(
    tmp_path: Path, registry: Registry, settings: ProviderSettings
):
    # Outputs of a reference that was refused are never awaited, of which Python would warn.
    (tmp_path / "__main__.py").write_text(REFERENCE)
    with pytest.raises(DeployError, match="unknown stack 'organization/demo/none'"):
        up(tmp_path, registry, settings, "none")
