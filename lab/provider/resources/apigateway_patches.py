"""Patch operations, in which API Gateway's Update calls speak."""

from collections.abc import Iterable, Mapping
from typing import Any

Patch = dict[str, str]


def escaped(part: str) -> str:
    """A name as one step of a patch path (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


def value_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def replace_patch(path: str, value: Any) -> Patch:
    return {"op": "replace", "path": path, "value": value_text(value)}


def replace_patches(
    paths: Mapping[str, str], values: Mapping[str, Any], changed: Iterable[str]
) -> list[Patch]:
    """A replace for each changed property that has a path."""
    return [
        replace_patch(paths[name], values.get(name)) for name in sorted(changed) if name in paths
    ]


def map_patches(
    path: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> list[Patch]:
    """What turns one map into another, entry by entry."""
    before, after = old or {}, new or {}
    removed = [
        {"op": "remove", "path": f"{path}/{escaped(key)}"}
        for key in sorted(before.keys() - after.keys())
    ]
    put = [
        {
            "op": "replace" if key in before else "add",
            "path": f"{path}/{escaped(key)}",
            "value": value_text(value),
        }
        for key, value in after.items()
        if before.get(key) != value
    ]
    return removed + put


def set_patches(path: str, old: Iterable[str] | None, new: Iterable[str] | None) -> list[Patch]:
    """What turns one set into another: removals and additions whose value is in the patch."""
    before, after = set(old or ()), set(new or ())
    removed = [{"op": "remove", "path": path, "value": one} for one in sorted(before - after)]
    return removed + [{"op": "add", "path": path, "value": one} for one in sorted(after - before)]
