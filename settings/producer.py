"""A producer's stack: the API, what stands in front of it, and who may reach it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

import yaml

from components import (
    ApiTarget,
    CertificateAuthorityArgs,
    Client,
    ExistingAlbArgs,
    ExistingNetworkArgs,
    ExistingTrustStoreArgs,
    NetworkArgs,
    PathRoute,
)
from components.mtls_alb_front import TLS_POLICY
from components.routes import check_backends, check_openapi, check_routes
from settings.customers import CustomerSettings, PrivateLinkSettings, private_link
from settings.network import clients, network
from settings.reader import PROJECT, Reader, SettingError, entry, text, texts, whole

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


class FrontSettings(TypedDict):
    """What `MtlsAlbFrontArgs` takes from the configuration."""

    domain: str
    clients: Mapping[str, Client]
    path_routes: Mapping[str, PathRoute]
    web_acl_arn: str | None
    tls_policy: str


@dataclass(frozen=True, kw_only=True)
class ProducerSettings:
    """`certificate_authorities` and `trust_store` exclude each other. `test_certificates` maps a
    client or customer to the authority that signs its test certificate. A backend is the ARN of a
    function, or `SAMPLE` for the one in `widgets/`. `routed_api_ids` are the APIs that path routes
    lead to. Without `private_link` there is no way in from other accounts.
    """

    public_zone: str
    network: NetworkArgs | ExistingNetworkArgs
    certificate_authorities: Mapping[str, CertificateAuthorityArgs]
    trust_store: ExistingTrustStoreArgs | None
    test_certificates: Mapping[str, str]
    backends: Mapping[str, str]
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
    path_routes, routed_api_ids = _path_routes(read)
    customers, link = private_link(read)
    settings = ProducerSettings(
        public_zone=read.domain("publicZone"),
        network=network(read, fixed_addresses=True),
        certificate_authorities=read.map(
            "certificateAuthorities", lambda field, value: _authority(read, field, value)
        ),
        trust_store=_trust_store(read),
        test_certificates=_test_certificates(read),
        backends=backends,
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
        alb=_alb(read),
        front={
            "domain": read.domain("domain"),
            "clients": clients(read, "certificateAuthority"),
            "path_routes": path_routes,
            "web_acl_arn": read.arn("webAclArn", "wafv2") or None,
            "tls_policy": read.text("tlsPolicy", TLS_POLICY),
        },
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
        for name, given in entries.items():
            if key in given and name in found:
                raise SettingError(
                    f"{PROJECT}:{kind}.{name}.{key}: want one test certificate of a name; "
                    f"got one for {PROJECT}:clients.{name} too"
                )
            if key in given:
                found[name] = given[key]
    return found


def _path_routes(read: Reader) -> tuple[dict[str, PathRoute], tuple[str, ...]]:
    """The routes, and the ids of the APIs that some of them lead to."""
    api_ids: list[str] = []
    suffix = "amazonaws.com.cn" if read.partition() == "aws-cn" else "amazonaws.com"

    def route(field: str, value: Any) -> PathRoute:
        keys = {"paths", "targetGroupArn", "priority", "securityGroupId", "port", "apiId", "stage"}
        example = "{paths: [/reports/*], targetGroupArn: arn:…, priority: 100}"
        given = entry(field, value, keys, example)
        if missing := {"paths", "priority"} - given.keys():
            raise SettingError(f"{field}: want {example}; got no {', '.join(sorted(missing))}")
        if ("apiId" in given) != ("stage" in given):
            raise SettingError(
                f"{field}: want both apiId and stage, as in {{apiId: abc123, stage: live}}; "
                f"got one of them"
            )
        target: ApiTarget | None = None
        if "apiId" in given:
            api_ids.append(text(f"{field}.apiId", given["apiId"]))
            host = f"{given['apiId']}.execute-api.{read.region()}.{suffix}"
            target = ApiTarget(host=host, stage_name=text(f"{field}.stage", given["stage"]))
        return PathRoute(
            path_patterns=texts(f"{field}.paths", given["paths"], "[/reports/*]"),
            target_group_arn=given.get("targetGroupArn"),
            api=target,
            priority=whole(f"{field}.priority", given["priority"]),
            security_group_id=given.get("securityGroupId"),
            port=whole(f"{field}.port", given.get("port", 443)),
        )

    return read.map("pathRoutes", route), tuple(api_ids)


def _alb(read: Reader) -> ExistingAlbArgs | None:
    given = read.map("alb", text)
    if not given:
        return None
    if set(given) != {"arn", "securityGroupId"}:
        raise SettingError(
            f"{PROJECT}:alb: want both keys, as in {{arn: arn:…, securityGroupId: sg-0abc}}; "
            f"got {', '.join(given)}"
        )
    return ExistingAlbArgs(arn=given["arn"], security_group_id=given["securityGroupId"])


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
