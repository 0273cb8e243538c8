"""Whom the API takes a caller for: by the client's certificate and by its token. No Pulumi here."""

from dataclasses import dataclass, field
from typing import Literal

Binding = Literal["required", "optional", "off"]


@dataclass(frozen=True, kw_only=True)
class CertificateRules:
    """Which certificates are a tenant's: one of `subjects`, `sans_dns`, `sans_uri` and
    `thumbprints` fits, and one of `issuers` too where they are given.

    Names are RFC 4514 text, as in 'CN=acme,O=Acme'; thumbprints the SHA-256 of the certificate in
    hex. A name says only what the authority let it say: where an authority signs for several
    tenants, it must not let one have another's.
    """

    issuers: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    sans_dns: tuple[str, ...] = ()
    sans_uri: tuple[str, ...] = ()
    thumbprints: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether any certificate can fit."""
        return bool(self.subjects or self.sans_dns or self.sans_uri or self.thumbprints)


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Both its certificate and its token name a caller; a token is its own by the token's subject
    or by the client id.

    `binding` says whether a token must be bound to the certificate that it comes with (RFC 8705
    §3): "required" refuses one that is bound to none, "optional" takes it, "off" does not look.
    `blocked_certificates` are thumbprints, or '<issuer>#<serial number in hex>'; they are refused
    to whomever they belong.
    """

    certificates: CertificateRules = field(default_factory=CertificateRules)
    token_subjects: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    binding: Binding = "required"
    blocked: bool = False
    blocked_certificates: tuple[str, ...] = ()

    @property
    def has_token_rules(self) -> bool:
        return bool(self.token_subjects or self.client_ids)
