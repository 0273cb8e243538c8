"""`python -m ops` as a person or a script meets it: help, usage, exit codes, Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from ops.__main__ import main
from ops.endpoint_service import Producer
from tests.conftest import ROOT
from tests.ops.conftest import ACME, STACK

OPS = [sys.executable, "-m", "ops"]
ADD = ("customer", "add", "acme")
ACCOUNT = ("--account", ACME)
VPC = ("--vpc", "vpc-1", "--subnets")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """This process's, without AWS's settings, and with this project on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    none = {
        name: str(folder / "none") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
    }
    return kept | none | {"PYTHONPATH": str(ROOT)} | variables


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("customer",),
        *(("customer", each) for each in ("add", "list", "accept", "reject")),
    ],
)
def test_help_at_every_level_has_examples(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    examples = capsys.readouterr().out.partition("examples")[2]
    assert f"python -m ops {' '.join(command)}" in examples


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "required: COMMAND"),
        (ADD, "required: --account"),
        ((*ADD, "--account", "4444"), "want 12 digits, such as 444455556666; got '4444'"),
        (("customer", "add", "Acme", *ACCOUNT), "want 1 to 32 lower-case letters"),
        (("customer", "add", "a" * 33, *ACCOUNT), "want 1 to 32 lower-case letters"),
        (("customer", "add", "acme-", *ACCOUNT), "want 1 to 32 lower-case letters"),
        ((*ADD, "--account", "٤٤٤٤٥٥٥٥٦٦٦٦"), "want 12 digits"),
        (("customer", "add", "../x", *ACCOUNT), "want 1 to 32 lower-case letters"),
        (("customer", "add", "1st", *ACCOUNT), "want 1 to 32 lower-case letters"),
        ((*ADD, *ACCOUNT, "--role", "*"), "want a role's ARN"),
        ((*ADD, *ACCOUNT, "--role", f"arn:aws:iam::{ACME}:user/a"), "want a role's ARN"),
        ((*ADD, *ACCOUNT, "--vpc-cidr", "10.30.0.1/16"), "has host bits set"),
        ((*ADD, *ACCOUNT, "--vpc", "vpc-1"), "--vpc and --subnets: want both or neither"),
        ((*ADD, *ACCOUNT, "--subnets", "euw1-az1=subnet-1"), "want both or neither"),
        (
            (*ADD, *ACCOUNT, *VPC, "eu-west-1a=subnet-1"),
            "want an Availability Zone id (not a name",
        ),
        (
            (*ADD, *ACCOUNT, *VPC, "a-az1=subnet-1", "a-az1=subnet-2"),
            "--subnets: want one for each zone",
        ),
        (
            (*ADD, *ACCOUNT, "--vpc-cidr", "10.30.0.0/16", *VPC, "a-az1=subnet-1"),
            "--vpc and --vpc-cidr: want one of the two",
        ),
        ((*ADD, *ACCOUNT, "--contact", "two\nlines"), "want one line"),
        ((*ADD, *ACCOUNT, "--client-id", "a"), "want a customer's certificates and its tokens"),
        ((*ADD, *ACCOUNT, "--token-subject", "a"), "want a customer's certificates and its tokens"),
        (
            (*ADD, *ACCOUNT, "--certificate-subject", "CN=a"),
            "want a customer's certificates and its tokens",
        ),
        ((*ADD, *ACCOUNT, "--dns", "public"), "invalid choice"),
        (("customer", "accept", "acme", "--endpoint", "vpc-1"), "want an id such as vpce-"),
        (("customer", "list", "--dry-run"), "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_a_refusal_is_exit_code_1_and_one_line(tmp_path: Path):
    ran = subprocess.run(
        [*OPS, "customer", "list"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "error: no Pulumi.prod.yaml here; --stack can be: none\n"


def test_ctrl_c_ends_it_with_one_line(tmp_path: Path):
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [*OPS, *ADD, *ACCOUNT, "--endpoint-url", url],
            cwd=tmp_path,
            env=environment(tmp_path, **CREDENTIALS),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (1, "", "stopped; run it again to go on\n")
    assert [path.name for path in tmp_path.iterdir()] == ["Pulumi.prod.yaml"]


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("UnauthorizedOperation", "; allow this identity DescribeVpcEndpointConnections"),
        ("RequestExpired", "; sign in again"),
        ("InternalError", ""),
    ],
)
def test_aws_refusals_are_told_in_its_words_with_the_cure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    code: str,
    cure: str,
):
    def refuse(*_: object) -> None:
        answer = {"Error": {"Code": code, "Message": "No."}}
        raise ClientError(answer, "DescribeVpcEndpointConnections")

    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Producer, "find", refuse)
    assert main(["customer", "list"]) == 1
    refused = "error: AWS refused DescribeVpcEndpointConnections"
    assert capsys.readouterr().err == f"{refused}: {code}: No.{cure}\n"


@pytest.mark.parametrize(
    ("missing", "words"),
    [("aws:region", "has no aws:region"), ("mtls:domain", "mtls:domain: want the name that")],
)
def test_a_stack_file_that_lacks_what_is_needed_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: str,
    words: str,
):
    lines = [line for line in STACK.splitlines() if missing not in line]
    (tmp_path / "Pulumi.prod.yaml").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)
    assert main(["customer", "list"]) == 1
    assert words in capsys.readouterr().err
