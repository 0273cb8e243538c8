"""The issuer of the stack's tokens, on this machine: whom it knows, and what it hands out.

It goes by the names that `mtls:authorizer` has for it, which lead here for functions alone. The lab
has none for a stack that accepts no tokens of its own (`none`, `bring-your-own`), that brings the
issuer's keys along (`jwksFile`), or that has it at a port other than 443.
"""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

from cryptography import x509

from lab.certificates import Authority
from lab.issuer import Address, ClientRegistration, Issuer
from lab.issuer.token_endpoint import LIFETIME

RENEWAL = LIFETIME / 2
"""How often tokens in files are to be written anew."""

_SECONDS = 10


class NoTokenError(Exception):
    """The issuer of a running lab gave none; the message says why."""


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """What a stack's configuration says of its tokens; `client_ids` are by tenant."""

    url: str
    jwks_uri: str
    audience: str
    algorithm: str
    client_id_claim: str
    scopes: tuple[str, ...]
    client_ids: Mapping[str, str]

    @classmethod
    def of(cls, config: Mapping[str, str]) -> "TokenSettings | None":
        """None where the lab has no issuer; see above. Takes what the program has accepted."""
        given: dict[str, Any] = json.loads(config.get("mtls:authorizer", "{}"))
        if given.get("kind") != "jwt" or "jwksFile" in given:
            return None
        url: str = given["issuer"]
        jwks_uri: str = given.get("jwksUri") or url.rstrip("/") + "/.well-known/jwks.json"
        if any(_port(one) != 443 for one in (url, jwks_uri)):
            return None
        return cls(
            url=url,
            jwks_uri=jwks_uri,
            audience=given["audiences"][0],
            algorithm=given.get("algorithms", ["RS256"])[0],
            client_id_claim=given.get("clientIdClaim", "client_id"),
            scopes=tuple(
                dict.fromkeys(one for list_ in given.get("scopes", {}).values() for one in list_)
            ),
            client_ids=_client_ids(config),
        )

    @property
    def hosts(self) -> list[str]:
        return sorted({urlsplit(one).hostname or "" for one in (self.url, self.jwks_uri)})

    def is_of_same_issuer(self, other: "TokenSettings | None") -> bool:
        return other is not None and replace(self, scopes=(), client_ids={}) == replace(
            other, scopes=(), client_ids={}
        )


class Tokens:
    """An issuer for what is deployed, once that wants one; `close()` ends it.

    `internet` is where its names lead: hosts at port 443 to ports on 127.0.0.1. `ca` is the
    authority behind its certificate.
    """

    def __init__(self, folder: Path) -> None:
        self.internet: dict[str, int] = {}
        self.ca = folder / "internet-ca.pem"
        self.settings: TokenSettings | None = None
        self.issuer: Issuer | None = None
        self._folder = folder
        self._authority = Authority.create("The lab's authority for servers")
        self._written: dict[Path, tuple[str, x509.Certificate | None]] = {}
        self.ca.write_text(self._authority.certificate_pem)

    def follow(self, config: Mapping[str, str], certificates: Mapping[str, str]) -> None:
        """After a deployment: what was configured, and the tenants' certificates (PEM, leaf first)
        that their tokens are bound to. Secrets stay, and so do keys while the issuer is the same.
        """
        settings = TokenSettings.of(config)
        if settings is None:
            self.close()
            return
        if not settings.is_of_same_issuer(self.settings) or self.issuer is None:
            self.close()
            self.issuer = self._start(settings)
            self.internet.update(dict.fromkeys(settings.hosts, self.issuer.tls_port))
        self.settings = settings
        clients = self.issuer.clients
        for tenant, client_id in settings.client_ids.items():
            clients[client_id] = replace(
                clients.get(client_id) or ClientRegistration(),
                scopes=settings.scopes,
                certificate=_leaf(certificates.get(tenant)),
            )
        for gone in clients.keys() - set(settings.client_ids.values()):
            del clients[gone]

    def close(self) -> None:
        if self.issuer:
            self.issuer.stop()
        self.issuer = self.settings = None
        self.internet.clear()
        self._written.clear()

    def token(self, tenant: str, certificate: x509.Certificate | None = None) -> str | None:
        """A good one, bound to `certificate`, by default to the one registered. None where the lab
        has no issuer, or that does not know the tenant.
        """
        if self.issuer is None or self.settings is None:
            return None
        client_id = self.settings.client_ids.get(tenant)
        return self.issuer.token(client_id, bound_to=certificate) if client_id else None

    def write(
        self, path: Path, tenant: str, certificate: x509.Certificate | None = None
    ) -> Path | None:
        """Writes a good one to a file, readable by its owner only; None where there is none."""
        token = self.token(tenant, certificate)
        if token is None:
            return None
        self._written[path] = tenant, certificate
        return write_token(path, token)

    def renew(self) -> None:
        """Writes every file's token anew."""
        for path, (tenant, certificate) in list(self._written.items()):
            self.write(path, tenant, certificate)

    def described(self, tenants: Mapping[str, str]) -> dict[str, Any] | None:
        """As `.lab/lab.json` lists it. `tenants` are those of further names to ask by."""
        if self.issuer is None or self.settings is None:
            return None
        client_ids = self.settings.client_ids
        names = {**{tenant: tenant for tenant in client_ids}, **tenants}
        return {
            "url": self.issuer.url,
            "token_endpoint": self.issuer.local_token_endpoint,
            "clients": {
                name: {
                    "client_id": client_ids[tenant],
                    "client_secret": self.issuer.clients[client_ids[tenant]].secret,
                }
                for name, tenant in sorted(names.items())
                if tenant in client_ids
            },
        }

    def _start(self, settings: TokenSettings) -> Issuer:
        issued = self._authority.issue(
            settings.hosts[0], key="p-256", usages=("server_auth",), names=settings.hosts
        )
        chain, key = self._folder / "issuer.crt", self._folder / "issuer.key"
        chain.write_text(issued.chain_pem)
        key.touch(mode=0o600)
        key.write_text(issued.key_pem)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chain, key)
        issuer = Issuer(
            settings.audience,
            {},
            algorithm=settings.algorithm,
            client_id_claim=settings.client_id_claim,
            address=Address(url=settings.url, jwks_uri=settings.jwks_uri, tls=tls),
        )
        issuer.start()
        return issuer


def write_token(path: Path, token: str) -> Path:
    """At once, so that nobody reads half of it, and readable by its owner only."""
    new = path.with_name(f"{path.name}.new")
    new.touch(mode=0o600)
    new.write_text(f"{token}\n")
    return new.replace(path)


def request_token(endpoint: str, client_id: str, client_secret: str) -> str:
    """Asks a token endpoint for one (RFC 6749 §4.4.2). Raises NoTokenError."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    credentials = base64.b64encode(pair.encode()).decode()
    request = urllib.request.Request(  # noqa: S310 (the lab's own, on 127.0.0.1)
        endpoint,
        data=b"grant_type=client_credentials",
        headers={"Authorization": f"Basic {credentials}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (as above)
            return json.load(answer)["access_token"]
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode(errors="replace")
        raise NoTokenError(f"{endpoint} answers {error.code} {said}".strip()) from error
    except (OSError, ValueError) as error:
        raise NoTokenError(f"{endpoint}: {error}") from error


def _client_ids(config: Mapping[str, str]) -> dict[str, str]:
    """By tenant, the first one that its tokens may be of. Of a client that gets tokens for itself
    the subject is the client (RFC 9068 §2.2), so a subject is a client ID as well.
    """
    found: dict[str, str] = {}
    for key in ("mtls:clients", "mtls:customers"):
        tenants: dict[str, dict[str, Any]] = json.loads(config.get(key, "{}"))
        for name, tenant in tenants.items():
            rules = tenant.get("tokens") or {}
            if ids := [*rules.get("clientIds", ()), *rules.get("subjects", ())]:
                found[name] = ids[0]
    return found


def _leaf(chain: str | None) -> x509.Certificate | None:
    return x509.load_pem_x509_certificates(chain.encode())[0] if chain else None


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
