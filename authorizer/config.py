"""`config.json` as typed values, checked before the first request."""

import re
from typing import Literal, NamedTuple, cast
from urllib.parse import urlsplit

from authorizer import fields, names
from authorizer.errors import ConfigError
from authorizer.names import DistinguishedName
from authorizer.routes import Route
from authorizer.strict_json import parse_object

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures with public keys only (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2)."""

MAX_LEEWAY_SECONDS = 300
"""More would make of a short-lived token something else."""

Binding = Literal["required", "optional", "off"]

# What goes into a policy and a log line, where nothing quotes it.
_TENANT_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")


class CertificateRules(NamedTuple):
    """Which certificates are a tenant's: one of the four kinds fits, and `issuers` too if given.

    `sans_dns` are lower case. Wildcards have no meaning here.
    """

    issuers: frozenset[DistinguishedName]
    subjects: frozenset[DistinguishedName]
    sans_dns: frozenset[str]
    sans_uri: frozenset[str]
    thumbprints: frozenset[str]


class Tenant(NamedTuple):
    """`blocked_serials` block a certificate in whatever way its signature is spelt; an ECDSA one
    has two ways, (r, s) and (r, n - s), each with a thumbprint of its own, and who holds the key
    of a certificate blocked by one of them may show the other.
    """

    name: str
    certificates: CertificateRules
    subjects: frozenset[str]
    client_ids: frozenset[str]
    binding: Binding
    blocked: bool
    blocked_thumbprints: frozenset[str]
    blocked_serials: frozenset[tuple[DistinguishedName, int]]


class Config(NamedTuple):
    mode: Literal["verify", "passthrough"]
    issuer: str
    audiences: frozenset[str]
    algorithms: frozenset[str]
    jwks_uri: str | None
    token_type: str | None
    leeway_seconds: int
    required_claims: tuple[str, ...]
    client_id_claim: str
    routes: tuple[Route, ...]
    tenants: tuple[Tenant, ...]


_MEMBERS = frozenset(
    (
        *("mode", "issuer", "audiences", "algorithms", "jwksUri", "allowHttp", "typ"),
        *("leewaySeconds", "requiredClaims", "clientIdClaim", "routes", "scopes", "tenants"),
    )
)
_TENANT_MEMBERS = frozenset(["certificates", "tokens", "binding", "blocked", "blockedCertificates"])
_RULE_MEMBERS = frozenset(["issuers", "subjects", "sanDns", "sanUri", "thumbprints"])
_TOKEN_MEMBERS = frozenset(["subjects", "clientIds"])


def parse(text: bytes) -> Config:
    """Raises ConfigError with the field, what was wanted, and what was given."""
    try:
        root = fields.members(parse_object(text), "config.json", _MEMBERS)
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(f"config.json: want one JSON object in UTF-8; {error}") from None
    audiences = frozenset(fields.texts(root["audiences"], "audiences"))
    algorithms = frozenset(
        fields.each(fields.one_of(*ALGORITHMS))(root["algorithms"], "algorithms")
    )
    if not audiences or not algorithms:
        raise ConfigError("audiences, algorithms: want at least one of each")
    mode = fields.one_of("verify", "passthrough")(root["mode"], "mode")
    tenants = fields.mapping(root["tenants"], "tenants")
    return Config(
        mode=cast(Literal["verify", "passthrough"], mode),
        issuer=fields.text(root["issuer"], "issuer"),
        audiences=audiences,
        algorithms=algorithms,
        jwks_uri=_uri(root["jwksUri"], fields.flag(root["allowHttp"], "allowHttp")),
        token_type=fields.optional_text(root["typ"], "typ"),
        leeway_seconds=_leeway(root["leewaySeconds"]),
        required_claims=fields.texts(root["requiredClaims"], "requiredClaims"),
        client_id_claim=fields.text(root["clientIdClaim"], "clientIdClaim"),
        routes=_routes(root["routes"], root["scopes"]),
        tenants=tuple(_tenant(name, rules) for name, rules in tenants.items()),
    )


def _uri(value: object, allow_http: bool) -> str | None:
    uri = fields.optional_text(value, "jwksUri")
    if uri is None:
        return None
    try:
        parts = urlsplit(uri)
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        raise ConfigError(f"jwksUri: want an https URI; got {uri!r}") from None
    schemes = ("https", "http") if allow_http else ("https",)
    if parts.scheme not in schemes or not usable or not uri.isascii() or not uri.isprintable():
        raise ConfigError(f"jwksUri: want an https URI without a user; got {uri!r}")
    return uri


def _leeway(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_LEEWAY_SECONDS:
        raise ConfigError(f"leewaySeconds: want 0 to {MAX_LEEWAY_SECONDS}; got {value!r}")
    return value


def _routes(routes: object, scopes: object) -> tuple[Route, ...]:
    needed = {
        route: frozenset(fields.texts(value, f"scopes: {route}"))
        for route, value in fields.mapping(scopes, "scopes").items()
    }
    listed = fields.texts(routes, "routes")
    if len(set(listed)) != len(listed):
        raise ConfigError("routes: want each route once")
    if foreign := needed.keys() - set(listed):
        raise ConfigError(f"scopes: not among the routes: {', '.join(sorted(foreign))}")
    return tuple(Route.parse(route, needed.get(route, frozenset())) for route in listed)


def _tenant(name: str, value: object) -> Tenant:
    where = f"tenants.{name}"
    if not _TENANT_NAME.fullmatch(name):
        raise ConfigError(f"tenants: want names of letters, digits, '.', '_', '-'; got {name!r}")
    found = fields.members(value, where, _TENANT_MEMBERS)
    tokens = fields.members(found["tokens"], f"{where}.tokens", _TOKEN_MEMBERS)
    blocked = fields.texts(found["blockedCertificates"], f"{where}.blockedCertificates")
    binding = fields.one_of("required", "optional", "off")(found["binding"], f"{where}.binding")
    return Tenant(
        name=name,
        certificates=_rules(found["certificates"], f"{where}.certificates"),
        subjects=frozenset(fields.texts(tokens["subjects"], f"{where}.tokens.subjects")),
        client_ids=frozenset(fields.texts(tokens["clientIds"], f"{where}.tokens.clientIds")),
        binding=cast(Binding, binding),
        blocked=fields.flag(found["blocked"], f"{where}.blocked"),
        blocked_thumbprints=frozenset(
            _thumbprint(item, f"{where}.blockedCertificates") for item in blocked if "#" not in item
        ),
        blocked_serials=frozenset(
            _serial(item, f"{where}.blockedCertificates") for item in blocked if "#" in item
        ),
    )


def _rules(value: object, where: str) -> CertificateRules:
    found = fields.members(value, where, _RULE_MEMBERS)
    if found["issuers"] and not any(found[kind] for kind in _RULE_MEMBERS - {"issuers"}):
        raise ConfigError(f"{where}: issuers alone fit no certificate; name subjects or others too")
    sans_dns = fields.texts(found["sanDns"], f"{where}.sanDns")
    return CertificateRules(
        issuers=frozenset(fields.each(_name)(found["issuers"], f"{where}.issuers")),
        subjects=frozenset(fields.each(_name)(found["subjects"], f"{where}.subjects")),
        sans_dns=frozenset(name.lower() for name in sans_dns),
        sans_uri=frozenset(fields.texts(found["sanUri"], f"{where}.sanUri")),
        thumbprints=frozenset(
            fields.each(_thumbprint)(found["thumbprints"], f"{where}.thumbprints")
        ),
    )


def _name(value: object, where: str) -> DistinguishedName:
    text = fields.text(value, where)
    try:
        return names.of_text(text)
    except ValueError:
        raise ConfigError(
            f"{where}: want an RFC 4514 name, as in 'CN=acme,O=Acme'; got {text!r}"
        ) from None


def _thumbprint(value: object, where: str) -> str:
    text = fields.text(value, where).lower()
    if not _THUMBPRINT.fullmatch(text):
        raise ConfigError(f"{where}: want the SHA-256 of a certificate in hex; got {value!r}")
    return text


def _serial(value: str, where: str) -> tuple[DistinguishedName, int]:
    issuer, _, serial = value.rpartition("#")
    if not re.fullmatch(r"[0-9A-Fa-f]{1,40}", serial):
        raise ConfigError(f"{where}: want '<issuer>#<serial number in hex>'; got {value!r}")
    return _name(issuer, where), int(serial, 16)
