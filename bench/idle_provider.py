"""A resource provider that does nothing: what is left is what the engine and the SDK cost."""

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

_WORKERS = 32  # as many as the lab's provider has


@contextmanager
def idle_providers(versions: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """A server for each package of `versions`; answers their ports."""
    servers: list[grpc.Server] = []
    ports: dict[str, int] = {}
    for package, version in versions.items():
        server = grpc.server(ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"idle {package}"))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Idle(version), server)
        ports[package] = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
    try:
        yield ports
    finally:
        for stopped in [server.stop(grace=1) for server in servers]:
            stopped.wait()


class _Idle(provider_pb2_grpc.ResourceProviderServicer):
    """Takes what it is given, makes up an id, and finds that nothing ever changed."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._numbers = itertools.count(1)

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self._version)

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        id_ = "" if request.preview else f"idle-{next(self._numbers)}"
        return provider_pb2.CreateResponse(id=id_, properties=request.properties)

    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return empty_pb2.Empty()
