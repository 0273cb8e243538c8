"""The issuer's JWK set over HTTPS: bounded in time and size, and never led elsewhere."""

import contextlib
import http.client
import re
import socket
import ssl
import threading
from urllib.parse import urlsplit

from authorizer.key_source import Fetched, FetchError

TIMEOUT_SECONDS = 3.0
"""To connect, and again for the whole response. The authorizer has 29 seconds in all."""

MAX_BYTES = 262_144

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_NEVER = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


def fetch(
    uri: str, timeout_seconds: float = TIMEOUT_SECONDS, tls: ssl.SSLContext | None = None
) -> Fetched:
    """Raises FetchError for a status that is not 200, redirects included, and for every failure.

    The server's certificate is verified with `tls`, by default against the system's authorities.
    """
    parts = urlsplit(uri)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts.scheme, parts.hostname or "", parts.port, timeout_seconds, tls)
    try:
        connection.connect()
        watch = _Watch(connection.sock, timeout_seconds)
        try:
            connection.request("GET", path, headers={"Accept-Encoding": "identity"})
            return _read(connection.getresponse())
        finally:
            watch.end()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError(type(error).__name__) from None
    finally:
        connection.close()


def _connection(
    scheme: str, host: str, port: int | None, timeout_seconds: float, tls: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout_seconds)
    context = tls or ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)


class _Watch:
    """Ends a connection that takes too long as a whole: a socket's time-out is for each read."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self._socket = connected
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.start()

    def _shut(self) -> None:
        with contextlib.suppress(OSError):  # of one that has just ended by itself
            # Past TLS, whose own shutdown would leave the reading thread without a session.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def end(self) -> None:
        self._timer.cancel()
        self._timer.join()


def _read(response: http.client.HTTPResponse) -> Fetched:
    with response:
        if response.status != 200:
            raise FetchError(f"status {response.status}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchError("an encoded body")
        body = response.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise FetchError(f"more than {MAX_BYTES} bytes")
    return Fetched(body, _max_age(", ".join(response.headers.get_all("Cache-Control", []))))


def _max_age(cache_control: str) -> int | None:
    if _NEVER.search(cache_control):
        return 0
    match = _MAX_AGE.search(cache_control)
    return int(match[1]) if match else None
