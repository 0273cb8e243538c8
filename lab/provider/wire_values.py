"""Values on Pulumi's wire: what a program registers and is answered, with secrets marked."""

import re
from collections.abc import Collection, Mapping
from typing import Any, cast

import pulumi
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

from lab.provider import schema

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def received(values: Struct) -> tuple[dict[str, Any], frozenset[str]]:
    """A registered object in plain Python, and the names of its properties that are or hold a
    secret.
    """
    decoded = cast(dict[str, Any], rpc.deserialize_properties(values))
    secret = frozenset(name for name, value in decoded.items() if rpc.is_rpc_secret(value))
    return {
        name: schema.plain(rpc.unwrap_rpc_secret(value)) for name, value in decoded.items()
    }, secret


def answered(values: Mapping[str, Any], secrets: Collection[str]) -> Struct:
    """An answer to the program, each property of `secrets` marked as one."""
    struct = Struct()
    struct.update(
        {
            name: rpc.wrap_rpc_secret(value) if name in secrets else value
            for name, value in values.items()
            if not isinstance(value, (pulumi.Asset, pulumi.Archive))
        }
    )
    return struct


def seconds(duration: str) -> float | None:
    """Go's notation of a duration, as Pulumi writes it ("1h30m"), in seconds; else None."""
    if not duration:
        return None
    parts = re.findall(r"([\d.]+)(ms|s|m|h)", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise schema.RefusalError(f"unable to parse duration {duration!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
