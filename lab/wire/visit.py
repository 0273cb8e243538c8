"""One client's connection to a load balancer's listener, request by request.

Sources (Elastic Load Balancing, Application Load Balancers): "Action types for listener rules",
"Troubleshoot your Application Load Balancers" (405, 463, 500, 502, 503, 504).
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from lab.wire import forwarding
from lab.wire.doors import Connection
from lab.wire.http import Exchange, reason_phrase
from lab.wire.listener import Listener
from lab.wire.logs import AccessEntry, Logs
from lab.wire.messages import Request, Response
from lab.wire.rules import (
    Arrival,
    NotModelledError,
    Rule,
    TransformError,
    choose,
    transform,
)
from lab.wire.targets import TargetError, Targets
from lab.wire.tls import Session

# Where the load balancer's own pages say something else than the HTTP specification.
_TITLES = {
    405: "405 Not Allowed",
    413: "413 Request Entity Too Large",
    414: "414 Request-URI Too Large",
    463: "463 ",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}
_REDIRECTS = {"HTTP_301": 301, "HTTP_302": 302}


def page(status: int, explanation: str = "") -> Response:
    """A page of the load balancer itself."""
    title = _TITLES.get(status, f"{status} {reason_phrase(status)}")
    head = title if not explanation else f"{status} {explanation}"
    detail = f"<center>{explanation}</center>\r\n" if explanation else ""
    body = (
        f"<html>\r\n<head><title>{head}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n{detail}</body>\r\n</html>\r\n"
    )
    return own(status, "text/html", body.encode())


def own(status: int, content_type: str, body: bytes, *more: tuple[str, str]) -> Response:
    """A response that no target gave."""
    headers = [("Server", forwarding.SERVER), ("Date", formatdate(usegmt=True))]
    if body:
        headers.append(("Content-Type", content_type))
    return Response(status=status, headers=(*headers, *more), body=body)


class Visit:
    """Answers the requests of one connection.

    `current` gives the listener as it is deployed at the moment, or None when it is gone.
    """

    def __init__(
        self,
        connection: Connection,
        session: Session | None,
        trace_id: str,
        current: Callable[[], Listener | None],
        targets: Targets,
        logs: Logs,
    ) -> None:
        self._connection = connection
        self._session = session
        self._trace_id = trace_id
        self._current = current
        self._targets = targets
        self._logs = logs
        self._entry: AccessEntry | None = None

    def refuse(self, status: int) -> Response:
        """The page for a request that the connection itself refuses."""
        entry = self._begin(None)
        return forwarding.to_client(page(status), entry.listener)

    def answer(self, request: Request) -> Response:
        """Raises ConnectionError when the listener is gone, NotModelledError."""
        request = _origin_form(request)
        entry = self._begin(request)
        return forwarding.to_client(self._route(request, entry), entry.listener)

    def finished(self, exchange: Exchange) -> None:
        """Logs the exchange that was answered last."""
        entry, self._entry = self._entry, None
        if entry is None:
            raise RuntimeError("an exchange ended that did not begin")
        line = entry.line(exchange.response.status, exchange.received_bytes, exchange.sent_bytes)
        self._logs.add("access_logs", entry.listener, entry.node_ip, line)

    def _begin(self, request: Request | None) -> AccessEntry:
        listener = self._current()
        if listener is None:
            raise ConnectionError("the listener is gone")
        self._entry = AccessEntry(
            listener=listener,
            session=self._session,
            client=(self._connection.source.ip, self._connection.client_port),
            node_ip=self._connection.destination.ip,
            connection_trace_id=self._trace_id,
            created=datetime.now(UTC),
            request=request,
        )
        if request:
            self._entry.trace_id = forwarding.trace_id(request)
            parts = forwarding.described(request, listener)
            self._entry.url = (
                f"{parts['protocol']}://{parts['host']}:{parts['port']}{request.target}"
            )
        return self._entry

    def _route(self, request: Request, entry: AccessEntry) -> Response:
        if request.method == "TRACE":
            return page(405)
        if forwarding.forwarded_for_count(request) > forwarding.MAX_FORWARDED_FOR:
            return page(463)
        arrival = Arrival(
            request=request,
            source_ip=self._connection.source.ip,
            protocol=entry.listener.protocol,
        )
        rule = choose(entry.listener.rules, arrival)
        entry.rule_priority = "0" if rule["IsDefault"] else str(rule["Priority"])
        actions = sorted(rule["Actions"], key=lambda action: action.get("Order", 0))
        if len(actions) != 1:
            kinds = ", ".join(action["Type"] for action in actions)
            raise NotModelledError(f"a rule with the actions {kinds}")
        action = actions[0]
        entry.action = action["Type"]
        match action["Type"]:
            case "fixed-response":
                return _fixed(action["FixedResponseConfig"])
            case "redirect":
                return _redirect(action["RedirectConfig"], request, entry)
            case "forward":
                return self._forward(action, rule, request, entry)
            case other:
                raise NotModelledError(f"rule action {other!r}")

    def _forward(
        self, action: Mapping[str, Any], rule: Rule, request: Request, entry: AccessEntry
    ) -> Response:
        try:
            changed = transform(request, rule.get("Transforms", ()))
        except TransformError as error:
            entry.transform_status = error.status
            return page(500)
        if changed.host or changed.uri:
            entry.transform_status = "TransformSuccess"
            entry.transformed_host = changed.host or "-"
            entry.transformed_uri = changed.uri or "-"
        sent = forwarding.to_target(
            changed.request, entry.listener, self._session, entry.client, entry.trace_id
        )
        entry.target_group_arn = _target_group(action)
        started = time.monotonic()
        try:
            answered = self._targets.send(
                entry.target_group_arn,
                self._connection.destination,
                sent,
                entry.listener.idle_seconds,
            )
        except TargetError as error:
            entry.target = error.target or "-"
            entry.error_reason = error.reason or "-"
            return page(error.status)
        entry.target_seconds = time.monotonic() - started
        entry.target = answered.target or "-"
        entry.target_status = str(answered.response.status)
        return forwarding.from_target(answered.response)


def _target_group(action: Mapping[str, Any]) -> str:
    """The first target group that has any weight; groups are not weighed against each other."""
    groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    weighted = [one["TargetGroupArn"] for one in groups if one.get("Weight", 1) > 0]
    return weighted[0] if weighted else action["TargetGroupArn"]


def _fixed(config: Mapping[str, Any]) -> Response:
    body = (config.get("MessageBody") or "").encode()
    return own(int(config["StatusCode"]), config.get("ContentType") or "text/plain", body)


def _redirect(config: Mapping[str, Any], request: Request, entry: AccessEntry) -> Response:
    parts = forwarding.described(request, entry.listener)
    wanted = {
        "Protocol": "#{protocol}",
        "Host": "#{host}",
        "Port": "#{port}",
        "Path": "/#{path}",
        "Query": "#{query}",
        **{key: value for key, value in config.items() if value},
    }

    def filled(name: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda word: parts[word[1]], wanted[name])

    query = f"?{filled('Query')}" if filled("Query") else ""
    entry.redirect_url = (
        f"{filled('Protocol').lower()}://{filled('Host')}:{filled('Port')}{filled('Path')}{query}"
    )
    status = _REDIRECTS[config["StatusCode"]]
    answer = page(status)
    return replace(answer, headers=(*answer.headers, ("Location", entry.redirect_url)))


def _origin_form(request: Request) -> Request:
    """A request for a whole URL as one for its path at that host (RFC 9112 §3.2.2)."""
    if not request.target.lower().startswith(("http://", "https://")):
        return request
    url = urlsplit(request.target)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = tuple((n, url.netloc if n.lower() == "host" else v) for n, v in request.headers)
    return replace(request, target=target, headers=headers)
