"""Patch operations, the way every update of API Gateway is written.

"Patch Operations" (API Gateway REST API Reference): paths are JSON pointers, values are strings.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lab.cloud.apigateway.exceptions import BadRequestException

Patch = Mapping[str, str]


def pointer(path: str) -> list[str]:
    """`/requestParameters/method.request.path.a~1b` as its unescaped parts."""
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def invalid_path(patch: Patch, known: Iterable[str]) -> BadRequestException:
    return BadRequestException(
        f"Invalid patch path '{patch['path']}' specified for op '{patch['op']}'. Must be one of:"
        f" [{', '.join(known)}]"
    )


def boolean(patch: Patch) -> bool:
    value = patch.get("value", "")
    if value.lower() not in ("true", "false"):
        raise BadRequestException(f"Invalid boolean value '{value}' for path '{patch['path']}'")
    return value.lower() == "true"


def integer(patch: Patch) -> int:
    value = patch.get("value", "")
    if not value.isdigit():
        raise BadRequestException(f"Invalid number value '{value}' for path '{patch['path']}'")
    return int(value)


def text(patch: Patch) -> str:
    return patch.get("value", "")


def apply_to_fields(
    subject: Any,
    patches: Iterable[Patch],
    fields: Mapping[str, tuple[str, Callable[[Patch], Any]]],
    maps: Mapping[str, tuple[str, Callable[[Patch], Any]]],
) -> None:
    """Applies patches to attributes of `subject`.

    `fields`: path -> (attribute, how to read the value), for "replace"; `maps`: first part of a
    path -> the same, for "add", "replace" and "remove" of `/part/key` in a dict attribute.
    """
    known = [*fields, *(f"/{part}/..." for part in maps)]
    for patch in patches:
        parts = pointer(patch["path"])
        if patch["path"] in fields and patch["op"] == "replace":
            attribute, read = fields[patch["path"]]
            setattr(subject, attribute, read(patch))
        elif len(parts) == 2 and parts[0] in maps and patch["op"] in ("add", "replace", "remove"):
            attribute, read = maps[parts[0]]
            values = dict(getattr(subject, attribute) or {})
            if patch["op"] == "remove":
                values.pop(parts[1], None)
            else:
                values[parts[1]] = read(patch)
            setattr(subject, attribute, values)
        else:
            raise invalid_path(patch, known)
