"""The registry as resource providers that the Pulumi engine attaches to.

It knows the protocol and no resource type. A server per package; within one, every provider of a
program (the default one, one per explicit provider) has a connection of its own, by which the
server tells apart what each was configured with.
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, NoReturn, Self, TypeVar

import grpc
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from lab.provider import detailed_diff
from lab.provider.aws import Aws, ProviderSettings
from lab.provider.grpc_values import received, sent
from lab.provider.provider_config import check_config, configured
from lab.provider.registry import Diff, OperationError, PartlyCreatedError, Registry
from lab.provider.resource_type import Naming
from lab.provider.schema import RefusalError

PACKAGES = ("aws", "tls")
_INCOMPLETE = "__incomplete"  # among the outputs of a resource whose creation stopped half way
_REPLACING_CONFIG = frozenset({"region"})
_WORKERS = 32
_KINDS = {
    detailed_diff.ADDED: (provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.ADD_REPLACE),
    detailed_diff.DELETED: (
        provider_pb2.PropertyDiff.DELETE,
        provider_pb2.PropertyDiff.DELETE_REPLACE,
    ),
    detailed_diff.UPDATED: (
        provider_pb2.PropertyDiff.UPDATE,
        provider_pb2.PropertyDiff.UPDATE_REPLACE,
    ),
}
Method = TypeVar("Method", bound=Callable[..., Any])


class Providers:
    """A running server for each package; `ports` says where. Use it with `with`."""

    def __init__(self, registry: Registry, settings: ProviderSettings) -> None:
        self.ports: dict[str, int] = {}
        self._servers: list[grpc.Server] = []
        self._registry = registry
        self._settings = settings

    def __enter__(self) -> Self:
        for package in PACKAGES:
            server = grpc.server(
                ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"provider {package}"),
                options=[
                    ("grpc.max_receive_message_length", -1),
                    ("grpc.max_send_message_length", -1),
                ],
            )
            provider = Provider(package, self._registry, self._settings)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
            self.ports[package] = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self._servers.append(server)
        return self

    def __exit__(self, *_: object) -> None:
        for stopped in [server.stop(grace=1) for server in self._servers]:
            stopped.wait()


def _told(method: Method) -> Method:
    """What the registry refuses or AWS does not do becomes an error of the resource in question."""

    def call(self: "Provider", request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except RefusalError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except OperationError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return call  # type: ignore[return-value]  # of the same shape


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """One package's part of the protocol. Its methods are called from many threads."""

    def __init__(self, package: str, registry: Registry, settings: ProviderSettings) -> None:
        self.package = package
        self.registry = registry
        self._default = settings
        self._configured: dict[str, ProviderSettings] = {}

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Calls to AWS that run are let end: the engine waits for them, and keeps what they did."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=version(f"pulumi_{self.package}"))

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """The tokens that are modelled; the properties are as in the package's own schema."""
        own = f"{self.package}:"
        schema = {
            "name": self.package,
            "version": version(f"pulumi_{self.package}"),
            "resources": {token: {} for token in self.registry.types if token.startswith(own)},
            "functions": {token: {} for token in self.registry.functions if token.startswith(own)},
        }
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        try:
            check_config(received(request.news).values)
        except RefusalError as error:
            failures = [provider_pb2.CheckFailure(reason=str(error))]
            return provider_pb2.CheckResponse(inputs=request.news, failures=failures)
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        old, new = received(request.old_inputs).values, received(request.news).values
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        return provider_pb2.DiffResponse(
            changes=_changes(bool(changed)),
            diffs=sorted(changed),
            replaces=sorted(changed & _REPLACING_CONFIG),
        )

    @_told
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        inputs = received(request.args).values
        self._configured[context.peer()] = configured(self._default, inputs)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_told
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        given = received(request.args)
        result = self.registry.invoke(request.tok, self._aws(context), given.values)
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(sent(result, result if given.secrets else ()))
        return answer

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        given = received(request.news)
        old = received(request.olds).values
        try:
            checked = self.registry.check(
                request.type, request.name, given.values, old, self._aws(context), _naming(request)
            )
        except RefusalError as error:
            return provider_pb2.CheckResponse(
                inputs=request.news, failures=[provider_pb2.CheckFailure(reason=str(error))]
            )
        secrets = given.secrets | ({"tagsAll"} if "tags" in given.secrets else set())
        return provider_pb2.CheckResponse(inputs=sent(checked, secrets, given.assets))

    @_told
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        old, new = received(request.old_inputs).values, received(request.news).values
        diff = self.registry.diff(request.type, old, new)
        fields = self.registry.type(request.type).fields
        return provider_pb2.DiffResponse(
            changes=_changes(bool(diff) or _INCOMPLETE in request.olds.fields),
            diffs=sorted(diff.changed),
            replaces=sorted(diff.replaces),
            deleteBeforeReplace=diff.delete_before_replace,
            detailedDiff={
                path: _property_diff(path, kind, diff)
                for path, kind in detailed_diff.detailed_diff(
                    fields, old, new, diff.changed
                ).items()
            },
            hasDetailedDiff=True,
        )

    @_told
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        given = received(request.properties, contents=not request.preview)
        aws = self._aws(context, request.timeout)
        secrets = given.secrets | self.registry.secrets(request.type)
        if request.preview:
            planned = self.registry.planned(request.type, aws, given.values)
            return provider_pb2.CreateResponse(properties=sent(planned, secrets, given.assets))
        try:
            id_, outputs = self.registry.create(request.type, aws, given.values)
        except PartlyCreatedError as error:
            known = {**error.outputs, _INCOMPLETE: True}
            _abort_incomplete(context, error, sent(known, secrets, given.assets))
        return provider_pb2.CreateResponse(id=id_, properties=sent(outputs, secrets, given.assets))

    @_told
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """A refresh, or an import: then there is nothing but the id."""
        known, inputs = received(request.properties), received(request.inputs)
        incomplete = known.values.pop(_INCOMPLETE, None)
        aws = self._aws(context, request.timeout)
        outputs = self.registry.read(request.type, aws, request.id, known.values)
        if outputs is None:
            return provider_pb2.ReadResponse()
        if inputs.values:
            wanted = self.registry.refreshed_inputs(request.type, inputs.values, outputs)
        else:
            wanted = self.registry.imported_inputs(request.type, outputs)
        if incomplete:
            outputs[_INCOMPLETE] = True
        secrets = known.secrets | inputs.secrets | self.registry.secrets(request.type)
        assets = {**known.assets, **inputs.assets}
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=sent(outputs, secrets, assets),
            inputs=sent(wanted, secrets, assets),
        )

    @_told
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        old, before = received(request.olds).values, received(request.old_inputs).values
        given = received(request.news, contents=not request.preview)
        type_, aws = request.type, self._aws(context, request.timeout)
        incomplete = old.pop(_INCOMPLETE, None)
        if request.preview:
            outputs = self.registry.planned(type_, aws, given.values, old)
        else:
            if incomplete:
                old = self.registry.resume(type_, aws, request.id, given.values)
            compared = received(request.news).values
            changed = self.registry.diff(type_, before, compared).changed
            outputs = self.registry.update(type_, aws, request.id, old, given.values, changed)
        secrets = given.secrets | self.registry.secrets(type_)
        return provider_pb2.UpdateResponse(properties=sent(outputs, secrets, given.assets))

    @_told
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        known = received(request.properties).values or received(request.old_inputs).values
        known.pop(_INCOMPLETE, None)
        self.registry.delete(request.type, self._aws(context, request.timeout), request.id, known)
        return empty_pb2.Empty()

    def _aws(self, context: grpc.ServicerContext, timeout: float = 0) -> Aws:
        """The clients of the provider that is calling; `timeout` 0 is the usual patience."""
        settings = self._configured.get(context.peer())
        if settings is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the provider is not configured")
        return Aws(settings, timeout) if timeout else Aws(settings)


def _naming(request: Any) -> Naming:
    options = request.autonaming
    seed = {"seed": request.randomSeed} if request.randomSeed else {}
    return Naming(**seed, proposed=options.proposed_name, disabled=options.mode == options.DISABLE)


def _changes(some: bool) -> Any:
    return provider_pb2.DiffResponse.DIFF_SOME if some else provider_pb2.DiffResponse.DIFF_NONE


def _property_diff(path: str, kind: str, diff: Diff) -> Any:
    name = path.split(".", 1)[0].split("[", 1)[0]
    return provider_pb2.PropertyDiff(kind=_KINDS[kind][name in diff.replaces], inputDiff=True)


def _abort_incomplete(
    context: grpc.ServicerContext, error: PartlyCreatedError, properties: Struct
) -> NoReturn:
    """Tells the engine that the resource exists, so that it keeps it and goes on the next time."""
    code = grpc.StatusCode.FAILED_PRECONDITION
    told = status_pb2.Status(code=code.value[0], message=str(error))
    told.details.add().Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.id, properties=properties, reasons=[str(error)]
        )
    )
    status = grpc.Status()
    status.code, status.details = code, str(error)
    status.trailing_metadata = (("grpc-status-details-bin", told.SerializeToString()),)
    context.abort_with_status(status)
    raise AssertionError("unreachable")


def attachments(ports: Mapping[str, int]) -> str:
    """Where the engine finds the providers, as its environment variable has it."""
    return ",".join(f"{package}:{port}" for package, port in ports.items())
