"""Data to stdout, narration to stderr."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from ops.plan import Plan


def say(text: str) -> None:
    """A line for the person who waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def put(text: str) -> None:
    """A line of what was asked for."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def put_json(data: Any) -> None:
    put(json.dumps(data, indent=2))


def put_plan(plan: Plan) -> None:
    for line in plan.lines():
        put(line)


def put_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows of as many cells as the first, which holds the headings."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        put("  ".join(cells).rstrip())
