"""HTTP/1.1 by h11, both directions: a server that answers a connection's requests, and a client.

Limits of an Application Load Balancer ("Quotas for your Application Load Balancers", "Troubleshoot
your Application Load Balancers"): 16 K a request line (414), 16 K a header and 64 K all of them
(400), 408 for a request that stops coming. Bodies are held in memory, so one above `MAX_BODY_BYTES`
is refused with 413 although a load balancer would stream it; API Gateway refuses from 10 MB.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

import h11

from lab.wire.messages import Request, Response

MAX_LINE_BYTES = 16 * 1024
MAX_HEADER_BYTES = 16 * 1024
MAX_HEADERS_BYTES = 64 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024

_RECEIVE = 65536
_FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
# What concerns one connection only and is never passed on (RFC 9110 §7.6.1).
_HOP_BY_HOP = _FRAMING | {"proxy-connection", "te", "trailer", "upgrade", "expect"}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Stream(Protocol):
    """What a connection is to HTTP: a socket, or a TLS stream over one."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer as they passed; `request` is None when what came was not HTTP."""

    request: Request | None
    response: Response
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How a server treats a connection.

    `answer` gives the response of a request. `refusal` gives the one for an HTTP status that the
    connection itself refuses with. `finished` is told of each exchange after it was sent.
    `keep_alive_seconds`: after this age no further request is taken on the connection.
    """

    answer: Callable[[Request], Response]
    refusal: Callable[[int], Response]
    finished: Callable[[Exchange], None] = lambda exchange: None
    keep_alive_seconds: float = 3600.0


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Counted:
    """A stream that counts what passes."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.received = 0
        self.sent = 0

    def recv(self, size: int) -> bytes:
        data = self._stream.recv(size)
        self.received += len(data)
        return data

    def sendall(self, data: bytes) -> None:
        self._stream.sendall(data)
        self.sent += len(data)


def serve(stream: Stream, behaviour: Behaviour) -> None:
    """Answers requests until either side ends the connection; the caller closes it.

    Raises TimeoutError when nothing more came within the socket's time-out between two requests,
    OSError when the client vanished.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=2 * MAX_HEADERS_BYTES)
    counted, started = _Counted(stream), time.monotonic()
    while True:
        counted.received = counted.sent = 0
        request, refused = None, False
        try:
            request = _read_request(connection, counted)
            if request is None:
                return
            response = behaviour.answer(request)
        except _RefusedError as error:
            refused, response = True, behaviour.refusal(error.status)
            _respond(connection, counted, request, response, close=True)
        else:
            old = time.monotonic() - started > behaviour.keep_alive_seconds
            _respond(connection, counted, request, response, close=old)
        behaviour.finished(
            Exchange(
                request=request,
                response=response,
                received_bytes=counted.received,
                sent_bytes=counted.sent,
            )
        )
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            if refused and response.status != 408:
                _drain(counted)
            return
        connection.start_next_cycle()


def _read_request(connection: h11.Connection, stream: _Counted) -> Request | None:
    event = _next(connection, stream)
    if isinstance(event, h11.ConnectionClosed):
        return None
    if not isinstance(event, h11.Request):
        raise _RefusedError(400)
    _check_sizes(event)
    if connection.they_are_waiting_for_100_continue:
        interim = connection.send(h11.InformationalResponse(status_code=100, headers=[]))
        stream.sendall(interim or b"")
    body = _read_body(connection, stream)
    return Request(
        method=event.method.decode("ascii"),
        target=event.target.decode("latin-1"),
        headers=_texts(event),
        body=body,
    )


def _read_body(connection: h11.Connection, stream: _Counted) -> bytes:
    body = bytearray()
    while not isinstance(part := _next(connection, stream), h11.EndOfMessage):
        if not isinstance(part, h11.Data):
            raise _RefusedError(400)
        body += part.data
        if len(body) > MAX_BODY_BYTES:
            raise _RefusedError(413)
    return bytes(body)


def _next(connection: h11.Connection, stream: _Counted) -> object:
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise _RefusedError(_status_of(connection, error)) from error
        if event is not h11.NEED_DATA:
            return event
        try:
            data = stream.recv(_RECEIVE)
        except TimeoutError as error:
            if connection.their_state is h11.IDLE and not connection.trailing_data[0]:
                raise  # between two requests
            raise _RefusedError(408) from error
        connection.receive_data(data)


def _status_of(connection: h11.Connection, error: h11.RemoteProtocolError) -> int:
    if error.error_status_hint != 431:
        return error.error_status_hint
    line = connection.trailing_data[0].split(b"\r\n", 1)[0]
    return 414 if len(line) > MAX_LINE_BYTES else 400


def _check_sizes(event: h11.Request) -> None:
    line = len(event.method) + len(event.target) + len(" HTTP/1.1") + 1
    if line > MAX_LINE_BYTES:
        raise _RefusedError(414)
    sizes = [len(name) + len(value) + 4 for name, value in event.headers]
    if max(sizes, default=0) > MAX_HEADER_BYTES or sum(sizes) > MAX_HEADERS_BYTES:
        raise _RefusedError(400)


def _respond(
    connection: h11.Connection,
    stream: _Counted,
    request: Request | None,
    response: Response,
    *,
    close: bool,
) -> None:
    headers = [(n, v) for n, v in response.headers if n.lower() not in _FRAMING]
    headers.append(("Content-Length", _length(request, response)))
    if response.status in (204, 304):
        headers.pop()  # These have no body by definition (RFC 9110 §6.4.1).
    if close:
        headers.append(("Connection", "close"))
    silent = request is not None and request.method == "HEAD"
    data = connection.send(
        h11.Response(
            status_code=response.status,
            headers=_bytes(headers),
            reason=reason_phrase(response.status).encode("ascii"),
        )
    )
    body = b"" if silent else connection.send(h11.Data(data=response.body))
    end = connection.send(h11.EndOfMessage())
    stream.sendall(b"".join(part for part in (data, body, end) if part))


def _drain(stream: _Counted) -> None:
    """Reads what a client still sends after its last answer, up to a bound.

    Closing with bytes unread would reset the connection and could take the answer with it.
    """
    stream.received = 0
    while stream.received < MAX_BODY_BYTES and stream.recv(_RECEIVE):
        pass


def _length(request: Request | None, response: Response) -> str:
    """What a GET would have been answered is what an answer to HEAD states, where it is known."""
    stated = response.header("Content-Length")
    if request is not None and request.method == "HEAD" and stated is not None:
        return stated
    return str(len(response.body))


def reason_phrase(status: int) -> str:
    """The phrase of an HTTP status, empty for one that has none."""
    return _PHRASES.get(status, "")


class Client:
    """The client's side of one connection, for one request after another."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._connection = h11.Connection(
            h11.CLIENT, max_incomplete_event_size=2 * MAX_HEADERS_BYTES
        )

    @property
    def reusable(self) -> bool:
        """Whether a further request may be sent."""
        return self._connection.our_state is h11.IDLE

    def send(self, request: Request) -> Response:
        """The response to `request`, which is framed anew.

        Raises ConnectionError when the other side ends early or does not speak HTTP, TimeoutError.
        """
        connection = self._connection
        headers = [(n, v) for n, v in request.headers if n.lower() not in _FRAMING]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(request.body))))
        try:
            head = h11.Request(
                method=request.method,
                target=request.target.encode("latin-1"),
                headers=_bytes(headers),
            )
            sent = [connection.send(head)]
            if request.body:
                sent.append(connection.send(h11.Data(data=request.body)))
            sent.append(connection.send(h11.EndOfMessage()))
            self._stream.sendall(b"".join(part for part in sent if part))
            response = self._receive()
            if connection.our_state is h11.DONE and connection.their_state is h11.DONE:
                connection.start_next_cycle()
        except h11.ProtocolError as error:
            raise ConnectionError(f"HTTP: {error}") from error
        return response

    def _receive(self) -> Response:
        event = self._next()
        while isinstance(event, h11.InformationalResponse):
            event = self._next()
        if not isinstance(event, h11.Response):
            raise ConnectionError("HTTP: the connection ended before a response")
        body = bytearray()
        while not isinstance(part := self._next(), h11.EndOfMessage):
            if not isinstance(part, h11.Data):
                raise ConnectionError("HTTP: the connection ended within a response")
            body += part.data
        return Response(status=event.status_code, headers=_texts(event), body=bytes(body))

    def _next(self) -> object:
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            self._connection.receive_data(self._stream.recv(_RECEIVE))
        return event


def end_to_end(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """The headers without those that concern one connection only (RFC 9110 §7.6.1)."""
    named = {
        token.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for token in value.split(",")
    }
    dropped = _HOP_BY_HOP | named
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def _texts(event: h11.Request | h11.Response) -> tuple[tuple[str, str], ...]:
    """The headers as they were sent: order, case, repetitions."""
    raw = event.headers.raw_items()
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)


def _bytes(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
