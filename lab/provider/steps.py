"""A small engine: decides for each registered resource what to do, does it, and keeps the state in
step.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.provider.assets import with_fingerprints
from lab.provider.aws import Aws, ProviderSettings
from lab.provider.provider_config import configured
from lab.provider.registry import Diff, OperationError, PartlyCreatedError, Registry
from lab.provider.schema import RefusalError
from lab.provider.state import Entry, State, deletion_order

PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One registration of the program: the resource that it wants."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, list[str]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replace_with: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    protect: bool = False
    retain_on_delete: bool = False
    patience: float | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What was done to a resource: create, update, replace, delete, or same when nothing was."""

    operation: str
    urn: str
    properties: tuple[str, ...] = ()


class Steps:
    """The steps of one deployment.

    Its methods may be called from several threads, for different URNs.
    """

    def __init__(self, registry: Registry, state: State, settings: ProviderSettings) -> None:
        self.registry = registry
        self.state = state
        self.changes: list[Change] = []
        self._registered: set[str] = set()
        self._replaced: set[str] = set()
        self._lock = threading.Lock()
        self._default = settings
        self._configured: dict[str, ProviderSettings] = {}
        self._configuring = threading.Lock()

    def apply(self, goal: Goal) -> Entry:
        """Makes the resource as the goal wants it. Raises RefusalError or OperationError."""
        with self._lock:
            if goal.urn in self._registered:
                raise RefusalError(
                    f"Duplicate resource URN '{goal.urn}'; try giving it a unique name"
                )
            self._registered.add(goal.urn)
        if goal.type.startswith(PROVIDER_PREFIX):
            return self._provider(goal)
        old = self.state.get(goal.urn)
        aws = self.aws(goal.provider, goal.patience)
        inputs = self._ignoring(goal, old)
        checked = self.registry.check(goal.type, goal.name, inputs, old.inputs if old else {}, aws)
        if old is None:
            return self._create(goal, aws, checked, None)
        diff = self._diff(goal, old, checked)
        if diff.replaces:
            renamed = self.registry.check(goal.type, goal.name, inputs, {}, aws)
            return self._replace(goal, aws, old, renamed, diff)
        if old.incomplete:
            old = self._resume(goal, aws, old, checked)
        return self._update(goal, aws, old, checked, diff) if diff else self._same(goal, old)

    def aws(self, provider: str, patience: float | None = None) -> Aws:
        """The clients of the provider with that URN, or of the default provider."""
        settings = self._settings(provider)
        return Aws(settings) if patience is None else Aws(settings, patience)

    def _settings(self, provider: str) -> ProviderSettings:
        """A provider's settings, made once in a deployment: its roles are assumed for them."""
        entry = self.state.get(provider) if provider else None
        if entry is None:
            return self._default
        with self._configuring:
            if provider not in self._configured:
                self._configured[provider] = configured(self._default, entry.inputs)
            return self._configured[provider]

    def finish(self) -> None:
        """Deletes what the program no longer registers and what replacements left behind."""
        stale = [entry for entry in self.state.entries() if entry.urn not in self._registered]
        self._delete_all([*stale, *self.state.pending()])

    def destroy(self) -> None:
        """Deletes everything."""
        self._delete_all([*self.state.entries(), *self.state.pending()])

    def refresh(self) -> None:
        """Makes the state what AWS has. Raises ResourceError for what cannot be read."""
        for entry in self.state.entries():
            if not entry.type.startswith(PROVIDER_PREFIX):
                self._refresh(entry)

    def _refresh(self, entry: Entry) -> None:
        aws, known = self.aws(entry.provider), entry.outputs
        try:
            outputs = self.registry.read(entry.type, aws, entry.id, known)
        except (OperationError, RefusalError) as error:
            raise ResourceError(entry.urn, str(error)) from error
        if outputs is None:
            self.state.remove(entry)
            self._note("delete", entry.urn)
            return
        inputs = self.registry.refreshed_inputs(entry.type, entry.inputs, outputs)
        if (inputs, outputs) == (entry.inputs, known):
            self._note("same", entry.urn)
            return
        self.state.put(replace(entry, inputs=inputs, outputs=outputs))
        names = {*known, *outputs}
        moved = frozenset(name for name in names if known.get(name) != outputs.get(name))
        self._note("update", entry.urn, Diff(changed=moved))

    def _provider(self, goal: Goal) -> Entry:
        if goal.type not in (f"{PROVIDER_PREFIX}aws", f"{PROVIDER_PREFIX}tls"):
            raise RefusalError(f"no provider for '{goal.type}' is modelled; aws and tls are")
        inputs = dict(goal.inputs)
        self._configured[goal.urn] = configured(self._default, inputs)
        old = self.state.get(goal.urn)
        entry = _entry(goal, old.id if old else goal.name, inputs, inputs)
        self.state.put(entry)
        return entry

    def _ignoring(self, goal: Goal, old: Entry | None) -> dict[str, Any]:
        """The inputs with what is to be ignored as it was."""
        inputs = dict(goal.inputs)
        for name in goal.ignore_changes:
            if re.search(r"[.\[]", name):
                raise RefusalError(
                    f"ignore_changes of '{name}' is not modelled: only whole properties are"
                )
            if old is not None:
                inputs.pop(name, None)
                if name in old.inputs:
                    inputs[name] = old.inputs[name]
        return inputs

    def _diff(self, goal: Goal, old: Entry, checked: Mapping[str, Any]) -> Diff:
        diff = self.registry.diff(goal.type, old.inputs, checked)
        forced = diff.changed & set(goal.replace_on_changes)
        if "*" in goal.replace_on_changes:
            forced = diff.changed
        if not self._replaced.isdisjoint(goal.replace_with):
            forced |= {"replaceWith"}
        first = diff.delete_before_replace
        if goal.delete_before_replace is not None:
            first = goal.delete_before_replace
        return replace(diff, replaces=diff.replaces | forced, delete_before_replace=first)

    def _same(self, goal: Goal, old: Entry) -> Entry:
        entry = _entry(goal, old.id, old.inputs, old.outputs)
        if entry != old:
            self.state.put(entry)
        self._note("same", goal.urn)
        return entry

    def _create(
        self,
        goal: Goal,
        aws: Aws,
        checked: dict[str, Any],
        replaced: Entry | None,
        kept: Diff | None = None,
    ) -> Entry:
        saved = with_fingerprints(checked)
        try:
            id_, outputs = self.registry.create(goal.type, aws, checked)
            entry = _entry(goal, id_, saved, outputs)
        except PartlyCreatedError as error:
            entry = _entry(goal, error.id, saved, error.outputs)
            entry.incomplete = str(error)
        if replaced is None:
            self.state.put(entry)
        else:
            self.state.supersede(replaced, entry)
        if entry.incomplete:
            raise OperationError(entry.incomplete)
        self._note("create" if kept is None else "replace", goal.urn, kept)
        return entry

    def _resume(self, goal: Goal, aws: Aws, old: Entry, checked: dict[str, Any]) -> Entry:
        """Finishes a creation that stopped half way, with what is wanted now."""
        outputs = self.registry.resume(goal.type, aws, old.id, checked)
        entry = _entry(goal, old.id, with_fingerprints(checked), outputs)
        self.state.put(entry)
        return entry

    def _update(
        self, goal: Goal, aws: Aws, old: Entry, checked: dict[str, Any], diff: Diff
    ) -> Entry:
        outputs = self.registry.update(goal.type, aws, old.id, old.outputs, checked, diff.changed)
        entry = _entry(goal, old.id, with_fingerprints(checked), outputs)
        self.state.put(entry)
        self._note("update", goal.urn, diff)
        return entry

    def _replace(
        self, goal: Goal, aws: Aws, old: Entry, checked: dict[str, Any], diff: Diff
    ) -> Entry:
        _refuse_protected(old, "replaced")
        self._replaced.add(goal.urn)
        if not diff.delete_before_replace:
            return self._create(goal, aws, checked, old, diff)
        self._delete_all([*self._replaced_with(old), old], record=False)
        return self._create(goal, aws, checked, None, diff)

    def _replaced_with(self, old: Entry) -> list[Entry]:
        """The resources that cannot outlive `old`: those whose new value of what they need replaces
        them.
        """
        found: dict[str, Entry] = {}
        roots = [old.urn]
        while roots:
            root = roots.pop()
            for entry in self.state.entries():
                if entry.urn in found or entry.type.startswith(PROVIDER_PREFIX):
                    continue
                fields = self.registry.type(entry.type).fields
                if any(
                    root in urns and name in fields and fields[name].replaces
                    for name, urns in entry.property_dependencies.items()
                ):
                    found[entry.urn] = entry
                    roots.append(entry.urn)
        return list(found.values())

    def _delete_all(self, doomed: list[Entry], *, record: bool = True) -> None:
        for entry in doomed:
            _refuse_protected(entry, "deleted")
        needs = {entry.urn: entry.needs for entry in self.state.entries()}
        for entry in deletion_order(doomed, needs):
            if not entry.type.startswith(PROVIDER_PREFIX) and not entry.retain_on_delete:
                known = entry.outputs or entry.inputs
                try:
                    self.registry.delete(entry.type, self.aws(entry.provider), entry.id, known)
                except (OperationError, RefusalError) as error:
                    raise ResourceError(entry.urn, str(error)) from error
            superseded = self.state.get(entry.urn) is not entry
            self.state.remove(entry)
            if record and not superseded:
                self._note("delete", entry.urn)

    def _note(self, operation: str, urn: str, diff: Diff | None = None) -> None:
        names = tuple(sorted(diff.changed)) if diff else ()
        with self._lock:
            self.changes.append(Change(operation=operation, urn=urn, properties=names))


class ResourceError(Exception):
    """An error of a resource other than the one being registered."""

    def __init__(self, urn: str, message: str) -> None:
        super().__init__(message)
        self.urn = urn


def _entry(goal: Goal, id_: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> Entry:
    return Entry(
        urn=goal.urn,
        type=goal.type,
        id=id_,
        inputs=inputs,
        outputs=outputs,
        parent=goal.parent,
        provider=goal.provider,
        dependencies=list(goal.dependencies),
        property_dependencies={
            name: list(urns) for name, urns in goal.property_dependencies.items()
        },
        secrets=sorted(goal.secrets),
        protect=goal.protect,
        retain_on_delete=goal.retain_on_delete,
    )


def _refuse_protected(entry: Entry, what: str) -> None:
    if entry.protect:
        raise ResourceError(
            entry.urn,
            f"resource '{entry.urn}' cannot be {what}: it is protected; "
            "set `protect` to false first",
        )
