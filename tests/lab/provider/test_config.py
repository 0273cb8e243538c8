"""Configuration as the engine would hand it to a program."""

import json
from pathlib import Path

import pytest

from lab.provider.config import ConfigError, load_config


def _write(root: Path, project: str, stack: str) -> None:
    (root / "Pulumi.yaml").write_text(project)
    (root / "Pulumi.dev.yaml").write_text(stack)


def test_defaults_and_the_stacks_values_come_as_text_with_their_namespace(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "name: demo\nruntime: python\nconfig:\n"
        "  size: {type: integer, default: 3}\n  bare: {}\n"
        "  enabled: {type: boolean, default: true}\n",
        "config:\n  aws:region: eu-west-1\n  demo:size: 4\n  demo:zones: {a: 1}\n  list: [x]\n",
    )
    name, config = load_config(tmp_path, "dev")
    assert name == "demo"
    assert config["demo:size"] == "4"
    assert config["demo:enabled"] == "true"
    assert config["aws:region"] == "eu-west-1"
    assert json.loads(config["demo:zones"]) == {"a": 1}
    assert config["demo:list"] == '["x"]'
    assert "demo:bare" not in config


@pytest.mark.parametrize(
    ("project", "stack", "message"),
    [
        ("runtime: python\n", "{}", "'name' is missing"),
        ("name: demo\n", "[]", "a mapping is wanted"),
        ("name: [\n", "{}", r"Pulumi\.yaml"),
        ("name: demo\n", "config:\n  k: {secure: v1}\n", "'k' is encrypted"),
    ],
)
def test_files_that_pulumi_would_not_take_are_refused(
    tmp_path: Path, project: str, stack: str, message: str
) -> None:
    _write(tmp_path, project, stack)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path, "dev")


def test_a_stack_without_a_file_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "name: demo\n", "{}")
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path, "prod")
