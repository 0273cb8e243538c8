"""The server and the client of one connection, over a socket pair."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from lab.wire.http import Behaviour, Client, Exchange, end_to_end, serve
from lab.wire.messages import Request, Response

Talk = Callable[[bytes], bytes]


def echo(request: Request) -> Response:
    said = f"{request.method} {request.target} {len(request.body)}"
    return Response(status=200, headers=(("X-Said", said),), body=request.body or b"hello")


class Served:
    """A server thread at one end; `sock` is the other one."""

    def __init__(self, answer: Callable[[Request], Response] = echo, seconds: float = 2.0) -> None:
        self.sock, self._theirs = socket.socketpair()
        self.sock.settimeout(5)
        self._theirs.settimeout(seconds)
        self.exchanges: list[Exchange] = []
        self.ended: BaseException | None = None
        self._behaviour = Behaviour(
            answer=answer,
            refusal=lambda status: Response(status=status, body=b"refused"),
            finished=self.exchanges.append,
        )
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            serve(self._theirs, self._behaviour)
        except OSError as error:
            self.ended = error
        finally:
            self._theirs.close()

    def talk(self, sent: bytes) -> bytes:
        """Everything that comes back for `sent` until the end."""
        self.sock.sendall(sent)
        self.sock.shutdown(socket.SHUT_WR)
        received = b""
        while data := self.sock.recv(65536):
            received += data
        return received

    def close(self) -> None:
        self.sock.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.fixture
def server() -> Iterator[Served]:
    served = Served()
    yield served
    served.close()


def get(*headers: str, target: str = "/", method: str = "GET") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: a", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_requests_follow_each_other_on_one_connection(server: Served) -> None:
    answer = server.talk(get(target="/1") + get(target="/2"))
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"GET /1 0" in answer
    assert b"GET /2 0" in answer


def test_a_connection_to_be_closed_is_closed(server: Served) -> None:
    answer = server.talk(get("Connection: close") + get())
    assert answer.count(b"HTTP/1.1 200 OK") == 1


def test_an_http_1_0_request_is_answered_once(server: Served) -> None:
    answer = server.talk(b"GET / HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"hello" in answer


def test_headers_keep_their_order_case_and_repetitions() -> None:
    seen: list[Request] = []
    server = Served(lambda request: seen.append(request) or Response(status=204))
    server.talk(get("X-b: 1", "x-A: 2", "X-b: 3"))
    server.close()
    assert seen[0].headers == (("Host", "a"), ("X-b", "1"), ("x-A", "2"), ("X-b", "3"))


def test_a_chunked_body_arrives_whole(server: Served) -> None:
    chunks = b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    answer = server.talk(get("Transfer-Encoding: chunked", method="POST") + chunks)
    assert b"POST / 7" in answer
    assert answer.endswith(b"abcdefg")


def test_an_answer_to_head_has_the_length_but_no_body(server: Served) -> None:
    answer = server.talk(get(method="HEAD"))
    assert b"Content-Length: 5" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_a_stated_length_is_kept_in_an_answer_to_head() -> None:
    server = Served(lambda _: Response(status=200, headers=(("Content-Length", "99"),)))
    assert b"Content-Length: 99\r\n" in server.talk(get(method="HEAD"))
    server.close()


def test_204_has_no_length() -> None:
    server = Served(lambda _: Response(status=204))
    assert b"ontent-" not in server.talk(get())
    server.close()


def test_a_client_that_expects_100_gets_it_before_it_sends_the_body(server: Served) -> None:
    server.sock.sendall(get("Expect: 100-continue", "Content-Length: 2", method="POST"))
    assert server.sock.recv(65536).startswith(b"HTTP/1.1 100")
    assert b"POST / 2" in server.talk(b"ab")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (get("Bad Name: 1"), 400),
        (get("Content-Length: x"), 400),
        (get("Transfer-Encoding: gzip"), 501),
        (get(target="/" + "a" * 16384), 414),
        (get(target="/" + "a" * 200_000), 414),
        (get("X-Big: " + "a" * 16384), 400),
        (get("X-Big: " + "a" * 200_000), 400),
        (get(*(f"X-{n}: {'a' * 16000}" for n in range(5))), 400),
    ],
)
def test_what_is_no_proper_request_is_refused_and_the_connection_closed(
    server: Served, sent: bytes, status: int
) -> None:
    answer = server.talk(sent)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in answer
    assert server.exchanges[0].request is None


def test_headers_at_the_limits_are_taken(server: Served) -> None:
    answer = server.talk(get("X-Big: " + "a" * 16000, target="/" + "a" * 16000))
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_body_above_the_bound_is_refused(server: Served) -> None:
    length = 16 * 1024 * 1024 + 1
    answer = server.talk(get(f"Content-Length: {length}", method="PUT") + b"x" * length)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_request_that_stops_coming_times_out() -> None:
    server = Served(seconds=0.2)
    server.sock.sendall(b"GET / HTTP/1.1\r\nHo")
    assert server.sock.recv(65536).startswith(b"HTTP/1.1 408 ")
    server.close()


def test_silence_between_requests_ends_the_connection_without_an_answer() -> None:
    server = Served(seconds=0.2)
    assert server.sock.recv(65536) == b""
    server.close()
    assert isinstance(server.ended, TimeoutError)


def test_an_exchange_tells_how_many_bytes_passed(server: Served) -> None:
    sent = get()
    answer = server.talk(sent)
    exchange = server.exchanges[0]
    assert (exchange.received_bytes, exchange.sent_bytes) == (len(sent), len(answer))


def test_an_old_connection_is_closed_after_its_answer() -> None:
    near, far = socket.socketpair()
    behaviour = Behaviour(
        answer=echo, refusal=lambda status: Response(status=status), keep_alive_seconds=-1
    )
    near.sendall(get())
    serve(far, behaviour)
    far.close()
    assert b"Connection: close" in near.recv(65536)
    near.close()


def request(method: str = "GET", body: bytes = b"", **headers: str) -> Request:
    pairs = (("Host", "a"), *headers.items())
    return Request(method=method, target="/x", headers=pairs, body=body)


def test_the_client_sends_one_request_after_another(server: Served) -> None:
    client = Client(server.sock)
    first = client.send(request("POST", b"abc"))
    assert (first.status, first.header("x-said"), first.body) == (200, "POST /x 3", b"abc")
    assert client.reusable
    assert client.send(request()).body == b"hello"


def test_the_client_frames_requests_itself(server: Served) -> None:
    client = Client(server.sock)
    sent = request("POST", b"ab", **{"Content-Length": "9", "Transfer-Encoding": "chunked"})
    assert client.send(sent).header("X-Said") == "POST /x 2"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    ],
)
def test_the_client_tells_a_broken_answer(answer: bytes) -> None:
    near, far = socket.socketpair()
    far.sendall(answer)
    far.shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionError):
        Client(near).send(request())
    near.close()
    far.close()


def test_a_connection_that_the_server_closes_is_not_reusable() -> None:
    near, far = socket.socketpair()
    far.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    client = Client(near)
    client.send(request())
    assert not client.reusable
    near.close()
    far.close()


def test_what_concerns_one_connection_is_not_passed_on() -> None:
    headers = (
        ("Connection", "keep-alive, X-Secret"),
        ("X-Secret", "1"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("X-Kept", "1"),
    )
    assert end_to_end(headers) == [("X-Kept", "1")]
