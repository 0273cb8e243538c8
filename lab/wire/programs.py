"""Programs that listen on an instance: a network interface's port as a port of this machine.

What the lab cannot run, such as a target of a user's own, is started beside it and put behind an
interface. Connections reach it as they reach anything else: through doors and security groups.
"""

import socket

from lab.wire.doors import Connection, Service
from lab.wire.network import Interface
from lab.wire.splice import splice

_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 3600.0


class Programs:
    """The ports of 127.0.0.1 that are behind interfaces."""

    def __init__(self) -> None:
        self._listening: dict[tuple[str, int], int] = {}

    def listen(self, network_interface_id: str, port: int, local_port: int) -> None:
        """Whoever reaches the interface's `port` reaches 127.0.0.1:`local_port`."""
        self._listening[network_interface_id, port] = local_port

    def service(self, interface: Interface, port: int) -> Service | None:
        local_port = self._listening.get((interface.network_interface_id, port))
        if local_port is None:
            return None

        def serve(connection: Connection) -> None:
            server = socket.create_connection(("127.0.0.1", local_port), _CONNECT_SECONDS)
            splice(connection.socket, server, _IDLE_SECONDS)

        return serve
