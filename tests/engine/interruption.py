"""Kills a run of the engine at a chosen point, while the providers and AWS go on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from lab.provider.aws import Aws
from lab.provider.engine import Engine
from lab.provider.registry import OperationError, Registry
from lab.provider.resources import full_registry

Answer = TypeVar("Answer")
Values = Mapping[str, Any]
Point = tuple[str, str]
WITHIN_SECONDS = 60
RUN = """
import json, sys
from pathlib import Path
from lab.provider.engine import Engine
run, root, folder, project, stack, config, ports, changes = json.loads(sys.argv[1])
engine = Engine(Path(root), Path(folder), project, stack, config, ports)
engine.up(changes) if run == "up" else engine.destroy()
"""


class Gate(Registry):
    """The registry, with points where a call is held, so that the engine never hears its end.

    A point is an operation and a resource type, held "before" AWS is asked or "after" AWS has done
    it. Once every point is reached, all that is asked for then is held before AWS is asked.
    """

    def __init__(self) -> None:
        known = full_registry()
        super().__init__(known.types.values(), known.functions)
        self.held = 0
        self._points: dict[Point, str] = {}
        self._reached: set[Point] = set()
        self._running = 0
        self._changed = threading.Condition()
        self._open = threading.Event()

    @contextmanager
    def holding(self, when: str, *points: Point) -> Iterator[None]:
        """Holds what comes to `points`; at the end those calls fail."""
        self._points, self._reached, self.held = dict.fromkeys(points, when), set(), 0
        self._open.clear()
        try:
            yield
        finally:
            self._points = {}
            self._open.set()

    def wait(self) -> None:
        """Until every point is reached, and every call is held or done."""
        with self._changed:
            quiet = self._changed.wait_for(lambda: self._shut and not self._running, WITHIN_SECONDS)
            assert quiet, f"of {list(self._points)} only {self._reached} were reached"

    def create(self, token: str, aws: Aws, inputs: Values) -> tuple[str, dict[str, Any]]:
        create = super().create
        return self._pass(("create", token), lambda: create(token, aws, inputs))

    def update(
        self, token: str, aws: Aws, id_: str, old: Values, new: Values, changed: Iterable[str]
    ) -> dict[str, Any]:
        update = super().update
        return self._pass(("update", token), lambda: update(token, aws, id_, old, new, changed))

    def delete(self, token: str, aws: Aws, id_: str, known: Values) -> None:
        delete = super().delete
        self._pass(("delete", token), lambda: delete(token, aws, id_, known))

    @property
    def _shut(self) -> bool:
        return bool(self._points) and self._reached == set(self._points)

    def _pass(self, point: Point, call: Callable[[], Answer]) -> Answer:
        with self._changed:
            when = self._points.get(point)
            if self._shut or when == "before":
                self._hold(point)
            self._running += 1
        try:
            done = call()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
        if when == "after":
            with self._changed:
                self._hold(point)
        return done

    def _hold(self, point: Point) -> None:
        """Called with the condition's lock, which others have while this waits."""
        self._reached |= {point} & set(self._points)
        self.held += 1
        self._changed.notify_all()
        self._changed.release()
        try:
            self._open.wait(2 * WITHIN_SECONDS)
        finally:
            self._changed.acquire()
        raise OperationError("the engine was killed")


def kill(
    run: str,
    engine: Engine,
    ports: Mapping[str, int],
    gate: Gate,
    when: str,
    *points: Point,
    changes: Mapping[str, str] | None = None,
) -> None:
    """Runs the engine in a process group of its own, and kills all of it at these points.

    By then the state holds everything but what is held.
    """
    given = [run, engine.root, engine.folder, engine.project, engine.name, engine.config]
    arguments = json.dumps([*given, dict(ports), dict(changes or {})], default=str)
    with gate.holding(when, *points):
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, arguments],
            cwd=engine.root,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            gate.wait()
            deadline = time.monotonic() + WITHIN_SECONDS
            while len(engine.pending()) != gate.held:
                assert time.monotonic() < deadline, (
                    gate.held,
                    [(one.operation, one.name) for one in engine.pending()],
                )
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
