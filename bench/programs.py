"""Whole processes of `bench.program`, timed from their start to their end."""

import json
import resource
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
CUSTOMERS = (1, 100, 1000)
ROUNDS = 12
FULL_EVERY = 3
"""Rounds from one with everything to the next; between them only what is cheap runs."""


@dataclass(frozen=True, kw_only=True)
class Seconds:
    """What a process took: by the clock, and of processors."""

    clock: float
    processor: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """The program with so many customers against its floor, each at its quickest by the clock."""

    customers: int
    resources: int
    runs: int
    whole: float
    floor: float


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Processor seconds per customer with few and with many, each from so many pairs of runs."""

    few: float
    many: float
    pairs: tuple[int, int]

    @property
    def ratio(self) -> float:
        return self.many / self.few


def programs() -> tuple[list[Row], Growth]:
    """Interleaved, so that what else the machine does falls on all of them alike."""
    types = {number: _run(number, "whole", "") for number in CUSTOMERS}
    pairs: dict[int, list[tuple[Seconds, Seconds]]] = {number: [] for number in CUSTOMERS}
    rounds: list[dict[int, float]] = []
    for round_ in range(ROUNDS):
        full = round_ % FULL_EVERY == 0
        wholes = {n: _timed(n, "whole", "") for n in (CUSTOMERS if full else CUSTOMERS[:-1])}
        rounds.append({number: whole.processor for number, whole in wholes.items()})
        for number, whole in wholes.items() if full else ():
            pairs[number].append((whole, _timed(number, "floor", types[number])))
    rows = [
        Row(
            customers=number,
            resources=len(json.loads(types[number])),
            runs=len(pairs[number]),
            whole=min(whole.clock for whole, _ in pairs[number]),
            floor=min(floor.clock for _, floor in pairs[number]),
        )
        for number in CUSTOMERS
    ]
    return rows, _growth(rounds)


def _growth(rounds: list[dict[int, float]]) -> Growth:
    """What a customer costs on top of the program with one, with few of them and with many.

    A hundred customers cost a tenth of a second on top of some two for imports, less than a machine
    varies from minute to minute. Hence runs are compared with those just before and after, the
    median of such pairs counts, and processor time is taken, which waiting for other processes adds
    nothing to (the program waits for nobody, so it is its clock time on an idle machine).
    """
    one, few, many = CUSTOMERS
    costs = {
        number: [(run[number] - run[one]) / (number - one) for run in rounds if number in run]
        for number in (few, many)
    }
    return Growth(
        few=median(costs[few]),
        many=median(costs[many]),
        pairs=(len(costs[few]), len(costs[many])),
    )


def _timed(customers: int, kind: str, text: str) -> Seconds:
    before, started = _processor_seconds(), time.monotonic()
    _run(customers, kind, text)
    clock = time.monotonic() - started
    return Seconds(clock=clock, processor=_processor_seconds() - before)


def _processor_seconds() -> float:
    """Of all processes that this one started and saw end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(customers: int, kind: str, text: str) -> str:
    """What the process printed: of the program, the types of its resources."""
    command = [sys.executable, "-m", "bench.program", kind, str(customers)]
    ran = subprocess.run(  # noqa: S603 (our own program)
        command, input=text, capture_output=True, text=True, check=False, cwd=ROOT
    )
    if ran.returncode:
        raise SystemExit(f"bench: {shlex.join(command)} failed:\n{ran.stderr}")
    return ran.stdout
