"""The stack's configuration, read once: typed, checked, and refused before anything is created."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypedDict, TypeVar, cast, get_args

import pulumi
import yaml
from pulumi.runtime.config import CONFIG, get_config_env
from pulumi_aws import Region

from components import (
    CertificateAuthorityArgs,
    Client,
    ExistingAlbArgs,
    ExistingNetworkArgs,
    ExistingTrustStoreArgs,
    NetworkArgs,
    PathRoute,
)
from components.addresses import check_subnets, check_vpc, parse_network
from components.domains import check_domain
from components.mtls_alb_front import TLS_POLICY
from components.routes import check_backends, check_openapi, check_routes

PROJECT = "mtls"
SAMPLE = "sample"
Role = Literal["producer", "all-in-one"]
T = TypeVar("T")

RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192)
"""CloudWatch Logs API reference, `PutRetentionPolicy`, up to six years."""


class SettingError(pulumi.RunError, ValueError):
    """A setting that cannot be used; shown without a traceback."""


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
class Settings:
    """One stack's settings, in the words of `Pulumi.yaml`, which holds every default.

    `certificate_authorities` and `trust_store` exclude each other. `test_certificates` maps a
    client to the authority that signs its test certificate. A backend is the ARN of a function, or
    `SAMPLE` for the one in `widgets/`.
    """

    role: Role
    region: str
    public_zone: str
    network: NetworkArgs | ExistingNetworkArgs
    certificate_authorities: Mapping[str, CertificateAuthorityArgs]
    trust_store: ExistingTrustStoreArgs | None
    test_certificates: Mapping[str, str]
    backends: Mapping[str, str]
    api: ApiSettings
    alb: ExistingAlbArgs | None
    front: FrontSettings
    log_retention_days: int
    deletion_protection: bool

    @classmethod
    def load(cls, root: Path = Path()) -> "Settings":
        """Read the configuration of the running stack; files it names lie below `root`.

        Raises SettingError naming the key, what was wanted with an example, and what was given.
        """
        read = _Reader(root)
        try:
            return read.settings()
        except SettingError:
            raise
        except ValueError as error:
            raise SettingError(str(error)) from error


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = pulumi.Config(PROJECT)
        self.read: set[str] = set()

    def settings(self) -> Settings:
        backends = self._map("backends", _text)
        settings = Settings(
            role=self._one_of("role", get_args(Role)),
            region=self._region(),
            public_zone=self._domain("publicZone"),
            network=self._network(),
            certificate_authorities=self._map("certificateAuthorities", self._authority),
            trust_store=self._trust_store(),
            test_certificates=self._test_certificates(),
            backends=backends,
            api={
                "routes": self._map("routes", _text),
                "openapi": self._openapi(backends),
                "throttling_rate_limit": self._number("throttlingRateLimit"),
                "throttling_burst_limit": int(self._number("throttlingBurstLimit")),
                "log_retention_days": self._retention(),
                "manage_log_role": self._flag("manageApiGatewayLogRole"),
            },
            alb=self._alb(),
            front={
                "domain": self._domain("domain"),
                "clients": self._map("clients", self._client),
                "path_routes": self._map("pathRoutes", self._path_route),
                "web_acl_arn": self._arn("webAclArn", "wafv2") or None,
                "tls_policy": self._text("tlsPolicy", TLS_POLICY),
            },
            log_retention_days=self._retention(),
            deletion_protection=self._flag("deletionProtection"),
        )
        self._refuse_unknown()
        _check(settings)
        return settings

    # What one key holds

    def _raw(self, key: str) -> str:
        self.read.add(key)
        return self.config.get(key) or ""

    def _text(self, key: str, example: str) -> str:
        value = self._raw(key)
        if not value:
            raise SettingError(f"{PROJECT}:{key}: want a value such as {example!r}; got nothing")
        return value

    def _one_of(self, key: str, known: Collection[Any]) -> Any:
        value = self._text(key, next(iter(known)))
        if value not in known:
            raise SettingError(f"{PROJECT}:{key}: want one of {', '.join(known)}; got {value!r}")
        return value

    def _domain(self, key: str) -> str:
        value = self._text(key, "api.example.com")
        check_domain(f"{PROJECT}:{key}", value)
        return value

    def _arn(self, key: str, service: str) -> str:
        value = self._raw(key)
        if value and not value.startswith("arn:"):
            raise SettingError(
                f"{PROJECT}:{key}: want an ARN such as 'arn:aws:{service}:eu-west-1:1111…'; "
                f"got {value!r}"
            )
        return value

    def _number(self, key: str) -> float:
        value = self._text(key, "100")
        try:
            number = float(value)
        except ValueError:
            number = 0
        if number < 1:
            raise SettingError(f"{PROJECT}:{key}: want a number from 1, such as 100; got {value!r}")
        return number

    def _flag(self, key: str) -> bool:
        return self._one_of(key, ("true", "false")) == "true"

    def _retention(self) -> int:
        days = self._number("logRetentionDays")
        if days not in RETENTION_DAYS:
            raise SettingError(
                f"{PROJECT}:logRetentionDays: want one of {', '.join(map(str, RETENTION_DAYS))}; "
                f"got {days:g}"
            )
        return int(days)

    def _map(self, key: str, parse: Callable[[str, Any], T]) -> dict[str, T]:
        raw = self._raw(key) or "{}"
        try:
            value: object = json.loads(raw)
        except json.JSONDecodeError:
            value = raw
        if not isinstance(value, dict):
            raise SettingError(f"{PROJECT}:{key}: want a map, such as 'name: …'; got {raw!r}")
        entries = cast("dict[str, Any]", value)
        return {name: parse(f"{PROJECT}:{key}.{name}", entry) for name, entry in entries.items()}

    # What several keys say together

    def _region(self) -> str:
        region = pulumi.Config("aws").get("region") or ""
        known = [r.value for r in Region]
        if region not in known:
            near = get_close_matches(region, known, n=1) or ["eu-west-1"]
            raise SettingError(f"aws:region: want a region such as {near[0]!r}; got {region!r}")
        return region

    def _network(self) -> NetworkArgs | ExistingNetworkArgs:
        vpc_id, cidr = self._raw("vpcId"), self._raw("vpcCidr")
        subnets = self._map("subnets", lambda field, value: parse_network(field, str(value)))
        subnet_ids = self._map("subnetIds", _text)
        endpoint_ips = self._map("endpointIps", _text)
        if bool(vpc_id) == bool(cidr):
            raise SettingError(
                f"{PROJECT}:vpcCidr, {PROJECT}:vpcId: want one of the two, a block such as "
                f"'10.20.0.0/16' for a new VPC or the id of an existing one; "
                f"got {'both' if cidr else 'neither'}"
            )
        unused = {"subnetIds": subnet_ids, "endpointIps": endpoint_ips} if cidr else {}
        for key, given in (unused or {"subnets": subnets}).items():
            if given:
                raise SettingError(
                    f"{PROJECT}:{key}: want none with {PROJECT}:{'vpcCidr' if cidr else 'vpcId'}; "
                    f"got {', '.join(given)}"
                )
        if vpc_id:
            return ExistingNetworkArgs(
                vpc_id=vpc_id, subnet_ids=subnet_ids, endpoint_ips=endpoint_ips
            )
        block = parse_network(f"{PROJECT}:vpcCidr", cidr)
        check_vpc(f"{PROJECT}:vpcCidr", block)
        check_subnets(f"{PROJECT}:subnets", block, subnets)
        return NetworkArgs(cidr_block=block, subnets=subnets, log_retention_days=self._retention())

    def _authority(self, field: str, value: Any) -> CertificateAuthorityArgs:
        entry = _entry(field, value, {"kind", "bundleFile"}, "{kind: self-signed}")
        bundle = self._file(field, str(entry["bundleFile"])) if "bundleFile" in entry else ""
        try:
            return CertificateAuthorityArgs(kind=entry.get("kind", ""), bundle=bundle)
        except ValueError as error:
            raise SettingError(f"{field}: {error}") from error

    def _client(self, field: str, value: Any) -> Client:
        entry = _entry(
            field, value, {"securityGroupId", "certificateAuthority"}, "{securityGroupId: sg-0abc}"
        )
        return Client(security_group_id=entry.get("securityGroupId"))

    def _trust_store(self) -> ExistingTrustStoreArgs | None:
        arn = self._arn("trustStoreArn", "elasticloadbalancing")
        return ExistingTrustStoreArgs(arn=arn) if arn else None

    def _test_certificates(self) -> dict[str, str]:
        entries = self._map("clients", lambda _, value: cast("dict[str, str]", value or {}))
        key = "certificateAuthority"
        return {client: entry[key] for client, entry in entries.items() if key in entry}

    def _path_route(self, field: str, value: Any) -> PathRoute:
        keys = {"paths", "targetGroupArn", "priority", "securityGroupId", "port"}
        example = "{paths: [/reports/*], targetGroupArn: arn:…, priority: 100}"
        entry = _entry(field, value, keys, example)
        if missing := {"paths", "targetGroupArn", "priority"} - entry.keys():
            raise SettingError(f"{field}: want {example}; got no {', '.join(sorted(missing))}")
        paths = entry["paths"]
        if not isinstance(paths, list):
            raise SettingError(f"{field}.paths: want a list, such as [/reports/*]; got {paths!r}")
        return PathRoute(
            path_patterns=tuple(cast("list[str]", paths)),
            target_group_arn=entry["targetGroupArn"],
            priority=_whole(f"{field}.priority", entry["priority"]),
            security_group_id=entry.get("securityGroupId"),
            port=_whole(f"{field}.port", entry.get("port", 443)),
        )

    def _alb(self) -> ExistingAlbArgs | None:
        given = self._map("alb", _text)
        if not given:
            return None
        if set(given) != {"arn", "securityGroupId"}:
            raise SettingError(
                f"{PROJECT}:alb: want both keys, as in {{arn: arn:…, securityGroupId: sg-0abc}}; "
                f"got {', '.join(given)}"
            )
        return ExistingAlbArgs(arn=given["arn"], security_group_id=given["securityGroupId"])

    def _openapi(self, backends: Collection[str]) -> Mapping[str, Any] | None:
        name = self._raw("openapiFile")
        if not name:
            return None
        document: object = yaml.safe_load(self._file(f"{PROJECT}:openapiFile", name))
        if not isinstance(document, dict):
            raise SettingError(f"{PROJECT}:openapiFile: want an OpenAPI document; got {name!r}")
        known = cast("dict[str, Any]", document)
        check_openapi(known, backends)
        return known

    def _file(self, field: str, name: str) -> str:
        path = self.root / name
        if not path.is_file():
            raise SettingError(f"{field}: want a file below this project; got {name!r}")
        return path.read_text()

    def _refuse_unknown(self) -> None:
        given = {*CONFIG.get(), *get_config_env()}
        for key in sorted(given):
            namespace, _, name = key.partition(":")
            if namespace == PROJECT and name not in self.read:
                near = get_close_matches(name, self.read, n=1)
                hint = f"; did you mean {PROJECT}:{near[0]}?" if near else ""
                raise SettingError(f"{key}: want a setting that Pulumi.yaml lists{hint}")


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise SettingError(f"{field}: want text, such as 'widgets'; got {value!r}")
    return value


def _whole(field: str, value: Any) -> int:
    if not isinstance(value, int):
        raise SettingError(f"{field}: want a whole number, such as 443; got {value!r}")
    return value


def _entry(field: str, value: Any, keys: Collection[str], example: str) -> dict[str, Any]:
    entry: object = {} if value is None else value
    if not isinstance(entry, dict):
        raise SettingError(f"{field}: want a map, such as {example}; got {value!r}")
    known = cast("dict[str, Any]", entry)
    for key in known:
        if key not in keys:
            near = get_close_matches(key, keys, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            wanted = ", ".join(sorted(keys))
            raise SettingError(f"{field}: want the keys {wanted}; got {key!r}{hint}")
    return known


def _check(settings: Settings) -> None:
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
    for client, authority in settings.test_certificates.items():
        field = f"{PROJECT}:clients.{client}.certificateAuthority"
        if settings.role != "all-in-one":
            raise SettingError(
                f"{field}: want none with {PROJECT}:role {settings.role!r}; test certificates, "
                f"whose keys are in the state, are for 'all-in-one'; got {authority!r}"
            )
        authorities = settings.certificate_authorities
        signers = [key for key, args in authorities.items() if args.kind == "self-signed"]
        if authority not in signers:
            raise SettingError(
                f"{field}: want a self-signed authority: {', '.join(signers) or '(none)'}; "
                f"got {authority!r}"
            )
