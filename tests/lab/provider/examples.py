"""One example of each resource type: inputs, and what they become, one change after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .conftest import World

Change = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Example:
    """`inputs` of a resource, and `changes` that must each be an update in place."""

    inputs: dict[str, Any]
    changes: list[Change] = field(default_factory=list)
    outlives_delete: bool = False


class Examples(dict[str, Callable[[World], Example]]):
    """Builders of examples by resource type."""

    def of(self, token: str) -> Callable[[Callable[[World], Example]], Callable[[World], Example]]:
        def add(build: Callable[[World], Example]) -> Callable[[World], Example]:
            self[token] = build
            return build

        return add


TAGS = [{"tags": {"team": "b", "tier": "1"}}, {"tags": {}}]
