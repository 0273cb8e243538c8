"""What a client of the issuer does over the wire."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from joserfc.jwk import KeySet
from joserfc.jwt import Token, decode

from lab.issuer import Issuer


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers.get_content_type() == "application/json"
        return json.loads(self.body)


def ask(
    url: str,
    method: str = "GET",
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float = 10,
) -> Answer:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=timeout_seconds)
    try:
        target = parts._replace(scheme="", netloc="").geturl()
        connection.request(method, target, body, dict(headers or {}))
        with connection.getresponse() as response:
            return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def request_token(
    issuer: Issuer,
    form: Mapping[str, str] | list[tuple[str, str]] | bytes,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    body = form if isinstance(form, bytes) else urlencode(form)
    return ask(issuer.local_token_endpoint, "POST", body, {**form_type, **(headers or {})})


def basic(client_id: str, secret: str) -> dict[str, str]:
    credentials = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}


def verified(issuer: Issuer, token: str, algorithm: str = "RS256") -> Token:
    """The token, whose signature is right by the keys that the issuer publishes."""
    keys = KeySet.import_key_set(ask(issuer.jwks_uri).json)
    return decode(token, keys, algorithms=[algorithm])
