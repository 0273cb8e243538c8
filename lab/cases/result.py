"""One row of the table."""

from dataclasses import dataclass

from lab.attempt import Answer


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


def row(
    case: str, client: str, tried: str, expected: str, answer: Answer, why: str, *, passed: bool
) -> Result:
    """Of a call that was answered so, or not at all."""
    return Result(
        case=case,
        client=client,
        tried=tried,
        expected=expected,
        got=str(answer),
        why=why,
        passed=passed,
    )
