"""JSON as security needs it: one reading only."""

import json
from typing import Any, cast


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _no_constant(_name: str) -> object:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def parse_object(text: bytes) -> dict[str, object]:
    """The JSON object (RFC 8259) in UTF-8.

    Raises ValueError for anything else, and for a member named twice, which RFC 7515 §4 and
    RFC 7519 §4 allow to refuse and of which two readers may each take another.
    """
    try:
        value: Any = _DECODER.decode(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return cast(dict[str, object], value)
