"""Network Load Balancers: TCP from their network interfaces to an Application Load Balancer.

Sources (Elastic Load Balancing, Network Load Balancers): "Use an Application Load Balancer as a
target of a Network Load Balancer", "Edit target group attributes" (client IP preservation: the
target sees the client's address, but the node's for what comes from AWS PrivateLink), "Update the
security groups" (targets may name the load balancer's groups; its outbound rules hold for targets),
"Cross-zone load balancing", "Listeners" (idle time-out, after which both sides are reset).

Bytes are passed on as they come, so TLS is between the client and the target. A client's own
security groups mean nothing to the target, only its address and the load balancer's groups do.

A target group for an Application Load Balancer has one target: with its health checks failing the
load balancer fails open, so health decides nothing here. Not modelled: TLS and UDP listeners,
targets of other types, connection draining, DNS failover between zones.
"""

import itertools
import logging
import socket
from collections.abc import Callable
from typing import Protocol

from lab.wire.aws import Accounts
from lab.wire.doors import Connection, Service
from lab.wire.listener import Listener, Listeners
from lab.wire.network import Interface, Network
from lab.wire.rules import NotModelledError
from lab.wire.splice import splice
from lab.wire.tls import reset

_LOG = logging.getLogger(__name__)
_CONNECT_SECONDS = 10.0
_DEFAULT_IDLE_SECONDS = "350"


class Connect(Protocol):
    def __call__(
        self,
        source: Interface,
        ip: str,
        port: int,
        timeout: float,
        client: tuple[str, int] | None = None,
    ) -> socket.socket: ...


class NetworkLoadBalancers:
    """Every Network Load Balancer of the accounts."""

    def __init__(
        self, accounts: Accounts, network: Network, listeners: Listeners, connect: Connect
    ) -> None:
        self._accounts = accounts
        self._network = network
        self._listeners = listeners
        self._connect = connect
        self._turn = itertools.count()

    def service(self, interface: Interface, port: int) -> Service | None:
        """What a load balancer does with a connection to its interface; None where none listens."""
        listener = self.listener(interface, port)
        if listener is None:
            return None

        def serve(connection: Connection) -> None:
            client = (connection.source.ip, connection.client_port)
            self.carry(connection, interface, listener, client)

        return serve

    def listener(self, interface: Interface, port: int) -> Listener | None:
        """The listener on that port of a load balancer's interface."""
        found = self._listeners.at(interface, port)
        return found if found and found.balancer["Type"] == "network" else None

    def carry(
        self,
        connection: Connection,
        node: Interface,
        listener: Listener,
        client: tuple[str, int] | None,
        intact: Callable[[], bool] = lambda: True,
    ) -> None:
        """Joins a client's connection, at `node`, with one to a target; returns at its end.

        `client` is the address to preserve; without one the target sees the node's.
        """
        target = self._target(listener, node)
        if target is None:
            _LOG.warning("%s has no target for %s", listener.balancer_id, node.ip)
            return reset(connection.socket)
        ip, port = target
        server = self._connect(node, ip, port, _CONNECT_SECONDS, client)
        idle = listener.attributes.get("tcp.idle_timeout.seconds", _DEFAULT_IDLE_SECONDS)
        return splice(connection.socket, server, float(idle), intact)

    def _target(self, listener: Listener, node: Interface) -> tuple[str, int] | None:
        """The next address in turn behind the listener's target group, and its port."""
        if listener.protocol != "TCP":
            raise NotModelledError(f"listener protocol {listener.protocol!r}")
        arn = listener.listener["DefaultActions"][0]["TargetGroupArn"]
        reader = self._accounts.of_arn(arn)
        group = reader.call("elbv2", "describe_target_groups", TargetGroupArns=[arn])
        if group["TargetGroups"][0]["TargetType"] != "alb":
            raise NotModelledError(f"targets of {arn}: none but an Application Load Balancer")
        health = reader.call("elbv2", "describe_target_health", TargetGroupArn=arn)
        addresses = [
            (one.ip, int(described["Target"]["Port"]))
            for described in health["TargetHealthDescriptions"]
            for one in reached(
                self._network, node, described["Target"]["Id"], cross_zone=listener.cross_zone
            )
        ]
        return addresses[next(self._turn) % len(addresses)] if addresses else None


def reached(
    network: Network, node: Interface, load_balancer_arn: str, *, cross_zone: bool
) -> list[Interface]:
    """The interfaces of a target load balancer that a node sends to: those in its own zone, or in
    every zone with cross-zone load balancing.
    """
    return [
        one for one in network.nodes(load_balancer_arn) if cross_zone or one.zone_id == node.zone_id
    ]
