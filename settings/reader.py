"""The configuration of the running stack, read key by key and refused where it cannot be used."""

import json
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, cast

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pulumi_aws import Region

from components.domains import check_domain

PROJECT = "mtls"

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192)
"""CloudWatch Logs API reference, `PutRetentionPolicy`, up to six years."""

T = TypeVar("T")


class SettingError(pulumi.RunError, ValueError):
    """A setting that cannot be used; shown without a traceback."""


class Reader:
    """Typed values by key; `read` are the keys that were asked for.

    Every method raises SettingError naming the key, what was wanted with an example, and what was
    given. Files lie below `root`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = pulumi.Config(PROJECT)
        self.read: set[str] = set()

    def raw(self, key: str) -> str:
        """The value as text, JSON for maps and lists; empty for none."""
        self.read.add(key)
        return self.config.get(key) or ""

    def text(self, key: str, example: str) -> str:
        value = self.raw(key)
        if not value:
            raise SettingError(f"{PROJECT}:{key}: want a value such as {example!r}; got nothing")
        return value

    def one_of(self, key: str, known: Collection[Any]) -> Any:
        value = self.text(key, next(iter(known)))
        if value not in known:
            raise SettingError(f"{PROJECT}:{key}: want one of {', '.join(known)}; got {value!r}")
        return value

    def domain(self, key: str) -> str:
        value = self.text(key, "api.example.com")
        check_domain(f"{PROJECT}:{key}", value)
        return value

    def arn(self, key: str, service: str) -> str:
        value = self.raw(key)
        if value and not value.startswith("arn:"):
            raise SettingError(
                f"{PROJECT}:{key}: want an ARN such as 'arn:aws:{service}:eu-west-1:1111…'; "
                f"got {value!r}"
            )
        return value

    def number(self, key: str) -> float:
        value = self.text(key, "100")
        try:
            number = float(value)
        except ValueError:
            number = 0
        if number < 1:
            raise SettingError(f"{PROJECT}:{key}: want a number from 1, such as 100; got {value!r}")
        return number

    def flag(self, key: str) -> bool:
        return self.one_of(key, ("true", "false")) == "true"

    def retention(self) -> int:
        days = self.number("logRetentionDays")
        if days not in RETENTION_DAYS:
            raise SettingError(
                f"{PROJECT}:logRetentionDays: want one of {', '.join(map(str, RETENTION_DAYS))}; "
                f"got {days:g}"
            )
        return int(days)

    def map(self, key: str, parse: Callable[[str, Any], T]) -> dict[str, T]:
        """Each entry as `parse(field, value)` makes it of what was given."""
        raw = self.raw(key) or "{}"
        value = _json(raw)
        if not isinstance(value, dict):
            raise SettingError(f"{PROJECT}:{key}: want a map, such as 'name: …'; got {raw!r}")
        entries = cast("dict[str, Any]", value)
        return {name: parse(f"{PROJECT}:{key}.{name}", entry) for name, entry in entries.items()}

    def texts(self, key: str, example: str) -> tuple[str, ...]:
        return texts(f"{PROJECT}:{key}", _json(self.raw(key) or "[]"), example)

    def region(self) -> str:
        region = pulumi.Config("aws").get("region") or ""
        known = [r.value for r in Region]
        if region not in known:
            near = get_close_matches(region, known, n=1) or ["eu-west-1"]
            raise SettingError(f"aws:region: want a region such as {near[0]!r}; got {region!r}")
        return region

    def partition(self) -> str:
        """What every ARN of the region begins with."""
        region = self.region()
        by_prefix = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        return next((p for prefix, p in by_prefix.items() if region.startswith(prefix)), "aws")

    def file(self, field: str, name: str) -> str:
        path = self.root / name
        if not path.is_file():
            raise SettingError(f"{field}: want a file below this project; got {name!r}")
        return path.read_text()

    def refuse(self, keys: Collection[str], role: str) -> None:
        """Refuse a value for one of `keys`, which mean nothing to a stack of this role."""
        for key in keys:
            value = self.raw(key)
            if value not in ("", "{}", "[]"):
                raise SettingError(
                    f"{PROJECT}:{key}: want none with {PROJECT}:role {role!r}; got {value!r}"
                )

    def refuse_unknown(self, unread: Collection[str]) -> None:
        """Refuse a key that nobody reads; `unread` are those that another role would."""
        known = {*self.read, *unread}
        for key in sorted({*CONFIG.get(), *get_config_env()}):
            namespace, _, name = key.partition(":")
            if namespace == PROJECT and name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"; did you mean {PROJECT}:{near[0]}?" if near else ""
                raise SettingError(f"{key}: want a setting that Pulumi.yaml lists{hint}")


def _json(raw: str) -> object:
    try:
        return json.loads(raw)
    except json.JSONDecodeError:
        return raw


def text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SettingError(f"{field}: want text, such as 'widgets'; got {value!r}")
    return value


def texts(field: str, value: Any, example: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingError(f"{field}: want a list, such as {example}; got {value!r}")
    return tuple(text(field, one) for one in cast("list[object]", value))


def whole(field: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise SettingError(f"{field}: want a whole number, such as 443; got {value!r}")
    return value


def flag(field: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingError(f"{field}: want true or false; got {value!r}")
    return value


def choice(field: str, value: Any, known: Collection[str]) -> Any:
    if value not in known:
        raise SettingError(f"{field}: want one of {', '.join(known)}; got {value!r}")
    return value


def entry(field: str, value: Any, keys: Collection[str], example: str) -> Mapping[str, Any]:
    """A map that has no key but `keys`; None stands for an empty one."""
    given: object = {} if value is None else value
    if not isinstance(given, dict):
        raise SettingError(f"{field}: want a map, such as {example}; got {value!r}")
    known = cast("dict[str, Any]", given)
    for key in known:
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            wanted = ", ".join(sorted(keys))
            raise SettingError(f"{field}: want the keys {wanted}; got {key!r}{hint}")
    return known
