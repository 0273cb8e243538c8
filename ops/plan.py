"""A plan: steps that say what they will do, made before anything is done."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class WriteFile:
    """`changes` say, line by line, how `text` differs from `replaces` (None: there is no file)."""

    path: Path
    text: str
    replaces: str | None
    changes: tuple[str, ...]

    def lines(self) -> list[str]:
        mark = "+" if self.replaces is None else "~"
        return [f"{mark} {self.path.name}", *(f"    {change}" for change in self.changes)]

    def described(self) -> dict[str, Any]:
        return {"step": "write-file", "file": self.path.name, "changes": list(self.changes)}


@dataclass(frozen=True, kw_only=True)
class AcceptConnections:
    service_id: str
    endpoint_ids: tuple[str, ...]

    def lines(self) -> list[str]:
        return [f"+ {self.service_id}: accept {each}" for each in self.endpoint_ids]

    def described(self) -> dict[str, Any]:
        return _described("accept-connections", self.service_id, self.endpoint_ids)


@dataclass(frozen=True, kw_only=True)
class RejectConnections:
    service_id: str
    endpoint_ids: tuple[str, ...]

    def lines(self) -> list[str]:
        return [f"- {self.service_id}: reject {each}" for each in self.endpoint_ids]

    def described(self) -> dict[str, Any]:
        return _described("reject-connections", self.service_id, self.endpoint_ids)


@dataclass(frozen=True, kw_only=True)
class AwaitAvailable:
    service_id: str
    endpoint_ids: tuple[str, ...]

    def lines(self) -> list[str]:
        return [f"  wait until {each} is available" for each in self.endpoint_ids]

    def described(self) -> dict[str, Any]:
        return _described("await-available", self.service_id, self.endpoint_ids)


Step = WriteFile | AcceptConnections | RejectConnections | AwaitAvailable


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`steps` are done in order; `next` is what remains for people to do after them."""

    steps: tuple[Step, ...] = ()
    next: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        return [line for step in self.steps for line in step.lines()]

    def described(self, *, performed: bool) -> dict[str, Any]:
        """The plan for machines; `performed` says whether it has been done."""
        return {
            "plan": [step.described() for step in self.steps],
            "performed": performed,
            "next": list(self.next),
        }


def _described(step: str, service_id: str, endpoint_ids: tuple[str, ...]) -> dict[str, Any]:
    return {"step": step, "service_id": service_id, "endpoint_ids": list(endpoint_ids)}
