"""The data path of what is deployed, over real sockets on 127.0.0.1.

`Wire` reads nothing but the AWS API, at each connection and request anew (remembered until a call
changes that service), so what answers is what is deployed, and nothing has to be told of a change.

Modelled, each in its module: doors (connections from a network interface), security groups, the
VPC's resolver, Application Load Balancers (TLS policies, mutual authentication, rules, transforms,
header changes, access and connection logs, functions as targets), Network Load Balancers in front
of them, health checks, AWS PrivateLink between accounts, execute-api interface endpoints, private
REST APIs with their authorizers and custom domain names, Lambda.

Not modelled, apart from what the modules say: HTTP/2 and WebSocket (ALPN offers http/1.1 only),
WAF, authentication and JWT actions, session resumption at listeners without mutual authentication,
key exchange restricted by the security policy, sticky sessions, weighted target groups, slow start,
health check logs, desync mitigation, streaming of bodies, DNS time to live, routes and network
ACLs, more than one Region.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from lab.wire.alb import LoadBalancers
from lab.wire.aws import AccessKey, Accounts
from lab.wire.doors import Doors, Service
from lab.wire.endpoint import Endpoints
from lab.wire.execute_api import ExecuteApi
from lab.wire.functions import Functions
from lab.wire.health import HealthChecks
from lab.wire.lambda_target import LambdaTargets
from lab.wire.listener import Listeners
from lab.wire.logs import Logs
from lab.wire.messages import Peer, Request, Response
from lab.wire.network import Interface, Network
from lab.wire.nlb import NetworkLoadBalancers
from lab.wire.privatelink import PrivateLink
from lab.wire.programs import Programs
from lab.wire.targets import Targets


class Wire:
    """Everything between a client's network interface and a function's process.

    `keys` has one access key for each account; a door may start in any of them. `internet` is what
    functions find there, by default nothing: hosts at port 443, by the ports on 127.0.0.1 that they
    lead to, whose certificates are of the authority in the file `internet_ca`. A context manager:
    `start` needs the API to be up at `endpoint_url`, and so does `stop`, which delivers the last
    log lines and leaves no socket, thread or process.
    """

    def __init__(
        self,
        endpoint_url: str,
        region: str,
        keys: Iterable[AccessKey],
        *,
        internet: Mapping[str, int] | None = None,
        internet_ca: Path | None = None,
    ) -> None:
        accounts = self._accounts = Accounts.of_keys(endpoint_url, region, keys)
        network = Network(accounts)
        self._functions = Functions(accounts, internet=internet, internet_ca=internet_ca)
        self._api = ExecuteApi(accounts, self._functions)
        self._endpoints = Endpoints(accounts, self._api.handle)
        self._doors = Doors(network, self._service)
        functions = LambdaTargets(accounts, self._functions)
        self._targets = Targets(accounts, self._doors.connect, functions)
        self._logs = Logs(accounts)
        listeners = Listeners(accounts)
        self._balancers = LoadBalancers(listeners, self._targets, self._logs)
        networks = NetworkLoadBalancers(accounts, network, listeners, self._doors.connect)
        self._network_balancers = networks
        self._private_link = PrivateLink(accounts, network, networks)
        self._health = HealthChecks(accounts, network, self._doors.connect)
        self._programs = Programs()

    @property
    def execute_api_authority_pem(self) -> str:
        """The authority behind the certificates of execute-api endpoints, to be trusted here."""
        return self._endpoints.authority.certificate_pem

    def start(self) -> None:
        self._logs.start()
        self._health.start()

    def stop(self) -> None:
        """Raises RuntimeError when something did not end."""
        self._health.stop()
        self._functions.close()
        self._targets.close()
        try:
            self._doors.close()
        finally:
            self._logs.stop()
            self._accounts.close()

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

    def listen(self, network_interface_id: str, port: int, local_port: int) -> None:
        """Puts a program of one's own, at 127.0.0.1:`local_port`, behind that interface's port."""
        self._programs.listen(network_interface_id, port, local_port)

    def in_public(self, request: Request, source_ip: str) -> Response:
        """What API Gateway's public endpoint answers to somebody on the internet."""
        source = Peer(
            ip=source_ip, vpc_id="", network_interface_id="", security_group_ids=frozenset()
        )
        return self._api.handle(request, None, source)

    def _service(self, interface: Interface, port: int) -> Service | None:
        return (
            self._balancers.service(interface, port)
            or self._network_balancers.service(interface, port)
            or self._endpoints.service(interface, port)
            or self._private_link.service(interface, port)
            or self._programs.service(interface, port)
        )
