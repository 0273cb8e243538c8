"""HTTP/1.1 on 127.0.0.1, with TLS or without, one request a connection, outages on command."""

import json
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Outage = Literal["refuse", "error", "slow", "trickle", "garbage"]
"""How a server fails.

- `refuse`: nothing listens; what was connected is cut off.
- `error`: 503 to everything.
- `slow`: no answer until the outage is over.
- `trickle`: the right answer, its body a byte every 100 ms until the outage is over; so a
  time-out of each read never fires, only one of the whole request.
- `garbage`: 200 to everything, called JSON, which it is not.
"""

_TRICKLE_SECONDS = 0.1
_MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Request:
    """`path` is without the query."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Response:
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(
        cls,
        value: Any,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> "Response":
        headers = {"Content-Type": "application/json", **(headers or {})}
        return cls(status=status, headers=headers, body=json.dumps(value).encode())


_ERROR = Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
_GARBAGE = Response(headers={"Content-Type": "application/json"}, body=b'{"keys": [\xff<html>')


Pace = Callable[[float], bool]
"""Waits that many seconds between two bytes; true once there is no need to wait."""


@dataclass(frozen=True)
class _Phase:
    """The time until the outage changes, whose end is an event."""

    outage: Outage | None
    over: threading.Event = field(default_factory=threading.Event)


class Server:
    """Serves `application` on a free port, which stays the same over every outage.

    One thread starts, stops and sets outages; `application` is called in a thread per request.
    `requests` counts by path those that arrived, also the ones that met an outage. With `tls`, by
    default without, it speaks nothing but TLS.
    """

    def __init__(
        self, application: Callable[[Request], Response], tls: ssl.SSLContext | None = None
    ) -> None:
        self.application = application
        self.tls = tls
        self.requests: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._phase = _Phase(None)
        self._reserved: socket.socket | None = None
        self._listener: _Listener | None = None

    @property
    def port(self) -> int:
        """The TCP port, while it runs."""
        if self._reserved is None:
            raise RuntimeError("the issuer is not running; call start() first")
        return self._reserved.getsockname()[1]

    @property
    def outage(self) -> Outage | None:
        return self._phase.outage

    @outage.setter
    def outage(self, outage: Outage | None) -> None:
        if outage is not None and outage not in get_args(Outage):
            raise ValueError(f"outage: want None or one of {get_args(Outage)}; got {outage!r}")
        ended, self._phase = self._phase, _Phase(outage)
        ended.over.set()
        if self._reserved is not None:
            self._listen_or_refuse()

    def start(self) -> None:
        """Starts serving, or with the outage that is set."""
        self._phase = _Phase(self.outage)
        # It never listens. It keeps the port from anyone else while the listener is closed.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self._listen_or_refuse()

    def stop(self) -> None:
        """Stops serving, cuts every connection off and ends every thread."""
        self._phase.over.set()
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _listen_or_refuse(self) -> None:
        if self.outage == "refuse" and self._listener is not None:
            self._listener.stop()
            self._listener = None
        elif self.outage != "refuse" and self._listener is None:
            self._listener = _Listener(self.port, partial(_Handler, self._respond), self.tls)

    def _respond(self, request: Request) -> tuple[Response, Pace | None]:
        """The answer to a request, or what the outage makes of it."""
        phase = self._phase
        with self._counting:
            self.requests[request.path] += 1
        match phase.outage:
            case "error":
                return _ERROR, None
            case "garbage":
                return _GARBAGE, None
            case "slow":
                phase.over.wait()
        pace = phase.over.wait if phase.outage == "trickle" else None
        return self.application(request), pace


class _Listener(ThreadingTCPServer):
    """What listens, and its connections. Not HTTPServer, which looks its own name up in DNS."""

    allow_reuse_address = True
    allow_reuse_port = True  # beside the socket that reserves the port
    daemon_threads = False  # so that closing waits for each
    request_queue_size = 128

    def __init__(
        self, port: int, handler: Callable[..., "_Handler"], tls: ssl.SSLContext | None
    ) -> None:
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._changing = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)
        poll_seconds = 0.02  # how soon it notices that it is to stop
        self._thread = threading.Thread(target=self.serve_forever, args=(poll_seconds,))
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        with self._changing:
            for connection in self._open:
                _cut(connection)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """With TLS, the handshake is left to the first read, in the connection's own thread."""
        connection, address = super().get_request()
        if self._tls is None:
            return connection, address
        return self._tls.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        ), address

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changing:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changing:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing of a client that went away, was cut off, or ended the handshake."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # the client may have been quicker
        # Past TLS, whose own shutdown would take the session from the thread that uses it.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits for an acknowledgement of the headers

    def __init__(
        self, respond: Callable[[Request], tuple[Response, Pace | None]], *args: Any
    ) -> None:
        self.respond = respond
        super().__init__(*args)

    def do_GET(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        request = Request(
            method=self.command,
            path=urlsplit(self.path).path,
            headers=self.headers,
            body=self.rfile.read(int(length)),
        )
        self._send(*self.respond(request))

    do_POST = do_GET  # noqa: N815 (the base class's name)

    def _send(self, response: Response, pace: Pace | None) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close")  # so that no kept connection evades an outage
        self.end_headers()
        body = response.body
        while pace and body and not pace(_TRICKLE_SECONDS):
            self.wfile.write(body[:1])
            body = body[1:]
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the outcome of a request is the client's to report."""
