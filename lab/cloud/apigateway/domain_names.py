"""Custom domain names, regional and private.

"CreateDomainName" and "UpdateDomainName" (API Gateway REST API Reference); "Custom domain names for
private APIs in API Gateway" (Developer Guide). A regional name is unique in its Region; a private
one in its account, and is only found together with its id. Not modelled: edge-optimized names,
mutual TLS, imported certificates, routing rules, the SecurityPolicy_… policies, how long AWS takes
to make a private name (it is PENDING in the answer to its creation only).
"""

import re
import secrets
import string
from collections.abc import Iterator, Mapping
from typing import Any

from moto.apigateway.exceptions import DomainNameNotFound
from moto.apigateway.models import apigateway_backends

from lab.cloud.apigateway.certificates import check_certificate
from lab.cloud.apigateway.exceptions import BadRequestException, ConflictException
from lab.cloud.apigateway.patches import Patch, invalid_path, text
from lab.cloud.apigateway.policies import stored_policy

NAME = re.compile(
    r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
TYPES = ("REGIONAL", "PRIVATE")
CERTIFICATE = {"REGIONAL": "regionalCertificateArn", "PRIVATE": "certificateArn"}
OF = {"certificateArn": "EDGE", "regionalCertificateArn": "REGIONAL"}
SECURITY_POLICIES = {"REGIONAL": ("TLS_1_0", "TLS_1_2"), "PRIVATE": ("TLS_1_2",)}
ROUTING_MODE = "BASE_PATH_MAPPING_ONLY"
NOT_MODELLED = (
    *("mutualTlsAuthentication", "ownershipVerificationCertificateArn", "endpointAccessMode"),
    *("certificateName", "certificateBody", "certificatePrivateKey", "certificateChain"),
    "regionalCertificateName",
)
# "Amazon API Gateway quotas"
MAX_PRIVATE = 50
MAX_REGIONAL = 120
# "Amazon API Gateway endpoints and quotas" in the AWS General Reference
HOSTED_ZONES = {
    "us-east-1": "Z1UJRXOUMOOFQ8",
    "us-east-2": "ZOJJZC49E0EPZ",
    "us-west-1": "Z2MUQ32089INYE",
    "us-west-2": "Z2OJLYMUO9EFXC",
    "ca-central-1": "Z19DQILCV0OWEC",
    "eu-central-1": "Z1U9ULNL0V5AJ3",
    "eu-north-1": "Z3UWIKFBOOGXPP",
    "eu-west-1": "ZLY8HYME6SFDD",
    "eu-west-2": "ZJ5UAJN8Y3Z2Q",
    "eu-west-3": "Z3KY65QIEKYHQQ",
    "ap-northeast-1": "Z1YSHQZHG15GKL",
    "ap-southeast-1": "ZL327KTPIQFUL",
    "ap-southeast-2": "Z2RPCDW04V8134",
}


class Domain:
    """One custom domain name. `id` and `arn` as AWS has them: the id for a private one only."""

    def __init__(self, name: str, kind: str, region: str, account_id: str) -> None:
        self.name, self.kind, self.region, self.account_id = name, kind, region, account_id
        self.is_private = kind == "PRIVATE"
        self.id = _random(10) if self.is_private else None
        owner, identity = (account_id, f"{name}+{self.id}") if self.is_private else ("", name)
        self.arn = f"arn:aws:apigateway:{region}:{owner}:/domainnames/{identity}"
        self.execution_arn = f"arn:aws:execute-api:{region}:{owner}:/domainnames/{identity}"
        self.regional_name = f"d-{_random(10)}.execute-api.{region}.amazonaws.com"
        self.status = "PENDING" if self.is_private else "AVAILABLE"
        self.certificate_arn = ""
        self.security_policy = "TLS_1_2"
        self.policy: str | None = None
        self.management_policy: str | None = None
        self.tags: dict[str, str] = {}
        self.mappings: dict[str, dict[str, str]] = {}  # by base path, see base_path_mappings

    def to_json(self) -> dict[str, Any]:
        address_type = "dualstack" if self.is_private else "ipv4"
        answer: dict[str, Any] = {
            "domainName": self.name,
            CERTIFICATE[self.kind]: self.certificate_arn,
            "endpointConfiguration": {"types": [self.kind], "ipAddressType": address_type},
            "domainNameStatus": self.status,
            "securityPolicy": self.security_policy,
            "routingMode": ROUTING_MODE,
            "tags": self.tags,
        }
        if self.is_private:
            answer |= {
                "domainNameId": self.id,
                "domainNameArn": self.arn,
                "policy": self.policy,
                "managementPolicy": self.management_policy,
            }
        else:
            answer |= {
                "regionalDomainName": self.regional_name,
                "regionalHostedZoneId": HOSTED_ZONES[self.region],
            }
        return {name: value for name, value in answer.items() if value is not None}

    def set_certificate(self, arn: str | None) -> None:
        check_certificate(arn, self.name, self.kind, self.region, self.account_id)
        self.certificate_arn = arn or ""

    def set_security_policy(self, policy: str) -> None:
        if policy.startswith("SecurityPolicy_"):
            raise NotImplementedError(f"a custom domain name with {policy}")
        if policy not in SECURITY_POLICIES[self.kind]:
            raise BadRequestException(
                f"Invalid security policy '{policy}' for the endpoint type {self.kind}. Must be one"
                f" of: [{', '.join(SECURITY_POLICIES[self.kind])}]"
            )
        self.security_policy = policy

    def set_policy(self, document: str) -> None:
        """`execute-api:/*` stands for everything below the name. Empty removes the policy."""
        self._check_private("policy")
        prefix = f"{self.execution_arn}/"
        self.policy = stored_policy(document, prefix) if document else None

    def set_management_policy(self, document: str) -> None:
        """Who else may create access associations. Empty removes it."""
        self._check_private("managementPolicy")
        self.management_policy = stored_policy(document, "") if document else None

    def _check_private(self, setting: str) -> None:
        if not self.is_private:
            raise BadRequestException(
                f"{setting} is supported only for private custom domain names."
            )


class DomainNameBackend:
    """The custom domain names of one account and region, in place of moto's."""

    account_id: str
    region_name: str
    domains: list[Domain]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.domains = []

    def create_domain(self, request: Mapping[str, Any]) -> Domain:
        """`request` in the API's words. Raises BadRequestException or LimitExceededException."""
        for name in NOT_MODELLED:
            if name in request:
                raise NotImplementedError(f"CreateDomainName with {name}")
        kind = endpoint_type(request.get("endpointConfiguration") or {})
        name = request["domainName"]
        check_name(name, kind)
        check_routing_mode(request.get("routingMode", ROUTING_MODE))
        self._check_unique(name, kind)
        self._check_number(kind)
        domain = Domain(name, kind, self.region_name, self.account_id)
        for setting, of in OF.items():
            if setting in request and setting != CERTIFICATE[kind]:
                raise BadRequestException(
                    f"Cannot import certificates for {of} while {kind} is active."
                )
        domain.set_certificate(request.get(CERTIFICATE[kind]))
        domain.set_security_policy(request.get("securityPolicy", "TLS_1_2"))
        if request.get("policy"):
            domain.set_policy(request["policy"])
        domain.tags = dict(request.get("tags") or {})
        self.domains.append(domain)
        return domain

    def domain(self, name: str, domain_id: str | None) -> Domain:
        """Raises NotFoundException, as for a private name without its id."""
        for each in self.domains:
            if (each.name, each.id) == (name, domain_id):
                each.status = "AVAILABLE"
                return each
        raise DomainNameNotFound()

    def update_domain(
        self, name: str, domain_id: str | None, patches: list[dict[str, str]]
    ) -> Domain:
        """All patches or none."""
        domain = self.domain(name, domain_id)
        before = dict(vars(domain))
        try:
            for patch in patches:
                apply_patch(domain, patch)
        except BaseException:
            vars(domain).update(before)
            raise
        return domain

    def delete_domain(self, name: str, domain_id: str | None) -> None:
        """With its mappings. An access association keeps it (AWS does not say; the stricter)."""
        domain = self.domain(name, domain_id)
        if self.associations_with(domain.arn):  # type: ignore[attr-defined]
            raise ConflictException(
                f"The domain name {name} has domain name access associations and cannot be deleted."
            )
        self.domains.remove(domain)

    def certificates_of_domains(self) -> dict[str, list[str]]:
        """Certificate ARN -> the ARNs of the domain names that use it."""
        used: dict[str, list[str]] = {}
        for domain in self.domains:
            used.setdefault(domain.certificate_arn, []).append(domain.arn)
        return used

    def _check_unique(self, name: str, kind: str) -> None:
        mine = [each for each in self.domains if each.kind == kind]
        others = mine if kind == "PRIVATE" else all_domains(self.region_name)
        if any((each.name, each.kind) == (name, kind) for each in others):
            raise BadRequestException("The domain name you provided already exists.")

    def _check_number(self, kind: str) -> None:
        limit = MAX_PRIVATE if kind == "PRIVATE" else MAX_REGIONAL
        if sum(each.kind == kind for each in self.domains) >= limit:
            raise BadRequestException(
                f"Exceeded the quota of {limit} custom domain names of the type {kind}."
            )


def all_domains(region: str) -> Iterator[Domain]:
    """The custom domain names of all accounts in the region."""
    for account in list(apigateway_backends.values()):
        if region in account:
            backend: Any = account[region]
            yield from list(backend.domains)


def endpoint_type(configuration: Mapping[str, Any]) -> str:
    types = configuration.get("types") or ["EDGE"]
    if types == ["EDGE"]:
        raise NotImplementedError("an edge-optimized custom domain name")
    if len(types) != 1 or types[0] not in TYPES:
        raise BadRequestException(
            f"Invalid endpoint type specified. Must be one of: [EDGE, {', '.join(TYPES)}]"
        )
    kind = types[0]
    address_type = configuration.get("ipAddressType")
    if kind == "PRIVATE" and address_type not in (None, "dualstack"):
        raise BadRequestException(
            "Only dualstack ipAddressType is supported for private custom domain names."
        )
    if kind == "REGIONAL" and address_type not in (None, "ipv4"):
        raise NotImplementedError(f"a regional custom domain name with {address_type}")
    return kind


def check_name(name: str, kind: str) -> None:
    if not NAME.fullmatch(name) or len(name) > 253:
        raise BadRequestException(f"The domain name '{name}' is not valid.")
    if kind == "PRIVATE" and name.startswith("*."):
        raise BadRequestException(
            "Wildcard custom domain names are not supported for private custom domain names."
        )


def check_routing_mode(mode: str) -> None:
    if mode != ROUTING_MODE:
        raise NotImplementedError(f"a custom domain name with the routing mode {mode}")


def apply_patch(domain: Domain, patch: Patch) -> None:
    """UpdateDomainName's "Patch operations"."""
    setters = {
        f"/{CERTIFICATE[domain.kind]}": domain.set_certificate,
        "/securityPolicy": domain.set_security_policy,
        "/policy": domain.set_policy,
        "/managementPolicy": domain.set_management_policy,
        "/routingMode": check_routing_mode,
    }
    if patch["op"] != "replace" or patch["path"] not in setters:
        raise invalid_path(patch, setters)
    setters[patch["path"]](text(patch))


def _random(characters: int) -> str:
    letters = string.ascii_lowercase + string.digits
    return "".join(secrets.choice(letters) for _ in range(characters))
