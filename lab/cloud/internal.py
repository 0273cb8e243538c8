"""The WSGI layer in front of moto: change counters, internal routes, refusal of unknown keys."""

import io
import json
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.iam.models import iam_backends

from lab.cloud import changes
from lab.cloud.extensions import InternalRoute
from lab.cloud.sts_.models import session_fault

READS = ("Describe", "Get", "List", "Head")
# signing name -> boto3's client name, where they differ
CLIENT_NAMES = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
}
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")


class Layer:
    """A WSGI application: `/_lab/…` is answered here, everything else by moto's `app`.

    Calls run one at a time: moto's backends are not safe to change from several threads at once.
    """

    def __init__(self, app: Any, routes: Mapping[str, InternalRoute]) -> None:
        self._app = app
        self._routes = routes
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        body = _read_body(environ)
        key, service = _credential(environ)
        with self._one_at_a_time:
            if path.startswith("/_lab/"):
                status, kind, answer = self._internal(path.removeprefix("/_lab/"), environ)
            elif key and (fault := _key_fault(key, environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""))):
                status, kind, answer = _refusal("403 Forbidden", *fault, environ)
            else:
                return self._call(environ, start_response, service, _operation(environ, body))
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(answer)))])
        return [answer]

    def _call(
        self, environ: dict[str, Any], start_response: Any, service: str, operation: str
    ) -> Iterable[bytes]:
        statuses: list[str] = []

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            statuses.append(status)
            return start_response(status, headers, exc_info)

        try:
            answer = self._app(environ, start)
        except NotImplementedError as error:
            text = f"{error or 'This operation'} (the lab does not model it)"
            status, kind, body = _refusal("501 Not Implemented", "NotImplemented", text, environ)
        except Exception:
            # An error of ours, not of the caller: 501 rather than 500, which clients would retry.
            text = traceback.format_exc()
            sys.stderr.write(f"lab.cloud: {service} {operation}:\n{text}")
            status, kind, body = _refusal("501 Not Implemented", "InternalError", text, environ)
        else:
            if statuses and statuses[0].startswith("2") and not operation.startswith(READS):
                changes.changed(CLIENT_NAMES.get(service, service))
            return answer
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _internal(self, path: str, environ: Mapping[str, Any]) -> tuple[str, str, bytes]:
        query = {k: v[-1] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if path == "changes":
            return "200 OK", "application/json", json.dumps(changes.counts()).encode()
        for prefix, route in self._routes.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                try:
                    return (
                        "200 OK",
                        "application/octet-stream",
                        route(path[len(prefix) + 1 :], query),
                    )
                except LookupError as error:
                    return "404 Not Found", "text/plain", str(error).encode()
        return "404 Not Found", "text/plain", f"no internal route /_lab/{path}".encode()


def _read_body(environ: dict[str, Any]) -> bytes:
    """The request's body, which stays readable for the application."""
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    if length:
        body = stream.read(int(length))
    else:
        body = stream.read() if environ.get("wsgi.input_terminated") else b""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body


def _credential(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Access key id and signing name of a signed request; empty for one that is not."""
    match = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return (match[1], match[2]) if match else ("", "")


def _key_fault(access_key_id: str, session_token: str) -> tuple[str, str] | None:
    """Why the key is not accepted (code, message), or None."""
    if not any(
        access_key_id in backend.access_keys
        for account in list(iam_backends.values())
        for backend in list(account.values())
    ):
        return "InvalidClientTokenId", "The security token included in the request is invalid."
    return session_fault(access_key_id, session_token)


def _operation(environ: Mapping[str, Any], body: bytes) -> str:
    """The API operation; for REST protocols, which name none, a read by its method is "Get"."""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2]
    text = environ.get("QUERY_STRING", "")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        text = f"{text}&{body.decode()}"
    if action := parse_qs(text).get("Action"):
        return action[0]
    return "Get" if environ["REQUEST_METHOD"] in ("GET", "HEAD") else environ["REQUEST_METHOD"]


def _refusal(
    status: str, code: str, message: str, environ: Mapping[str, Any]
) -> tuple[str, str, bytes]:
    """An error in the form that the request's protocol has for errors."""
    content_type = environ.get("CONTENT_TYPE", "")
    if "json" in content_type:
        return status, content_type, json.dumps({"__type": code, "message": message}).encode()
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    if content_type.startswith("application/x-www-form-urlencoded"):
        error = f"<ErrorResponse>{error}</ErrorResponse>"
    return status, "text/xml", error.encode()
