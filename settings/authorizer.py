"""Who says who may call the API."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from components import ExistingAuthorizerArgs, JwtAuthorizerArgs, Tenant
from components.authorizers import AuthorizerArgs, complete_authorizer
from components.jwt_authorizer import check_jwks, check_revocations
from settings.reader import PROJECT, Reader, SettingError, choice, entry, flag, text, texts, whole

FIELD = f"{PROJECT}:authorizer"

_EXAMPLE = "{kind: jwt, issuer: https://issuer.example.com, audiences: [https://api.example.com]}"

_KINDS = ("jwt", "bring-your-own", "none")


def _list(field: str, value: Any) -> tuple[str, ...]:
    return texts(field, value, "[https://api.example.com]")


def _scopes(field: str, value: Any) -> dict[str, tuple[str, ...]]:
    given = entry(field, value, value or (), "{GET /widgets: [widgets.read]}")
    return {route: _list(f"{field}.{route}", needed) for route, needed in given.items()}


_JWT: dict[str, tuple[str, Callable[[str, Any], Any]]] = {
    "issuer": ("issuer", text),
    "audiences": ("audiences", _list),
    "algorithms": ("algorithms", _list),
    "jwksUri": ("jwks_uri", text),
    "jwksFile": ("jwks", text),
    "allowHttp": ("allow_http", flag),
    "typ": ("token_type", text),
    "leewaySeconds": ("leeway_seconds", whole),
    "requiredClaims": ("required_claims", _list),
    "clientIdClaim": ("client_id_claim", text),
    "scopes": ("scopes", _scopes),
    "cacheTtlSeconds": ("cache_ttl_seconds", whole),
    "memoryMb": ("memory_mb", whole),
    "architecture": (
        "architecture",
        lambda field, value: choice(field, value, ("arm64", "x86_64")),
    ),
    "runtime": ("runtime", text),
    "snapStart": ("snap_start", flag),
}
"""By key what `JwtAuthorizerArgs` calls it, and how it is read."""


def authorizer(
    read: Reader, role: str, tenants: Mapping[str, Tenant], kind_of: Mapping[str, str]
) -> AuthorizerArgs | None:
    """None where the certificate alone may say who calls, and that was asked for by name.

    `kind_of` says whether a tenant is one of the clients or of the customers.
    """
    given = _given(read)
    kind = choice(f"{FIELD}.kind", given.get("kind"), _KINDS)
    if kind == "jwt":
        return _jwt(read, role, tenants, kind_of, given)
    for name, tenant in tenants.items():
        if tenant.blocked or tenant.blocked_certificates:
            raise SettingError(
                f"{PROJECT}:{kind_of[name]}.{name}: want nothing blocked with {FIELD} kind "
                f"{kind!r}, which lets in whoever has a trusted certificate, or asks a function "
                "that does not know of it; got some"
            )
    if kind == "none":
        entry(FIELD, given, ("kind",), "{kind: none}")
        return None
    example = "{kind: bring-your-own, functionArn: arn:…}"
    entry(FIELD, given, ("kind", "functionArn", "cacheTtlSeconds"), example)
    arn = text(f"{FIELD}.functionArn", given.get("functionArn"))
    if not re.fullmatch(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w$-]+)?", arn):
        raise SettingError(
            f"{FIELD}.functionArn: want a function's ARN, such as "
            f"'arn:aws:lambda:eu-west-1:111122223333:function:authorizer'; got {arn!r}"
        )
    ttl = whole(f"{FIELD}.cacheTtlSeconds", given.get("cacheTtlSeconds", 300))
    return _refusing({}, lambda: ExistingAuthorizerArgs(function_arn=arn, cache_ttl_seconds=ttl))


def revocations(read: Reader) -> str | None:
    """The PEM revocation lists that the authorizer of a passed-through chain goes by."""
    name = _given(read).get("revocationsFile")
    if name is None:
        return None
    field = f"{FIELD}.revocationsFile"
    pem = read.file(field, text(field, name))
    check_revocations(field, pem)
    return pem


def check(
    args: AuthorizerArgs | None,
    routes: Mapping[str, str],
    openapi: Mapping[str, Any] | None,
    kind_of: Mapping[str, str],
) -> None:
    """What authorizer and API must say of each other. Raises SettingError."""
    if args is not None:
        _refusing(kind_of, lambda: complete_authorizer(FIELD, args, routes, openapi))


def _given(read: Reader) -> Mapping[str, Any]:
    given = read.map("authorizer", lambda _, value: value)
    if not given:
        raise SettingError(
            f"{FIELD}: want who may call, such as {_EXAMPLE}; or {{kind: none}}, where the "
            "certificate alone may say who calls; got nothing"
        )
    return given


def _jwt(
    read: Reader,
    role: str,
    tenants: Mapping[str, Tenant],
    kind_of: Mapping[str, str],
    given: Mapping[str, Any],
) -> JwtAuthorizerArgs:
    entry(FIELD, given, ("kind", *_JWT, "revocationsFile"), _EXAMPLE)
    if missing := {"issuer", "audiences"} - given.keys():
        raise SettingError(f"{FIELD}: want {_EXAMPLE}; got no {', '.join(sorted(missing))}")
    known = {
        name: parse(f"{FIELD}.{key}", given[key])
        for key, (name, parse) in _JWT.items()
        if key in given
    }
    if known.get("allow_http") and role != "all-in-one":
        raise SettingError(
            f"{FIELD}.allowHttp: want none with {PROJECT}:role {role!r}; keys that come in plain "
            "can be anybody's; got true"
        )
    if "jwks" in known:
        known["jwks"] = read.file(f"{FIELD}.jwksFile", known["jwks"])
        check_jwks(f"{FIELD}.jwksFile", known["jwks"])
    ruled = {
        name: tenant
        for name, tenant in tenants.items()
        if tenant.certificates or tenant.has_token_rules or tenant.blocked_certificates
    }
    return _refusing(
        kind_of,
        lambda: JwtAuthorizerArgs(tenants=ruled, log_retention_days=read.retention(), **known),
    )


def _refusing(kind_of: Mapping[str, str], make: Callable[[], Any]) -> Any:
    """What a component refuses, in the words of the settings. Raises SettingError."""
    try:
        return make()
    except SettingError:
        raise
    except ValueError as error:
        message = str(error).removeprefix(f"{FIELD}: ")
        match = re.match(r"tenants\.([^.:]+)", message)
        if match and match[1] in kind_of:
            at = f"{PROJECT}:{kind_of[match[1]]}.{match[1]}"
            rest = message[match.end() :].replace("blockedCertificates", "certificates.blocked")
            raise SettingError(f"{at}{rest}") from error
        field, _, rest = message.partition(":")
        field = re.sub(r"_([a-z])", lambda letter: letter[1].upper(), field)
        raise SettingError(f"{FIELD}: {field}:{rest}") from error
