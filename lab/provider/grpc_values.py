"""Values between the Pulumi engine and a provider: what is unknown, what is secret, and assets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from google.protobuf.struct_pb2 import Struct, Value
from pulumi.runtime import rpc

from lab.provider.schema import UNKNOWN, plain

_KIND = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 the wire's mark of a secret, not one
_ASSET = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
_UNKNOWNS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        rpc.UNKNOWN,
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""A computed boolean, number, string, list, asset, archive and object."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """An object of the engine in plain Python.

    `secrets` are the properties that are or hold a secret; `assets` those that are an asset or
    archive, as they came: a provider answers with the very same.
    """

    values: dict[str, Any]
    secrets: frozenset[str]
    assets: Mapping[str, Value]


def received(properties: Struct, *, contents: bool = False) -> Received:
    """What the engine sent. Of an asset only its hash stands there, unless `contents` are wanted;
    not every request carries them.
    """
    values: dict[str, Any] = {}
    secrets: set[str] = set()
    assets: dict[str, Value] = {}
    for name, value in properties.fields.items():
        reader = _Reader(contents)
        values[name] = reader.read(value)
        if reader.met_secret:
            secrets.add(name)
        if reader.asset is not None:
            assets[name] = reader.asset
    return Received(values=values, secrets=frozenset(secrets), assets=assets)


class _Reader:
    """Reads one property, and remembers what it met on the way."""

    def __init__(self, contents: bool) -> None:
        self.met_secret = False
        self.asset: Value | None = None
        self._contents = contents

    def read(self, value: Value) -> Any:
        kind = value.WhichOneof("kind")
        if kind == "struct_value":
            return self._struct(value)
        if kind == "list_value":
            return [self.read(one) for one in value.list_value.values]
        if kind == "string_value":
            return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
        if kind == "number_value":
            return plain(value.number_value)
        return value.bool_value if kind == "bool_value" else None

    def _struct(self, value: Value) -> Any:
        fields = value.struct_value.fields
        mark = fields[_KIND].string_value if _KIND in fields else ""
        if mark == _SECRET:
            self.met_secret = True
            return self.read(fields["value"])
        if mark in (_ASSET, _ARCHIVE):
            self.asset = value
            return _opened(value.struct_value) if self._contents else _fingerprint(value)
        return {name: self.read(one) for name, one in fields.items()}


def _fingerprint(value: Value) -> dict[str, str]:
    """What stands for an asset in comparisons: the engine hashes the content of each."""
    fields = value.struct_value.fields
    kind = "archive" if fields[_KIND].string_value == _ARCHIVE else "asset"
    return {"kind": kind, "sha256": fields["hash"].string_value}


def _opened(struct: Struct) -> pulumi.Asset | pulumi.Archive:
    fields = struct.fields
    is_archive = fields[_KIND].string_value == _ARCHIVE
    if "path" in fields:
        path = fields["path"].string_value
        return pulumi.FileArchive(path) if is_archive else pulumi.FileAsset(path)
    if "uri" in fields:
        uri = fields["uri"].string_value
        return pulumi.RemoteArchive(uri) if is_archive else pulumi.RemoteAsset(uri)
    if is_archive:
        members = fields["assets"].struct_value.fields
        return pulumi.AssetArchive(
            {name: _opened(member.struct_value) for name, member in members.items()}
        )
    return pulumi.StringAsset(fields["text"].string_value)


def sent(
    values: Mapping[str, Any],
    secrets: Collection[str] = (),
    assets: Mapping[str, Value] | None = None,
) -> Struct:
    """An answer to the engine: each property of `secrets` marked as one, `assets` as they came."""
    struct = Struct()
    for name, value in values.items():
        target = struct.fields[name]
        if name in secrets:
            target.struct_value.fields[_KIND].string_value = _SECRET
            target = target.struct_value.fields["value"]
        if assets and name in assets:
            target.CopyFrom(assets[name])
        else:
            _write(target, value)
    return struct


def _write(target: Value, value: Any) -> None:
    if value is UNKNOWN:
        target.string_value = rpc.UNKNOWN
    elif value is None:
        target.null_value = 0  # type: ignore[assignment]  # the enumeration's only member
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for name, one in value.items():
            _write(target.struct_value.fields[name], one)
    else:
        target.list_value.SetInParent()
        for one in value:
            _write(target.list_value.values.add(), one)
