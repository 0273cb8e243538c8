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

AUTHORIZER_CONTEXT = {"tenant": "tenant", "certificate_thumbprint": "certificateThumbprint"}
"""What the API's authorizer found out about the caller, by its own names."""


class AmbiguousCallerError(ValueError):
    """A certificate header that is not there exactly once: somebody else may have written it."""


def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one REST API proxy event.

    API Gateway developer guide, "Lambda proxy integrations in API Gateway".
    """
    if event["resource"] == "/whoami":
        try:
            return _answer(200, caller(event))
        except AmbiguousCallerError as error:
            return _answer(400, {"message": str(error)})
    return _answer(200, {"id": "1", "value": "4.99"})


def caller(event: Mapping[str, Any]) -> dict[str, str]:
    """Who called: the fields of `CERTIFICATE_HEADERS`, and of `AUTHORIZER_CONTEXT` if there is one.

    In passthrough the load balancer measures nothing, and the authorizer's word is all there is.
    Raises AmbiguousCallerError.
    """
    context: Mapping[str, str] = event["requestContext"].get("authorizer") or {}
    told = {field: context[name] for field, name in AUTHORIZER_CONTEXT.items() if name in context}
    headers: Mapping[str, Sequence[str]] = event["multiValueHeaders"]
    sent = {name.lower() for name in headers}
    if told and sent.isdisjoint(CERTIFICATE_HEADERS.values()):
        return told
    return certificate(headers) | told


def certificate(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
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
