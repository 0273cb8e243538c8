"""What the code promises about its own shape."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

ALLOWED = {
    "components": {"authorizer", "components"},
    "settings": {"components", "settings"},
    "widgets": set(),
    "authorizer": {"authorizer"},
    "ops": {"ops"},
    "lab/cloud": {"lab.cloud"},
    "lab/issuer": {"lab.issuer"},
    "lab/provider": {"lab.provider", "lab.aws_sessions"},
    "lab/wire": {"lab.wire", "lab.aws_sessions", "lab.certificates"},
}
"""By folder, what of ours it may import: arrows point one way."""

OURS = (
    *("components", "settings", "producer", "consumer"),
    *("authorizer", "widgets", "ops", "lab", "bench", "tests"),
)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("folder", ALLOWED)
def test_imports_point_one_way(folder: str):
    for path in (ROOT / folder).rglob("*.py"):
        for name in imported(path):
            if name.partition(".")[0] in OURS:
                allowed = any(f"{name}.".startswith(f"{one}.") for one in ALLOWED[folder])
                assert allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize(
    ("folder", "packed"),
    [("widgets", set[str]()), ("authorizer", {"authorizer", "cryptography", "joserfc"})],
)
def test_what_runs_in_lambda_needs_python_and_what_is_packed(folder: str, packed: set[str]):
    for path in (ROOT / folder).rglob("*.py"):
        names = {name.partition(".")[0] for name in imported(path)}
        assert names <= sys.stdlib_module_names | packed


def test_every_file_with_tests_is_collected():
    for path in (ROOT / "tests").rglob("*.py"):
        if re.search(r"^(async )?def test_", path.read_text(), re.MULTILINE):
            assert path.name.startswith("test_"), path


def test_every_setting_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    for key in yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]:
        assert f"`{key.removeprefix('mtls:')}`" in readme, key


def test_links_in_the_documentation_lead_somewhere():
    for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
