"""Application Load Balancers: what listens on their network interfaces.

TLS and client certificates are `tls` and `chain`, rules `rules`, headers `forwarding`, targets
`targets`, one connection's requests `visit`. A client whose certificate is refused never gets an
HTTP status: the connection is reset and the connection log has the reason.
"""

import logging
import secrets

from lab.wire.doors import Connection, Service
from lab.wire.http import Behaviour, Stream, serve
from lab.wire.listener import Listener, Listeners
from lab.wire.logs import ConnectionEntry, Logs
from lab.wire.network import Interface
from lab.wire.rules import NotModelledError
from lab.wire.targets import Targets
from lab.wire.tls import HandshakeError, PlainHttpError, Session
from lab.wire.visit import Visit, page

_LOG = logging.getLogger(__name__)
_HANDSHAKE_SECONDS = 10.0


class LoadBalancers:
    """Every Application Load Balancer of the accounts."""

    def __init__(self, listeners: Listeners, targets: Targets, logs: Logs) -> None:
        self._listeners = listeners
        self._targets = targets
        self._logs = logs

    def service(self, interface: Interface, port: int) -> Service | None:
        """What a load balancer does with a connection to its interface; None where none listens."""
        listener = self._listeners.at(interface, port)
        if listener is None or listener.balancer["Type"] != "application":
            return None
        return lambda connection: self._serve(connection, listener)

    def _serve(self, connection: Connection, listener: Listener) -> None:
        trace_id = f"TID_{secrets.token_hex(16)}"
        if listener.protocol == "HTTP":
            connection.socket.settimeout(listener.idle_seconds)
            self._converse(connection, connection.socket, listener, None, trace_id)
            return
        if listener.protocol != "HTTPS":
            raise NotModelledError(f"listener protocol {listener.protocol!r}")
        connection.socket.settimeout(_HANDSHAKE_SECONDS)
        try:
            stream, session = self._listeners.tls(listener).accept(connection.socket)
        except HandshakeError as error:
            _LOG.info("%s: %s (%s)", listener.balancer_id, error.reason, error)
            self._log(connection, listener, error.session, f"Failed:{error.reason}", trace_id)
            if isinstance(error, PlainHttpError):
                _turn_away(connection)
            return
        self._log(connection, listener, session, "Success", trace_id)
        connection.socket.settimeout(listener.idle_seconds)
        self._converse(connection, stream, listener, session, trace_id)
        stream.close()

    def _converse(
        self,
        connection: Connection,
        stream: Stream,
        listener: Listener,
        session: Session | None,
        trace_id: str,
    ) -> None:
        def current() -> Listener | None:
            now = self._listeners.at(connection.destination, connection.port)
            return now if now and now.arn == listener.arn else None

        visit = Visit(connection, session, trace_id, current, self._targets, self._logs)
        serve(
            stream,
            Behaviour(
                answer=visit.answer,
                refusal=visit.refuse,
                finished=visit.finished,
                keep_alive_seconds=float(listener.balancer_attributes["client_keep_alive.seconds"]),
            ),
        )

    def _log(
        self,
        connection: Connection,
        listener: Listener,
        session: Session,
        status: str,
        trace_id: str,
    ) -> None:
        entry = ConnectionEntry(
            listener=listener,
            session=session,
            client=(connection.source.ip, connection.client_port),
            node_ip=connection.destination.ip,
            status=status,
            trace_id=trace_id,
        )
        self._logs.add("connection_logs", listener, entry.node_ip, entry.line())


def _turn_away(connection: Connection) -> None:
    """Tells a client that spoke HTTP to an HTTPS listener so."""
    answer = page(400, "The plain HTTP request was sent to HTTPS port")
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    start = f"HTTP/1.1 400 Bad Request\r\n{head}Content-Length: {len(answer.body)}\r\n"
    connection.socket.sendall(f"{start}Connection: close\r\n\r\n".encode() + answer.body)
