"""Domain name access associations: which VPC endpoint reaches a private custom domain name.

"Tasks of API providers and API consumers for custom domain names for private APIs" (Developer
Guide). The endpoint's account makes the association; in another account than the name's only where
the name's management policy allows `apigateway:CreateAccessAssociation`, else the name is not
found. The name's owner can reject what another account made. Not modelled: AWS RAM.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.apigateway.exceptions import DomainNameNotFound
from moto.apigateway.models import apigateway_backends
from moto.ec2.models import ec2_backends

from lab.cloud.apigateway.domain_names import Domain, DomainNameBackend, all_domains
from lab.cloud.apigateway.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
)
from lab.cloud.callers import Caller
from lab.cloud.evaluation import Attempt, allows

# "Amazon API Gateway quotas"
MAX_ASSOCIATIONS = 100
ACTION = "apigateway:CreateAccessAssociation"


@dataclass
class Association:
    """`account_id` made it; `domain` may be another account's."""

    account_id: str
    domain: Domain
    source: str
    tags: dict[str, str]

    @property
    def arn(self) -> str:
        return (
            f"arn:aws:apigateway:{self.domain.region}:{self.account_id}:"
            f"/domainnameaccessassociations/domainname/{self.domain.name}+{self.domain.id}"
            f"/vpcesource/{self.source}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "domainNameAccessAssociationArn": self.arn,
            "domainNameArn": self.domain.arn,
            "accessAssociationSourceType": "VPCE",
            "accessAssociationSource": self.source,
            "tags": self.tags,
        }


class AccessAssociationBackend(DomainNameBackend):
    """The associations that one account made in one region."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.associations: dict[str, Association] = {}

    def create_association(self, request: Mapping[str, Any], who: Caller) -> Association:
        """`request` in the API's words. Raises BadRequest-, Conflict- or NotFoundException."""
        kind, source = request["accessAssociationSourceType"], request["accessAssociationSource"]
        if kind != "VPCE":
            raise BadRequestException(
                "Invalid access association source type specified. Must be one of: [VPCE]"
            )
        domain = self._reachable(request["domainNameArn"], who)
        self._check_source(source)
        association = Association(self.account_id, domain, source, dict(request.get("tags") or {}))
        if association.arn in self.associations:
            raise ConflictException("The domain name access association already exists.")
        if len(self.associations) >= MAX_ASSOCIATIONS:
            raise BadRequestException(
                f"Exceeded the quota of {MAX_ASSOCIATIONS} domain name access associations."
            )
        self.associations[association.arn] = association
        return association

    def association(self, arn: str) -> Association:
        if arn not in self.associations:
            raise NotFoundException("Invalid domain name access association identifier specified")
        return self.associations[arn]

    def delete_association(self, arn: str) -> None:
        self.association(arn)
        del self.associations[arn]

    def reject_association(self, arn: str, domain_arn: str) -> None:
        """By the owner of the domain name, what another account made."""
        for backend in self._backends():
            found = backend.associations.get(arn)
            if (
                found is not None
                and found.domain in self.domains
                and found.domain.arn == domain_arn
                and found.account_id != self.account_id
            ):
                del backend.associations[arn]
                return
        raise NotFoundException("Invalid domain name access association identifier specified")

    def associations_of_others(self) -> list[Association]:
        """What other accounts made with this account's domain names."""
        return [
            each
            for backend in self._backends()
            for each in backend.associations.values()
            if each.domain in self.domains and each.account_id != self.account_id
        ]

    def associations_with(self, domain_arn: str) -> list[Association]:
        """Everybody's associations with one domain name."""
        return [
            each
            for backend in self._backends()
            for each in backend.associations.values()
            if each.domain.arn == domain_arn
        ]

    def _backends(self) -> list[Any]:
        return [
            account[self.region_name]
            for account in list(apigateway_backends.values())
            if self.region_name in account
        ]

    def _reachable(self, arn: str, who: Caller) -> Domain:
        """The private domain name, if it is the account's own or open to the caller."""
        for domain in all_domains(self.region_name):
            if domain.arn == arn and domain.is_private:
                if domain.account_id == self.account_id or admits(domain, who):
                    return domain
                break
        raise DomainNameNotFound()

    def _check_source(self, endpoint_id: str) -> None:
        endpoints: Any = ec2_backends[self.account_id][self.region_name].vpc_end_points
        service = f"com.amazonaws.{self.region_name}.execute-api"
        if endpoint_id not in endpoints or endpoints[endpoint_id].service_name != service:
            raise BadRequestException(
                f"The VPC endpoint {endpoint_id} is not an interface endpoint for {service} of this"
                " account"
            )


def admits(domain: Domain, who: Caller) -> bool:
    """Whether the domain name's management policy lets the caller associate an endpoint."""
    if domain.management_policy is None:
        return False
    attempt = Attempt(action=ACTION, resource=domain.arn, aws=who.names)
    return allows(json.loads(domain.management_policy), attempt)
