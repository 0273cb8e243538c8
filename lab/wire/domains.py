"""Custom domain names at an execute-api interface endpoint, and what is mapped below them.

Sources (API Gateway): "Custom domain names for private APIs" (a private name is invoked by an
endpoint that a domain name access association joins to it), "Use a VPC endpoint to access a public
custom domain name" (a Regional name whose API is private answers there too), "Configure how
requests are mapped": the mapping with the longest base path that matches whole segments, or the one
without a base path; a mapping without a stage leaves the stage to the path's next segment.

Not modelled: routing rules, and the domain's own certificate at the endpoint: an endpoint shows the
one of execute-api whatever the name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.wire.aws import Accounts, Reader

NO_BASE_PATH = "(none)"


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A custom domain name. `policy` is its own one and None for a Regional name."""

    reader: Reader
    described: Mapping[str, Any]
    policy: Any

    @property
    def private(self) -> bool:
        return _is_private(self.described)

    @property
    def arn(self) -> str:
        """As policies name it: of the service execute-api."""
        name = self.described["domainName"]
        if self.private:
            name += f"+{self.described['domainNameId']}"
        account_id = self.reader.account_id
        return f"arn:aws:execute-api:{self.reader.region}:{account_id}:/domainnames/{name}"


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """Where a path leads below a domain: `rest` is what is left of it for the stage."""

    api_id: str
    stage_name: str
    rest: str
    base_path: str


class Domains:
    """Every custom domain name of the accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def find(self, host: str, vpc_endpoint_id: str | None) -> Domain | None:
        """The domain that answers for a host at an endpoint, or in public where that is None.

        A private name that is joined to the endpoint goes before a Regional one.
        """
        found = [
            (reader, described)
            for reader, answer in self._accounts.each("apigateway", "get_domain_names")
            for described in answer.get("items", ())
            if described["domainName"].lower() == host
        ]
        for reader, described in found:
            if _is_private(described) and self._associated(described, vpc_endpoint_id):
                policy = json.loads(described["policy"]) if described.get("policy") else None
                return Domain(reader=reader, described=described, policy=policy)
        for reader, described in found:
            if not _is_private(described):
                return Domain(reader=reader, described=described, policy=None)
        return None

    def _associated(self, described: Mapping[str, Any], vpc_endpoint_id: str | None) -> bool:
        wanted = (described["domainNameArn"], vpc_endpoint_id)
        answers = self._accounts.each("apigateway", "get_domain_name_access_associations")
        return any(
            (one["domainNameArn"], one["accessAssociationSource"]) == wanted
            for _, answer in answers
            for one in answer.get("items", ())
        )

    @staticmethod
    def route(domain: Domain, path: str) -> Mapped | None:
        """Where a path leads, or None where nothing is mapped."""
        arguments = {"domainName": domain.described["domainName"]}
        if domain.private:
            arguments["domainNameId"] = domain.described["domainNameId"]
        answer = domain.reader.call("apigateway", "get_base_path_mappings", **arguments)
        mappings = {_base_path(one): one for one in answer.get("items", ())}
        asked = path.lstrip("/")
        for base_path in sorted(mappings, key=len, reverse=True):
            if base_path and asked != base_path and not asked.startswith(f"{base_path}/"):
                continue
            chosen, rest = mappings[base_path], asked.removeprefix(base_path).lstrip("/")
            stage_name = chosen.get("stage")
            if not stage_name:
                stage_name, _, rest = rest.partition("/")
            return Mapped(
                api_id=chosen["restApiId"], stage_name=stage_name, rest=rest, base_path=base_path
            )
        return None


def _is_private(described: Mapping[str, Any]) -> bool:
    return "PRIVATE" in described["endpointConfiguration"]["types"]


def _base_path(mapping: Mapping[str, Any]) -> str:
    """Empty for the mapping without one."""
    base_path = mapping.get("basePath") or NO_BASE_PATH
    return "" if base_path == NO_BASE_PATH else base_path.strip("/")
