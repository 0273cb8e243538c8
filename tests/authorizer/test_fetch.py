"""Fetching over real sockets: what is refused, and that nothing takes longer than it may."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authorizer.fetch import MAX_BYTES, _Watch, fetch
from authorizer.key_source import Fetched, FetchError
from lab.certificates import Authority

BODY = b'{"keys":[]}'


def response(
    body: bytes = BODY, *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


@contextmanager
def server(
    *parts: bytes, pause: float = 0, wrap: Callable[[socket.socket], socket.socket] | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """One connection, answered with `parts`, each after a pause: its port, and the request."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            try:
                if wrap:
                    connected = wrap(connected)
                asked.append(connected.recv(65_536))
                for part in parts:
                    time.sleep(pause)
                    connected.sendall(part)
            except OSError:
                pass  # the client has had enough
            finally:
                connected.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1], asked
        finally:
            thread.join()


def get(*parts: bytes, pause: float = 0, seconds: float = 3.0) -> Fetched:
    with server(*parts, pause=pause) as (port, _):
        return fetch(f"http://127.0.0.1:{port}/jwks?x=1", seconds)


def refusal(*parts: bytes, pause: float = 0, seconds: float = 3.0) -> str:
    with pytest.raises(FetchError) as error:
        get(*parts, pause=pause, seconds=seconds)
    return str(error.value)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (["Cache-Control: max-age=300"], 300),
        (["cache-control: public, Max-Age=300, must-revalidate"], 300),
        (["Cache-Control: public", 'Cache-Control: max-age="300"'], 300),
        (["Cache-Control: s-maxage=300"], None),
        (["Cache-Control: max-age=-1"], None),
        (["Cache-Control: max-age=300, no-cache"], 0),
        (["Cache-Control: no-store"], 0),
        (["Cache-Control: x-no-store, max-age=5"], 5),
    ],
)
def test_a_body_comes_with_its_freshness(headers: list[str], seconds: int | None):
    assert get(response(BODY, *headers)) == Fetched(BODY, seconds)


def test_the_path_and_query_are_asked_for_without_encodings():
    with server(response()) as (port, asked):
        fetch(f"http://127.0.0.1:{port}/jwks?x=1")
    assert asked[0].startswith(b"GET /jwks?x=1 HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in asked[0]
    with server(response()) as (port, asked):
        fetch(f"http://127.0.0.1:{port}")
    assert asked[0].startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Redirect", "308 Redirect"])
def test_a_redirect_is_not_followed(status: str):
    where = "Location: https://forger.example/jwks"
    assert refusal(response(b"", where, status=status)) == f"status {status[:3]}"


@pytest.mark.parametrize("status", ["204 No", "206 Part", "304 Same", "404 No", "500 No"])
def test_a_status_that_is_not_200_is_refused(status: str):
    assert refusal(response(status=status)) == f"status {status[:3]}"


def test_an_encoded_body_is_refused():
    assert refusal(response(BODY, "Content-Encoding: gzip")) == "an encoded body"
    assert get(response(BODY, "Content-Encoding: identity")).body == BODY


def test_a_body_beyond_the_limit_is_refused():
    assert get(response(b" " * MAX_BYTES)).body == b" " * MAX_BYTES
    assert refusal(response(b" " * (MAX_BYTES + 1))) == f"more than {MAX_BYTES} bytes"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200,
    ],
)
def test_what_is_no_http_is_refused(answer: bytes):
    assert refusal(answer)


def test_nobody_there_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(FetchError, match="ConnectionRefusedError"):
        fetch(f"http://127.0.0.1:{port}/")


def test_an_answer_byte_by_byte_ends_in_time():
    """Each byte comes sooner than the time-out; the whole would take a minute."""
    started = time.monotonic()
    slow = [bytes([byte]) for byte in response(b" " * 600)]
    assert refusal(*slow, pause=0.1, seconds=0.5)
    assert time.monotonic() - started < 5


def test_a_server_that_is_silent_is_given_up():
    assert refusal(b"", pause=1.0, seconds=0.2)


def test_a_time_out_may_come_when_all_is_over():
    """Else the watch's thread would end with an error, which pytest reports."""
    ended = socket.socket()
    ended.close()
    watch = _Watch(ended, 0)
    time.sleep(0.05)
    watch.end()


@contextmanager
def https(name: str, tmp_path: Path) -> Iterator[tuple[int, ssl.SSLContext]]:
    """A TLS server with a certificate for `name`, and a client's context that trusts its issuer."""
    authority = Authority.create("root")
    issued = authority.issue(name, key="p-256", usages=("server_auth",), names=[name])
    (tmp_path / "chain.pem").write_text(issued.chain_pem)
    (tmp_path / "key.pem").write_text(issued.key_pem)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
    trusting = ssl.create_default_context(cadata=authority.certificate_pem)
    wrap = lambda plain: served.wrap_socket(plain, server_side=True)  # noqa: E731
    with server(response(), wrap=wrap) as (port, _):
        yield port, trusting


def test_https_is_read_from_whom_it_is_meant(tmp_path: Path):
    with https("localhost", tmp_path) as (port, trusting):
        assert fetch(f"https://localhost:{port}/", tls=trusting).body == BODY


def test_a_server_certificate_of_nobody_known_is_refused(tmp_path: Path):
    with (
        https("localhost", tmp_path) as (port, _),
        pytest.raises(FetchError, match="SSLCertVerificationError"),
    ):
        fetch(f"https://localhost:{port}/")


def test_a_server_certificate_of_another_name_is_refused(tmp_path: Path):
    with (
        https("other.example", tmp_path) as (port, trusting),
        pytest.raises(FetchError, match="SSLCertVerificationError"),
    ):
        fetch(f"https://localhost:{port}/", tls=trusting)
