"""The properties of a resource type as one table: names, types, defaults, what forces replacement,
and AWS's names.

Everything generic is derived from that table: refusing what is unknown, coercing what Pulumi sends
(it has only one kind of number), comparing, and translating between Pulumi's names and AWS's in
both directions.
"""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

Value = TypeVar("Value")


class _Unknown:
    """The type of UNKNOWN."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()
"""A value that a preview cannot know yet. It is taken as it is, and differs from every other."""


class RefusalError(Exception):
    """Inputs that a resource type cannot take; the message names the type, the property and what
    was wanted.
    """


class Kind(Enum):
    """What a property holds. JSON is text compared by meaning; MAP is keyed by the user."""

    TEXT = "a string"
    INTEGER = "a whole number"
    DECIMAL = "a number"
    FLAG = "true or false"
    JSON = "a JSON document"
    MAP = "a map of strings"
    ASSET = "an asset or archive"
    BLOCK = "an object"


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property under its Pulumi name.

    `replaces`: a change needs a new resource. `computed`: AWS decides when it is left out, so
    leaving it out later is no change. `output`: AWS tells it, nobody sets it. `aws`: AWS's name
    where it is not Pulumi's with a capital. `many` is a list; `unordered` a list whose order means
    nothing. `follows`: the inputs with which AWS decides this output anew, and `only_with` one that
    must be true for that.
    """

    kind: Kind = Kind.TEXT
    aws: str | None = None
    many: bool = False
    unordered: bool = False
    fields: "Mapping[str, Property] | None" = None
    required: bool = False
    replaces: bool = False
    computed: bool = False
    output: bool = False
    secret: bool = False
    unread: bool = False
    follows: tuple[str, ...] = ()
    only_with: str = ""
    default: Any = None


def text(**options: Any) -> Property:
    return Property(kind=Kind.TEXT, **options)


def integer(**options: Any) -> Property:
    return Property(kind=Kind.INTEGER, **options)


def decimal(**options: Any) -> Property:
    return Property(kind=Kind.DECIMAL, **options)


def flag(**options: Any) -> Property:
    return Property(kind=Kind.FLAG, **options)


def document(**options: Any) -> Property:
    return Property(kind=Kind.JSON, **options)


def mapping(**options: Any) -> Property:
    return Property(kind=Kind.MAP, **options)


def asset(**options: Any) -> Property:
    return Property(kind=Kind.ASSET, **options)


def texts(**options: Any) -> Property:
    """A list of strings whose order means nothing, which is what nearly all of AWS's lists are."""
    return Property(kind=Kind.TEXT, many=True, unordered=True, **options)


def block(fields: Mapping[str, Property], **options: Any) -> Property:
    return Property(kind=Kind.BLOCK, fields=fields, **options)


def blocks(fields: Mapping[str, Property], **options: Any) -> Property:
    return Property(kind=Kind.BLOCK, fields=fields, many=True, **options)


def output(kind: Kind = Kind.TEXT, **options: Any) -> Property:
    return Property(kind=kind, output=True, **options)


def table(entries: Mapping[str, Value]) -> Mapping[str, Value]:
    """A class's own table, which nobody may change."""
    return MappingProxyType(dict(entries))


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence naming the known name closest to `name`, whatever its distance."""
    names = sorted(known)
    by_case = [candidate for candidate in names if candidate.lower() == name.lower()]
    close = by_case or difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    return f"the nearest known one is '{close[0]}'" if close else "none is known"


def clean(token: str, fields: Mapping[str, Property], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with defaults filled in and types coerced.

    Raises RefusalError for what the table does not know.
    """
    return _clean_fields(token, "", fields, values)


def _clean_fields(
    token: str, path: str, fields: Mapping[str, Property], values: Mapping[str, Any]
) -> dict[str, Any]:
    inputs = {name: prop for name, prop in fields.items() if not prop.output}
    for name in values:
        if name not in inputs:
            raise RefusalError(f"{token}: unknown property '{path}{name}'; {nearest(name, inputs)}")
    cleaned = {}
    for name, prop in inputs.items():
        value = values.get(name)
        if value is None and prop.default is not None:
            value = prop.default
        if value is None:
            if prop.required:
                raise RefusalError(f"{token}: missing required property '{path}{name}'")
            continue
        cleaned[name] = _clean_value(token, f"{path}{name}", prop, value)
    return cleaned


def _clean_value(token: str, path: str, prop: Property, value: Any) -> Any:
    if prop.many and value is not UNKNOWN:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise RefusalError(f"{token}: '{path}' must be a list, not {value!r}")
        return [
            _clean_one(token, f"{path}[{i}]", prop, one)
            for i, one in enumerate(value)
            if one is not None
        ]
    return _clean_one(token, path, prop, value)


def _clean_one(token: str, path: str, prop: Property, value: Any) -> Any:
    if value is UNKNOWN:
        return value
    if prop.kind is Kind.BLOCK:
        if isinstance(value, Mapping):
            return _clean_fields(token, f"{path}.", prop.fields or {}, value)
    elif prop.kind is Kind.MAP:
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items() if one is not None}
    elif prop.kind is Kind.ASSET:
        return value
    elif isinstance(value, (str, bool, int, float)):
        scalar = _scalar(prop.kind, value)
        if scalar is not None:
            return scalar
    shown = "[secret]" if prop.secret else repr(value)
    raise RefusalError(f"{token}: '{path}' must be {prop.kind.value}, not {shown}")


def _scalar(kind: Kind, value: str | bool | float) -> Any:
    """`value` as the kind wants it, the way Pulumi converts between strings, numbers and booleans;
    else None.
    """
    if kind in (Kind.TEXT, Kind.JSON):
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(plain(value))
    if kind is Kind.FLAG:
        return {"true": True, "false": False}.get(str(value).lower())
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if kind is Kind.DECIMAL:
        return plain(number)
    return int(number) if number.is_integer() else None


def plain(value: Any) -> Any:
    """`value` with whole numbers as ints at any depth: Pulumi's wire has only doubles."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value


def holds_unknown(value: Any) -> bool:
    """Whether UNKNOWN is `value` or somewhere in it."""
    if isinstance(value, Mapping):
        return any(holds_unknown(one) for one in value.values())
    if isinstance(value, list):
        return any(holds_unknown(one) for one in value)
    return value is UNKNOWN


def comparable(prop: Property, value: Any) -> Any:
    """A form of `value` that is equal for values that mean the same to AWS."""
    if value is None or value == [] or value == {}:
        return None
    if prop.many and value is not UNKNOWN:
        items = [_comparable_one(prop, one) for one in value]
        if prop.unordered:
            return sorted(items, key=lambda one: json.dumps(one, sort_keys=True, default=str))
        return items
    return _comparable_one(prop, value)


def _comparable_one(prop: Property, value: Any) -> Any:
    if value is UNKNOWN:
        return value
    if prop.kind is Kind.BLOCK:
        fields = prop.fields or {}
        pairs = {
            name: comparable(fields[name], one) for name, one in value.items() if name in fields
        }
        return {name: one for name, one in pairs.items() if one is not None}
    if prop.kind is Kind.JSON:
        return canonical_json(value)
    return value


def canonical_json(value: str) -> Any:
    """The document in `value`, with one-element lists as their element, as IAM reads policies; else
    the text.
    """
    try:
        return _unlist(json.loads(value))
    except ValueError:
        return value


def _unlist(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unlist(one) for key, one in value.items()}
    if isinstance(value, list):
        items = [_unlist(one) for one in value]
        if len(items) == 1:
            return items[0]
        return sorted(items, key=lambda one: json.dumps(one, sort_keys=True))
    return value


def changed(
    fields: Mapping[str, Property], old: Mapping[str, Any], new: Mapping[str, Any]
) -> frozenset[str]:
    """The names of the properties whose meaning differs between two sets of cleaned inputs."""
    names = set()
    for name, prop in fields.items():
        if prop.output or (prop.computed and new.get(name) is None):
            continue
        if comparable(prop, old.get(name)) != comparable(prop, new.get(name)):
            names.add(name)
    return frozenset(names)


def covers(prop: Property, value: Any, wanted: Any) -> bool:
    """Whether `value`, as AWS shows it, is what `wanted` asks for: equal, or with more filled in by
    AWS.
    """
    if comparable(prop, wanted) is None or comparable(prop, value) == comparable(prop, wanted):
        return True
    if prop.kind is not Kind.BLOCK or value is None:
        return False
    fields = prop.fields or {}
    if not prop.many:
        return all(covers(fields[name], value.get(name), one) for name, one in wanted.items())
    one_of = Property(kind=Kind.BLOCK, fields=fields)
    if len(value) != len(wanted):
        return False
    if not prop.unordered:
        return all(covers(one_of, got, want) for got, want in zip(value, wanted, strict=True))
    return all(any(covers(one_of, got, want) for got in value) for want in wanted)


def aws_name(name: str, prop: Property, camel: bool) -> str:
    return prop.aws or (name if camel else name[0].upper() + name[1:])


def to_aws(
    fields: Mapping[str, Property],
    values: Mapping[str, Any],
    names: Iterable[str] | None = None,
    *,
    camel: bool = False,
) -> dict[str, Any]:
    """Request parameters from Pulumi values: those of `names`, or all.

    `camel`: the service's API is camelCase.
    """
    wanted = set(fields if names is None else names)
    return {
        aws_name(name, fields[name], camel): _to_aws_value(fields[name], value, camel)
        for name, value in values.items()
        if value is not None and name in wanted and name in fields
    }


def _to_aws_value(prop: Property, value: Any, camel: bool) -> Any:
    if prop.kind is Kind.BLOCK and prop.fields is not None:
        fields = prop.fields
        if prop.many:
            return [to_aws(fields, one, camel=camel) for one in value]
        return to_aws(fields, value, camel=camel)
    return value


def from_aws(
    fields: Mapping[str, Property],
    answer: Mapping[str, Any],
    names: Iterable[str] | None = None,
    *,
    camel: bool = False,
) -> dict[str, Any]:
    """Pulumi values from an answer of AWS: the properties of `names`, or all, that are in it."""
    values = {}
    for name in fields if names is None else names:
        prop = fields[name]
        value = answer.get(aws_name(name, prop, camel))
        if value is not None:
            values[name] = _from_aws_value(prop, value, camel)
    return values


def _from_aws_value(prop: Property, value: Any, camel: bool) -> Any:
    if prop.kind is Kind.BLOCK and prop.fields is not None:
        fields = prop.fields
        if prop.many:
            return [from_aws(fields, one, camel=camel) for one in value]
        return from_aws(fields, value, camel=camel)
    return list(value) if prop.many else value
