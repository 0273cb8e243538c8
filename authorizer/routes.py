"""Routes of the API, and what a policy's resource pattern reaches among them."""

import re
from typing import NamedTuple

from authorizer.errors import ConfigError

_ROUTE = re.compile(r"(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT|ANY) (/\S*)")
# What a resource's path part may be (API Gateway API Reference, CreateResource `pathPart`).
_SEGMENT = re.compile(r"[A-Za-z0-9._:-]+|\{[A-Za-z0-9._:-]+\+?\}")

_ONE, _MANY = "*", "**"


class Route(NamedTuple):
    """`segments` are the method and the path's parts; a parameter is `*`, a greedy one `**`."""

    name: str
    segments: tuple[str, ...]
    scopes: frozenset[str]

    @classmethod
    def parse(cls, name: str, scopes: frozenset[str]) -> "Route":
        """Of `GET /orders/{id}`: a method or ANY, and an API Gateway resource path.

        Raises ConfigError.
        """
        match = _ROUTE.fullmatch(name)
        parts = match[2].removeprefix("/").split("/") if match else []
        if match is None or (match[2] != "/" and not all(map(_SEGMENT.fullmatch, parts))):
            raise ConfigError(
                f"routes: want METHOD /path, as in 'GET /orders/{{id}}'; got {name!r}"
            )
        method = _ONE if match[1] == "ANY" else match[1]
        return cls(name, (method, *map(_segment, parts)), scopes)

    @property
    def pattern(self) -> str:
        """As it stands after the stage in a resource ARN."""
        return "/".join(self.segments).replace(_MANY, _ONE)

    @property
    def has_wildcard(self) -> bool:
        return _ONE in self.pattern


def _segment(part: str) -> str:
    if not part.startswith("{"):
        return part
    return _MANY if part.endswith("+}") else _ONE


def reaches(pattern_of: Route, route: Route) -> bool:
    """Whether the resource pattern of one route fits any path of another.

    In a policy `*` takes slashes too: `GET/orders/*` fits `GET/orders/1/lines`. That a literal
    part wins over a parameter when API Gateway routes is left out of account, so this may say yes
    of a path that leads elsewhere, and never no of one that does not.
    """
    pattern, path = pattern_of.segments, route.segments
    waiting, seen = [(0, 0)], {(0, 0)}
    while waiting:
        i, j = waiting.pop()
        if i == len(pattern) and j == len(path):
            return True
        if i == len(pattern) or j == len(path) or not _meet(pattern[i], path[j]):
            continue
        after_pattern = (i, i + 1) if pattern[i] in (_ONE, _MANY) else (i + 1,)
        after_path = (j, j + 1) if path[j] == _MANY else (j + 1,)
        steps = {(a, b) for a in after_pattern for b in after_path} - seen
        seen |= steps
        waiting += steps
    return False


def _meet(pattern: str, part: str) -> bool:
    return pattern == part or pattern in (_ONE, _MANY) or part in (_ONE, _MANY)
