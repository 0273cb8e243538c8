"""Examples of each resource type: inputs, and what they become, one change after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .conftest import World

Change = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Example:
    """`inputs` of a resource, and `changes` that must each be an update in place.

    `replacements` are changes that force a replacement only because of how something changed.
    """

    inputs: dict[str, Any]
    changes: list[Change] = field(default_factory=list)
    replacements: list[Change] = field(default_factory=list)
    outlives_delete: bool = False


Build = Callable[[World], Example]


class Examples(dict[str, Build]):
    """Builders of examples by resource type, with a word after a "#" where a type has several."""

    def of(self, *keys: str) -> Callable[[Build], Build]:
        def add(build: Build) -> Build:
            self.update(dict.fromkeys(keys, build))
            return build

        return add


def token_of(key: str) -> str:
    return key.partition("#")[0]


TAGS = [{"tags": {"team": "b", "tier": "1"}}, {"tags": {}}]
