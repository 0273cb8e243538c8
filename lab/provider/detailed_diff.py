"""Where exactly two sets of inputs differ, as `pulumi preview --diff` shows it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lab.provider import schema
from lab.provider.schema import Kind, Property

ADDED, DELETED, UPDATED = "add", "delete", "update"
_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def detailed_diff(
    fields: Mapping[str, Property],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    names: Iterable[str],
) -> dict[str, str]:
    """Property paths under `names`, each with what happened there: added, deleted or updated."""
    found: dict[str, str] = {}
    for name in sorted(names):
        changes = dict(_differences(name, fields[name], old.get(name), new.get(name)))
        found |= changes or {name: UPDATED}
    return found


def _differences(path: str, prop: Property, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    if schema.comparable(prop, old) == schema.comparable(prop, new):
        return
    if old is None:
        yield path, ADDED
    elif new is None:
        yield path, DELETED
    elif prop.many and isinstance(old, list) and isinstance(new, list):
        yield from _items(path, prop, old, new)
    elif isinstance(old, dict) and isinstance(new, dict) and prop.kind is not Kind.ASSET:
        yield from _members(path, prop, old, new)
    else:
        yield path, UPDATED


def _members(
    path: str, prop: Property, old: dict[str, Any], new: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    fields = prop.fields or {}
    for key in sorted({*old, *new}):
        place = f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f'{path}["{key}"]'
        yield from _differences(place, fields.get(key, schema.text()), old.get(key), new.get(key))


def _items(path: str, prop: Property, old: list[Any], new: list[Any]) -> Iterator[tuple[str, str]]:
    """By position; where order means nothing, what both lists hold is left out first."""
    one = Property(kind=prop.kind, fields=prop.fields)
    before, after = dict(enumerate(old)), dict(enumerate(new))
    if prop.unordered:
        for index, item in enumerate(old):
            twin = next((i for i, other in after.items() if _same(one, item, other)), None)
            if twin is not None:
                del before[index], after[twin]
    for index in sorted({*before, *after}):
        yield from _differences(f"{path}[{index}]", one, before.get(index), after.get(index))


def _same(prop: Property, one: Any, other: Any) -> bool:
    return schema.comparable(prop, one) == schema.comparable(prop, other)
