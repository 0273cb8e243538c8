"""Lambda functions and the little they may do."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import policies
from components.function import Function, FunctionArgs
from tests.components.checks import check_family, refused
from tests.conftest import ROOT, Deploy, Deployed

CODE = ROOT / "widgets"


def args(**changes: Any) -> FunctionArgs:
    given: dict[str, Any] = {"code": CODE, "handler": "handler.handle", "description": "Sample"}
    return FunctionArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    return deploy(lambda opts: {"arn": Function("f", args(**changes), opts).arn})


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: Function(name, args(), opts))


def test_code_that_is_no_folder_is_refused(tmp_path: Path):
    file = tmp_path / "handler.py"
    file.touch()
    for code in (tmp_path / "none", file):
        with refused(f"code: want a folder, such as 'widgets'; got '{code}'"):
            args(code=code)


def test_the_folder_runs_as_it_stands_on_arm64(deploy: Deploy):
    function = made(deploy).one("aws:lambda/function:Function")
    inputs = dict(function.inputs)
    code = inputs.pop("code")
    assert isinstance(code, pulumi.FileArchive)
    assert code.path == str(CODE)
    assert inputs == {
        "description": "Sample",
        "runtime": "python3.13",
        "architectures": ["arm64"],
        "handler": "handler.handle",
        "role": "arn:f-execution-role",
        "memorySize": 256,
        "timeout": 10,
        "tracingConfig": {"mode": "Active"},
        "loggingConfig": {"logFormat": "Text", "logGroup": "f-logs"},
    }


def test_size_time_and_environment_are_as_told(deploy: Deploy):
    late = pulumi.Output.from_input("late")
    deployed = made(deploy, memory_mb=512, timeout_seconds=3, environment={"A": "1", "B": late})
    inputs = deployed.one("aws:lambda/function:Function").inputs
    assert inputs["memorySize"] == 512
    assert inputs["timeout"] == 3
    assert inputs["environment"] == {"variables": {"A": "1", "B": "late"}}


def test_the_function_may_write_its_own_logs_and_traces_and_nothing_else(deploy: Deploy):
    deployed = made(deploy, log_retention_days=3)
    assert deployed.one("LogGroup").inputs == {"retentionInDays": 3}
    role = deployed.one("aws:iam/role:Role").inputs
    assert json.loads(role["assumeRolePolicy"]) == policies.trust("lambda.amazonaws.com")
    allowed = json.loads(deployed.one("RolePolicy").inputs["policy"])
    assert allowed == policies.merge(policies.write_logs("arn:f-logs"), policies.write_traces())
    assert deployed.of("RolePolicyAttachment") == []


def test_a_built_archive_is_deployed_as_another_runtime_and_architecture(deploy: Deploy):
    archive: pulumi.Archive = pulumi.FileArchive("built.zip")
    code = pulumi.Output.from_input(archive)
    deployed = made(deploy, code=code, runtime="python3.12", architecture="x86_64")
    inputs = deployed.one("aws:lambda/function:Function").inputs
    assert inputs["code"].path == "built.zip"
    assert (inputs["runtime"], inputs["architectures"]) == ("python3.12", ["x86_64"])
    assert inputs.keys() & {"publish", "snapStart"} == set()
    assert deployed.of("Alias") == []


def test_a_snapshot_is_of_a_published_version_and_invoked_by_an_alias(deploy: Deploy):
    deployed = made(deploy, snap_start=True)
    inputs = deployed.one("aws:lambda/function:Function").inputs
    assert inputs["publish"] is True
    assert inputs["snapStart"] == {"applyOn": "PublishedVersions"}
    assert deployed.one("Alias").inputs == {
        "name": "live",
        "functionName": "f-function",
        "functionVersion": "f-function-version",
    }
    assert deployed.outputs["arn"] == "arn:f-live"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_mb": 127}, "memory_mb: want 128 to 10240; got 127"),
        ({"memory_mb": 10_241}, "memory_mb: want 128 to 10240; got 10241"),
        (
            {"runtime": "nodejs22.x"},
            "runtime: want a Python runtime, such as 'python3.13'; got 'nodejs22.x'",
        ),
        (
            {"runtime": "python3.11", "snap_start": True},
            "runtime: want a Python runtime, python3.12 or later for SnapStart; got 'python3.11'",
        ),
    ],
)
def test_what_lambda_does_not_give_is_refused(changes: dict[str, Any], message: str):
    with refused(message):
        args(**changes)


def test_nobody_may_invoke_the_function_by_itself(deploy: Deploy):
    deployed = made(deploy)
    assert deployed.of("Permission") == deployed.of("FunctionUrl") == []
    assert deployed.outputs["arn"].endswith(":function:f-function")
