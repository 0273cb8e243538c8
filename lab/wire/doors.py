"""Sockets on 127.0.0.1 that stand for connections inside a VPC.

A door is a local port: whoever connects to it connects from a given network interface to a host and
port. Name, interface and security groups are looked up when the connection arrives, so that what
counts is what is deployed at that moment:

- security groups do not admit it: nothing answers, and the socket is held silent until the client
  gives up, as a dropped SYN ends in a time-out;
- nothing listens there, or the name has no address: reset;
- otherwise the service at that interface gets the socket and knows whom it comes from.

A load balancer's node opens connections by doors too. Where it preserves the client's address, what
arrives says that it comes from the client, in the node's security groups.
"""

import contextlib
import itertools
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.wire.network import Interface, Network
from lab.wire.tls import reset

_LOG = logging.getLogger(__name__)
_JOIN_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A connection that arrived at a network interface; `client_port` is the source's port."""

    socket: socket.socket
    source: Interface
    client_port: int
    destination: Interface
    port: int


Service = Callable[[Connection], None]


class Doors:
    """All doors of a wire, and the threads that serve what came in through them.

    `service_at(interface, port)` says what listens there, or None. A service serves one connection
    and returns; the socket is closed after it.
    """

    def __init__(
        self, network: Network, service_at: Callable[[Interface, int], Service | None]
    ) -> None:
        self._network = network
        self._service_at = service_at
        self._listening: dict[tuple[str, str, int], socket.socket] = {}
        self._open: set[socket.socket] = set()
        self._preserved: dict[int, tuple[str, int]] = {}
        self._threads: set[threading.Thread] = set()
        self._turn = itertools.count()
        self._lock = threading.Lock()
        self._closed = False

    def door(self, network_interface_id: str, host: str, port: int) -> int:
        """The local port of the door from that interface to host:port; the same one each time."""
        key = (network_interface_id, host, port)
        with self._lock:
            if self._closed:
                raise RuntimeError("the wire is stopped")
            if key not in self._listening:
                listening = socket.create_server(("127.0.0.1", 0), backlog=128)
                self._listening[key] = listening
                self._spawn(lambda: self._accept(listening, key), f"door to {host}:{port}")
            return int(self._listening[key].getsockname()[1])

    def connect(
        self,
        source: Interface,
        ip: str,
        port: int,
        timeout: float,
        client: tuple[str, int] | None = None,
    ) -> socket.socket:
        """A TCP connection from an interface of a service to an address in its VPC.

        `client` is the address and port that it shall seem to come from.
        """
        local = self.door(source.network_interface_id, ip, port)
        sock = socket.socket()
        try:
            sock.settimeout(timeout)
            sock.bind(("127.0.0.1", 0))
            if client:
                self._preserved[sock.getsockname()[1]] = client
            sock.connect(("127.0.0.1", local))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self._preserved.pop(sock.getsockname()[1], None)
            sock.close()
            raise
        return sock

    def close(self) -> None:
        """Closes every socket and waits for every thread. Raises RuntimeError if one hangs."""
        with self._lock:
            self._closed = True
            sockets = [*self._listening.values(), *self._open]
            threads = list(self._threads)
        for sock in sockets:
            with contextlib.suppress(OSError):  # not connected any more
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_JOIN_SECONDS)
        hanging = [thread.name for thread in threads if thread.is_alive()]
        for sock in sockets:
            sock.close()
        if hanging:
            raise RuntimeError(f"still running after {_JOIN_SECONDS} s: {', '.join(hanging)}")

    def _spawn(self, work: Callable[[], None], name: str) -> None:
        """Starts a thread that is forgotten when it ends; the lock must be held."""

        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()

    def _accept(self, listening: socket.socket, key: tuple[str, str, int]) -> None:
        while True:
            try:
                sock, address = listening.accept()
            except OSError:  # closed
                return
            with self._lock:
                if self._closed:
                    sock.close()
                    return
                self._open.add(sock)
                client_port = int(address[1])
                name = f"connection to {key[1]}:{key[2]}"
                self._spawn(lambda s=sock, p=client_port: self._serve(s, p, key), name)

    def _serve(self, sock: socket.socket, client_port: int, key: tuple[str, str, int]) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._deliver(sock, client_port, key)
        except OSError as error:  # The client went away, or said nothing for too long.
            _LOG.debug("%s:%s: %s", key[1], key[2], error)
        except Exception:
            _LOG.exception("connection to %s:%s was not served", key[1], key[2])
            with contextlib.suppress(OSError):
                reset(sock)
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _deliver(self, sock: socket.socket, client_port: int, key: tuple[str, str, int]) -> None:
        network_interface_id, host, port = key
        source = self._network.peer(network_interface_id)
        preserved = self._preserved.pop(client_port, None)
        if preserved:
            source, client_port = replace(source, ip=preserved[0]), preserved[1]
        addresses = self._network.resolve(source.vpc_id, host)
        if not addresses:
            _LOG.warning("%s has no address in %s", host, source.vpc_id)
            return reset(sock)
        ip = addresses[next(self._turn) % len(addresses)]
        destination = self._network.interface_at(source.vpc_id, ip)
        if destination is None or not self._network.admits(source, destination, port):
            _LOG.info("%s to %s:%s is dropped", network_interface_id, ip, port)
            return hold(sock)
        service = self._service_at(destination, port)
        if service is None:
            return reset(sock)
        return service(
            Connection(
                socket=sock,
                source=source,
                client_port=client_port,
                destination=destination,
                port=port,
            )
        )


def hold(sock: socket.socket) -> None:
    """What a dropped connection is to its client: silence until it closes, whatever it sends."""
    while sock.recv(65536):
        pass
