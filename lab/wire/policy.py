"""Evaluation of resource policies: what stands on an API, an interface endpoint, a function.

The rules are those of the IAM User Guide, "IAM JSON policy elements reference" and "Policy
evaluation logic". What this evaluation does not know (a date operator, a policy variable) raises
PolicyError: callers must then refuse.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANONYMOUS = ("", "anonymous")
"""The principal of an unsigned request: no kind of principal, so only a wildcard names it."""


class PolicyError(ValueError):
    """A policy that cannot be evaluated: malformed, or with an element not known here."""


@dataclass(frozen=True)
class Decision:
    """The outcome for one request. Denied without `explicit_deny` means that nothing allowed it."""

    allowed: bool
    explicit_deny: bool


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is asked: `principal` is (kind, name) as a policy writes it; context keys are
    case-insensitive.
    """

    action: str
    resource: str
    context: Mapping[str, str]
    principal: tuple[str, str] = ANONYMOUS


def evaluate(policy: Any, call: Call) -> Decision:
    """The decision of one parsed policy document. Raises PolicyError."""
    known = {"Version", "Id", "Statement"}
    if not isinstance(policy, dict) or not set(policy) <= known or "Statement" not in policy:
        raise PolicyError(f"a policy document has {sorted(known)}, got {policy!r}")
    context = {key.lower(): value for key, value in call.context.items()}
    # Every statement is evaluated, so that an unknown element is found wherever it stands.
    effects = [
        statement["Effect"]
        for statement in _as_list(policy["Statement"])
        if _applies(statement, call, context)
    ]
    denied = "Deny" in effects
    return Decision(allowed=bool(effects) and not denied, explicit_deny=denied)


_ELEMENTS = {"Sid", "Effect", "Condition"} | {
    prefix + element for prefix in ("", "Not") for element in ("Principal", "Action", "Resource")
}


def _applies(statement: Any, call: Call, context: Mapping[str, str]) -> bool:
    if not isinstance(statement, dict) or not set(statement) <= _ELEMENTS:
        raise PolicyError(f"a statement has {sorted(_ELEMENTS)}, got {statement!r}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"Effect must be Allow or Deny, got {statement.get('Effect')!r}")
    matches = [
        _element(statement, "Principal", lambda value: _names(value, call.principal)),
        _element(statement, "Action", lambda value: _any_glob(value, call.action, fold=True)),
        _element(statement, "Resource", lambda value: _covers(value, call.resource)),
        _conditions_hold(statement.get("Condition", {}), context),
    ]
    return all(matches)


def _element(statement: Mapping[str, Any], name: str, matches: Callable[[Any], bool]) -> bool:
    positive, negative = name in statement, f"Not{name}" in statement
    if positive == negative:
        raise PolicyError(f"a statement needs one of {name} and Not{name}: {statement!r}")
    return matches(statement[name]) if positive else not matches(statement[f"Not{name}"])


def _names(value: Any, principal: tuple[str, str]) -> bool:
    if value == "*":
        return True
    if not isinstance(value, dict):
        raise PolicyError(f'Principal must be "*" or an object, got {value!r}')
    kind, name = principal
    # {"AWS": "*"} means the same as "*" ("AWS JSON policy elements: Principal").
    everyone = "*" in _as_list(value.get("AWS", []))
    return everyone or name in _as_list(value.get(kind, []))


def _any_glob(patterns: Any, value: str, *, fold: bool = False) -> bool:
    return any(glob_matches(pattern, value, fold=fold) for pattern in _strings(patterns))


def _covers(patterns: Any, resource: str) -> bool:
    return any(
        pattern == "*" or arn_matches(_complete(pattern, resource), resource)
        for pattern in _strings(patterns)
    )


def _complete(pattern: str, resource: str) -> str:
    """The full ARN pattern of a Resource.

    `execute-api:/stage/METHOD/path` is API Gateway's short form for this API in this account and
    region ("Create and attach an API Gateway resource policy to an API"); missing fields of an ARN
    are wildcards ("AWS JSON policy elements: Resource").
    """
    if pattern.startswith("execute-api:/"):
        return resource.partition("/")[0] + pattern.removeprefix("execute-api:")
    fields = pattern.split(":", 5)
    return ":".join(fields + ["*"] * (6 - len(fields)))


def glob_matches(pattern: str, value: str, *, fold: bool = False) -> bool:
    """Whether `value` fits `pattern`, where `*` is any text and `?` any one character."""
    if "${" in pattern:
        raise PolicyError(f"policy variables are not modelled: {pattern!r}")
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    flags = re.DOTALL | (re.IGNORECASE if fold else 0)
    return re.fullmatch("".join(parts), value, flags) is not None


def arn_matches(pattern: str, value: str) -> bool:
    """Whether an ARN fits a pattern, field by field: a wildcard does not reach over the first five
    colons.
    """
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    if len(wanted) != 6 or len(given) != 6:
        return False
    return all(glob_matches(*pair) for pair in zip(wanted, given, strict=True))


def _in_network(network: str, address: str) -> bool:
    try:
        wanted = ipaddress.ip_network(network, strict=False)
    except ValueError as error:
        raise PolicyError(f"not an address or CIDR block: {network!r}") from error
    return ipaddress.ip_address(address) in wanted


def _equal(pattern: str, value: str) -> bool:
    if "${" in pattern:
        raise PolicyError(f"policy variables are not modelled: {pattern!r}")
    return pattern == value


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": lambda pattern, value: _equal(pattern.lower(), value.lower()),
    "StringLike": glob_matches,
    "ArnEquals": arn_matches,
    "ArnLike": arn_matches,
    "IpAddress": _in_network,
    "Bool": lambda pattern, value: pattern.lower() == value.lower(),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
}


def _conditions_hold(conditions: Any, context: Mapping[str, str]) -> bool:
    if not isinstance(conditions, dict):
        raise PolicyError(f"Condition must be an object, got {conditions!r}")
    # A list, not a generator: each operator is looked at even when an earlier one already failed.
    return all(
        [
            _holds(operator, _strings(values), context.get(key.lower()))
            for operator, keys in conditions.items()
            for key, values in _items(keys)
        ]
    )


def _holds(operator: str, values: Sequence[str], given: str | None) -> bool:
    """One operator on one key; `given` is None where the request has no such key ("IAM JSON policy
    elements: Condition operators" and "Set operators for multivalued context keys").
    """
    quantifier, _, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    if quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise PolicyError(f"condition operator {operator!r} is not known")
    if base == "Null" and operator == "Null":
        return any((given is None) == (value.lower() == "true") for value in values)
    negated = base in _NEGATED
    match = _OPERATORS.get(_NEGATED.get(base, base))
    if match is None:
        raise PolicyError(f"condition operator {operator!r} is not known")
    if given is None:
        if quantifier:
            return quantifier == "ForAllValues" or rest.endswith("IfExists")
        return negated or rest.endswith("IfExists")
    # A list, not a generator: a malformed value is an error even after one that matched.
    return any([match(value, given) for value in values]) != negated


def _items(value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise PolicyError(f"a condition operator holds an object of keys, got {value!r}")
    return list(value.items())


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _strings(value: Any) -> list[str]:
    """One or many values as text; JSON booleans and numbers are their text, as IAM reads them."""
    values = [str(item).lower() if isinstance(item, bool) else item for item in _as_list(value)]
    if not all(isinstance(item, str | int | float) for item in values):
        raise PolicyError(f"expected text, got {value!r}")
    return [str(item) for item in values]
