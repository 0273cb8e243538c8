"""`Cloud`: the AWS API as a server in this process."""

import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import ThreadedWSGIServer

from lab.cloud.ec2 import zones
from lab.cloud.extensions import plug_in
from lab.cloud.internal import Layer


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An IAM user's access key; moto finds the account of a request by it."""

    account_id: str
    access_key_id: str
    secret_access_key: str


class Cloud:
    """The AWS API for `accounts` (any name -> 12-digit account id) in `region`.

    The first account has moto's names of the Availability Zones, every other one its own (see
    `lab.cloud.ec2.zones`). A context manager. moto keeps its state in the process, so only one can
    run at a time; each start begins empty. `port=0` takes a free port.
    """

    _running = threading.Lock()

    def __init__(self, accounts: Mapping[str, str], region: str, port: int = 0) -> None:
        for name, account_id in accounts.items():
            if len(account_id) != 12 or not account_id.isdigit():
                raise ValueError(f"accounts[{name!r}]: want 12 digits; got {account_id!r}")
        if "MOTO_ACCOUNT_ID" in os.environ:
            raise ValueError("MOTO_ACCOUNT_ID is set; it would put every account's calls into one")
        self.region = region
        self.credentials: dict[str, Credentials] = {}
        self._accounts = dict(accounts)
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint_url(self) -> str:
        """`http://127.0.0.1:<port>`, while it runs."""
        if self._server is None:
            raise RuntimeError("the cloud is not running; call start() first")
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Starts serving. Raises RuntimeError when another one runs in this process."""
        if not Cloud._running.acquire(blocking=False):
            raise RuntimeError("a Cloud already runs in this process; stop it first")
        try:
            BackendDict.reset()
            zones.keep_names(next(iter(self._accounts.values()), ""))
            # Roles attach AWS's managed policies by ARN, which moto loads only when asked.
            default_user_config["iam"] = {"load_aws_managed_policies": True}
            layer = Layer(DomainDispatcherApplication(create_backend_app), plug_in())
            self.credentials = {
                name: _access_key(account_id) for name, account_id in self._accounts.items()
            }
            self._server = _Server("127.0.0.1", self._port, layer, _Handler)
        except BaseException:
            Cloud._running.release()
            raise
        self._thread = threading.Thread(target=self._server.serve_forever, name="lab.cloud")
        self._thread.start()

    def stop(self) -> None:
        """Stops serving and closes every connection."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server.close_connections()
        self._server.server_close()
        self._server = self._thread = None
        Cloud._running.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _access_key(account_id: str) -> Credentials:
    backend = iam_backends[account_id]["aws"]
    backend.create_user("aws", "lab")
    key = backend.create_access_key("lab")
    return Credentials(
        account_id=account_id,
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive: clients reuse their connections
    disable_nagle_algorithm = True  # else each answer waits for a delayed acknowledgement

    def log(self, type: str, message: str, *args: Any) -> None:
        """Says nothing: a call's outcome is the caller's to report."""


class _Server(ThreadedWSGIServer):
    """Knows its open connections: keep-alive ones would outlive the server otherwise."""

    daemon_threads = False

    def __init__(self, host: str, port: int, app: Any, handler: type[MotoRequestHandler]) -> None:
        self._connections: set[Any] = set()
        super().__init__(host, port, app, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was quicker
