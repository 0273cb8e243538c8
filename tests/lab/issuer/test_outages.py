import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import pytest

from lab.issuer import ClientRegistration, Issuer, Outage
from tests.lab.issuer.conftest import AUDIENCE
from tests.lab.issuer.http_client import Answer, ask

Ask = Callable[[], Future[Answer]]


@pytest.fixture
def ask_aside(issuer: Issuer) -> Iterator[Ask]:
    """Asks for the keys in another thread."""
    with ThreadPoolExecutor() as threads:
        yield lambda: threads.submit(ask, issuer.jwks_uri)
        issuer.stop()  # a question that is held back must not hold the test back


def arrived(issuer: Issuer, count: int = 1) -> None:
    deadline = time.monotonic() + 5
    while issuer.jwks_fetches < count:
        assert time.monotonic() < deadline, "the request never arrived"
        time.sleep(0.01)


def connection_to(issuer: Issuer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(issuer.url.rpartition(":")[2])), timeout=5)


def test_a_refusing_issuer_does_not_listen_and_recovers_at_the_same_address(issuer: Issuer):
    url = issuer.url
    for _ in range(3):
        issuer.outage = "refuse"
        with pytest.raises(ConnectionRefusedError):
            ask(issuer.jwks_uri)
        issuer.outage = None
        assert issuer.url == url
        assert ask(issuer.jwks_uri).status == 200
    assert issuer.jwks_fetches == 3


def test_nobody_else_gets_the_port_of_a_refusing_issuer(issuer: Issuer):
    issuer.outage = "refuse"
    port = int(issuer.url.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_a_refusing_issuer_cuts_off_who_is_connected(issuer: Issuer):
    with connection_to(issuer) as waiting:
        ask(issuer.jwks_uri)  # so that the earlier connection has been accepted
        issuer.outage = "refuse"
        assert waiting.recv(1) == b""


def test_a_failing_issuer_answers_503_to_everything(issuer: Issuer):
    issuer.outage = "error"
    assert ask(issuer.jwks_uri).status == 503
    assert ask(issuer.token_endpoint, "POST").status == 503
    assert issuer.jwks_fetches == 1
    issuer.outage = None
    assert ask(issuer.jwks_uri).status == 200


def test_garbage_is_called_json_and_is_neither_that_nor_text(issuer: Issuer):
    issuer.outage = "garbage"
    answer = ask(issuer.jwks_uri)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.body.decode(errors="replace"))


def test_a_slow_issuer_answers_when_the_outage_is_over(issuer: Issuer, ask_aside: Ask):
    issuer.outage = "slow"
    with pytest.raises(TimeoutError):
        ask(issuer.jwks_uri, timeout_seconds=0.2)
    held_back = ask_aside()
    arrived(issuer, 2)
    assert not held_back.done()
    issuer.outage = None
    assert held_back.result(timeout=5).json == issuer.jwks()


def test_a_trickle_defeats_a_time_out_of_each_read(issuer: Issuer, ask_aside: Ask):
    issuer.outage = "trickle"
    began = time.monotonic()
    trickling = ask_aside()
    with connection_to(issuer) as client:
        client.settimeout(2)
        client.sendall(b"GET /jwks.json HTTP/1.1\r\nHost: issuer\r\n\r\n")
        received = b""
        while received.partition(b"\r\n\r\n")[2] != b'{"ke':
            received += client.recv(1)
    assert time.monotonic() - began > 0.3
    assert not trickling.done()
    issuer.outage = None
    assert trickling.result(timeout=5).json == issuer.jwks()


@pytest.mark.parametrize("outage", ["slow", "trickle"])
def test_an_issuer_stops_in_the_middle_of_an_outage(issuer: Issuer, ask_aside: Ask, outage: Outage):
    issuer.outage = outage
    ask_aside()
    arrived(issuer)
    began = time.monotonic()
    issuer.stop()
    assert time.monotonic() - began < 5


def test_an_outage_can_be_set_before_the_start():
    issuer = Issuer(AUDIENCE, {})
    issuer.outage = "refuse"
    with issuer:
        with pytest.raises(ConnectionRefusedError):
            ask(issuer.jwks_uri)
        assert issuer.outage == "refuse"
        issuer.outage = None
        assert ask(issuer.jwks_uri).status == 200


def test_an_unknown_outage_is_not_set(issuer: Issuer):
    with pytest.raises(ValueError, match=r"want None or one of .* got 'flood'"):
        issuer.outage = cast("Any", "flood")
    assert issuer.outage is None


def test_stopping_leaves_neither_thread_nor_listener_and_it_starts_again():
    before = threading.active_count()
    issuer = Issuer(AUDIENCE, {"acme": ClientRegistration()})
    with issuer:
        url = issuer.jwks_uri
        idle = connection_to(issuer)
        assert ask(url).status == 200
        assert threading.active_count() > before
    assert threading.active_count() == before
    with idle, pytest.raises(ConnectionRefusedError):
        ask(url)
    with pytest.raises(RuntimeError, match="call start"):
        _ = issuer.url


def test_an_outage_lasts_over_a_restart(issuer: Issuer):
    issuer.outage = "slow"
    issuer.stop()
    issuer.start()
    with pytest.raises(TimeoutError):
        ask(issuer.jwks_uri, timeout_seconds=0.2)


def test_a_connection_is_closed_after_one_answer(issuer: Issuer):
    with connection_to(issuer) as client, client.makefile("rb") as answer:
        client.sendall(b"GET /jwks.json HTTP/1.1\r\nHost: issuer\r\n\r\n")
        assert b"\r\nConnection: close\r\n" in answer.read()


def test_many_clients_are_served_at_once(issuer: Issuer):
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(ask, [issuer.jwks_uri] * 200))
    assert {answer.status for answer in answers} == {200}
    assert issuer.jwks_fetches == 200


@pytest.mark.parametrize("length", ["-1", "x", str(64 * 1024 + 1)])
def test_a_body_of_no_sensible_length_is_refused(issuer: Issuer, length: str):
    answer = ask(issuer.token_endpoint, "POST", headers={"Content-Length": length})
    assert answer.status == 400


def test_a_client_that_leaves_early_is_no_noise(issuer: Issuer, capfd: pytest.CaptureFixture[str]):
    issuer.outage = "trickle"
    with connection_to(issuer) as client:
        client.sendall(b"GET /jwks.json HTTP/1.1\r\nHost: issuer\r\n\r\n")
        arrived(issuer)
    time.sleep(0.5)
    issuer.stop()
    assert capfd.readouterr() == ("", "")
