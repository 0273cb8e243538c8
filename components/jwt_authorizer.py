import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, get_args

import pulumi

from authorizer import config
from authorizer.revocation_lists import RevocationLists
from components.api_authorizer import check_cache_ttl
from components.authorizer_package import RUNTIMES, PackageError, package
from components.ca_bundle import normalise
from components.function import Architecture, Function, FunctionArgs, check_memory, check_runtime
from components.tenants import Tenant

TIMEOUT_SECONDS = 10
"""Of a decision, the issuer's keys fetched for it included; API Gateway waits up to 30."""


def check_jwks(field: str, text: str) -> None:
    """Raises ValueError for what is no JWK set (RFC 7517 §5), or holds a private key."""
    try:
        keys = json.loads(text)["keys"]
        private = any("d" in key or key["kty"] == "oct" for key in keys)
    except (ValueError, KeyError, TypeError):
        keys = private = None
    if not keys or private:
        got = "a private key or a secret in it" if private else "something else"
        raise ValueError(f'{field}: want a JWK set of public keys, {{"keys": [...]}}; got {got}')


def check_revocations(field: str, pem: str) -> None:
    """Raises ValueError for what are no revocation lists in PEM (RFC 5280 §5, RFC 7468 §6)."""
    try:
        RevocationLists(pem.encode())
    except ValueError as error:
        raise ValueError(f"{field}: {str(error).partition(': ')[2]}") from error


@dataclass(frozen=True, kw_only=True)
class PassthroughArgs:
    """What a client's chain is verified against where the load balancer passes it through.

    `authorities` maps a name of yours to the PEM certificates of one certificate authority.
    `revocations` are the PEM revocation lists of them, if any.
    """

    authorities: Mapping[str, pulumi.Input[str]]
    revocations: str | None = None

    def __post_init__(self) -> None:
        if not self.authorities:
            raise ValueError(
                "authorities: want at least one, as in {'root-2026': '<PEM>'}; got none"
            )
        if self.revocations is not None:
            check_revocations("revocations", self.revocations)


@dataclass(frozen=True, kw_only=True)
class JwtAuthorizerArgs:
    """Tokens of `issuer` for one of `audiences`, signed by one of `algorithms`; and by `tenants`
    which certificate may come with which token.

    The keys are those at `jwks_uri` (`<issuer>/.well-known/jwks.json` by default), or in `jwks`, a
    JWK set; plain HTTP is for the lab's issuer only. `token_type` is the header's `typ`, such as
    'at+jwt' (RFC 9068), where it is to be just that. `leeway_seconds`, at most 300, is how far
    clocks may differ. `scopes` maps a route, as in 'GET /widgets', to the scopes that it needs, all
    of them; a route that is not named needs none. `routes` are all of the API; `PrivateApi` fills
    them in.

    API Gateway remembers an answer for `cache_ttl_seconds`, at most 3600, and so may let in for
    that long whom a new deployment blocks. `runtime` is by default that of the Python at work here.
    """

    issuer: str
    audiences: Sequence[str]
    tenants: Mapping[str, Tenant]
    algorithms: Sequence[str] = ("RS256", "ES256")
    jwks_uri: str | None = None
    jwks: str | None = None
    allow_http: bool = False
    token_type: str | None = None
    leeway_seconds: int = 30
    required_claims: Sequence[str] = ()
    client_id_claim: str = "client_id"
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    routes: Sequence[str] = ()
    passthrough: PassthroughArgs | None = None
    cache_ttl_seconds: int = 300
    memory_mb: int = 512
    architecture: Architecture = "arm64"
    runtime: str = f"python3.{sys.version_info.minor}"
    snap_start: bool = False
    log_retention_days: int = 90

    def __post_init__(self) -> None:
        check_cache_ttl("cache_ttl_seconds", self.cache_ttl_seconds)
        check_memory("memory_mb", self.memory_mb)
        check_runtime("runtime", self.runtime, snap_start=self.snap_start)
        if self.runtime not in RUNTIMES:
            raise ValueError(f"runtime: want one of {', '.join(RUNTIMES)}; got {self.runtime!r}")
        if self.architecture not in get_args(Architecture):
            raise ValueError(f"architecture: want arm64 or x86_64; got {self.architecture!r}")
        if self.jwks is not None and self.jwks_uri is not None:
            raise ValueError("jwks, jwks_uri: want one of the two; got both")
        if self.jwks is not None:
            check_jwks("jwks", self.jwks)
        _check_config(_config(self))


@dataclass(frozen=True, kw_only=True)
class ExistingAuthorizerArgs:
    """A function of your own that answers as a REQUEST authorizer, in the same account and region.

    Its answers are remembered by `Authorization` and certificate together, for `cache_ttl_seconds`
    (0 to 3600).
    """

    function_arn: pulumi.Input[str]
    cache_ttl_seconds: int = 300

    def __post_init__(self) -> None:
        check_cache_ttl("cache_ttl_seconds", self.cache_ttl_seconds)


class JwtAuthorizer(pulumi.ComponentResource):
    """Lets in who has a token of the issuer and the certificate of the same tenant; nobody else.

    What it goes by is in its deployment package, so that it asks nobody but the issuer, for keys.
    API Gateway's own permission to invoke it is not made here: it is for one API.
    """

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: JwtAuthorizerArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:JwtAuthorizer", name, None, opts)
        function = Function(
            f"{name}-jwt",
            FunctionArgs(
                code=_archive(args),
                handler="authorizer.handler.handle",
                description="Says who may call the API, by token and certificate",
                memory_mb=args.memory_mb,
                timeout_seconds=TIMEOUT_SECONDS,
                log_retention_days=args.log_retention_days,
                runtime=args.runtime,
                architecture=args.architecture,
                snap_start=args.snap_start,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.arn = function.arn
        self.register_outputs({"arn": self.arn})


def _archive(args: JwtAuthorizerArgs) -> pulumi.Output[pulumi.Archive]:
    files = {"config.json": _config(args)}
    if args.jwks is not None:
        files["jwks.json"] = args.jwks
    if args.passthrough is None:
        # At once, so that what cannot be built stops the program here, in one line.
        return pulumi.Output.from_input(_built(args, files))
    if args.passthrough.revocations is not None:
        files["revocations.pem"] = args.passthrough.revocations
    return pulumi.Output.all(*args.passthrough.authorities.values()).apply(
        lambda pems: _built(args, {**files, "ca-bundle.pem": normalise(*pems)})
    )


def _built(args: JwtAuthorizerArgs, files: Mapping[str, str]) -> pulumi.Archive:
    try:
        path = package(files, architecture=args.architecture, runtime=args.runtime)
    except PackageError as error:
        raise pulumi.RunError(str(error)) from error
    return pulumi.FileArchive(str(path))


def _config(args: JwtAuthorizerArgs) -> str:
    """`config.json`, as `authorizer/config.py` reads it; before the routes are known, with those
    that scopes name.
    """
    uri = args.jwks_uri or f"{args.issuer.rstrip('/')}/.well-known/jwks.json"
    document = {
        "mode": "passthrough" if args.passthrough else "verify",
        "issuer": args.issuer,
        "audiences": list(args.audiences),
        "algorithms": list(args.algorithms),
        "jwksUri": None if args.jwks is not None else uri,
        "allowHttp": args.allow_http,
        "typ": args.token_type,
        "leewaySeconds": args.leeway_seconds,
        "requiredClaims": list(args.required_claims),
        "clientIdClaim": args.client_id_claim,
        "routes": list(args.routes or args.scopes),
        "scopes": {route: list(needed) for route, needed in args.scopes.items()},
        "tenants": {name: _tenant(tenant) for name, tenant in args.tenants.items()},
    }
    return json.dumps(document, sort_keys=True)


@lru_cache(maxsize=4)
def _check_config(text: str) -> None:
    """What the function would refuse at its first request is refused now, by the code that does.

    The same text is checked as often as somebody completes the arguments. Raises ValueError.
    """
    config.parse(text.encode())


def _tenant(tenant: Tenant) -> dict[str, Any]:
    rules = tenant.certificates
    return {
        "certificates": {
            "issuers": list(rules.issuers),
            "subjects": list(rules.subjects),
            "sanDns": list(rules.sans_dns),
            "sanUri": list(rules.sans_uri),
            "thumbprints": list(rules.thumbprints),
        },
        "tokens": {
            "subjects": list(tenant.token_subjects),
            "clientIds": list(tenant.client_ids),
        },
        "binding": tenant.binding,
        "blocked": tenant.blocked,
        "blockedCertificates": list(tenant.blocked_certificates),
    }
