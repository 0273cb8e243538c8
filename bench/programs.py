"""Whole processes of `bench.program`, timed from their start to their end."""

import json
import resource
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

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
    """Processor seconds per customer with few and with many, and how often each number ran."""

    few: float
    many: float
    runs: tuple[int, int, int]

    @property
    def ratio(self) -> float:
        return self.many / self.few


def programs() -> tuple[list[Row], Growth]:
    """Interleaved, so that what else the machine does falls on all of them alike."""
    types = {number: _run(number, "whole", "") for number in CUSTOMERS}
    pairs: dict[int, list[tuple[Seconds, Seconds]]] = {number: [] for number in CUSTOMERS}
    alone: dict[int, list[Seconds]] = {number: [] for number in CUSTOMERS}
    for round_ in range(ROUNDS):
        for number in CUSTOMERS:
            if round_ % FULL_EVERY == 0:
                whole = _timed(number, "whole", "")
                pairs[number].append((whole, _timed(number, "floor", types[number])))
            elif number != CUSTOMERS[-1]:
                alone[number].append(_timed(number, "whole", ""))
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
    wholes = {n: [*(whole for whole, _ in pairs[n]), *alone[n]] for n in CUSTOMERS}
    return rows, _growth(wholes)


def _growth(wholes: dict[int, list[Seconds]]) -> Growth:
    """What a customer costs on top of the program with one, with few of them and with many.

    A hundred customers cost a fifth of a second on top of some two for imports, so a tenth too much
    or too little of those would double or annul what few cost. Hence processor time, which waiting
    for other processes adds nothing to (the program waits for nobody, so it is its clock time on an
    idle machine), and the least of many runs, since a disturbance only ever adds.
    """
    one, few, many = CUSTOMERS
    least = {number: min(run.processor for run in runs) for number, runs in wholes.items()}
    return Growth(
        few=(least[few] - least[one]) / (few - one),
        many=(least[many] - least[one]) / (many - one),
        runs=(len(wholes[one]), len(wholes[few]), len(wholes[many])),
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
