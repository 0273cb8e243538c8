"""The chain of passthrough mode: what the load balancer does not verify, verified here.

"Mutual authentication with TLS in Application Load Balancer": passthrough sends the chain on
"without verifying it"; versions, keys and signatures are those that it takes in verify mode.
Path building, signatures, dates, name and path length constraints, and the usages of authorities
are cryptography's (RFC 5280 §6.1 with the CA/Browser Forum's profile for authorities), which is
stricter than the load balancer: an authority needs critical basic constraints and a key usage, and
a name constraint other than of DNS names and IP addresses is refused.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from authorizer.certificates import Checked, identify, parse_header
from authorizer.errors import ConfigError, ForbiddenError
from authorizer.revocation_lists import RevocationLists

MAX_DEPTH = 4
"""Certificates in all, the trust anchor included ("Quotas for your Application Load Balancers")."""

E = TypeVar("E", bound=x509.ExtensionType)

_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


class ChainVerifier:
    """`authorities_pem` are the trust anchors, `revocations_pem` the lists kept of them, if any.

    Raises ConfigError for files that cannot be used.
    """

    def __init__(self, authorities_pem: bytes, revocations_pem: bytes | None) -> None:
        try:
            self._store = Store(x509.load_pem_x509_certificates(authorities_pem))
        except ValueError:
            raise ConfigError("ca-bundle.pem: want certificates in PEM") from None
        self._revocations = None if revocations_pem is None else RevocationLists(revocations_pem)

    def check(self, value: str, now: float) -> Checked:
        """The leaf of a header value. Raises ForbiddenError."""
        presented = parse_header(value)
        if len(presented) > MAX_DEPTH:
            raise ForbiddenError("certificate_chain_too_long")
        identity = identify(presented[0])
        moment = datetime.fromtimestamp(now, UTC)
        _check_dates(presented[0], moment)
        chain = self._build(presented, moment)
        for certificate in chain:
            _check_kind(certificate)
        _check_leaf(presented[0])
        ends = self._check_revocations(chain, moment)
        since = max(certificate.not_valid_before_utc for certificate in chain)
        until = min([certificate.not_valid_after_utc for certificate in chain] + ends)
        return Checked(identity, since.timestamp(), until.timestamp())

    def _build(
        self, presented: Sequence[x509.Certificate], now: datetime
    ) -> list[x509.Certificate]:
        """The path from the leaf to a trust anchor."""
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(now)
            .max_chain_depth(MAX_DEPTH - 2)  # here: between the leaf and the anchor
            .extension_policies(
                ca_policy=ExtensionPolicy.webpki_defaults_ca(),
                # The profile for leaves is one of servers: _check_leaf has the rules instead.
                ee_policy=ExtensionPolicy.permit_all(),
            )
            .build_client_verifier()
        )
        try:
            chain = verifier.verify(presented[0], list(presented[1:])).chain
        except (VerificationError, ValueError):
            raise ForbiddenError("certificate_untrusted") from None
        if len(chain) < 2:
            # A trust anchor as a leaf: whoever holds an authority's key is no client.
            raise ForbiddenError("certificate_untrusted")
        return chain

    def _check_revocations(
        self, chain: Sequence[x509.Certificate], now: datetime
    ) -> list[datetime]:
        """Until when each list consulted is in force. The anchor is revoked by leaving the file."""
        if self._revocations is None:
            return []
        pairs = pairwise(chain)
        ends = [self._revocations.check(below, above, now) for below, above in pairs]
        return [end for end in ends if end is not None]


def _check_dates(leaf: x509.Certificate, now: datetime) -> None:
    """Told apart from the other faults of a chain: it is what a client's owner can mend."""
    if now < leaf.not_valid_before_utc:
        raise ForbiddenError("certificate_not_yet_valid")
    if now > leaf.not_valid_after_utc:
        raise ForbiddenError("certificate_expired")


def _check_leaf(leaf: x509.Certificate) -> None:
    """No authority, and made to authenticate clients: RFC 5280 §4.2.1.12 would take a certificate
    without extended key usage for any purpose, which here is refused.
    """
    usages = _extension(leaf, x509.ExtendedKeyUsage)
    if usages is None or ExtendedKeyUsageOID.CLIENT_AUTH not in usages:
        raise ForbiddenError("certificate_purpose")
    key_usage = _extension(leaf, x509.KeyUsage)
    if key_usage is not None and not key_usage.digital_signature:
        raise ForbiddenError("certificate_purpose")
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise ForbiddenError("certificate_purpose")


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _check_kind(certificate: x509.Certificate) -> None:
    """RSA of 2,048 to 8,192 bits or ECDSA on three curves, SHA-256 or better: of the anchor too.

    Versions before 3 have no extensions, and fail for the lack of them before this.
    """
    key = certificate.public_key()
    rsa_fits = isinstance(key, rsa.RSAPublicKey) and 2_048 <= key.key_size <= 8_192
    ec_fits = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    hash_fits = isinstance(certificate.signature_hash_algorithm, _HASHES)
    if not (rsa_fits or ec_fits) or not hash_fits:
        raise ForbiddenError("certificate_kind")
