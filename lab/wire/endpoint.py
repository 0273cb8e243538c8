"""The TLS server of an execute-api interface endpoint.

Its certificate is for `*.execute-api.<region>.amazonaws.com`, by an authority made when the wire
starts, and TLS is 1.2 at least ("Private REST APIs in API Gateway": TLS 1.2 by default). What a
request then meets is `ExecuteApi`'s business. Idle connections end after 310 seconds ("Quotas for
configuring and running a REST API").
"""

from collections.abc import Callable, Mapping
from typing import Any

from lab.certificates import Authority
from lab.wire.aws import Accounts, Reader
from lab.wire.doors import Connection, Service
from lab.wire.http import Behaviour, serve
from lab.wire.messages import Peer, Request, Response
from lab.wire.network import Interface
from lab.wire.tls import HandshakeError, PlainHttpError, Policy, Server, ServerCertificate

Handle = Callable[[Request, Mapping[str, Any], Peer], Response]

IDLE_SECONDS = 310.0
_POLICY = Policy(
    protocols=("TLSv1.2", "TLSv1.3"),
    ciphers=(
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ),
)


class Endpoints:
    """Every execute-api interface endpoint of the accounts.

    `handle(request, endpoint, source)` answers a request.
    """

    def __init__(self, accounts: Accounts, handle: Handle) -> None:
        self._accounts = accounts
        self._handle = handle
        self.authority = Authority.create("Amazon execute-api (lab)")
        name = f"*.execute-api.{accounts.region}.amazonaws.com"
        issued = self.authority.issue(name, usages=("server_auth",), names=(name,))
        served = ServerCertificate(certificate=issued.certificate, key=issued.key)
        self._tls = Server([served], _POLICY)

    def service(self, interface: Interface, port: int) -> Service | None:
        """What answers on an endpoint's interface: HTTPS on 443, nothing else."""
        if port != 443:
            return None
        wanted = f"com.amazonaws.{self._accounts.region}.execute-api"
        reader = self._accounts.of(interface.account_id)
        for endpoint in reader.call("ec2", "describe_vpc_endpoints")["VpcEndpoints"]:
            if endpoint["ServiceName"] == wanted and interface.network_interface_id in endpoint.get(
                "NetworkInterfaceIds", ()
            ):
                endpoint_id = endpoint["VpcEndpointId"]
                return lambda connection: self._serve(connection, reader, endpoint_id)
        return None

    def _serve(self, connection: Connection, reader: Reader, endpoint_id: str) -> None:
        connection.socket.settimeout(IDLE_SECONDS)
        try:
            stream, _ = self._tls.accept(connection.socket)
        except HandshakeError as error:
            if isinstance(error, PlainHttpError):
                connection.socket.close()
            return

        def answer(request: Request) -> Response:
            endpoint = _described(reader, endpoint_id)
            return self._handle(request, endpoint, connection.source)

        serve(
            stream,
            Behaviour(
                answer=answer,
                refusal=lambda status: Response(status=status),
            ),
        )
        stream.close()


def _described(reader: Reader, endpoint_id: str) -> Mapping[str, Any]:
    """The endpoint as it is now. Raises ConnectionError when it is gone."""
    for endpoint in reader.call("ec2", "describe_vpc_endpoints")["VpcEndpoints"]:
        if endpoint["VpcEndpointId"] == endpoint_id:
            return endpoint
    raise ConnectionError(f"{endpoint_id} is gone")
