"""The table of cases, as text: one line for most of them in a window of 150 columns."""

import textwrap
from collections.abc import Iterable, Sequence

from lab.cases.result import Result

HEADINGS = ("#", "client", "tried", "expected", "got", "why")
WIDTHS = (2, 8, 26, 30, 34, 36)
LONGEST = 96


def heading() -> str:
    """The first lines of the table."""
    return f"     {_line(HEADINGS)}\n     {'─' * (sum(WIDTHS) + 2 * len(WIDTHS) - 2)}"


def row(result: Result) -> str:
    """One result, wrapped to the columns; a mark in front says whether it came out as expected."""
    got = textwrap.shorten(result.got, LONGEST, placeholder=" …")
    cells = (result.case, result.client, result.tried, result.expected, got, result.why)
    columns = [
        textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, WIDTHS, strict=True)
    ]
    height = max(len(column) for column in columns)
    lines = [
        _line([column[at] if at < len(column) else "" for column in columns])
        for at in range(height)
    ]
    mark = " ok " if result.passed else "FAIL"
    return "\n".join([f"{mark} {lines[0]}", *(f"     {line}" for line in lines[1:])])


def summary(results: Iterable[Result]) -> str:
    """How many came out as expected, and which did not."""
    results = list(results)
    failed = [result for result in results if not result.passed]
    if not failed:
        return f"All {len(results)} came out as expected."
    names = "; ".join(f"{result.case}: {result.tried}" for result in failed)
    return f"{len(failed)} of {len(results)} did not come out as expected: {names}"


def _line(cells: Sequence[str]) -> str:
    pairs = zip(cells, WIDTHS, strict=True)
    return "  ".join(cell.ljust(width) for cell, width in pairs).rstrip()
