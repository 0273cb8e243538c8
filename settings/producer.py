"""A producer's stack: the API, what stands in front of it, and who may reach it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

import yaml

from components import (
    CertificateAuthorityArgs,
    ExistingAlbArgs,
    ExistingNetworkArgs,
    ExistingTrustStoreArgs,
    JwtAuthorizerArgs,
    NetworkArgs,
    Tenant,
)
from components.authorizers import AuthorizerArgs
from components.routes import check_backends, check_openapi, check_routes
from settings import authorizer, tenants
from settings.customers import CustomerSettings, PrivateLinkSettings, private_link
from settings.front import FrontSettings, existing_alb, front_settings
from settings.network import network
from settings.reader import PROJECT, Reader, SettingError, entry, text

SAMPLE = "sample"
ApiSelection = Literal["rewrite", "private-domain", "regional-domain"]

KEYS = (
    "publicZone",
    "endpointIps",
    "certificateAuthorities",
    "trustStoreArn",
    "backends",
    "routes",
    "openapiFile",
    "authorizer",
    "pathRoutes",
    "alb",
    "webAclArn",
    "customers",
    "supportedRegions",
    "consumerVpcCidr",
    "consumerSubnets",
)
"""What only a producer has, and is empty unless given."""

DEFAULTED = (
    "mutualAuthentication",
    "apiSelection",
    "throttlingRateLimit",
    "throttlingBurstLimit",
    "logRetentionDays",
    "deletionProtection",
    "manageApiGatewayLogRole",
    "tlsPolicy",
    "privateLink",
    "acceptanceRequired",
)
"""What only a producer heeds, and has a value in every stack."""


class ApiSettings(TypedDict):
    """What `PrivateApiArgs` takes from the configuration: `routes`, or `openapi`."""

    routes: Mapping[str, str]
    openapi: Mapping[str, Any] | None
    throttling_rate_limit: float
    throttling_burst_limit: int
    log_retention_days: int
    manage_log_role: bool


@dataclass(frozen=True, kw_only=True)
class ProducerSettings:
    """`certificate_authorities` and `trust_store` exclude each other. `test_certificates` maps a
    client or customer to the authority that signs its test certificate. A backend is the ARN of a
    function, or `SAMPLE` for the one in `widgets/`. `routed_api_ids` are the APIs that path routes
    lead to. `tenants` are the clients and customers by who they are. `authorizer` is None where the
    certificate alone says that; `revocations` are the lists it goes by where chains are passed
    through. Without `private_link` there is no way in from other accounts.
    """

    public_zone: str
    network: NetworkArgs | ExistingNetworkArgs
    certificate_authorities: Mapping[str, CertificateAuthorityArgs]
    trust_store: ExistingTrustStoreArgs | None
    test_certificates: Mapping[str, str]
    backends: Mapping[str, str]
    tenants: Mapping[str, Tenant]
    authorizer: AuthorizerArgs | None
    revocations: str | None
    api: ApiSettings
    api_selection: ApiSelection
    routed_api_ids: tuple[str, ...]
    alb: ExistingAlbArgs | None
    front: FrontSettings
    customers: Mapping[str, CustomerSettings]
    private_link: PrivateLinkSettings | None
    log_retention_days: int
    deletion_protection: bool


def producer_settings(read: Reader, role: str) -> ProducerSettings:
    """Those of a stack whose role is not consumer. Raises SettingError."""
    backends = read.map("backends", text)
    front, routed_api_ids = front_settings(read)
    customers, link = private_link(read)
    known = tenants.tenants(read)
    settings = ProducerSettings(
        public_zone=read.domain("publicZone"),
        network=network(read, fixed_addresses=True),
        certificate_authorities=read.map(
            "certificateAuthorities", lambda field, value: _authority(read, field, value)
        ),
        trust_store=_trust_store(read),
        test_certificates=_test_certificates(read),
        backends=backends,
        tenants=known,
        authorizer=authorizer.authorizer(read, role, known, _kinds(known, customers)),
        revocations=authorizer.revocations(read),
        api={
            "routes": read.map("routes", text),
            "openapi": _openapi(read, backends),
            "throttling_rate_limit": read.number("throttlingRateLimit"),
            "throttling_burst_limit": int(read.number("throttlingBurstLimit")),
            "log_retention_days": read.retention(),
            "manage_log_role": read.flag("manageApiGatewayLogRole"),
        },
        api_selection=read.one_of("apiSelection", get_args(ApiSelection)),
        routed_api_ids=routed_api_ids,
        alb=existing_alb(read),
        front=front,
        customers=customers,
        private_link=link,
        log_retention_days=read.retention(),
        deletion_protection=read.flag("deletionProtection"),
    )
    _check(settings, role)
    return settings


def _authority(read: Reader, field: str, value: Any) -> CertificateAuthorityArgs:
    given = entry(field, value, {"kind", "bundleFile"}, "{kind: self-signed}")
    bundle = read.file(field, str(given["bundleFile"])) if "bundleFile" in given else ""
    try:
        return CertificateAuthorityArgs(kind=given.get("kind", ""), bundle=bundle)
    except ValueError as error:
        raise SettingError(f"{field}: {error}") from error


def _trust_store(read: Reader) -> ExistingTrustStoreArgs | None:
    arn = read.arn("trustStoreArn", "elasticloadbalancing")
    return ExistingTrustStoreArgs(arn=arn) if arn else None


def _test_certificates(read: Reader) -> dict[str, str]:
    key = "certificateAuthority"
    found: dict[str, str] = {}
    for kind in ("clients", "customers"):
        entries = read.map(kind, lambda _, value: cast("dict[str, str]", value or {}))
        found |= {name: given[key] for name, given in entries.items() if key in given}
    return found


def _kinds(known: Collection[str], customers: Collection[str]) -> dict[str, str]:
    """Which setting names a tenant."""
    return {name: "customers" if name in customers else "clients" for name in known}


def _openapi(read: Reader, backends: Collection[str]) -> Mapping[str, Any] | None:
    name = read.raw("openapiFile")
    if not name:
        return None
    document: object = yaml.safe_load(read.file(f"{PROJECT}:openapiFile", name))
    if not isinstance(document, dict):
        raise SettingError(f"{PROJECT}:openapiFile: want an OpenAPI document; got {name!r}")
    known = cast("dict[str, Any]", document)
    check_openapi(known, backends)
    return known


def _check(settings: ProducerSettings, role: str) -> None:
    """What two settings must say of each other."""
    domain, routes = settings.front["domain"], settings.api["routes"]
    if not domain.endswith(f".{settings.public_zone}"):
        raise SettingError(
            f"{PROJECT}:domain: want a name in {PROJECT}:publicZone '{settings.public_zone}', "
            f"such as 'api.{settings.public_zone}'; got {domain!r}"
        )
    if bool(settings.certificate_authorities) == bool(settings.trust_store):
        raise SettingError(
            f"{PROJECT}:certificateAuthorities, {PROJECT}:trustStoreArn: want one of the two; "
            f"got {'both' if settings.trust_store else 'neither'}"
        )
    if bool(routes) == (settings.api["openapi"] is not None):
        raise SettingError(
            f"{PROJECT}:routes, {PROJECT}:openapiFile: want one of the two, as in "
            f"{{GET /widgets: widgets}}; got {'both' if routes else 'neither'}"
        )
    check_routes(routes)
    check_backends(routes.values(), settings.backends, f"{PROJECT}:routes")
    for name, authority in settings.test_certificates.items():
        _check_test_certificate(settings, role, name, authority)
    _check_callers(settings)


def _check_callers(settings: ProducerSettings) -> None:
    kinds = _kinds(settings.tenants, settings.customers)
    args, api = settings.authorizer, settings.api
    authorizer.check(args, api["routes"], api["openapi"], kinds)
    if isinstance(args, JwtAuthorizerArgs):
        tenants.check_known(settings.tenants, kinds)
    mode = f"{PROJECT}:mutualAuthentication"
    if settings.front["mode"] == "verify":
        if settings.revocations is not None:
            raise SettingError(
                f"{authorizer.FIELD}.revocationsFile: want none with {mode} 'verify', where the "
                "load balancer goes by lists of its own; got one"
            )
        return
    for setting, given, why in (
        (f"{authorizer.FIELD}.kind", args is None, "'none': nobody would verify a certificate"),
        (f"{PROJECT}:trustStoreArn", settings.trust_store, "one: only a load balancer reads it"),
        (f"{PROJECT}:pathRoutes", settings.front["path_routes"], "some: no authorizer asks there"),
    ):
        if given:
            raise SettingError(f"{mode}: want 'verify', since {setting} is {why}")


def _check_test_certificate(
    settings: ProducerSettings, role: str, name: str, authority: str
) -> None:
    kind = "clients" if name in settings.front["clients"] else "customers"
    field = f"{PROJECT}:{kind}.{name}.certificateAuthority"
    if role != "all-in-one":
        raise SettingError(
            f"{field}: want none with {PROJECT}:role {role!r}; test certificates, "
            f"whose keys are in the state, are for 'all-in-one'; got {authority!r}"
        )
    authorities = settings.certificate_authorities
    signers = [key for key, args in authorities.items() if args.kind == "self-signed"]
    if authority not in signers:
        raise SettingError(
            f"{field}: want a self-signed authority: {', '.join(signers) or '(none)'}; "
            f"got {authority!r}"
        )
