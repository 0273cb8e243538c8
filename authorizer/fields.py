"""Members of a JSON object by name and kind, refused with the field's name."""

from collections.abc import Callable
from typing import TypeVar, cast

from authorizer.errors import ConfigError

V = TypeVar("V")
Reader = Callable[[object, str], V]


def text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: want a text that is not empty; got {value!r}")
    return value


def optional_text(value: object, where: str) -> str | None:
    return None if value is None else text(value, where)


def flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: want true or false; got {value!r}")
    return value


def texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: want a list of texts; got {value!r}")
    return tuple(text(item, where) for item in cast(list[object], value))


def one_of(*choices: str) -> Reader[str]:
    def read(value: object, where: str) -> str:
        if value not in choices:
            raise ConfigError(f"{where}: want one of {', '.join(choices)}; got {value!r}")
        return cast(str, value)

    return read


def each(read: Reader[V]) -> Reader[tuple[V, ...]]:
    def read_each(value: object, where: str) -> tuple[V, ...]:
        return tuple(read(item, where) for item in texts(value, where))

    return read_each


def mapping(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: want an object; got {value!r}")
    return cast(dict[str, object], value)


def members(value: object, where: str, names: frozenset[str]) -> dict[str, object]:
    """An object with these members, no fewer and no more: a misspelt rule must not be no rule."""
    found = mapping(value, where)
    if missing := names - found.keys():
        raise ConfigError(f"{where}: lacks {', '.join(sorted(missing))}")
    if foreign := found.keys() - names:
        raise ConfigError(f"{where}: does not know {', '.join(sorted(foreign))}")
    return found
