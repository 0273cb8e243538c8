"""Deploys a Pulumi program in this process: the SDK's mocks talk to the registry, no engine is
needed.
"""

import asyncio
import contextlib
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as runtime_config
from pulumi.runtime.mocks import MockEngine
from pulumi.runtime.settings import Settings, configure
from pulumi.runtime.stack import run_in_stack

from lab.provider.aws import ProviderSettings
from lab.provider.monitor import Diagnostic, Monitor, StoppedError
from lab.provider.provider_config import configured
from lab.provider.registry import OperationError, Registry
from lab.provider.schema import RefusalError, nearest
from lab.provider.state import State
from lab.provider.steps import Change, ResourceError, Steps

_PROVIDER_CONFIG = ("aws:region", "aws:defaultTags", "aws:allowedAccountIds")
_KEPT_MODULES = ("lab", "tests", "bench")
ORGANIZATION = "organization"
"""What Pulumi calls the one organization of a backend that is a folder."""
ONE_AT_A_TIME = threading.Lock()


class DeployError(Exception):
    """A deployment that failed; what was done until then is in the state.

    `str()` is what a user would see.
    """

    def __init__(self, diagnostics: list[Diagnostic], changes: list[Change]) -> None:
        super().__init__("\n".join(str(one) for one in diagnostics))
        self.diagnostics = diagnostics
        self.changes = changes


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A deployment that succeeded: the stack's outputs, which of them are secret, and what was
    changed.
    """

    outputs: dict[str, Any] = field(repr=False)
    secret_outputs: frozenset[str]
    changes: list[Change]

    def count(self, operation: str) -> int:
        """How many resources were created, updated, replaced, deleted or the same."""
        return sum(change.operation == operation for change in self.changes)


def deploy(
    program: Path,
    project: str,
    stack: str,
    config: Mapping[str, str],
    state: State,
    registry: Registry,
    settings: ProviderSettings,
    deployed: Mapping[str, Deployment] | None = None,
) -> Deployment:
    """Runs the program in the folder `program` and makes `state` what it declares.

    `config` is what `load_config` answers; `deployed` the project's other stacks, and this one as
    it was last deployed, by name, for stack references. The working folder and the module path are
    the process's own, so deployments take turns. Raises DeployError; calling again goes on where a
    failed deployment stopped.
    """
    with ONE_AT_A_TIME:
        steps = Steps(registry, state, _default_provider(config, settings))
        monitor = Monitor(steps, project, stack, _referable(project, stack, deployed or {}))
        run = _Run(program.resolve(), project, stack, config, monitor)
        with program_modules(run.root):
            thread = threading.Thread(target=run, name=f"deploy {project}/{stack}")
            thread.start()
            thread.join()
        if not monitor.diagnostics:
            with _reported(monitor):
                steps.finish()
        if monitor.diagnostics:
            raise DeployError(monitor.diagnostics, steps.changes)
        return Deployment(
            outputs=monitor.outputs,
            secret_outputs=monitor.secret_outputs,
            changes=steps.changes,
        )


def destroy(state: State, registry: Registry, settings: ProviderSettings) -> list[Change]:
    """Deletes everything in `state`, dependents first. Raises DeployError; call again to go on."""
    steps = Steps(registry, state, settings)
    monitor = Monitor(steps, "", "")
    with _reported(monitor):
        steps.destroy()
    if monitor.diagnostics:
        raise DeployError(monitor.diagnostics, steps.changes)
    return steps.changes


def refresh(state: State, registry: Registry, settings: ProviderSettings) -> list[Change]:
    """Makes `state` what AWS has, and changes nothing there.

    `settings` are the default provider's, with the stack's region and default tags. A change is of
    the state: "update" where AWS has something else, "delete" where it has nothing, else "same".
    Raises DeployError; what was read until then is in the state.
    """
    steps = Steps(registry, state, settings)
    monitor = Monitor(steps, "", "")
    with _reported(monitor):
        steps.refresh()
    if monitor.diagnostics:
        raise DeployError(monitor.diagnostics, steps.changes)
    return steps.changes


@contextlib.contextmanager
def _reported(monitor: Monitor) -> Iterator[None]:
    try:
        yield
    except ResourceError as error:
        monitor.fail(Diagnostic(urn=error.urn, message=str(error)))


def _referable(
    project: str, stack: str, deployed: Mapping[str, Deployment]
) -> dict[str, tuple[dict[str, Any], frozenset[str]]]:
    """By full name, what stack references see: outputs, and which are secret."""
    found = {
        f"{ORGANIZATION}/{project}/{name}": (one.outputs, one.secret_outputs)
        for name, one in deployed.items()
    }
    return {f"{ORGANIZATION}/{project}/{stack}": ({}, frozenset[str]()), **found}


def _default_provider(config: Mapping[str, str], settings: ProviderSettings) -> ProviderSettings:
    """The default provider: the lab's endpoint and credentials, the stack's region and default
    tags.
    """
    inputs = {}
    for key, value in config.items():
        if key.startswith("aws:"):
            if key not in _PROVIDER_CONFIG:
                message = f"unknown configuration '{key}'; {nearest(key, _PROVIDER_CONFIG)}"
                raise DeployError([Diagnostic(message=message)], [])
            inputs[key.removeprefix("aws:")] = value
    try:
        return configured(settings, inputs)
    except (OperationError, RefusalError) as error:
        raise DeployError([Diagnostic(message=str(error))], []) from error


class _Run:
    """One run of a program, to be called in a thread of its own.

    A new thread starts with an empty context, and the SDK keeps everything in context variables:
    nothing of an earlier deployment, or of a test's mocks in the main thread, can be seen in it.
    """

    def __init__(
        self, root: Path, project: str, stack: str, config: Mapping[str, str], monitor: Monitor
    ) -> None:
        self.root = root
        self._project = project
        self._stack = stack
        self._config = dict(config)
        self._monitor = monitor

    def __call__(self) -> None:
        configure(
            Settings(
                project=self._project,
                stack=self._stack,
                monitor=self._monitor,
                engine=MockEngine(logging.getLogger("pulumi")),
                dry_run=False,
                organization=ORGANIZATION,
                root_directory=str(self.root),
            )
        )
        runtime_config.set_all_config(self._config, [])
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(
            lambda _loop, _context: None
        )  # reported by the diagnostics already
        try:
            loop.run_until_complete(run_in_stack(self._program))
        except Exception as error:
            self._report(error)
        finally:
            self._close(loop)

    def _program(self) -> None:
        runpy.run_path(str(self.root / "__main__.py"), run_name="__main__")

    def _report(self, error: BaseException) -> None:
        """An error that is no resource's: the program's own.

        Pulumi's RunError is meant to be read alone.
        """
        if self._monitor.diagnostics and _is_stopped(error):
            return
        if isinstance(error, pulumi.RunError):
            self._monitor.fail(Diagnostic(message=str(error)))
        else:
            self._monitor.fail(Diagnostic(message=program_traceback(error, self.root)))

    def _close(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets running operations end, so that the state holds what they did; drops the rest."""
        loop.run_until_complete(loop.shutdown_default_executor())
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()


def _is_stopped(error: BaseException | None) -> bool:
    """Whether an error is only the echo of a resource's, however the SDK wrapped it."""
    while error is not None:
        if isinstance(error, StoppedError):
            return True
        error = error.__cause__ or error.__context__
    return False


def program_traceback(error: BaseException, root: Path) -> str:
    """The error as Python shows it, with only the frames that lie in the program."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if _is_program_file(frame.filename, root)
    ]
    lines = ["Program failed with an unhandled exception:\n"]
    if frames:
        lines.append("Traceback (most recent call last):\n")
        lines += traceback.format_list(frames)
    lines += traceback.format_exception_only(error)
    return "".join(lines).rstrip()


def _is_program_file(filename: str | None, root: Path) -> bool:
    if not filename:
        return False
    path = Path(filename)
    if not path.is_relative_to(root):
        return False
    parts = path.relative_to(root).parts
    return parts[0] not in (*_KEPT_MODULES, ".venv") and "site-packages" not in parts


@contextlib.contextmanager
def program_modules(root: Path) -> Iterator[None]:
    """The program's folder as working folder and first on the path, its modules imported afresh.

    Modules of the program that the process had before come back afterwards. No bytecode is written:
    two edits within a second would otherwise be taken for one.
    """
    before = _take_program_modules(root)
    folder, path, bytecode = Path.cwd(), list(sys.path), sys.dont_write_bytecode
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    os.chdir(root)
    try:
        yield
    finally:
        os.chdir(folder)
        sys.path[:] = path
        sys.dont_write_bytecode = bytecode
        _take_program_modules(root)
        sys.modules.update(before)


def _take_program_modules(root: Path) -> dict[str, Any]:
    """Takes out every module that a program in `root` would import from there.

    By name, so that a copy of a program elsewhere does not get the modules of the original.
    """
    own = {path.stem for path in root.glob("*.py")}
    own |= {path.parent.name for path in root.glob("*/__init__.py")}
    own -= {"__main__", *_KEPT_MODULES}
    names = [name for name in list(sys.modules) if name.partition(".")[0] in own]
    return {name: sys.modules.pop(name) for name in names}
