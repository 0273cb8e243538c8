"""The data path of what is deployed, over real sockets on 127.0.0.1.

`Wire` reads nothing but the AWS API, at each connection and request anew (remembered until a call
changes that service), so what answers is what is deployed, and nothing has to be told of a change.

Modelled, each in its module: doors (connections from a network interface), security groups, the
VPC's resolver, Application Load Balancers (TLS policies, mutual authentication `verify` and `off`,
rules, transforms, header changes, access and connection logs), execute-api interface endpoints,
private REST APIs, Lambda.

Not modelled, apart from what the modules say: HTTP/2 and WebSocket (ALPN offers http/1.1 only),
mutual authentication `passthrough`, WAF, authentication and JWT actions, session resumption at
listeners without mutual authentication, key exchange restricted by the security policy, sticky
sessions, weighted target groups, slow start, health checks and their logs, desync mitigation,
streaming of bodies, DNS time to live, routes and network ACLs, Network Load Balancers, PrivateLink
services, more than one account.
"""

from typing import Self

from lab.wire.alb import LoadBalancers
from lab.wire.aws import Reader
from lab.wire.doors import Doors, Service
from lab.wire.endpoint import Endpoints
from lab.wire.execute_api import ExecuteApi
from lab.wire.functions import Functions
from lab.wire.logs import Logs
from lab.wire.network import Interface, Network
from lab.wire.targets import Targets


class Wire:
    """Everything between a client's network interface and a function's process.

    A context manager. `start` needs the API to be up at `endpoint_url`, and so does `stop`, which
    delivers the last log lines and leaves no socket, thread or process.
    """

    def __init__(
        self, endpoint_url: str, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        self._reader = Reader(endpoint_url, region, access_key_id, secret_access_key)
        network = Network(self._reader)
        self._functions = Functions(self._reader)
        self._endpoints = Endpoints(self._reader, ExecuteApi(self._reader, self._functions).handle)
        self._doors = Doors(network, self._service)
        self._targets = Targets(self._reader, self._doors.connect)
        self._logs = Logs(self._reader)
        self._balancers = LoadBalancers(self._reader, self._targets, self._logs)

    @property
    def execute_api_authority_pem(self) -> str:
        """The authority behind the certificates of execute-api endpoints, to be trusted here."""
        return self._endpoints.authority.certificate_pem

    def start(self) -> None:
        self._logs.start()

    def stop(self) -> None:
        """Raises RuntimeError when something did not end."""
        self._functions.close()
        self._targets.close()
        try:
            self._doors.close()
        finally:
            self._logs.stop()
            self._reader.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def door(self, network_interface_id: str, host: str, port: int) -> int:
        """A port on 127.0.0.1; connecting to it is connecting from that interface to host:port.

        Names resolve as in the interface's VPC, when the connection is made. An unknown interface,
        an unknown name and a port where nothing listens all end in a reset.
        """
        return self._doors.door(network_interface_id, host, port)

    def _service(self, interface: Interface, port: int) -> Service | None:
        return self._balancers.service(interface, port) or self._endpoints.service(interface, port)
