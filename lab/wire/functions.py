"""Lambda's data plane: functions run as they were deployed, each environment a process of its own.

Concurrency is bounded by the function's reserved concurrency, and without one by ten environments,
which is this lab's limit and not Lambda's. A version or alias runs what was published, in
environments of its own. Container images are refused.
"""

import json
import logging
import math
import shutil
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lab.wire import packages
from lab.wire.aws import Accounts, Reader
from lab.wire.cloudwatch import is_missing, make_group, put_lines
from lab.wire.environments import Environment, Function, Internet, Outcome

MAX_REQUEST_BYTES = 6_291_456
"""Quota of a synchronous invocation's payload ("Lambda quotas": 6 MB)."""

_logger = logging.getLogger(__name__)
_UNRESERVED_CONCURRENCY = 10
# What a configuration says about the function's state and not about its environments.
_PASSING = ("State", "StateReason", "StateReasonCode", "LastUpdateStatus")


@dataclass(frozen=True, kw_only=True)
class InvokeResult:
    """What Invoke answers: the function's JSON value, or an error object with `function_error`
    "Unhandled".
    """

    payload: Any
    request_id: str
    function_error: str | None = None


class ThrottledError(Exception):
    """Lambda's TooManyRequestsException: the reserved concurrency is in use."""


class PayloadTooLargeError(Exception):
    """Lambda's RequestTooLargeException."""


class NotModelledError(Exception):
    """A function of a kind that this lab cannot run."""


@dataclass
class _Pool:
    """The environments of one function. `changed` guards both lists."""

    idle: list[Environment] = field(default_factory=list)
    busy: list[Environment] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)


class Functions:
    """Invokes deployed functions by ARN; `close()` ends every process.

    `internet` and `internet_ca`: see `environments.Internet`.
    """

    def __init__(
        self,
        accounts: Accounts,
        internet: Mapping[str, int] | None = None,
        internet_ca: Path | None = None,
    ) -> None:
        self._accounts = accounts
        self._internet = Internet(hosts={} if internet is None else internet, ca=internet_ca)
        self._root = Path(tempfile.mkdtemp(prefix="lab-lambda-"))
        self._foreign: dict[Path, frozenset[str]] = {}
        self._pools: dict[str, _Pool] = {}
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(max_workers=64, thread_name_prefix="lambda")
        self._closed = False

    def invoke(self, function_arn: str, event: Any, timeout_seconds: float) -> InvokeResult:
        """Runs the function and waits at most `timeout_seconds` for it; the function itself goes
        on.

        Raises TimeoutError, ThrottledError, PayloadTooLargeError, NotModelledError, and ClientError
        as the AWS API gave it (ResourceNotFoundException for an unknown function).
        """
        if len(json.dumps(event).encode()) > MAX_REQUEST_BYTES:
            raise PayloadTooLargeError(function_arn)
        return self._executor.submit(self._run, function_arn, event).result(timeout_seconds)

    def close(self) -> None:
        """Ends every process at once; running ones fail. Nothing may be called afterwards."""
        self._closed = True
        for pool in list(self._pools.values()):
            with pool.changed:
                for environment in [*pool.idle, *pool.busy]:
                    environment.close()
                pool.changed.notify_all()
        self._executor.shutdown()
        for pool in self._pools.values():
            for environment in pool.idle:
                environment.dispose()
        shutil.rmtree(self._root)

    def _run(self, arn: str, event: Any) -> InvokeResult:
        reader = self._accounts.of_arn(arn)
        answer = reader.call("lambda", "get_function", FunctionName=arn)
        function = self._function(reader, answer)
        reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        with self._lock:
            pool = self._pools.setdefault(answer["Configuration"]["FunctionArn"], _Pool())
        environment = self._take(pool, function, reserved)
        try:
            request_id = str(uuid.uuid4())
            started = datetime.now(UTC)
            outcome = environment.invoke(arn, event, request_id)
            _log(reader, environment, request_id, started, outcome)
        finally:
            self._release(pool, environment)
        error = "Unhandled" if outcome.failed else None
        payload = json.loads(outcome.payload)
        return InvokeResult(payload=payload, request_id=request_id, function_error=error)

    def _function(self, reader: Reader, answer: dict[str, Any]) -> Function:
        """The deployed code, unpacked once per content."""
        configuration = answer["Configuration"]
        runtime = configuration.get("Runtime", "")
        if configuration.get("PackageType") == "Image" or not runtime.startswith("python"):
            name = configuration["FunctionName"]
            raise NotModelledError(f"{name}: only zip packages with a Python runtime run here")
        folder = self._root / configuration["CodeSha256"].replace("/", "_")
        with self._lock:
            if not folder.exists():
                archive = reader.fetch(answer["Code"]["Location"])
                zipfile.ZipFile(BytesIO(archive)).extractall(folder)
                self._foreign[folder] = _foreign(folder, configuration["FunctionName"])
        if missing := self._foreign[folder] - packages.of_this_machine(self._foreign[folder]):
            raise NotModelledError(
                f"{configuration['FunctionName']}: its {', '.join(sorted(missing))} is built for"
                " another platform or Python, and this machine has no package of that name"
            )
        settings = {k: v for k, v in configuration.items() if k not in _PASSING}
        return Function(code=folder, configuration=settings, machine_packages=self._foreign[folder])

    def _take(self, pool: _Pool, function: Function, reserved: int | None) -> Environment:
        """An environment of exactly this code and configuration, new or used before."""
        limit = _UNRESERVED_CONCURRENCY if reserved is None else reserved
        with pool.changed:
            self._retire(pool, function)
            while not pool.idle and len(pool.busy) >= limit:
                if reserved is not None:
                    raise ThrottledError(function.configuration["FunctionName"])
                pool.changed.wait()
                self._retire(pool, function)
            if self._closed:
                raise RuntimeError("the lab's functions are closed")
            environment = pool.idle.pop() if pool.idle else Environment(function, self._internet)
            pool.busy.append(environment)
            return environment

    @staticmethod
    def _retire(pool: _Pool, function: Function) -> None:
        for environment in [item for item in pool.idle if item.function != function]:
            pool.idle.remove(environment)
            environment.dispose()

    @staticmethod
    def _release(pool: _Pool, environment: Environment) -> None:
        with pool.changed:
            pool.busy.remove(environment)
            if environment.usable:
                pool.idle.append(environment)
            else:
                environment.dispose()
            pool.changed.notify()


def _foreign(code: Path, function_name: str) -> frozenset[str]:
    names = packages.foreign(code)
    if names:
        text = "%s: built for another platform or Python, so this machine's run instead: %s"
        _logger.warning(text, function_name, ", ".join(sorted(names)))
    return names


def _log(
    reader: Reader,
    environment: Environment,
    request_id: str,
    started: datetime,
    outcome: Outcome,
) -> None:
    """The function's output between Lambda's own lines, in the function's log group."""
    render = _json_lines if environment.function.logs_json else _text_lines
    lines = render(environment, request_id, started, outcome)
    group, stream = environment.function.log_group, environment.log_stream
    try:
        put_lines(reader, group, stream, lines)
    except ClientError as error:
        if not is_missing(error):
            raise
        # Lambda makes the group on first use; whether the role may is not modelled.
        make_group(reader, group)
        put_lines(reader, group, stream, lines)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _text_lines(
    environment: Environment, request_id: str, started: datetime, outcome: Outcome
) -> list[str]:
    """START, output, END and REPORT as Lambda's text format has them; without "Max Memory Used",
    not measured.
    """
    duration = _milliseconds(outcome.seconds)
    billed = math.ceil(outcome.seconds * 1000)
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {environment.function.configuration['MemorySize']} MB",
    ]
    if environment.init_seconds is not None:
        parts.append(f"Init Duration: {_milliseconds(environment.init_seconds):.2f} ms")
        environment.init_seconds = None
    version = environment.function.version
    lines = [f"START RequestId: {request_id} Version: {version}", *environment.new_output()]
    if outcome.failed:
        parts.append(f"Status: {outcome.status}")
    if outcome.status == "timeout":
        text = json.loads(outcome.payload)["errorMessage"].partition(" Error: ")[2]
        moment = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines.append(f"{moment} {request_id} {text}")
    return [*lines, f"END RequestId: {request_id}", "\t".join(parts)]


def _json_lines(
    environment: Environment, request_id: str, started: datetime, outcome: Outcome
) -> list[str]:
    """The same as JSON system log events ("Log formats", AWS Lambda Developer Guide)."""
    level = environment.function.configuration["LoggingConfig"].get("SystemLogLevel", "INFO")
    output = environment.new_output()
    if level == "WARN":
        return output
    metrics: dict[str, float] = {
        "durationMs": _milliseconds(outcome.seconds),
        "billedDurationMs": math.ceil(outcome.seconds * 1000),
        "memorySizeMB": environment.function.configuration["MemorySize"],
    }
    if environment.init_seconds is not None:
        metrics["initDurationMs"] = _milliseconds(environment.init_seconds)
        environment.init_seconds = None
    start = {"requestId": request_id, "version": environment.function.version}
    end = {"requestId": request_id, "metrics": metrics, "status": outcome.status}
    return [
        _platform_line("platform.start", started, start),
        *output,
        _platform_line("platform.report", datetime.now(UTC), end),
    ]


def _platform_line(kind: str, moment: datetime, record: dict[str, Any]) -> str:
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": stamp, "type": kind, "record": record})
