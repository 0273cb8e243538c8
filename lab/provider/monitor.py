"""The engine's side of a program's conversation: the SDK's mock monitor over the registry."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.proto import alias_pb2, resource_pb2

from lab.provider.registry import OperationError
from lab.provider.schema import Kind, RefusalError
from lab.provider.state import Entry
from lab.provider.steps import PROVIDER_PREFIX, Goal, ResourceError, Steps
from lab.provider.wire_values import answered, received, seconds

STACK_TYPE = "pulumi:pulumi:Stack"
_REFERENCE_TYPE = "pulumi:pulumi:StackReference"


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One error: of the resource `urn`, or of the program when that is empty."""

    message: str
    urn: str = ""

    def __str__(self) -> str:
        if not self.urn:
            return f"error: {self.message}"
        _, _, type_, name = self.urn.split("::", 3)
        return f"error: {type_.rpartition('$')[2]} ({name}): {self.message}"


class StoppedError(Exception):
    """What a program is told when its deployment has failed; the diagnostics say why."""


class Monitor(MockMonitor):
    """Answers registrations, reads and invokes. After the first error it starts nothing more.

    `referable` are the stacks that may be referred to, by full name: outputs, and the secret ones.
    """

    def __init__(
        self,
        steps: Steps,
        project: str,
        stack: str,
        referable: Mapping[str, tuple[dict[str, Any], frozenset[str]]] | None = None,
    ) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # every method that would ask the mocks is replaced
        self.diagnostics: list[Diagnostic] = []
        self.outputs: dict[str, Any] = {}
        self.secret_outputs: frozenset[str] = frozenset()
        self._steps = steps
        self._project = project
        self._stack = stack
        self._referable = referable or {}
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """A URN names the types of the parents too, but for the stack's."""
        parent_type = parent.split("::")[2] if parent else ""
        qualified = type_ if parent_type in ("", STACK_TYPE) else f"{parent_type}${type_}"
        return f"urn:pulumi:{self._stack}::{self._project}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the SDK's name
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        if not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        entry, secrets = self._guarded(urn, lambda: self._apply(urn, request))
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=entry.id, object=answered(self._shown(entry), secrets)
        )

    def _shown(self, entry: Entry) -> dict[str, Any]:
        """The outputs without assets: the program has the asset, the state only its fingerprint."""
        if entry.type.startswith(PROVIDER_PREFIX):
            return entry.outputs
        fields = self._steps.registry.type(entry.type).fields
        return {
            name: value
            for name, value in entry.outputs.items()
            if fields[name].kind is not Kind.ASSET
        }

    def _apply(self, urn: str, request: Any) -> tuple[Entry, frozenset[str]]:
        _refuse_unmodelled(request)
        self._adopt(urn, request)
        inputs, marked = received(request.object)
        secrets = marked | set(request.additionalSecretOutputs)
        if not request.type.startswith(PROVIDER_PREFIX):
            secrets |= self._steps.registry.secrets(request.type)
        goal = Goal(
            urn=urn,
            type=request.type,
            name=request.name,
            inputs=inputs,
            parent=_managed(request.parent),
            provider=request.provider.rpartition("::")[0],
            dependencies=tuple(request.dependencies),
            property_dependencies={
                name: list(one.urns) for name, one in request.propertyDependencies.items()
            },
            secrets=secrets,
            ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            replace_with=tuple(request.replace_with),
            delete_before_replace=(
                request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
            ),
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            patience=seconds(request.customTimeouts.create),
        )
        return self._steps.apply(goal), secrets

    def _adopt(self, urn: str, request: Any) -> None:
        """A resource known under an alias goes on under its new URN."""
        state = self._steps.state
        if state.get(urn):
            return
        for alias in request.aliases:
            old = alias.urn or self._alias_urn(alias.spec, request)
            if state.get(old):
                state.rename(old, urn)
                return

    def _alias_urn(self, spec: alias_pb2.Alias.Spec, request: Any) -> str:
        parent = "" if spec.noParent else spec.parentUrn or request.parent
        urn = self.make_urn(parent, spec.type or request.type, spec.name or request.name)
        _, _, qualified, name = urn.split("::", 3)
        place = f"{spec.stack or self._stack}::{spec.project or self._project}"
        return f"urn:pulumi:{place}::{qualified}::{name}"

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 the SDK's name
        urn = self.make_urn(request.parent, request.type, request.name)
        read = self._refer if request.type == _REFERENCE_TYPE else self._read
        outputs = self._guarded(urn, lambda: read(request))
        return resource_pb2.ReadResourceResponse(urn=urn, properties=outputs)

    def _read(self, request: Any) -> Any:
        steps = self._steps
        known, marked = received(request.properties)
        aws = steps.aws(request.provider.rpartition("::")[0])
        outputs = steps.registry.read(request.type, aws, request.id, known)
        if outputs is None:
            raise RefusalError(f"resource '{request.id}' does not exist")
        return answered(outputs, marked | steps.registry.secrets(request.type))

    def _refer(self, request: Any) -> Any:
        if request.id not in self._referable:
            raise RefusalError(f"unknown stack {request.id!r}")
        outputs, secrets = self._referable[request.id]
        seen = {"name": request.id, "outputs": outputs, "secretOutputNames": sorted(secrets)}
        return answered(seen, {"outputs"} if secrets else ())

    def Invoke(self, request: Any) -> Any:  # noqa: N802 the SDK's name
        if request.tok == "pulumi:pulumi:getResource":
            raise RefusalError("getResource is not modelled")
        result = self._guarded("", lambda: self._invoke(request))
        return resource_pb2.ResourceInvokeResponse(**{"return": result})

    def _invoke(self, request: Any) -> Any:
        arguments, marked = received(request.args)
        aws = self._steps.aws(request.provider.rpartition("::")[0])
        result = self._steps.registry.invoke(request.tok, aws, arguments)
        return answered(result, set(result) if marked else ())

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 the SDK's name
        if request.urn.split("::")[2] == STACK_TYPE:
            self.outputs, self.secret_outputs = received(request.outputs)
        return empty_pb2.Empty()

    def fail(self, diagnostic: Diagnostic) -> None:
        with self._lock:
            self.diagnostics.append(diagnostic)

    def _guarded(self, urn: str, work: Callable[[], Any]) -> Any:
        """The result of `work`, unless the deployment has failed already.

        An error becomes a diagnostic.
        """
        if self.diagnostics:
            raise StoppedError("the deployment has failed")
        try:
            return work()
        except ResourceError as error:
            self.fail(Diagnostic(urn=error.urn, message=str(error)))
        except (OperationError, RefusalError) as error:
            self.fail(Diagnostic(urn=urn, message=str(error)))
        raise StoppedError("the deployment has failed")


def _managed(parent: str) -> str:
    """The parent's URN, unless it is the stack, which is in no state."""
    return "" if not parent or parent.split("::")[2] == STACK_TYPE else parent


def _refuse_unmodelled(request: Any) -> None:
    """Raises RefusalError for a resource option that this engine would have to ignore."""
    for option, value in (
        ("import_", request.importId),
        ("deleted_with", request.deletedWith),
        ("replacement_trigger", request.HasField("replacement_trigger")),
        ("transforms", list(request.transforms)),
        ("hooks", request.HasField("hooks") and request.hooks.ByteSize() > 0),
        ("remote components", request.remote),
    ):
        if value:
            raise RefusalError(
                f"the resource option {option} is not modelled; use the Pulumi engine for it"
            )
