"""The event of a REQUEST authorizer as typed values.

API Gateway developer guide, "Input to an API Gateway Lambda authorizer".
"""

import re
from typing import NamedTuple, cast

from authorizer.errors import UnauthorizedError

MAX_TOKEN_CHARACTERS = 8_192

# The partition, region and account come from the event: nothing here knows where it runs.
_METHOD_ARN = re.compile(
    r"(arn:aws[a-z-]*:execute-api:[a-z0-9-]+:[0-9]{12}:[a-z0-9]+/[A-Za-z0-9_-]+)/([A-Z]+)/.*",
    re.DOTALL,
)


class Call(NamedTuple):
    """`resource` is the path as the API defines it; `stage_arn` ends with the stage."""

    method: str
    resource: str
    method_arn: str
    stage_arn: str


class Request(NamedTuple):
    """`certificates` are all values of the certificate header, whatever their number."""

    token: str
    certificates: list[str]
    call: Call
    request_id: str


def read(event: object, certificate_header: str) -> Request:
    """Raises UnauthorizedError for what API Gateway does not send, and without just one token.

    Only `multiValueHeaders` is read: of a header sent twice `headers` has one value.
    """
    if not isinstance(event, dict):
        raise UnauthorizedError("event_malformed")
    members = cast(dict[str, object], event)
    call = _call(members)
    tokens, certificates = _headers(members.get("multiValueHeaders"), certificate_header)
    return Request(_bearer(tokens), certificates, call, request_id(members))


def request_id(event: object) -> str:
    """API Gateway's id of the request, or "" where there is none."""
    context = cast(dict[str, object], event).get("requestContext") if _is_object(event) else None
    value = cast(dict[str, object], context).get("requestId") if _is_object(context) else None
    return value if isinstance(value, str) else ""


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _call(event: dict[str, object]) -> Call:
    method, resource, arn = event.get("httpMethod"), event.get("resource"), event.get("methodArn")
    if isinstance(method, str) and isinstance(resource, str) and isinstance(arn, str):
        match = _METHOD_ARN.fullmatch(arn)
        if match is not None and match[2] == method:
            return Call(method, resource, arn, match[1])
    raise UnauthorizedError("event_malformed")


def _headers(value: object, certificate_header: str) -> tuple[list[str], list[str]]:
    """The values of `Authorization` and of the certificate header, in whatever case it is named."""
    if not isinstance(value, dict):
        raise UnauthorizedError("event_malformed")
    tokens: list[str] = []
    certificates: list[str] = []
    for name, values in cast(dict[str, object], value).items():
        lower = name.lower()
        if lower == "authorization":
            tokens += _texts(values)
        elif lower == certificate_header:
            certificates += _texts(values)
    return tokens, certificates


def _texts(values: object) -> list[str]:
    if isinstance(values, list):
        items = cast(list[object], values)
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) == len(items):
            return texts
    raise UnauthorizedError("event_malformed")


def _bearer(values: list[str]) -> str:
    """RFC 6750 §2.1, with the scheme in any case (RFC 9110 §11.1)."""
    if len(values) != 1:
        raise UnauthorizedError("token_missing" if not values else "token_repeated")
    value = values[0]
    if value[:7].lower() != "bearer ":
        raise UnauthorizedError("token_missing")
    token = value[7:]
    if not token.isascii() or not 0 < len(token) <= MAX_TOKEN_CHARACTERS:
        raise UnauthorizedError("token_malformed")
    return token
