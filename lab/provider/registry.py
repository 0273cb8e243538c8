"""The registry of resource types: check, diff, create, read, update, delete and invoke, for any
adapter.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.provider import schema
from lab.provider.assets import with_fingerprints
from lab.provider.aws import Aws, GoneError, UnfinishedError, describe_error, error_code
from lab.provider.resource_type import DEFAULTS, Naming, ResourceType, keeps_name, named
from lab.provider.schema import RefusalError, nearest

Function = Callable[[Aws, Mapping[str, Any]], dict[str, Any]]


class OperationError(Exception):
    """AWS refused or did not finish an operation; the message is worded as pulumi-aws words it."""


class PartlyCreatedError(OperationError):
    """The resource exists, but what must follow its creation failed. It belongs in the state."""

    def __init__(self, message: str, id_: str, outputs: dict[str, Any]) -> None:
        super().__init__(message)
        self.id = id_
        self.outputs = outputs


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Which properties changed, which of them force a replacement, and whether the old one must go
    first.
    """

    changed: frozenset[str] = field(default_factory=frozenset)
    replaces: frozenset[str] = field(default_factory=frozenset)
    delete_before_replace: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed)


class Registry:
    """Resource types and functions by token. It holds no state, so any thread may use it."""

    def __init__(self, types: Iterable[ResourceType], functions: Mapping[str, Function]) -> None:
        self.types = {type_.urn_type: type_ for type_ in types}
        self.functions = dict(functions)

    def type(self, token: str) -> ResourceType:
        """Raises RefusalError for a type that nobody wrote a handler for."""
        if token not in self.types:
            raise RefusalError(f"unknown resource type '{token}'; {nearest(token, self.types)}")
        return self.types[token]

    def check(
        self,
        token: str,
        name: str,
        inputs: Mapping[str, Any],
        old: Mapping[str, Any],
        aws: Aws,
        naming: Naming | None = None,
    ) -> dict[str, Any]:
        """`inputs` as the provider takes them: known, typed, with defaults, named.

        Raises RefusalError otherwise. What properties must satisfy together is judged only once
        all of them are known.
        """
        type_ = self.type(token)
        own = {key: value for key, value in inputs.items() if key not in ("tagsAll", DEFAULTS)}
        chosen = named(type_, name, own, old, naming or Naming())
        defaults = {DEFAULTS: chosen.pop(DEFAULTS)} if DEFAULTS in chosen else {}
        checked = schema.clean(token, type_.fields, chosen)
        if "tagsAll" in type_.fields:
            tags = checked.get("tags", {})
            if tags is not schema.UNKNOWN:
                tags = {**aws.settings.default_tags, **tags}
            if tags:
                checked["tagsAll"] = tags
        if not schema.holds_unknown(checked):
            type_.validate(checked)
        return {**checked, **defaults}

    def diff(self, token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Diff:
        """What lies between two sets of checked inputs.

        The old one must go first where the new one could not exist beside it, because it is the
        same thing to AWS or bears the same name. To replace one, check its inputs anew with no old
        ones, which gives it a new name.
        """
        type_ = self.type(token)
        old, new = with_fingerprints(old), with_fingerprints(new)
        changed = schema.changed(type_.fields, old, new)
        if new.get("tagsAll") is None and old.get("tagsAll"):
            changed |= {"tagsAll"}
        replaces = frozenset(name for name in changed if type_.fields[name].replaces)
        replaces |= type_.must_replace(old, new, changed)
        same_thing = type_.delete_before_replace and replaces.isdisjoint(type_.id_parts)
        first = same_thing or keeps_name(type_, old, new)
        return Diff(
            changed=changed, replaces=replaces, delete_before_replace=bool(replaces) and first
        )

    def create(self, token: str, aws: Aws, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The id and outputs of a new resource.

        Raises OperationError, or PartlyCreatedError once it exists.
        """
        type_ = self.type(token)
        aws = self._bound(type_, aws, inputs)
        label = type_.label("", inputs)
        with self._errors("creating", type_, aws, label):
            id_, told = type_.make(aws, inputs)
        try:
            with self._errors("creating", type_, aws, label):
                type_.settle(aws, id_, inputs)
                return id_, self._read(type_, aws, id_, {**inputs, **told})
        except OperationError as error:
            raise PartlyCreatedError(str(error), id_, with_fingerprints(inputs)) from error

    def resume(self, token: str, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs of a resource that was partly created, once what must follow is done."""
        type_ = self.type(token)
        aws = self._bound(type_, aws, inputs)
        with self._errors("creating", type_, aws, type_.label(id_, inputs)):
            type_.settle(aws, id_, inputs)
            return self._read(type_, aws, id_, inputs)

    def read(
        self, token: str, aws: Aws, id_: str, known: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The outputs as AWS has them now, or None if there is no such resource."""
        type_ = self.type(token)
        aws = self._bound(type_, aws, known)
        try:
            with self._errors("reading", type_, aws, type_.label(id_, known)):
                return self._read(type_, aws, id_, known or type_.parse_id(id_))
        except GoneError:
            return None

    def update(
        self,
        token: str,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: Iterable[str],
    ) -> dict[str, Any]:
        """The outputs after `changed` became as in `new`. `old` are the outputs so far."""
        type_ = self.type(token)
        aws = self._bound(type_, aws, old)
        names = frozenset(changed)
        with self._errors("updating", type_, aws, type_.label(id_, new)):
            if rest := names - {"tags", "tagsAll"}:
                type_.update(aws, id_, old, new, rest)
            if "tagsAll" in names:
                before, after = old.get("tagsAll") or {}, new.get("tagsAll") or {}
                put = {key: value for key, value in after.items() if before.get(key) != value}
                type_.retag(aws, id_, old, put, sorted(set(before) - set(after)))
            fields = type_.fields.items()
            kept = {name: old[name] for name, prop in fields if prop.output and name in old}
            return self._read(type_, aws, id_, {**_carried(type_, kept), **new})

    def delete(self, token: str, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        """Deletes the resource; one that is gone already is no error."""
        type_ = self.type(token)
        aws = self._bound(type_, aws, known)
        with (
            contextlib.suppress(GoneError),
            self._errors("deleting", type_, aws, type_.label(id_, known)),
        ):
            type_.delete(aws, id_, known)

    def refreshed_inputs(
        self, token: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`inputs` with what AWS has instead where that is not what was asked for: drift, ready for
        `diff`.
        """
        fields = self.type(token).fields
        refreshed = dict(inputs)
        for name, wanted in inputs.items():
            if name in fields and not schema.covers(fields[name], outputs.get(name), wanted):
                refreshed[name] = outputs.get(name)
        return {name: value for name, value in refreshed.items() if value is not None}

    def imported_inputs(self, token: str, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs that would have made a resource that is there already."""
        inputs = {}
        for name, prop in self.type(token).fields.items():
            value = outputs.get(name, prop.default)
            if not prop.output and schema.comparable(prop, value) is not None:
                inputs[name] = value
        return inputs

    def planned(
        self, token: str, aws: Aws, inputs: Mapping[str, Any], old: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The outputs as far as a preview can tell: what AWS will decide is unknown.

        `old` are the outputs of a resource that is to be updated, which keeps what AWS decided.
        """
        fields = self.type(token).fields
        outputs = with_fingerprints(inputs)
        outputs.pop(DEFAULTS, None)
        moved = {
            name
            for name in fields
            if _moves(fields[name], (old or {}).get(name), outputs.get(name))
        }
        if "tags" in fields:
            outputs = {"tags": {}, "tagsAll": {}, **outputs}
        if "region" in fields:
            outputs.setdefault("region", aws.region)
        for name, prop in fields.items():
            if name not in outputs and (prop.output or prop.computed):
                kept = (old or {}).get(name, schema.UNKNOWN)
                follows = not moved.isdisjoint(prop.follows)
                anew = follows and bool(not prop.only_with or outputs.get(prop.only_with))
                outputs[name] = schema.UNKNOWN if anew else kept
        return outputs

    def secrets(self, token: str) -> frozenset[str]:
        """The properties of a type that are secret whatever the program says."""
        return frozenset(name for name, prop in self.type(token).fields.items() if prop.secret)

    def invoke(self, token: str, aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a function.

        Raises RefusalError for an unknown one, OperationError as AWS words it.
        """
        if token not in self.functions:
            raise RefusalError(f"unknown function '{token}'; {nearest(token, self.functions)}")
        try:
            return self.functions[token](aws, schema.plain(arguments))
        except ClientError as error:
            raise OperationError(f"invoking {token}: {describe_error(error, '')}") from error

    def _read(
        self, type_: ResourceType, aws: Aws, id_: str, known: Mapping[str, Any]
    ) -> dict[str, Any]:
        found = {
            name: value for name, value in type_.read(aws, id_, known).items() if value is not None
        }
        outputs = {**_carried(type_, known), **found}
        if "region" in type_.fields:
            outputs["region"] = aws.region
        if "tagsAll" in type_.fields:
            outputs["tags"] = _own_tags(aws, known.get("tags") or {}, outputs.get("tagsAll") or {})
        for name, value in known.items():
            prop = type_.fields.get(name)
            if prop and not prop.output and name in outputs:
                same = schema.comparable(prop, value) == schema.comparable(prop, outputs[name])
                outputs[name] = value if same else outputs[name]
        return with_fingerprints(outputs)

    def _bound(self, type_: ResourceType, aws: Aws, values: Mapping[str, Any]) -> Aws:
        region = values.get("region")
        if not type_.regional or region is None or region == aws.region:
            return aws
        return Aws(replace(aws.settings, region=region), aws.patience)

    @contextlib.contextmanager
    def _errors(self, doing: str, type_: ResourceType, aws: Aws, label: str) -> Iterator[None]:
        about = f"{doing} {type_.title}{f' ({label})' if label else ''}"
        try:
            yield
        except ClientError as error:
            if doing in ("reading", "deleting") and error_code(error) in type_.gone:
                raise GoneError from error
            service_id = aws.client(type_.service).meta.service_model.metadata["serviceId"]
            raise OperationError(f"{about}: {describe_error(error, service_id)}") from error
        except GoneError as error:
            if doing in ("reading", "deleting"):
                raise
            raise OperationError(f"{about}: couldn't find resource") from error
        except (BotoCoreError, UnfinishedError) as error:
            raise OperationError(f"{about}: {error}") from error


def _carried(type_: ResourceType, known: Mapping[str, Any]) -> dict[str, Any]:
    """What of `known` AWS never shows, and so only the state knows."""
    return {
        name: value
        for name, value in known.items()
        if name in type_.fields and type_.fields[name].unread and value is not None
    }


def _moves(prop: schema.Property, before: Any, after: Any) -> bool:
    """Whether an input that is now `after` makes an update change what AWS has, `before`."""
    if after is None:
        return not prop.computed and schema.comparable(prop, before) is not None
    return schema.holds_unknown(after) or not schema.covers(prop, before, after)


def _own_tags(aws: Aws, tags: Mapping[str, str], all_tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of the resource itself: all but those that only the provider's default tags put
    there.
    """
    default = aws.settings.default_tags
    return {
        key: value for key, value in all_tags.items() if key in tags or default.get(key) != value
    }
