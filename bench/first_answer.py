"""`python -m lab up`, from the start of its process to the first 200 of a client."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lab.attempt import Door, Files, curl

ROOT = Path(__file__).parent.parent
STOP_SECONDS = 20


def first_answer(stacks: Sequence[str], account: str) -> float:
    """Seconds with these stacks, to the first client in that account."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "lab", "up", "--state", folder, "--stack", *stacks]
        started = time.monotonic()
        lab = subprocess.Popen(  # noqa: S603 (our own program)
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        with lab:
            try:
                _wait_until_ready(lab)
                _call(json.loads((Path(folder) / "lab.json").read_text())["clients"], account)
                return time.monotonic() - started
            finally:
                _stop(lab)


def _wait_until_ready(lab: subprocess.Popen[str]) -> None:
    said: list[str] = []
    for line in lab.stderr or ():
        said.append(line)
        if line.startswith("Running"):
            return
    raise SystemExit(f"bench: the lab ended early:\n{''.join(said)}")


def _call(clients: Sequence[dict[str, str]], account: str) -> None:
    client = next(one for one in clients if one["account"] == account)
    host, port, _, local_port = client["connect_to"].split(":")
    files = Files(
        ca=Path(client["ca_file"]),
        cert=Path(client["cert_file"]),
        key=Path(client["key_file"]),
        token=Path(client["token_file"]),
    )
    door = Door(host=host, port=int(port), local_port=int(local_port))
    answer = curl(door, files, "/widgets")
    if answer.status != 200:
        raise SystemExit(f"bench: want a 200 for {client['name']}; got {answer}")


def _stop(lab: subprocess.Popen[str]) -> None:
    lab.terminate()
    try:
        lab.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        lab.kill()
        raise SystemExit(f"bench: the lab did not stop within {STOP_SECONDS} s") from None
