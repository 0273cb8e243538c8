"""Deploys a program with the real Pulumi engine, through the SDK's Automation API.

The program runs in this process, so no language plugin is needed; the state is a folder of files.
"""

import asyncio
import json
import re
import runpy
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pulumi
import yaml
from pulumi import automation as auto
from pulumi.automation.errors import CommandError
from pulumi.automation.events import EngineEvent, StepEventMetadata

from lab.provider.cli import environment, find_cli
from lab.provider.grpc_server import attachments
from lab.provider.inprocess import (
    ONE_AT_A_TIME,
    DeployError,
    Deployment,
    program_modules,
    program_traceback,
)
from lab.provider.monitor import STACK_TYPE, Diagnostic
from lab.provider.state import Entry
from lab.provider.steps import Change

PASSPHRASE = "lab"  # noqa: S105 the lab's keys open nothing outside it
_QUIET_SECONDS = 0.2
_MARKUP = re.compile(r"<\{%.*?%\}>")
_DONE_BY_PARTS = {"create-replacement", "delete-replaced", "discard-replaced"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the engine did to a resource, or in a preview would do.

    `operation` is the engine's word: create, update, replace, create-replacement, delete-replaced,
    delete, same, read, refresh … `detail` says for each changed property path what happens to it
    ("add", "delete", "update", each perhaps with "-replace"). `inputs` are the new ones.
    """

    operation: str
    urn: str
    type: str
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What a killed run of the engine had begun and never heard the end of.

    `operation` is the engine's word: creating, updating, deleting … A resource that was being
    created may be there or not: only AWS knows, and its id is not in the state.
    """

    operation: str
    urn: str
    type: str
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.urn.rpartition("::")[2]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A run of the engine that succeeded; `text` is what a person would have been shown."""

    steps: list[Step]
    text: str = field(repr=False)
    outputs: dict[str, Any] = field(default_factory=dict, repr=False)
    secret_outputs: frozenset[str] = frozenset()

    def of(self, operation: str) -> list[Step]:
        return [step for step in self.steps if step.operation == operation]

    @property
    def changing(self) -> list[Step]:
        """All but what stays as it is."""
        return [step for step in self.steps if step.operation not in ("same", "read", "refresh")]

    @property
    def changes(self) -> list[Change]:
        """The steps of resources that a provider manages, in the words of `inprocess`."""
        return [
            Change(operation=step.operation, urn=step.urn, properties=step.changed)
            for step in self.steps
            if step.operation not in _DONE_BY_PARTS and _is_managed(step.type)
        ]

    @property
    def deployment(self) -> Deployment:
        """The same, as `inprocess` tells it."""
        return Deployment(
            outputs=self.outputs, secret_outputs=self.secret_outputs, changes=self.changes
        )


class Engine:
    """One stack of the program in `root`, its state below `folder`.

    `config` is what `load_config` answers; `ports` those of the providers. Every method raises
    DeployError with what a user would be shown, and MissingCliError is raised for want of a CLI.
    """

    def __init__(
        self,
        root: Path,
        folder: Path,
        project: str,
        stack: str,
        config: Mapping[str, str],
        ports: Mapping[str, int],
    ) -> None:
        self.root = root.resolve()
        self.folder = folder.resolve()
        self.project = project
        self.name = stack
        self.config = dict(config)
        self.workspace_folder = self.folder / stack
        self._loop: asyncio.AbstractEventLoop | None = None
        self._state = self.folder / "state"
        for path in (self.workspace_folder, self._state):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.environment = environment(self._state, PASSPHRASE, attachments(ports))
        self.cli = find_cli()
        self._write_project()
        self._write_config({})
        self.stack = auto.create_or_select_stack(
            stack,
            project_name=project,
            program=self._program,
            opts=auto.LocalWorkspaceOptions(
                work_dir=str(self.workspace_folder),
                pulumi_command=self.cli,
                env_vars=self.environment,
            ),
        )

    def preview(self, changes: Mapping[str, str] | None = None) -> Result:
        """What `up` would do."""
        return self._run(self.stack.preview, changes, diff=True)

    def up(self, changes: Mapping[str, str] | None = None, replace: Sequence[str] = ()) -> Result:
        """Deploy, with `changes` to the configuration; `replace` names resources to make anew."""
        entries = self.entries() if replace else []
        urns = [one.urn for one in entries if one.urn.rpartition("::")[2] in replace]
        return self._run(self.stack.up, changes, **({"replace": urns} if urns else {}))

    def refresh(self, clear_pending_creates: bool = False) -> Result:
        """Make the state what AWS has.

        That settles what was pending, but for creations, which `clear_pending_creates` forgets.
        """
        return self._run(self.stack.refresh, None, clear_pending_creates=clear_pending_creates)

    def destroy(self) -> Result:
        """Delete everything."""
        return self._run(self.stack.destroy, None)

    def cancel(self) -> None:
        """Drop the lock that a killed run of the engine left behind."""
        self.stack.cancel()

    def pending(self) -> list[Pending]:
        """What a killed run left unfinished, or one that runs has under way."""
        exported = self.stack.export_stack().deployment or {}
        return [
            Pending(
                operation=one["type"],
                urn=one["resource"]["urn"],
                type=one["resource"]["type"],
                inputs=_shown(one["resource"].get("inputs", {})),
            )
            for one in exported.get("pending_operations", [])
        ]

    def entries(self) -> list[Entry]:
        """What the state holds of resources that a provider manages, secrets in plain text."""
        exported = self.stack.export_stack().deployment or {}
        return [
            Entry(
                urn=one["urn"],
                type=one["type"],
                id=one.get("id", ""),
                inputs=_shown(one.get("inputs", {})),
                outputs=_shown(one.get("outputs", {})),
                parent=one.get("parent", ""),
                provider=one.get("provider", ""),
                dependencies=one.get("dependencies", []),
                protect=one.get("protect", False),
            )
            for one in exported.get("resources", [])
            if _is_managed(one["type"])
        ]

    def _run(
        self, run: Callable[..., Any], changes: Mapping[str, str] | None, **options: Any
    ) -> Result:
        """One run of the engine, with its steps gathered from its events."""
        self._write_config(changes or {})
        heard = _Heard()
        with ONE_AT_A_TIME, program_modules(self.root):
            try:
                ran = run(on_event=heard, color="never", **options)
            except CommandError as error:
                self._close_loop()
                diagnostics = heard.errors or [Diagnostic(message=str(error).strip())]
                result = Result(steps=heard.steps, text="")
                raise DeployError(diagnostics, result.changes) from error
        return Result(
            steps=heard.steps,
            text=ran.stdout,
            outputs={name: one.value for name, one in getattr(ran, "outputs", {}).items()},
            secret_outputs=heard.secret_outputs,
        )

    def _program(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_end_program)
        try:
            runpy.run_path(str(self.root / "__main__.py"), run_name="__main__")
        except pulumi.RunError:
            raise
        except Exception as error:
            raise pulumi.RunError(program_traceback(error, self.root)) from error

    def _close_loop(self) -> None:
        """Closes the loop of a program whose deployment failed, which the SDK leaves open."""
        loop, self._loop = self._loop, None
        quiet_since = time.monotonic()
        while loop and not loop.is_closed():
            if loop.is_running():
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _QUIET_SECONDS:
                loop.close()
            time.sleep(0.01)

    def _write_project(self) -> None:
        """A project of the program's name whose program is where it is."""
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
        project = {"name": self.project, "runtime": runtime, "main": str(self.root)}
        (self.workspace_folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))

    def _write_config(self, changes: Mapping[str, str]) -> None:
        """The stack's configuration; the engine keeps the salt of its secrets in the same file."""
        path = self.workspace_folder / f"Pulumi.{self.name}.yaml"
        settings = (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}
        settings["config"] = {**self.config, **changes}
        path.write_text(yaml.safe_dump(settings))


def _end_program(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ends a program whose deployment has failed.

    In place of the SDK's own handler, which stops the loop and leaves tasks and sockets behind.
    """

    def cancel() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    if isinstance(context.get("exception"), grpc.RpcError) and not loop.is_closed():
        loop.call_soon_threadsafe(cancel)


class _Heard:
    """Gathers steps and errors from the engine's events."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.errors: list[Diagnostic] = []
        self.secret_outputs: frozenset[str] = frozenset()

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event and event.resource_pre_event.planning:
            self.steps.append(_step(event.resource_pre_event.metadata))
        elif event.res_outputs_event and not event.res_outputs_event.planning:
            step = _step(event.res_outputs_event.metadata)
            self.steps.append(step)
            if step.type == STACK_TYPE:
                self.secret_outputs = frozenset(
                    name for name, value in step.outputs.items() if _holds_secret(value)
                )
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            message = _MARKUP.sub("", event.diagnostic_event.message).strip()
            urn = event.diagnostic_event.urn or ""
            self.errors.append(Diagnostic(urn=urn, message=message.removeprefix("error: ")))


def _step(told: StepEventMetadata) -> Step:
    return Step(
        operation=str(told.op.value),
        urn=told.urn,
        type=told.type,
        changed=tuple(told.diffs or ()),
        replaces=tuple(told.keys or ()),
        detail={path: str(one.diff_kind.value) for path, one in (told.detailed_diff or {}).items()},
        inputs=(told.new and told.new.inputs) or {},
        outputs=(told.new and told.new.outputs) or {},
    )


def _holds_secret(value: Any) -> bool:
    """Whether an output, as the engine shows it, leaves something out."""
    if isinstance(value, dict):
        return any(_holds_secret(one) for one in value.values())
    if isinstance(value, list):
        return any(_holds_secret(one) for one in value)
    return value == "[secret]"


def _is_managed(type_: str) -> bool:
    """Not a component, the stack, or a provider."""
    return type_.startswith(("aws:", "tls:"))


def _shown(value: Any) -> Any:
    """A value of an exported state with its secrets opened."""
    if isinstance(value, dict):
        if "plaintext" in value:
            return json.loads(value["plaintext"])
        return {name: _shown(one) for name, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list) else value
