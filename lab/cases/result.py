"""One row of the table."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Result:
    """`case` is the row's number; `why` is what decided, where that can be seen."""

    case: str
    client: str
    tried: str
    expected: str
    got: str
    why: str
    passed: bool
