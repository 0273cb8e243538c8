"""Edits of a YAML text that leave every other character as it is.

PyYAML says where each node stands; an edit changes a few characters there, and is then read back
and compared with what was meant. Loading and dumping the whole file, even by a round-trip library,
would reformat what its author wrote, such as the spaces in `{ kind: self-signed }`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import yaml

Keys = tuple[str, ...]
Value = str | Sequence[str] | Mapping[str, Any]

INDENT = 2
NULLS = ("", "~", "null", "Null", "NULL")
PLAIN = re.compile(r"[A-Za-z][\w./:-]*|[\d.]+/\d+")
BOOLEANS_ELSEWHERE = ("y", "Y", "n", "N")
"""YAML 1.1 says that these are booleans; PyYAML reads them as text."""


class EditError(ValueError):
    """The text is no YAML mapping, or is written in a way that these edits cannot extend."""


def load(text: str) -> dict[str, Any]:
    """The text's mapping, every scalar as it is written: an account id keeps its leading zeros."""
    try:
        # BaseLoader makes text, lists and mappings only.
        value: object = yaml.load(text, yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise EditError(f"not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise EditError("want a YAML mapping, such as 'config: {…}'")
    return cast("dict[str, Any]", value)


def add(text: str, keys: Keys, value: Value) -> str:
    """`value` under the last of `keys`, which must not be there yet; missing parents are made."""
    expected = _unshared(load(text))
    parent: Any = expected
    for key in keys[:-1]:
        if parent.get(key, "") in NULLS:
            parent[key] = {}
        if not isinstance(parent[key], dict):
            raise EditError(f"{key}: want a mapping; got {parent[key]!r}")
        parent = parent[key]
    parent[keys[-1]] = value
    return _checked(_add(text, keys, value), expected)


def append(text: str, keys: Keys, item: str) -> str:
    """`item` as the last of the list at `keys`, which is made if there is none."""
    expected = _unshared(load(text))
    parent = _descend(expected, keys[:-1])
    there = parent.get(keys[-1], "")
    if there not in NULLS and not isinstance(there, list):
        raise EditError(f"{keys[-1]}: want a list; got {there!r}")
    parent[keys[-1]] = [*(there if isinstance(there, list) else []), item]
    return _checked(_append(text, keys, item), expected)


def remove(text: str, keys: Keys, item: str) -> str:
    """The list at `keys` without `item`, which must be in it once."""
    expected = _unshared(load(text))
    _descend(expected, keys[:-1])[keys[-1]].remove(item)
    if not _descend(expected, keys) and not _find(text, keys)[1].flow_style:
        del _descend(expected, keys[:-1])[keys[-1]]
    return _checked(_remove(text, keys, item), expected)


def block(key: str, value: Value, indent: int = 0) -> list[str]:
    """The lines of `key: value`, mappings over lines of their own and lists on one."""
    pad = " " * indent
    if isinstance(value, Mapping) and value:
        inner = [line for each in value.items() for line in block(*each, indent + INDENT)]
        return [f"{pad}{scalar(key)}:", *inner]
    return [f"{pad}{scalar(key)}: {flow(value)}"]


def flow(value: Value) -> str:
    """The value on one line."""
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        pairs = (f"{scalar(key)}: {flow(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return f"[{', '.join(map(scalar, value))}]"


def scalar(text: str) -> str:
    """The text so that every YAML parser reads it as text: plain if it can only be that."""
    plain = PLAIN.fullmatch(text) and not text.endswith(":") and text not in BOOLEANS_ELSEWHERE
    if plain and yaml.safe_load(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)


# Where things stand in the text


def _find(text: str, keys: Keys) -> tuple[yaml.Node | None, Any, bool]:
    """The nodes of the last key and its value, None if absent; whether they are inside braces."""
    key: yaml.Node | None = None
    value = _root(text)
    braces = False
    for wanted in keys:
        if not isinstance(value, yaml.MappingNode):
            return None, None, braces
        braces = braces or bool(value.flow_style)
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", value.value)
        key, value = next((pair for pair in pairs if pair[0].value == wanted), (None, None))
    return key, value, braces


def _root(text: str) -> Any:
    return cast("Any", yaml).compose(text, yaml.SafeLoader)  # its types are partial


def _start(node: yaml.Node) -> int:
    return cast("Any", node.start_mark).index


def _column(node: yaml.Node) -> int:
    return cast("Any", node.start_mark).column


def _end(node: Any) -> int:
    """Behind the last character of the node; a block's own mark is behind the comments after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last: Any = node.value[-1]
        return _end(last[1] if isinstance(node, yaml.MappingNode) else last)
    return node.end_mark.index


def _line_end(text: str, index: int) -> int:
    """Behind the line break that ends the line; a block scalar ends behind its own."""
    if text[index - 1 : index] == "\n":
        return index
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _insert_lines(text: str, node: Any, lines: list[str], column: int) -> str:
    """`lines` below `node`, and below the comments that are indented further than `column`."""
    at = _line_end(text, _end(node))
    while comment := re.compile(r"( *)#.*(\n|$)").match(text, at):
        if len(comment[1]) <= column:
            break
        at = comment.end()
    newline = "\r\n" if "\r\n" in text else "\n"
    before = text[:at] if text[:at].endswith("\n") else text[:at] + newline
    return before + "".join(line + newline for line in lines) + text[at:]


# The edits themselves, not yet checked


def _add(text: str, keys: Keys, value: Value) -> str:
    *parents, last = keys
    if not parents:
        root = _root(text)
        return _insert_lines(text, root, block(last, value), 0)
    key, there, braces = _find(text, tuple(parents))
    if key is None:
        return _add(text, tuple(parents), {last: value})
    if there.value in ([], *NULLS):
        if braces:
            return _replace(text, there, flow({last: value}))
        column = _column(key)
        bare = text[: _start(there)].rstrip(" ") + text[_end(there) :]
        return _insert_lines(bare, key, block(last, value, column + INDENT), column)
    if there.flow_style:
        at = _end(there.value[-1][1])
        return f"{text[:at]}, {scalar(last)}: {flow(value)}{text[at:]}"
    column = _column(there)
    return _insert_lines(text, there, block(last, value, column), column)


def _append(text: str, keys: Keys, item: str) -> str:
    key, there, _ = _find(text, keys)
    if key is None:
        return _add(text, keys, [item])
    if there.value in ([], *NULLS):
        return _replace(text, there, flow([item]))
    if there.flow_style:
        at = _end(there.value[-1])
        return f"{text[:at]}, {scalar(item)}{text[at:]}"
    column = _column(there)
    return _insert_lines(text, there, [f"{' ' * column}- {scalar(item)}"], column)


def _remove(text: str, keys: Keys, item: str) -> str:
    key, there, _ = _find(text, keys)
    items: list[yaml.Node] = there.value
    at = [node.value for node in items].index(item)
    if there.flow_style and at:
        return text[: _end(items[at - 1])] + text[_end(items[at]) :]
    if there.flow_style:
        after = _start(items[1]) if items[1:] else _end(items[0])
        return text[: _start(items[0])] + text[after:]
    # A block list must not be left empty: its key would then hold null.
    first = items[at] if items[1:] else cast("yaml.Node", key)
    start = text.rfind("\n", 0, _start(first)) + 1
    return text[:start] + text[_line_end(text, _end(items[at])) :]


def _replace(text: str, node: Any, new: str) -> str:
    gap = "" if text[_start(node) - 1] == " " else " "
    return text[: _start(node)] + gap + new + text[_end(node) :]


def _descend(data: dict[str, Any], keys: Keys) -> Any:
    for key in keys:
        data = data[key]
    return data


def _unshared(data: dict[str, Any]) -> dict[str, Any]:
    """A copy in which what an alias repeats is there twice, so that editing both is noticed."""
    return json.loads(json.dumps(data))


def _checked(text: str, expected: dict[str, Any]) -> str:
    try:
        right = load(text) == expected
    except EditError:
        right = False
    if not right:
        raise EditError("written in a way that cannot be edited without changing more than meant")
    return text
