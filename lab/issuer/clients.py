"""The issuer's clients, and how they prove at the token endpoint who they are."""

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import unquote_plus

from cryptography import x509

from lab.issuer.errors import TokenError

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 §3.3."""


@dataclass(frozen=True, kw_only=True)
class ClientRegistration:
    """What the issuer knows of a client, beside its ID.

    `scopes` are those it may ask for, by default none. With a `certificate`, its tokens are bound
    to that (RFC 8705 §3), by default they are not. The `secret` is random unless given.
    """

    scopes: tuple[str, ...] = ()
    certificate: x509.Certificate | None = None
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def __post_init__(self) -> None:
        for scope in self.scopes:
            if not _SCOPE_TOKEN.fullmatch(scope):
                raise ValueError(f"scopes: want such as 'widgets.read' (no space); got {scope!r}")


def authenticate(
    headers: Message, parameters: Mapping[str, str], clients: Mapping[str, ClientRegistration]
) -> str:
    """The ID of the client that sent a token request (RFC 6749 §2.3.1).

    Any client may use `client_secret_basic` or `client_secret_post`, but not both at once (§2.3).
    """
    authorization = headers.get_all("Authorization", [])
    if len(authorization) > 1:
        raise TokenError("invalid_request", "more than one Authorization header")
    if authorization:
        client_id, secret = _basic(authorization[0])
        if "client_secret" in parameters or parameters.get("client_id", client_id) != client_id:
            raise TokenError("invalid_request", "the client authenticates in two ways")
    else:
        client_id, secret = parameters.get("client_id", ""), parameters.get("client_secret", "")
    registered = clients.get(client_id)
    if not registered or not secrets.compare_digest(registered.secret.encode(), secret.encode()):
        raise TokenError("invalid_client", "an unknown client, or not its secret")
    return client_id


def _basic(authorization: str) -> tuple[str, str]:
    """Client ID and secret, each form-encoded before the scheme's own encoding (§2.3.1)."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TokenError("invalid_client", "the scheme of Authorization is not Basic")
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
        user, _, password = decoded.partition(":")
        return unquote_plus(user, errors="strict"), unquote_plus(password, errors="strict")
    except ValueError as error:
        raise TokenError("invalid_client", "the credentials cannot be decoded") from error
