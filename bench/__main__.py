"""`python -m bench`: whole-process timings as ratios of one run; nothing here asserts."""

import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lab.attempt import curl
from lab.session import Lab

ROOT = Path(__file__).parent.parent
RUNS = 5
CLIENTS = (1, 100, 1000)


def main() -> None:
    _say("Whole program under mocks, against as many bare resources after the same imports:")
    seconds: dict[int, float] = {}
    for clients in CLIENTS:
        seconds[clients] = _program(clients)
    small, large = CLIENTS[1], CLIENTS[2]
    per_small = (seconds[small] - seconds[1]) / (small - 1)
    per_large = (seconds[large] - seconds[1]) / (large - 1)
    _say(
        f"  time per client, {large} against {small}: {per_large / per_small:.2f} x (budget 1.2 x)"
    )
    _first_answer()


def _program(clients: int) -> float:
    """Prints the ratio for a stack of that many clients; answers the program's median seconds."""
    command = [sys.executable, "-m", "bench.program"]
    types = _run([*command, "whole", str(clients)], "").stdout
    wholes: list[float] = []
    floors: list[float] = []
    for _ in range(RUNS):
        wholes.append(_seconds([*command, "whole", str(clients)], ""))
        floors.append(_seconds([*command, "floor", str(clients)], types))
    whole, floor = statistics.median(wholes), statistics.median(floors)
    resources = types.count("[") - 1
    _say(
        f"  {clients:>5} clients, {resources:>5} resources: {whole / floor:.2f} x "
        f"(budget 1.5 x; {whole:.1f} s against {floor:.1f} s)"
    )
    return whole


def _first_answer() -> None:
    """From nothing to the first 200 of the lab, in this process."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Lab(ROOT, ["dev"], Path(folder)) as lab:
        client = lab.clients()[0]
        answer = curl(client.door, client.files, "/widgets")
        seconds = time.monotonic() - started
    if answer.status != 200:
        raise SystemExit(f"bench: want a 200 from the lab; got {answer}")
    _say(f"Lab, start to first 200: {seconds:.1f} s, {seconds / 10:.2f} x the budget of 10 s")


def _seconds(command: list[str], text: str) -> float:
    started = time.monotonic()
    _run(command, text)
    return time.monotonic() - started


def _run(command: list[str], text: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(  # noqa: S603 (our own program)
        command, input=text, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if ran.returncode:
        raise SystemExit(f"bench: {shlex.join(command)} failed:\n{ran.stderr}")
    return ran


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
