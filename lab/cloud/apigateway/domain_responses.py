"""API Gateway's answers on custom domain names (moto's form)."""

import json
from typing import Any
from urllib.parse import unquote

from moto.apigateway.responses import APIGatewayResponse
from moto.core.common_types import TYPE_RESPONSE

from lab.cloud.apigateway.domain_names import Domain
from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.callers import caller

OWNERS = ("SELF", "OTHER_ACCOUNTS")


class DomainResponse(APIGatewayResponse):
    """Names, paths and ARNs come from the request's path, ids from its query."""

    backend: Any  # type: ignore[assignment]

    def _answer(self, item: Any, status: int = 200) -> TYPE_RESPONSE:
        raise NotImplementedError

    def _page(self, items: list[dict[str, Any]]) -> TYPE_RESPONSE:
        raise NotImplementedError

    def _query(self, name: str) -> str | None:
        return self.querystring.get(name, [None])[0]

    def _part(self, number: int) -> str:
        return unquote(self.path.split("/")[number])

    def _domain(self) -> Domain:
        return self.backend.domain(self._part(2), self._query("domainNameId"))

    def _owner(self) -> str:
        owner = self._query("resourceOwner") or "SELF"
        if owner not in OWNERS:
            raise BadRequestException(
                f"Invalid resource owner specified. Must be one of: [{', '.join(OWNERS)}]"
            )
        return owner

    def create_domain_name(self) -> TYPE_RESPONSE:
        return self._answer(self.backend.create_domain(json.loads(self.body)).to_json(), 201)

    def get_domain_name(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return self._answer(self._domain().to_json())

    def get_domain_names(self) -> TYPE_RESPONSE:  # type: ignore[override]
        """Of other accounts: those that this account has associations with."""
        found: list[Domain] = self.backend.domains
        if self._owner() == "OTHER_ACCOUNTS":
            associated = [each.domain for each in self.backend.associations.values()]
            found = [each for each in dict.fromkeys(associated) if each not in found]
        for domain in found:
            domain.status = "AVAILABLE"
        return self._page([each.to_json() for each in found])

    def update_domain_name(self) -> TYPE_RESPONSE:
        domain = self.backend.update_domain(
            self._part(2), self._query("domainNameId"), self._get_param("patchOperations", [])
        )
        return self._answer(domain.to_json())

    def delete_domain_name(self) -> TYPE_RESPONSE:
        self.backend.delete_domain(self._part(2), self._query("domainNameId"))
        return self._answer({}, 202)

    def create_base_path_mapping(self) -> TYPE_RESPONSE:
        mapping = self.backend.map_base_path(
            self._domain(),
            self._get_param("basePath"),
            self._get_param("restApiId"),
            self._get_param("stage"),
        )
        return self._answer(mapping, 201)

    def get_base_path_mapping(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return self._answer(self.backend.base_path_mapping(self._domain(), self._part(4)))

    def get_base_path_mappings(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return self._page(list(self._domain().mappings.values()))

    def update_base_path_mapping(self) -> TYPE_RESPONSE:  # type: ignore[override]
        patches = self._get_param("patchOperations", [])
        domain, base_path = self._domain(), self._part(4)
        return self._answer(self.backend.patch_base_path_mapping(domain, base_path, patches))

    def delete_base_path_mapping(self) -> TYPE_RESPONSE:
        self.backend.unmap_base_path(self._domain(), self._part(4))
        return self._answer({}, 202)

    def create_domain_name_access_association(self) -> TYPE_RESPONSE:
        who = caller(self.get_access_key())
        association = self.backend.create_association(json.loads(self.body), who)
        return self._answer(association.to_json(), 201)

    def get_domain_name_access_associations(self) -> TYPE_RESPONSE:
        found = (
            list(self.backend.associations.values())
            if self._owner() == "SELF"
            else self.backend.associations_of_others()
        )
        return self._page([each.to_json() for each in found])

    def delete_domain_name_access_association(self) -> TYPE_RESPONSE:
        arn = unquote(self.path.removeprefix("/domainnameaccessassociations/"))
        self.backend.delete_association(arn)
        return self._answer({}, 202)

    def reject_domain_name_access_association(self) -> TYPE_RESPONSE:
        self.backend.reject_association(
            self._query("domainNameAccessAssociationArn") or "", self._query("domainNameArn") or ""
        )
        return self._answer({}, 202)
