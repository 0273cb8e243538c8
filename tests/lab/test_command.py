"""`python -m lab` as a person uses it: up, status, the pasted curl, down."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROGRAM, ROOT

pytestmark = pytest.mark.lab

LAB = [sys.executable, "-m", "lab"]
START_SECONDS = 60


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LAB, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    state = tmp_path_factory.mktemp("up")
    with (state / "out").open("w") as out:
        process = subprocess.Popen(
            [*LAB, "up", "--state", str(state)], cwd=ROOT, stdout=out, stderr=out, text=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not (state / "lab.json").exists():
        assert process.poll() is None, (state / "out").read_text()
        assert time.monotonic() < deadline, (state / "out").read_text()
        time.sleep(0.1)
    yield process, state
    process.kill()
    process.wait()


def test_status_prints_a_curl_command_that_gets_the_widget_when_pasted(running):
    _, state = running
    status = run("status", "--state", str(state))
    assert status.returncode == 0, status.stderr
    commands = [line for line in status.stdout.splitlines() if line.startswith("  curl ")]
    assert len(commands) == 2, "one in the producer's account, one in the customer's"
    for command in commands:
        pasted = subprocess.run(
            ["sh", "-c", f"{command} --silent"], capture_output=True, text=True, check=False
        )
        assert pasted.stdout == '{"id":"1","value":"4.99"}'


def test_the_same_command_without_its_certificate_is_refused_in_the_handshake(running):
    _, state = running
    client = json.loads((state / "lab.json").read_text())["clients"][0]
    curl = shutil.which("curl")
    assert curl, "curl: apt-get install curl"
    command = [
        curl,
        "--silent",
        "--connect-to",
        client["connect_to"],
        "--cacert",
        client["ca_file"],
    ]
    ran = subprocess.run([*command, client["url"]], capture_output=True, text=True, check=False)
    assert ran.returncode in (35, 56)
    assert ran.stdout == ""


@pytest.mark.parametrize("client", ["acme", "acme-shop"])
def test_a_token_is_printed_that_lets_its_client_in(running, client: str):
    _, state = running
    token = run("token", "--client", client, "--state", str(state))
    assert (token.returncode, token.stderr) == (0, "")
    known = json.loads((state / "lab.json").read_text())
    one = next(one for one in known["clients"] if one["name"] == "acme-shop")
    door = ["--connect-to", one["connect_to"], "--cacert", one["ca_file"]]
    files = ["--cert", one["cert_file"], "--key", one["key_file"]]
    bearer = ["--header", f"Authorization: Bearer {token.stdout.strip()}"]
    curl = shutil.which("curl")
    assert curl, "curl: apt-get install curl"
    for given, status in ((bearer, "200"), ([], "401")):
        command = [curl, "--silent", *door, *files, *given, "--write-out", " %{http_code}"]
        ran = subprocess.run(
            [*command, f"{one['url']}/widgets"], capture_output=True, text=True, check=False
        )
        assert ran.stdout.endswith(f" {status}")


def test_a_client_that_the_issuer_does_not_know_is_named(running):
    _, state = running
    token = run("token", "--client", "globex", "--state", str(state))
    assert (token.returncode, token.stdout) == (1, "")
    known = "acme, acme-shop, shop"
    assert token.stderr == f"error: --client: the issuer does not know 'globex', but {known}\n"


def test_a_second_lab_in_the_same_folder_is_refused(running):
    process, state = running
    second = run("up", "--state", str(state))
    assert second.returncode == 1
    assert f"a lab runs already (process {process.pid})" in second.stderr


def test_down_ends_it_cleanly_and_leaves_no_process(running):
    process, state = running
    children = _children(process.pid)
    down = run("down", "--state", str(state))
    assert (down.returncode, down.stderr) == (0, "Stopped.\n")
    assert process.wait(timeout=10) == 0, (state / "out").read_text()
    assert [pid for pid in children if _alive(pid)] == []
    assert not (state / "lab.json").exists()
    assert not (state / "lab.pid").exists()
    assert run("status", "--state", str(state)).returncode == 1


def test_an_interrupt_while_starting_ends_it_too(tmp_path: Path):
    process = subprocess.Popen(
        [*LAB, "up", "--state", str(tmp_path)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    assert process.stderr.readline().startswith("AWS API at ")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 1
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_what_the_program_refuses_is_shown_as_pulumi_would(tmp_path: Path):
    for part in (*PROGRAM, "lab"):
        (tmp_path / part).symlink_to(ROOT / part)
    dev = (ROOT / "Pulumi.dev.yaml").read_text()
    (tmp_path / "Pulumi.dev.yaml").unlink()
    (tmp_path / "Pulumi.dev.yaml").write_text(dev.replace("10.20.1.0/24", "10.20.0.0/25"))
    command = [*LAB, "demo", "--state", str(tmp_path / ".lab")]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "mtls:subnets: want blocks that do not overlap" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_token_wants_a_running_lab_with_an_issuer(tmp_path: Path):
    asked = ("token", "--client", "shop", "--state", str(tmp_path))
    assert run(*asked).stderr == "error: no lab is running; start one with `python -m lab up`\n"
    (tmp_path / "lab.pid").write_text(str(os.getpid()))
    (tmp_path / "lab.json").write_text('{"issuer": null}')
    refused = run(*asked)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "the stack accepts no tokens that the lab could issue" in refused.stderr
    (tmp_path / "lab.json").write_text(
        json.dumps(
            {
                "issuer": {
                    "token_endpoint": "http://127.0.0.1:1/token",
                    "clients": {"shop": {"client_id": "shop", "client_secret": "-"}},
                }
            }
        )
    )
    refused = run(*asked)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("error: http://127.0.0.1:1/token: ")


def test_a_stack_without_a_config_is_named(tmp_path: Path):
    ran = run("up", "--stack", "nosuch", "--state", str(tmp_path))
    assert ran.returncode == 1
    assert "Pulumi.nosuch.yaml" in ran.stderr


def test_help_names_every_command():
    text = run("--help").stdout
    assert all(command in text for command in ("up", "demo", "down", "status", "token"))
    assert run("sideways").returncode == 2


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
