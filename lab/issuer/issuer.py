"""`Issuer`: the authorization server, and the hand that misuses it."""

import ssl
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

from cryptography import x509
from joserfc.jwk import Key

from lab.issuer.clients import ClientRegistration
from lab.issuer.keys import ALGORITHMS, SigningKey, SigningKeys
from lab.issuer.server import Outage, Request, Response, Server
from lab.issuer.token_endpoint import LIFETIME, TokenEndpoint
from lab.issuer.tokens import access_token_claims, compact

JWKS_PATH = "/jwks.json"
TOKEN_PATH = "/token"  # noqa: S105 (a path)
OPENID_PATH = "/.well-known/openid-configuration"
OAUTH_PATH = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the world has the issuer: its identifier, the URI of its keys, both https, and `tls`
    with a certificate for their hosts.
    """

    url: str
    jwks_uri: str
    tls: ssl.SSLContext


class Issuer:
    """An issuer of access tokens for `audience` to `clients` (by client ID).

    A context manager. It has a signing key of each kind; the token endpoint signs with `algorithm`,
    by default RS256, as every resource server must support (RFC 9068 §4). Metadata and keys may be
    cached for `max_age_seconds`, by default 300. Tokens name their client in `client_id` (§2.2),
    and in `client_id_claim` where a resource server looks elsewhere for it.

    Without an `address`, it is known as where it listens. With one, it is known by that, listens
    with TLS at `tls_port`, and without at `local_url` all the same.
    """

    def __init__(
        self,
        audience: str,
        clients: Mapping[str, ClientRegistration],
        *,
        algorithm: str = "RS256",
        max_age_seconds: int = 300,
        client_id_claim: str = "client_id",
        address: Address | None = None,
    ) -> None:
        self.audience = audience
        self.clients = dict(clients)
        self.algorithm = algorithm
        self.max_age_seconds = max_age_seconds
        self.client_id_claim = client_id_claim
        self.address = address
        self._keys = SigningKeys()
        self._token_endpoint = TokenEndpoint(
            self.clients, lambda client, scopes: self.token(client, scopes=scopes)
        )
        self._local = Server(self._answer)
        self._public = Server(self._answer, address.tls) if address else None
        self._servers = tuple(filter(None, (self._local, self._public)))
        self._running = ExitStack()

    @property
    def local_url(self) -> str:
        """`http://127.0.0.1:<port>`; RuntimeError unless it runs."""
        return f"http://127.0.0.1:{self._local.port}"

    @property
    def tls_port(self) -> int:
        """On 127.0.0.1; RuntimeError unless it runs and has an address."""
        if self._public is None:
            raise RuntimeError("the issuer has no address, so no certificate")
        return self._public.port

    @property
    def url(self) -> str:
        """The issuer identifier; RuntimeError unless it runs."""
        return self.address.url if self.address else self.local_url

    @property
    def jwks_uri(self) -> str:
        return self.address.jwks_uri if self.address else self.local_url + JWKS_PATH

    @property
    def token_endpoint(self) -> str:
        return self.url.rstrip("/") + TOKEN_PATH

    @property
    def local_token_endpoint(self) -> str:
        """The same one without TLS, on 127.0.0.1."""
        return self.local_url + urlsplit(self.token_endpoint).path

    @property
    def jwks_fetches(self) -> int:
        """How often the keys were asked for; not what was refused a connection."""
        path = urlsplit(self.jwks_uri).path
        return sum(server.requests[path] for server in self._servers)

    @property
    def outage(self) -> Outage | None:
        """How it fails at the moment; see `Outage`. Set to None, it recovers."""
        return self._local.outage

    @outage.setter
    def outage(self, outage: Outage | None) -> None:
        for server in self._servers:
            server.outage = outage

    def start(self) -> None:
        with ExitStack() as started:
            for server in self._servers:
                started.callback(server.stop)
                server.start()
            self._running = started.pop_all()

    def stop(self) -> None:
        self._running.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def key(self, algorithm: str) -> SigningKey:
        """The private key in use for an algorithm. Raises ValueError for "none" and HS*."""
        return self._keys.current(algorithm)

    def rotate(self) -> None:
        """Signs with new keys from now on; the earlier ones stay published until `retire`."""
        self._keys.rotate()

    def retire(self) -> None:
        """Publishes only the keys in use."""
        self._keys.retire()

    def jwks(self) -> dict[str, Any]:
        """What it publishes as its keys (RFC 7517 §5)."""
        return self._keys.jwks()

    def token(
        self,
        client: str,
        *,
        algorithm: str | None = None,
        lifetime: timedelta = LIFETIME,
        audience: str | Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
        bound_to: x509.Certificate | None = None,
        key: Key | bytes | None = None,
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
    ) -> str:
        """An access token for a registered client; with no more than its ID, a good one.

        `algorithm`, `audience`, `scopes` and `bound_to` default to the issuer's algorithm and
        audience, and to the scopes and the certificate registered. `key` defaults to the issuer's
        for the algorithm and must be given for HS* (a secret, as bytes); the token names its key
        ID, if it has one. `claims` and `header` replace what would be there, None leaving it out.
        What the header then says has no influence on the signature; for all else that can be wrong
        see `compact`.
        """
        registered = self.clients[client]
        algorithm = algorithm or self.algorithm
        full = access_token_claims(
            issuer=self.url,
            client_id=client,
            audience=self.audience if audience is None else audience,
            scopes=registered.scopes if scopes is None else scopes,
            lifetime=lifetime,
            certificate=bound_to or registered.certificate,
        )
        full[self.client_id_claim] = client
        if key is None and algorithm != "none":
            key = self.key(algorithm)
        kid = None if key is None or isinstance(key, bytes) else key.kid
        protected = {"alg": algorithm, "typ": "at+jwt", "kid": kid}
        return compact(_changed(protected, header), _changed(full, claims), algorithm, key)

    def metadata(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0 §3 and RFC 8414 §2, in one document.

        There is no authorization endpoint, so there are no response types; the list, which both
        require, is empty.
        """
        scopes = sorted({scope for client in self.clients.values() for scope in client.scopes})
        return {
            "issuer": self.url,
            "token_endpoint": self.token_endpoint,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "jwks_uri": self.jwks_uri,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),  # required; it issues none
            "tls_client_certificate_bound_access_tokens": True,  # RFC 8705 §3.3
            **({"scopes_supported": scopes} if scopes else {}),
        }

    def _metadata_paths(self) -> tuple[str, str]:
        """OpenID Connect Discovery 1.0 §4 goes after the identifier's path, RFC 8414 §3.1 before
        it; both without the slash at its end.
        """
        path = urlsplit(self.url).path.rstrip("/")
        return path + OPENID_PATH, OAUTH_PATH + path

    def _answer(self, request: Request) -> Response:
        if request.path == urlsplit(self.token_endpoint).path:
            return self._token_endpoint.answer(request)
        if request.path == urlsplit(self.jwks_uri).path:
            document = self.jwks()
        elif request.path in self._metadata_paths():
            document = self.metadata()
        else:
            return Response(status=HTTPStatus.NOT_FOUND)
        if request.method != "GET":
            return Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
        cached = {"Cache-Control": f"public, max-age={self.max_age_seconds}"}
        return Response.json(document, headers=cached)


def _changed(values: Mapping[str, Any], changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values with the changes; those that are None are left out."""
    merged = {**values, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}
