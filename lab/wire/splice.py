"""Two TCP connections joined at layer 4: bytes, ends and resets pass, nothing is looked at."""

import select
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.wire.tls import reset

_CHUNK = 65536


@dataclass(kw_only=True)
class _Direction:
    """Bytes on their way from one socket to the other; at most one chunk waits."""

    source: socket.socket
    destination: socket.socket
    waiting: bytearray = field(default_factory=bytearray)
    ended: bool = False

    def receive(self) -> None:
        data = self.source.recv(_CHUNK)
        self.waiting += data
        self.ended = not data
        if self.ended:
            self.destination.shutdown(socket.SHUT_WR)

    def send(self) -> None:
        del self.waiting[: self.destination.send(self.waiting)]


def splice(
    client: socket.socket,
    server: socket.socket,
    idle_seconds: float,
    intact: Callable[[], bool] = lambda: True,
) -> None:
    """Passes bytes until both sides have ended; closes both.

    A reset of one side becomes a reset of the other. Both are reset when nothing came for
    `idle_seconds`, and when the client sends something and the path is not `intact` any more.
    """
    there = _Direction(source=client, destination=server)
    back = _Direction(source=server, destination=client)
    client.setblocking(False)
    server.setblocking(False)
    complete = False
    try:
        while not complete and _step(there, back, idle_seconds, intact):
            complete = there.ended and back.ended
    except OSError:  # one side is gone: so is the other
        complete = False
    finally:
        for sock in (client, server):
            sock.close() if complete else reset(sock)


def _step(
    there: _Direction, back: _Direction, idle_seconds: float, intact: Callable[[], bool]
) -> bool:
    """Waits and moves what can be moved; False when the connection is over."""
    both = (there, back)
    readable, writable, _ = select.select(
        [one.source for one in both if not one.ended and not one.waiting],
        [one.destination for one in both if one.waiting],
        [],
        idle_seconds,
    )
    if not readable and not writable:
        return False
    if there.source in readable and not intact():
        return False
    for one in both:
        if one.destination in writable and one.waiting:
            one.send()
        if one.source in readable and not one.waiting:
            one.receive()
    return True
