"""Which rule of a listener a request meets, and how the rule's transforms rewrite it.

Sources (Elastic Load Balancing, Application Load Balancers): "Condition types for listener rules",
"Transforms for listener rules", "Action types for listener rules", and the API's documentation of
`RuleCondition` and `RewriteConfig`.

Where AWS does not say: a regular expression of a condition matches anywhere unless it is anchored;
a transform replaces the first match; its input is the path with the query string.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from lab.wire.messages import Request

Rule = Mapping[str, Any]

_DEFAULT_PORTS = {"HTTP": "80", "HTTPS": "443"}


class TransformError(Exception):
    """A transform matched but could not be applied; the load balancer answers 500.

    `status` is what the access log says of it.
    """

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class NotModelledError(Exception):
    """Something that was deployed and that this wire does not carry."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request at a listener of `protocol` (HTTP or HTTPS), from `source_ip`."""

    request: Request
    source_ip: str
    protocol: str

    @property
    def host(self) -> str:
        """The Host header as conditions see it: the protocol's own port is not part of it."""
        host = self.request.header("Host") or ""
        return host.removesuffix(f":{_DEFAULT_PORTS[self.protocol]}")


def choose(rules: Iterable[Rule], arrival: Arrival) -> Rule:
    """The first rule by priority whose conditions all hold; the default rule is the last one."""
    ordered = sorted(rules, key=lambda rule: (rule["IsDefault"], _priority(rule)))
    for rule in ordered:
        if all(_holds(condition, arrival) for condition in rule.get("Conditions", ())):
            return rule
    raise LookupError("the listener has no default rule")


def _priority(rule: Rule) -> int:
    return 0 if rule["IsDefault"] else int(rule["Priority"])


def _holds(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    try:
        test = _CONDITIONS[condition["Field"]]
    except KeyError:
        raise NotModelledError(f"rule condition {condition['Field']!r}") from None
    return test(condition, arrival)


def _host(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    return _matches(condition, "HostHeaderConfig", arrival.host, re.IGNORECASE)


def _path(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    return _matches(condition, "PathPatternConfig", arrival.request.path, re.NOFLAG)


def _header(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    name = condition["HttpHeaderConfig"]["HttpHeaderName"].lower()
    values = [value for key, value in arrival.request.headers if key.lower() == name]
    return any(_matches(condition, "HttpHeaderConfig", value, re.IGNORECASE) for value in values)


def _method(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    return arrival.request.method in condition["HttpRequestMethodConfig"]["Values"]


def _query(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    """Compared URL-decoded, case insensitive; without a key in the condition any key will do."""
    pairs = [part.partition("=") for part in arrival.request.query.split("&") if part]
    sent = [(unquote(key), unquote(value)) for key, _, value in pairs]
    return any(
        _like(wanted["Value"], value, re.IGNORECASE)
        and ("Key" not in wanted or _like(wanted["Key"], key, re.IGNORECASE))
        for wanted in condition["QueryStringConfig"]["Values"]
        for key, value in sent
    )


def _source(condition: Mapping[str, Any], arrival: Arrival) -> bool:
    address = ipaddress.ip_address(arrival.source_ip)
    networks = map(ipaddress.ip_network, condition["SourceIpConfig"]["Values"])
    return any(address in network for network in networks)


_CONDITIONS: dict[str, Callable[[Mapping[str, Any], Arrival], bool]] = {
    "host-header": _host,
    "path-pattern": _path,
    "http-header": _header,
    "http-request-method": _method,
    "query-string": _query,
    "source-ip": _source,
}


def _matches(condition: Mapping[str, Any], config: str, text: str, flags: re.RegexFlag) -> bool:
    """Whether one of the condition's values or regular expressions matches.

    The API takes both either in the condition itself or in its configuration.
    """
    own = condition.get(config) or {}
    values = own.get("Values") or condition.get("Values") or ()
    expressions = own.get("RegexValues") or condition.get("RegexValues") or ()
    return any(_like(value, text, flags) for value in values) or any(
        re.search(expression, text, flags) for expression in expressions
    )


def _like(pattern: str, text: str, flags: re.RegexFlag) -> bool:
    r"""`*` is any run of characters, `?` exactly one; `\*` and `\?` are themselves."""

    def translate(piece: re.Match[str]) -> str:
        return _WILDCARDS.get(piece[0]) or re.escape(piece[0][-1])

    expression = re.sub(r"\\[*?]|.", translate, pattern, flags=re.DOTALL)
    return re.fullmatch(expression, text, flags | re.DOTALL) is not None


_WILDCARDS = {"*": ".*", "?": "."}


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """The request as it goes to the target; host and URI are None where nothing was rewritten."""

    request: Request
    host: str | None = None
    uri: str | None = None


def transform(request: Request, transforms: Iterable[Mapping[str, Any]]) -> Transformed:
    """Applies a rule's transforms. Raises TransformError, NotModelledError."""
    result = Transformed(request=request)
    for one in transforms:
        match one["Type"]:
            case "host-header-rewrite":
                result = _rewrite_host(result, one["HostHeaderRewriteConfig"])
            case "url-rewrite":
                result = _rewrite_url(result, one["UrlRewriteConfig"])
            case other:
                raise NotModelledError(f"rule transform {other!r}")
    return result


def _rewrite_host(current: Transformed, config: Mapping[str, Any]) -> Transformed:
    host = _rewrite(current.request.header("Host") or "", config)
    if host is None:
        return current
    if not re.fullmatch(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?", host):
        raise TransformError("TransformInvalidHost", f"not a host: {host!r}")
    headers = tuple(
        (name, host if name.lower() == "host" else value) for name, value in current.request.headers
    )
    return replace(current, request=replace(current.request, headers=headers), host=host)


def _rewrite_url(current: Transformed, config: Mapping[str, Any]) -> Transformed:
    target = _rewrite(current.request.target, config)
    if target is None:
        return current
    if not re.fullmatch(r"/[!-~]*", target):
        raise TransformError("TransformInvalidPath", f"not a path: {target!r}")
    return replace(current, request=replace(current.request, target=target), uri=target)


def _rewrite(text: str, config: Mapping[str, Any]) -> str | None:
    """The text with the first match of each rewrite replaced; None when nothing matched."""
    matched = False
    for rewrite in config["Rewrites"]:
        found = re.search(rewrite["Regex"], text)
        if found is None:
            continue
        matched = True
        text = text[: found.start()] + _expand(rewrite["Replace"], found) + text[found.end() :]
    return text if matched else None


def _expand(template: str, found: re.Match[str]) -> str:
    """The replacement with `$1`, `$2` … as the groups that they name."""

    def group(reference: re.Match[str]) -> str:
        try:
            return found.group(int(reference[1])) or ""
        except IndexError:
            detail = f"the expression has no group {reference[0]}"
            raise TransformError("TransformReplaceError", detail) from None

    return re.sub(r"\$([0-9]+)", group, template)
