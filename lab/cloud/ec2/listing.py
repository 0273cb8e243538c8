"""Filters and pages, as every Describe operation of EC2 has them."""

import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lab.cloud.ec2.exceptions import invalid_parameter_value

Values = Callable[[Any], Mapping[str, Iterable[str]]]


def listed(
    items: Iterable[Any], request: Mapping[str, Any], values: Values, max_page: int = 1000
) -> tuple[list[Any], str | None]:
    """One page of the items that pass every filter, and the token of the next one.

    `values`: an item's values by filter name; `tag:<key>` and `tag-key` are names like others.
    """
    filters = request.get("Filters", [])
    found = []
    for item in items:
        known = values(item)
        if all(_passes(known, each) for each in filters):
            found.append(item)
    token = request.get("NextToken", "0")
    if not token.isdecimal():
        raise invalid_parameter_value(f"The token '{token}' is invalid")
    start = int(token)
    end = start + min(request.get("MaxResults", max_page), max_page)
    return found[start:end], str(end) if end < len(found) else None


def tag_values(tags: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """The values of a resource's tags (`key`, `value`) by filter name."""
    pairs = [(tag["key"], tag["value"]) for tag in tags]
    return {"tag-key": [key for key, _ in pairs]} | {f"tag:{key}": [text] for key, text in pairs}


def _passes(known: Mapping[str, Iterable[str]], wanted: Mapping[str, Any]) -> bool:
    name = wanted["Name"]
    if name not in known and not name.startswith("tag:"):
        raise invalid_parameter_value(f"The filter '{name}' is invalid")
    return any(
        fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))
        for value in known.get(name, ())
        for pattern in wanted.get("Values", [])
    )
