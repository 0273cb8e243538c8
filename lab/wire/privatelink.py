"""AWS PrivateLink: from an interface endpoint to the load balancer of somebody's endpoint service.

Sources (AWS PrivateLink): "Create a service powered by AWS PrivateLink" (what comes in by an
endpoint has the load balancer node's address as its source), "Configure an endpoint service"
(acceptance; taking a principal's permission away leaves its accepted endpoints working), "Access
services through AWS PrivateLink" (a zone's endpoint interface leads to the service in that zone);
and "Update the security groups for your Network Load Balancer" (whether inbound rules hold for
PrivateLink, judged by the client's private address).

An endpoint that is not accepted, or was rejected, lets nothing pass: its client meets silence. AWS
does not say what becomes of connections that are open when an endpoint is rejected; here they are
reset as soon as the client sends something, the stricter reading. Endpoints in another Region than
the service's are not modelled.
"""

import itertools
import logging
from collections.abc import Mapping
from typing import Any

from lab.wire.aws import Accounts, Reader
from lab.wire.doors import Connection, Service, hold
from lab.wire.messages import Peer
from lab.wire.names import available, is_endpoint_service
from lab.wire.network import Interface, Network
from lab.wire.nlb import NetworkLoadBalancers
from lab.wire.tls import reset

_LOG = logging.getLogger(__name__)


class PrivateLink:
    """Every interface endpoint of an endpoint service."""

    def __init__(
        self, accounts: Accounts, network: Network, balancers: NetworkLoadBalancers
    ) -> None:
        self._accounts = accounts
        self._network = network
        self._balancers = balancers
        self._turn = itertools.count()

    def service(self, interface: Interface, port: int) -> Service | None:
        """What becomes of a connection to an endpoint's interface: any port leads to the service's
        load balancer.
        """
        reader = self._accounts.of(interface.account_id)
        for endpoint in reader.call("ec2", "describe_vpc_endpoints")["VpcEndpoints"]:
            if is_endpoint_service(
                endpoint["ServiceName"]
            ) and interface.network_interface_id in endpoint.get("NetworkInterfaceIds", ()):
                endpoint_id = endpoint["VpcEndpointId"]
                return lambda connection: self._serve(connection, reader, endpoint_id)
        return None

    def _serve(self, connection: Connection, reader: Reader, endpoint_id: str) -> None:
        endpoint = _in_use(reader, endpoint_id)
        if endpoint is None:
            _LOG.info("%s is not available", endpoint_id)
            return hold(connection.socket)
        node = self._node(endpoint["ServiceName"], connection.destination)
        if node is None:
            _LOG.warning("%s has no node in %s", endpoint_id, connection.destination.zone_id)
            return hold(connection.socket)
        listener = self._balancers.listener(node, connection.port)
        if listener is None:
            return reset(connection.socket)
        if _enforces(listener.balancer) and not self._network.lets_in(
            node, _outsider(connection.source), connection.port
        ):
            _LOG.info("%s does not admit %s", listener.balancer_id, connection.source.ip)
            return hold(connection.socket)
        return self._balancers.carry(
            connection,
            node,
            listener,
            client=None,
            intact=lambda: _in_use(reader, endpoint_id) is not None,
        )

    def _node(self, service_name: str, entered: Interface) -> Interface | None:
        """The load balancer's node in the zone of the endpoint's interface."""
        nodes = [
            node
            for _, answer in self._accounts.each(
                "ec2", "describe_vpc_endpoint_service_configurations"
            )
            for service in answer["ServiceConfigurations"]
            if service["ServiceName"] == service_name
            for arn in service.get("NetworkLoadBalancerArns", ())
            for node in self._network.nodes(arn)
            if node.zone_id == entered.zone_id
        ]
        return nodes[next(self._turn) % len(nodes)] if nodes else None


def _in_use(reader: Reader, endpoint_id: str) -> Mapping[str, Any] | None:
    """The endpoint while traffic may pass, None before, after and when it is gone."""
    for endpoint in reader.call("ec2", "describe_vpc_endpoints")["VpcEndpoints"]:
        if endpoint["VpcEndpointId"] == endpoint_id and available(endpoint):
            return endpoint
    return None


def _enforces(balancer: Mapping[str, Any]) -> bool:
    return balancer.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "on") != "off"


def _outsider(client: Peer) -> Peer:
    """A client as another VPC sees it: its groups have no meaning there."""
    return Peer(
        ip=client.ip,
        vpc_id=client.vpc_id,
        network_interface_id=client.network_interface_id,
        security_group_ids=frozenset(),
    )
