"""Two joined connections: what passes, and how they end."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from lab.wire.splice import splice
from lab.wire.tls import reset

Ends = tuple[socket.socket, socket.socket]
Joined = Callable[..., Ends]


def connected() -> Ends:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname(), 5)
        far, _ = server.accept()
    far.settimeout(5)
    return near, far


@pytest.fixture
def joined() -> Iterator[Joined]:
    """The two outer ends of a splice that runs in a thread."""
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def join(idle_seconds: float = 5.0, intact: Callable[[], bool] = lambda: True) -> Ends:
        client, client_side = connected()
        server_side, server = connected()
        sockets.extend((client, server))
        thread = threading.Thread(
            target=splice, args=(client_side, server_side, idle_seconds, intact)
        )
        threads.append(thread)
        thread.start()
        return client, server

    yield join
    for sock in sockets:
        sock.close()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()


def test_bytes_pass_both_ways(joined: Joined) -> None:
    client, server = joined()
    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.sendall(b"answer")
    assert client.recv(100) == b"answer"


def test_one_side_may_end_before_the_other(joined: Joined) -> None:
    client, server = joined()
    client.sendall(b"all")
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b"all"
    assert server.recv(100) == b""
    server.sendall(b"late")
    server.close()
    assert client.recv(100) == b"late"
    assert client.recv(100) == b""


def test_a_reset_passes(joined: Joined) -> None:
    for kept in (0, 1):
        ends = joined()
        ends[0].sendall(b"a")
        assert ends[1].recv(1) == b"a"
        reset(ends[1 - kept])
        with pytest.raises(ConnectionResetError):
            ends[kept].recv(1)


def test_silence_ends_in_a_reset_of_both(joined: Joined) -> None:
    for end in joined(idle_seconds=0.1):
        with pytest.raises(ConnectionResetError):
            end.recv(1)


def test_what_the_client_sends_on_a_broken_path_does_not_arrive(joined: Joined) -> None:
    path = [True]
    client, server = joined(intact=lambda: path[0])
    client.sendall(b"a")
    assert server.recv(1) == b"a"
    path[0] = False
    server.sendall(b"b")
    assert client.recv(1) == b"b"
    client.sendall(b"c")
    for end in (client, server):
        with pytest.raises(ConnectionResetError):
            end.recv(1)


def test_a_side_that_does_not_read_holds_up_only_its_own_direction(joined: Joined) -> None:
    client, server = joined()
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.sendall(b"x" * 50_000_000)
    server.sendall(b"answer")
    client.settimeout(5)
    assert client.recv(100) == b"answer"


def test_an_error_of_ours_leaves_no_socket_open() -> None:
    client, client_side = connected()
    server_side, server = connected()

    def broken() -> bool:
        raise ValueError("broken on purpose")

    client.sendall(b"a")
    with pytest.raises(ValueError, match="on purpose"):
        splice(client_side, server_side, 5.0, broken)
    for end in (client, server):
        with end, pytest.raises(ConnectionResetError):
            end.recv(1)
