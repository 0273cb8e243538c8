"""The MOCK integration, as far as it needs no template language.

A request template that is plain JSON with a `statusCode` chooses the response; response templates
and header values are constant text. Velocity (`$…`, `#…`) is not modelled.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from lab.wire.exchange import Refused, internal_error
from lab.wire.functions import NotModelledError
from lab.wire.messages import Request, Response

_CONFIGURATION_ERROR = internal_error("API_CONFIGURATION_ERROR", 500, "Internal server error")


def response_of(integration: Mapping[str, Any], request: Request) -> Response:
    """The response of "Mock integrations for REST APIs". Raises Refused or NotModelledError."""
    content_type = (request.header("Content-Type") or "application/json").partition(";")[0]
    template = _plain((integration.get("requestTemplates") or {}).get(content_type, ""))
    try:
        chosen = json.loads(template)
        status = str(chosen["statusCode"])
    except (ValueError, TypeError, KeyError):
        raise Refused(_CONFIGURATION_ERROR) from None
    responses: Mapping[str, Mapping[str, Any]] = integration.get("responses") or {}
    fitting = (name for name in responses if name != "default" and re.fullmatch(name, status))
    response = responses.get(next(fitting, "default"))
    if response is None:
        raise Refused(_CONFIGURATION_ERROR)
    bodies = response.get("responseTemplates") or {}
    kind = next(iter(bodies), "application/json")
    headers = [("Content-Type", kind)]
    for name, value in (response.get("responseParameters") or {}).items():
        if not (value.startswith("'") and value.endswith("'")):
            raise NotModelledError(f"response parameter {value!r} of a MOCK integration")
        headers.append((name.removeprefix("method.response.header."), value[1:-1]))
    body = _plain(bodies.get(kind) or "")
    return Response(status=int(response["statusCode"]), headers=tuple(headers), body=body.encode())


def _plain(template: str) -> str:
    if "$" in template or "#" in template:
        raise NotModelledError("Velocity templates of a MOCK integration")
    return template
