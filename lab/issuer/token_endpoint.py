"""The token endpoint: a form in, an access token or the reason for none out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from lab.issuer.clients import ClientRegistration, authenticate
from lab.issuer.errors import TokenError
from lab.issuer.server import Request, Response

LIFETIME = timedelta(minutes=5)
"""Of every token that the endpoint issues."""

_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""RFC 6749 §5.1."""


class TokenEndpoint:
    """Grants client credentials (RFC 6749 §4.4), and no other grant.

    With no authorization code or refresh token to present, no request is an `invalid_grant`: it
    is an `unsupported_grant_type` before.

    `mint` makes the token of a client ID and its scopes.
    """

    def __init__(
        self,
        clients: Mapping[str, ClientRegistration],
        mint: Callable[[str, Sequence[str]], str],
    ) -> None:
        self.clients = clients
        self.mint = mint

    def answer(self, request: Request) -> Response:
        """Answers a request of any method, with a refusal too (§5.2)."""
        if request.method != "POST":  # §3.2
            allow = {"Allow": "POST"}
            return Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers=allow)
        try:
            body = self._grant(request)
        except TokenError as error:
            return _refusal(error)
        return Response.json(body, headers=_NOT_STORED)

    def _grant(self, request: Request) -> dict[str, Any]:
        parameters = _parameters(request)
        client_id = authenticate(request.headers, parameters, self.clients)
        match parameters.get("grant_type"):
            case "client_credentials":
                scopes = _scopes(parameters.get("scope"), self.clients[client_id])
            case None:
                raise TokenError("invalid_request", "grant_type is missing")
            case _:
                raise TokenError("unsupported_grant_type", "only client_credentials is granted")
        body = {
            "access_token": self.mint(client_id, scopes),
            "token_type": "Bearer",  # for a token bound to a certificate too (RFC 8705 §3)
            "expires_in": int(LIFETIME.total_seconds()),
        }
        return {**body, "scope": " ".join(scopes)} if scopes else body


def _parameters(request: Request) -> dict[str, str]:
    """The form's parameters, each once; one without a value counts as left out (§3.2)."""
    if request.headers.get_content_type() != "application/x-www-form-urlencoded":
        raise TokenError("invalid_request", "want Content-Type application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(request.body.decode(), errors="strict")
    except ValueError as error:
        raise TokenError("invalid_request", "the form is not UTF-8") from error
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise TokenError("invalid_request", "a parameter is there more than once")
    return parameters


def _scopes(requested: str | None, client: ClientRegistration) -> Sequence[str]:
    """The scopes of the token: those asked for, else all that are registered (§3.3)."""
    if requested is None:
        return client.scopes
    scopes = tuple(dict.fromkeys(requested.split(" ")))
    if not set(scopes) <= set(client.scopes):
        raise TokenError("invalid_scope", "a scope is malformed, or not the client's")
    return scopes


def _refusal(error: TokenError) -> Response:
    headers = dict(_NOT_STORED)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="token", charset="UTF-8"'
    body = {"error": error.error, "error_description": error.description}
    return Response.json(body, status=error.status, headers=headers)
