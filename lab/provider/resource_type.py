"""What a resource type is: its table of properties and the AWS calls that its life consists of."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lab.provider import schema
from lab.provider.aws import Aws, GoneError, error_code
from lab.provider.schema import Property, RefusalError

DEFAULTS = "__defaults"  # among checked inputs: those that the program left to Pulumi
_HEX_DIGITS = 7


@dataclass(frozen=True, kw_only=True)
class Autoname:
    """How Pulumi names a resource whose name is left out: its own name, "-" and 7 hex digits."""

    prop: str = "name"
    limit: int
    lower: bool = False


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What the engine says of a new name.

    The same `seed` gives the same digits, so that what a preview plans is what is deployed.
    `proposed` is the name that the stack's `pulumi:autonaming` asks for; `disabled`: it asks that
    the program choose every name.
    """

    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    proposed: str = ""
    disabled: bool = False


class ResourceType:
    """One resource type. Subclasses give the table and the calls; the registry does what is common.

    `create` makes the resource and answers its id; `settle` does what must follow before it counts
    as created. `read` answers every property as AWS has it, and raises GoneError or an error of
    `gone` when there is none; `known` is what was last known (outputs, or on import only what the
    id says). `update` is told what changed.
    """

    urn_type: ClassVar[str]
    title: ClassVar[str]
    service: ClassVar[str] = ""
    camel: ClassVar[bool] = False
    regional: ClassVar[bool] = True
    properties: ClassVar[Mapping[str, Property]]
    gone: ClassVar[frozenset[str]] = frozenset()
    autoname: ClassVar[Autoname | None] = None
    delete_before_replace: ClassVar[bool] = False
    id_parts: ClassVar[tuple[str, ...]] = ()
    id_separator: ClassVar[str] = "/"

    def __init__(self) -> None:
        fields = dict(self.properties)
        if "tags" in fields:
            fields["tagsAll"] = schema.mapping(computed=True)
        if self.regional and self.service:
            fields["region"] = schema.text(computed=True, replaces=True)
        self.fields: Mapping[str, Property] = fields

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        raise NotImplementedError

    def make(self, aws: Aws, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """`create`, and what only creation tells."""
        return self.create(aws, inputs), {}

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        """What must follow `create`: attributes that have a call of their own, waiting."""

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        raise NotImplementedError

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        raise NotImplementedError

    def validate(self, inputs: Mapping[str, Any]) -> None:
        """Raises RefusalError for inputs that the provider refuses together, before any call."""

    def must_replace(
        self, old: Mapping[str, Any], new: Mapping[str, Any], changed: frozenset[str]
    ) -> frozenset[str]:
        """Those of `changed` that force a replacement only because of how they changed."""
        return frozenset()

    def wait_until_gone(self, aws: Aws, what: str, look: Callable[[], object]) -> None:
        """Calls `look`, which describes the resource, until there is none to describe."""

        def gone() -> bool:
            try:
                look()
            except GoneError:
                return True
            except ClientError as error:
                if error_code(error) in self.gone:
                    return True
                raise
            return False

        aws.wait_until(f"{what} to be deleted", gone)

    def refuse_both(self, inputs: Mapping[str, Any], *names: str) -> None:
        """Raises RefusalError when more than one of `names` is given."""
        given = [name for name in names if inputs.get(name) not in (None, [], {})]
        if len(given) > 1:
            raise RefusalError(f"{self.urn_type}: '{given[0]}' conflicts with '{given[1]}'")

    def refuse_unless_one(self, inputs: Mapping[str, Any], *names: str) -> None:
        """Raises RefusalError unless exactly one of `names` is given."""
        self.refuse_both(inputs, *names)
        if not any(inputs.get(name) not in (None, [], {}) for name in names):
            raise RefusalError(f"{self.urn_type}: one of {', '.join(names)} must be given")

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        """What an error calls this resource, in parentheses."""
        return str(inputs.get("name") or id_)

    def to_aws(
        self, values: Mapping[str, Any], names: Iterable[str] | None = None
    ) -> dict[str, Any]:
        return schema.to_aws(self.fields, values, names, camel=self.camel)

    def from_aws(
        self, answer: Mapping[str, Any], names: Iterable[str] | None = None
    ) -> dict[str, Any]:
        plain = [name for name in self.fields if name not in ("tags", "tagsAll", "region")]
        return schema.from_aws(
            self.fields, answer, plain if names is None else names, camel=self.camel
        )

    def parse_id(self, id_: str) -> dict[str, Any]:
        """What an id given for import says about the resource, as the registry's documentation
        writes ids.
        """
        if not self.id_parts:
            return {}
        values = id_.split(self.id_separator, len(self.id_parts) - 1)
        if len(values) != len(self.id_parts):
            wanted = self.id_separator.join(part.upper() for part in self.id_parts)
            raise RefusalError(
                f"{self.urn_type}: unexpected format for ID ({id_}), expected {wanted}"
            )
        return dict(zip(self.id_parts, values, strict=True))


def named(
    type_: ResourceType,
    name: str,
    inputs: Mapping[str, Any],
    old: Mapping[str, Any],
    naming: Naming,
) -> dict[str, Any]:
    """`inputs` with the physical name that Pulumi would choose: the one it has already, or a new
    one. `DEFAULTS` says that the program did not choose it, as it does in pulumi-aws.

    Raises RefusalError where the name would be longer than AWS allows, as pulumi-aws does.
    """
    rule = type_.autoname
    if rule is None or inputs.get(rule.prop):
        return dict(inputs)
    if "namePrefix" in type_.fields and inputs.get("namePrefix"):
        raise RefusalError(
            f"{type_.urn_type}: 'namePrefix' is not modelled; "
            f"leave the name to Pulumi or set '{rule.prop}'"
        )
    kept = old.get(rule.prop) if is_autonamed(type_, old) else None
    chosen = kept or _new_name(type_, rule, name, naming)
    return {**inputs, rule.prop: chosen, DEFAULTS: [rule.prop]}


def _new_name(type_: ResourceType, rule: Autoname, name: str, naming: Naming) -> str:
    if naming.disabled:
        raise RefusalError("automatic naming is disabled but no explicit name was provided")
    if naming.proposed:
        proposed = naming.proposed.lower() if rule.lower else naming.proposed
        if len(proposed) > rule.limit:
            raise RefusalError(
                f"calculated name '{proposed}' exceeds maximum length of {rule.limit}"
            )
        return proposed
    stem = f"{name.lower() if rule.lower else name}-"
    if len(stem) + _HEX_DIGITS > rule.limit:
        raise RefusalError(
            f"could not make instance of '{type_.urn_type}': name '{stem}' plus {_HEX_DIGITS} "
            f"random chars is longer than maximum length {rule.limit}"
        )
    return f"{stem}{hashlib.sha256(naming.seed).hexdigest()[:_HEX_DIGITS]}"


def keeps_name(type_: ResourceType, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether old and new bear the same physical name, chosen by the program."""
    rule = type_.autoname
    if rule is None or old.get(rule.prop) is None or old[rule.prop] != new.get(rule.prop):
        return False
    return not is_autonamed(type_, new)


def is_autonamed(type_: ResourceType, checked: Mapping[str, Any]) -> bool:
    return type_.autoname is not None and type_.autoname.prop in checked.get(DEFAULTS, ())


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags as most of AWS's APIs write them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def tag_map(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Tags as Pulumi writes them, without those that AWS itself sets."""
    return {tag["Key"]: tag["Value"] for tag in tags or () if not tag["Key"].startswith("aws:")}


def added_and_removed(
    old: Iterable[str] | None, new: Iterable[str] | None
) -> tuple[list[str], list[str]]:
    """What to add and what to remove to get from one set to another."""
    before, after = set(old or ()), set(new or ())
    return sorted(after - before), sorted(before - after)


def raise_unsuccessful(answer: Mapping[str, Any], operation: str) -> None:
    """Raises what an EC2 call reports inside a successful answer as the error that it is."""
    for item in answer.get("Unsuccessful", []):
        raise ClientError({"Error": item["Error"]}, operation)
