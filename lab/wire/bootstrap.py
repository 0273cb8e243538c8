"""The inside of a Lambda execution environment, run as a file in a process of its own by
`environments`.

It imports the handler once and then answers one invocation after the other, as Lambda's Python
runtime does ("Building Lambda functions with Python", AWS Lambda Developer Guide). It imports
nothing of this project: the process sees the function's code, the standard library, the packages
that AWS puts into its Python runtimes, and this machine's instead of those of the function that are
built for another one.

Arguments: code folder, handler, descriptor to read invocations from, descriptor to answer on,
folder of the runtime's packages, and as JSON what is special here: `machine_packages`, names to be
taken from that folder rather than from the code, and `internet`, the local port for each host name.
Both pipes carry one JSON object per line.
"""

import importlib
import json
import logging
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MAX_RESPONSE_BYTES = 6_291_556
"""The quota of a synchronous response, as Lambda's own error message gives it."""


RUNTIME_PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
"""What AWS's Python runtimes bring along, so that a forgotten dependency fails as it does there."""


class MachinePackages(MetaPathFinder):
    """Finds top-level packages of these names among this machine's own."""

    def __init__(self, folder: str, names: Sequence[str]) -> None:
        self._folder = folder
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None and fullname in self._names:
            return PathFinder.find_spec(fullname, [self._folder], target)
        return None


class Context:
    """The context object of "Using the Lambda context object to retrieve Python function
    information".
    """

    def __init__(self, invocation: dict[str, Any]) -> None:
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn: str = invocation["function_arn"]
        self.aws_request_id: str = invocation["request_id"]
        self.identity = None
        self.client_context = None
        self._deadline_ms: int = invocation["deadline_ms"]

    def get_remaining_time_in_millis(self) -> int:
        return max(self._deadline_ms - int(time.time() * 1000), 0)


class RequestId(logging.Filter):
    """Gives each record the id of the invocation being handled."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.current
        return True


class JsonFormatter(logging.Formatter):
    """The JSON log format of "Using Lambda advanced logging controls with Python"."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.__dict__["aws_request_id"],
        }
        if record.exc_info and record.exc_info[1]:
            line["errorType"] = type(record.exc_info[1]).__name__
            line["errorMessage"] = str(record.exc_info[1])
            line["stackTrace"] = traceback.format_tb(record.exc_info[2])
        return json.dumps(line)


def set_up_logging() -> RequestId:
    """The root handler that Lambda's runtime installs, in the function's log format and level."""
    request_id = RequestId()
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(request_id)
    if os.environ["AWS_LAMBDA_LOG_FORMAT"] == "JSON":
        handler.setFormatter(JsonFormatter())
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        logging.getLogger().setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))
    else:
        layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
        formatter = logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    return request_id


def error_of(error: BaseException, request_id: str, kind: str = "") -> dict[str, Any]:
    """The error object of "Lambda function errors in Python", without this file's own frames."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and not frame.filename.startswith("<frozen importlib")
    ]
    return {
        "errorMessage": str(error),
        "errorType": kind or type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(frames),
    }


def report(error: dict[str, Any]) -> None:
    """Writes an error to the function's log in the layout of the runtime."""
    if os.environ["AWS_LAMBDA_LOG_FORMAT"] == "JSON":
        line = {**error, "level": "ERROR", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
        sys.stdout.write(json.dumps(line) + "\n")
        return
    trace = "".join(error["stackTrace"])
    sys.stdout.write(f"[ERROR] {error['errorType']}: {error['errorMessage']}\n")
    if trace:
        sys.stdout.write(f"Traceback (most recent call last):\n{trace}")


def load(handler: str) -> tuple[Callable[[Any, Context], Any] | None, dict[str, Any]]:
    """The handler, or None and the error that Lambda's runtime reports for it."""
    module_name, dot, function_name = handler.rpartition(".")
    if not dot:
        problem = ValueError(f"Bad handler '{handler}': not enough values to unpack")
        return None, error_of(problem, "", "Runtime.MalformedHandlerName")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        problem = ImportError(f"Unable to import module '{module_name}': {error}")
        return None, error_of(problem, "", "Runtime.ImportModuleError")
    except SyntaxError as error:
        problem = SyntaxError(f"Syntax error in module '{module_name}': {error}")
        return None, error_of(problem, "", "Runtime.UserCodeSyntaxError")
    except Exception as error:
        return None, error_of(error, "")
    function = getattr(module, function_name, None)
    if function is None:
        problem = AttributeError(f"Handler '{function_name}' missing on module '{module_name}'")
        return None, error_of(problem, "", "Runtime.HandlerNotFound")
    return function, {}


def answer(function: Callable[[Any, Context], Any], invocation: dict[str, Any]) -> dict[str, Any]:
    """One invocation: `{"payload": JSON text, "error": whether it is an error object}`."""
    request_id: str = invocation["request_id"]
    try:
        result = function(invocation["event"], Context(invocation))
    except Exception as error:
        problem = error_of(error, request_id)
        report(problem)
        return {"payload": json.dumps(problem), "error": True}
    try:
        payload = json.dumps(result)
    except (TypeError, ValueError) as error:
        problem = error_of(error, request_id, "Runtime.MarshalError")
        problem |= {"errorMessage": f"Unable to marshal response: {error}", "stackTrace": []}
        report(problem)
        return {"payload": json.dumps(problem), "error": True}
    if len(payload.encode()) > MAX_RESPONSE_BYTES:
        problem = {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size "
            f"({MAX_RESPONSE_BYTES} bytes).",
        }
        return {"payload": json.dumps(problem), "error": True}
    return {"payload": payload, "error": False}


def resolve_only(internet: Mapping[str, int]) -> None:
    """The lab has no Internet: of all names only these lead anywhere, at port 443 to a port of this
    machine, and any other fails as one does that DNS does not know. Addresses stay what they are.

    Only Python's own resolver, `socket.getaddrinfo`, is changed.
    """
    system = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name == "localhost" or is_address(name):
            return system(host, port, *args, **kwargs)
        local = internet.get(name.lower().removesuffix("."))
        if local is None or port not in (443, "443", "https"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return system("127.0.0.1", local, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
            return True
        except OSError:
            continue
    return False


def read_invocations(descriptor: int, invocations: "queue.Queue[dict[str, Any]]") -> None:
    """Hands over what arrives. The end of the pipe is the end of the lab: the process goes at once,
    whatever the handler is doing, so that nothing outlives a lab that was killed.
    """
    with os.fdopen(descriptor, "rb") as pipe:
        for line in pipe:
            invocations.put(json.loads(line))
    os._exit(0)


def main(
    code: str, handler: str, requests: int, replies: int, packages: str, special: dict[str, Any]
) -> None:
    sys.path.insert(0, code)
    sys.meta_path.insert(0, MachinePackages(packages, special["machine_packages"]))
    sys.meta_path.append(MachinePackages(packages, RUNTIME_PACKAGES))
    resolve_only(special["internet"])
    invocations: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=read_invocations, args=(requests, invocations), daemon=True).start()
    request_id = set_up_logging()
    function, problem = load(handler)
    with os.fdopen(replies, "w", encoding="utf-8") as pipe:
        if function is None:
            report(problem)
        pipe.write(json.dumps({"ready": function is not None, "problem": problem}) + "\n")
        pipe.flush()
        while function:
            invocation = invocations.get()
            request_id.current = invocation["request_id"]
            reply = answer(function, invocation)
            sys.stdout.flush()
            sys.stderr.flush()
            pipe.write(json.dumps(reply) + "\n")
            pipe.flush()


if __name__ == "__main__":
    _, code, handler, requests, replies, packages, special = sys.argv
    main(code, handler, int(requests), int(replies), packages, json.loads(special))
