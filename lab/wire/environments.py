"""A Lambda execution environment as a process: the deployed code, its environment variables, its
time limit.

Processor and Python are this machine's, whatever the function says; `packages` is about code built
for others. A version with SnapStart is initialised like any other: there is no snapshot. Not
modelled: the memory limit, a file system of its own, and credentials of the execution role.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.wire.packages import MACHINE_PACKAGES

INIT_SECONDS = 10.0
"""How long the init phase may last ("Understanding the Lambda execution environment lifecycle")."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """What an environment is made from: the unpacked code, `Configuration` as GetFunction gives it,
    and which of the code's packages are this machine's instead.
    """

    code: Path
    configuration: dict[str, Any]
    machine_packages: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        return self.configuration["Version"]

    @property
    def timeout_seconds(self) -> int:
        return int(self.configuration["Timeout"])

    @property
    def logs_json(self) -> bool:
        return self.configuration.get("LoggingConfig", {}).get("LogFormat") == "JSON"

    @property
    def log_group(self) -> str:
        default = f"/aws/lambda/{self.configuration['FunctionName']}"
        return self.configuration.get("LoggingConfig", {}).get("LogGroup") or default


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One invocation: the JSON text of the result or error object, and Lambda's word for it."""

    payload: str
    status: str
    seconds: float

    @property
    def failed(self) -> bool:
        return self.status != "success"


@dataclass(frozen=True, kw_only=True)
class Internet:
    """What functions find outside: host names, each with the port on 127.0.0.1 that answers as its
    port 443, and the authority that their certificates come from (`SSL_CERT_FILE`; None: the
    machine's own authorities).
    """

    hosts: Mapping[str, int] = field(default_factory=dict)
    ca: Path | None = None


class Environment:
    """One process with the handler imported; it handles one invocation at a time.

    Once `usable` is False (timed out, exited, could not import) it must be closed and never used
    again.
    """

    def __init__(self, function: Function, internet: Internet) -> None:
        self.function = function
        self.usable = True
        self.log_stream = f"{time.strftime('%Y/%m/%d')}/[{function.version}]{uuid.uuid4().hex}"
        self.init_seconds: float | None = None
        self._closing = threading.Lock()
        self._closed = False
        self._ready = False
        self._buffer = b""
        self._logged = 0
        # A file and not a pipe: what was printed is complete when the answer is there, and never
        # blocks the handler.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by dispose
        child_requests, self._requests = os.pipe()
        self._replies, child_replies = os.pipe()
        special = {
            "machine_packages": sorted(function.machine_packages),
            "internet": dict(internet.hosts),
        }
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package's file
            [
                *(sys.executable, "-I", "-S", "-B", "-u"),
                str(Path(__file__).with_name("bootstrap.py")),
                *(str(function.code), function.configuration["Handler"]),
                *(str(child_requests), str(child_replies), MACHINE_PACKAGES, json.dumps(special)),
            ],
            cwd=function.code,
            env=_variables(function, self.log_stream, internet.ca),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            pass_fds=(child_requests, child_replies),
            start_new_session=True,
        )
        os.close(child_requests)
        os.close(child_replies)

    def invoke(self, function_arn: str, event: Any, request_id: str) -> Outcome:
        """Runs the handler once, at most the function's Timeout (and the init phase before the
        first).
        """
        problem = self._initialise(request_id)
        if problem:
            return problem
        started = time.monotonic()
        deadline = started + self.function.timeout_seconds
        request = {
            "event": event,
            "request_id": request_id,
            "function_arn": function_arn,
            "deadline_ms": int((time.time() + self.function.timeout_seconds) * 1000),
        }
        try:
            _write(self._requests, json.dumps(request).encode() + b"\n")
            reply = self._read_line(deadline)
        except BrokenPipeError:
            reply = b""
        seconds = time.monotonic() - started
        if not reply:
            return self._ended(request_id, seconds, timed_out=reply is None)
        result = json.loads(reply)
        status = "error" if result["error"] else "success"
        return Outcome(payload=result["payload"], status=status, seconds=seconds)

    def new_output(self) -> list[str]:
        """The lines written to stdout and stderr since the last call."""
        chunks = []
        while chunk := os.pread(self._output.fileno(), 1 << 20, self._logged):
            chunks.append(chunk)
            self._logged += len(chunk)
        return b"".join(chunks).decode("utf-8", "replace").splitlines()

    def close(self) -> None:
        """Ends the process and everything it started."""
        self.usable = False
        with self._closing:
            if not self._closed:
                # Before wait(): until then the number is this process's, even when it has ended.
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                self._closed = True

    def dispose(self) -> None:
        """Closes, and gives the descriptors back. Nothing may be called afterwards."""
        self.close()
        os.close(self._requests)
        os.close(self._replies)
        self._output.close()

    def _initialise(self, request_id: str) -> Outcome | None:
        if self._ready:
            return None
        started = time.monotonic()
        reply = self._read_line(started + INIT_SECONDS)
        self.init_seconds = time.monotonic() - started
        if not reply:
            return self._ended(request_id, self.init_seconds, timed_out=reply is None)
        hello = json.loads(reply)
        self._ready = hello["ready"]
        if self._ready:
            return None
        self.close()
        payload = json.dumps(hello["problem"] | {"requestId": request_id})
        return Outcome(payload=payload, status="error", seconds=self.init_seconds)

    def _ended(self, request_id: str, seconds: float, *, timed_out: bool) -> Outcome:
        """The error of an environment that did not answer ("Lambda: troubleshoot invocation
        issues").
        """
        self.close()
        if timed_out:
            limit = self.function.timeout_seconds if self._ready else INIT_SECONDS
            kind, text = "Sandbox.Timedout", f"Task timed out after {limit:.2f} seconds"
        else:
            code = self._process.returncode
            word = f"signal: {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
            kind, text = "Runtime.ExitError", f"Runtime exited with error: {word}"
        error = {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {text}"}
        status = "timeout" if timed_out else "error"
        return Outcome(payload=json.dumps(error), status=status, seconds=seconds)

    def _read_line(self, deadline: float) -> bytes | None:
        """The next line of the process; None once the deadline has passed, empty if it ended."""
        poll = select.poll()
        poll.register(self._replies, select.POLLIN)
        chunks = [self._buffer]
        while b"\n" not in chunks[-1]:
            if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
                return None
            chunk = os.read(self._replies, 1 << 16)
            if not chunk:
                return b""
            chunks.append(chunk)
        line, _, self._buffer = b"".join(chunks).partition(b"\n")
        return line


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _variables(function: Function, log_stream: str, ca: Path | None) -> dict[str, str]:
    """The environment: Lambda's own ("Defined runtime environment variables") and the function's;
    of ours only whom to trust on the lab's internet.
    """
    configuration = function.configuration
    region = configuration["FunctionArn"].split(":")[3]
    logging = configuration.get("LoggingConfig", {})
    snapshot = configuration.get("SnapStart", {}).get("OptimizationStatus") == "On"
    own = {
        "_HANDLER": configuration["Handler"],
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if snapshot else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_LOG_FORMAT": "JSON" if function.logs_json else "Text",
        "LAMBDA_TASK_ROOT": str(function.code),
        "LAMBDA_RUNTIME_DIR": str(Path(__file__).parent),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
    }
    if level := logging.get("ApplicationLogLevel"):
        own["AWS_LAMBDA_LOG_LEVEL"] = level
    if ca:
        own["SSL_CERT_FILE"] = str(ca)
    return {**configuration.get("Environment", {}).get("Variables", {}), **own}
