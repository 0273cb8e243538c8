"""What a stack has deployed: one JSON file, written after each step."""

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(kw_only=True)
class Entry:
    """One resource.

    `incomplete` holds the error that stopped its creation half way, else it is empty.
    """

    urn: str
    type: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list)
    property_dependencies: dict[str, list[str]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    protect: bool = False
    retain_on_delete: bool = False
    incomplete: str = ""

    @property
    def needs(self) -> set[str]:
        """The URNs that must outlive this resource."""
        found = {*self.dependencies, self.parent, self.provider}
        for urns in self.property_dependencies.values():
            found.update(urns)
        return found - {""}


class State:
    """The entries by URN, and those that a replacement left behind to be deleted.

    Safe to use from any thread.

    The file holds private keys in plain text, as the lab has no passphrase: it is readable by its
    owner only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._encoded: dict[str, str] = {}
        self._pending: list[Entry] = []
        if path.exists():
            saved = json.loads(path.read_text())
            for entry in saved["resources"]:
                self._entries[entry["urn"]] = Entry(**entry)
            self._encoded = {urn: _encode(entry) for urn, entry in self._entries.items()}
            self._pending = [Entry(**entry) for entry in saved["pending_deletes"]]

    def get(self, urn: str) -> Entry | None:
        with self._lock:
            return self._entries.get(urn)

    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries.values())

    def pending(self) -> list[Entry]:
        """What replacements have left behind."""
        with self._lock:
            return list(self._pending)

    def put(self, entry: Entry) -> None:
        with self._lock:
            self._entries[entry.urn] = entry
            self._encoded[entry.urn] = _encode(entry)
            self._save()

    def supersede(self, old: Entry, new: Entry) -> None:
        """`new` takes the place of `old`, which is to be deleted later.

        One step: nothing is forgotten.
        """
        with self._lock:
            self._pending.append(old)
            self.put(new)

    def remove(self, entry: Entry) -> None:
        with self._lock:
            self._pending = [one for one in self._pending if one is not entry]
            if self._entries.get(entry.urn) is entry:
                del self._entries[entry.urn], self._encoded[entry.urn]
            self._save()

    def rename(self, old_urn: str, new_urn: str) -> None:
        """An alias: the same resource under another URN, wherever the old one is referred to."""
        with self._lock:
            for entry in [*self._entries.values(), *self._pending]:
                _rename(entry, old_urn, new_urn)
            self._entries = {entry.urn: entry for entry in self._entries.values()}
            self._encoded = {urn: _encode(entry) for urn, entry in self._entries.items()}
            self._save()

    def _save(self) -> None:
        pending = ",\n".join(_encode(entry) for entry in self._pending)
        resources = ",\n".join(self._encoded.values())
        written = self._path.with_suffix(".new")
        written.touch(mode=0o600)
        written.write_text(
            f'{{"resources": [\n{resources}\n], "pending_deletes": [\n{pending}\n]}}\n'
        )
        written.replace(self._path)


def _encode(entry: Entry) -> str:
    return json.dumps(asdict(entry))


def _rename(entry: Entry, old: str, new: str) -> None:
    def swap(urn: str) -> str:
        return new if urn == old else urn

    entry.urn, entry.parent, entry.provider = (
        swap(entry.urn),
        swap(entry.parent),
        swap(entry.provider),
    )
    entry.dependencies = [swap(urn) for urn in entry.dependencies]
    entry.property_dependencies = {
        name: [swap(urn) for urn in urns] for name, urns in entry.property_dependencies.items()
    }


def deletion_order(entries: Iterable[Entry], all_needs: Mapping[str, set[str]]) -> list[Entry]:
    """`entries`, each before whatever it needs, be it through resources that stay."""
    waiting = {id(entry): entry for entry in entries}
    by_urn: dict[str, list[Entry]] = {}
    for entry in waiting.values():
        by_urn.setdefault(entry.urn, []).append(entry)
    ordered: list[Entry] = []
    seen: set[int] = set()
    walked: set[str] = set()

    def walk(urns: set[str]) -> None:
        for urn in sorted(urns):
            if urn in walked:
                continue
            walked.add(urn)
            for needed in by_urn.get(urn, []):
                visit(needed)
            walk(all_needs.get(urn, set()))

    def visit(entry: Entry) -> None:
        if id(entry) in seen:
            return
        seen.add(id(entry))
        walk(entry.needs)
        ordered.append(entry)

    for entry in waiting.values():
        visit(entry)
    return ordered[::-1]
