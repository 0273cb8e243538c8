"""The sample backend: one widget, and who asked for it, as the load balancer saw them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

CERTIFICATE_HEADERS = {
    "subject": "x-client-cert-subject",
    "issuer": "x-client-cert-issuer",
    "serial_number": "x-client-cert-serial-number",
    "validity": "x-client-cert-validity",
    "certificate": "x-client-cert-leaf",
}
"""What the load balancer measured of the client's certificate, as its listener names it."""


class AmbiguousCallerError(ValueError):
    """A certificate header that is not there exactly once: somebody else may have written it."""


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one REST API proxy event.

    API Gateway developer guide, "Lambda proxy integrations in API Gateway".
    """
    if event["resource"] == "/whoami":
        try:
            return _answer(200, caller(event["multiValueHeaders"]))
        except AmbiguousCallerError as error:
            return _answer(400, {"message": str(error)})
    return _answer(200, {"id": "1", "value": "4.99"})


def caller(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The client's certificate by field of `CERTIFICATE_HEADERS`, from `multiValueHeaders`.

    AWS does not say that a load balancer removes a header of that name sent by the client, so a
    second value, in whatever case its name is spelt, is refused. Raises AmbiguousCallerError.
    """
    values: dict[str, list[str]] = {}
    for name, several in headers.items():
        values.setdefault(name.lower(), []).extend(several)
    found: dict[str, str] = {}
    for field, name in CERTIFICATE_HEADERS.items():
        match values.get(name, []):
            case [value]:
                found[field] = unquote(value) if field == "certificate" else value
            case several:
                raise AmbiguousCallerError(f"{name}: want one value; got {len(several)}")
    return found


def _answer(status: int, body: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body, separators=(",", ":")),
    }
