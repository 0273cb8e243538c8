"""Whose certificate, whose token: both must be the same tenant's."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import TypeVar

from authorizer.certificates import Identity
from authorizer.config import CertificateRules, Tenant
from authorizer.errors import ForbiddenError, UnauthorizedError
from authorizer.tokens import Token

K = TypeVar("K", bound=Hashable)
_NONE: frozenset[str] = frozenset()


class Tenants:
    def __init__(self, tenants: Iterable[Tenant]) -> None:
        self._tenants = {tenant.name: tenant for tenant in tenants}
        self._by_subject = _index(
            (subject, tenant.name)
            for tenant in self._tenants.values()
            for subject in tenant.subjects
        )
        self._by_client_id = _index(
            (client_id, tenant.name)
            for tenant in self._tenants.values()
            for client_id in tenant.client_ids
        )

    def of_certificate(self, identity: Identity) -> frozenset[str]:
        """The tenants whose rules a certificate fits. Raises ForbiddenError where there is none."""
        found = frozenset(
            name for name, tenant in self._tenants.items() if _fits(tenant.certificates, identity)
        )
        if not found:
            raise ForbiddenError("certificate_unknown")
        return found

    def blocks(self, identity: Identity) -> bool:
        """Whether any tenant has blocked a certificate, be it its own or not."""
        serial = (identity.issuer, identity.serial_number)
        return any(
            identity.thumbprint in tenant.blocked_thumbprints or serial in tenant.blocked_serials
            for tenant in self._tenants.values()
        )

    def resolve(self, of_certificate: frozenset[str], token: Token) -> Tenant:
        """The one tenant of both, blocked or not. Raises ForbiddenError."""
        of_token = self._by_subject.get(token.subject, _NONE)
        of_token = of_token | self._by_client_id.get(token.client_id, _NONE)
        if not of_token:
            raise ForbiddenError("token_unknown")
        both = of_certificate & of_token
        if len(both) != 1:
            raise ForbiddenError("tenant_ambiguous" if both else "tenant_mismatch")
        return self._tenants[next(iter(both))]


def check_binding(tenant: Tenant, token: Token, identity: Identity) -> None:
    """RFC 8705 §3: a token bound to another certificate is invalid, which is a 401. One that is
    bound to none is as good as its issuer made it, but not good enough here, which is a 403.

    Neither the thumbprint nor the token's claim is a secret: they are compared as they are.
    """
    if tenant.binding == "off" or token.confirmation == identity.confirmation:
        return
    if token.confirmation is not None:
        raise UnauthorizedError("token_binding")
    if tenant.binding == "required":
        raise ForbiddenError("token_not_bound")


def _index(pairs: Iterable[tuple[K, str]]) -> dict[K, frozenset[str]]:
    found: defaultdict[K, set[str]] = defaultdict(set)
    for key, name in pairs:
        found[key].add(name)
    return {key: frozenset(several) for key, several in found.items()}


def _fits(rules: CertificateRules, identity: Identity) -> bool:
    if rules.issuers and identity.issuer not in rules.issuers:
        return False
    return (
        identity.subject in rules.subjects
        or not rules.sans_dns.isdisjoint(identity.sans_dns)
        or not rules.sans_uri.isdisjoint(identity.sans_uri)
        or identity.thumbprint in rules.thumbprints
    )
