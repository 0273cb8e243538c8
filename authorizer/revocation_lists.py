"""Certificate revocation lists of passthrough mode (RFC 5280 §5, §6.3)."""

import re
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from authorizer.errors import ConfigError, ForbiddenError

_PEM = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----", re.DOTALL)


class RevocationLists:
    """Complete lists by their issuer. An authority without any list revokes nothing, as with the
    load balancer; one whose list is not in force has none of its certificates accepted.
    """

    def __init__(self, pem: bytes) -> None:
        try:
            self._lists = [x509.load_pem_x509_crl(block) for block in _PEM.findall(pem)]
        except ValueError:
            raise ConfigError("revocations.pem: want revocation lists in PEM") from None
        if not self._lists:
            raise ConfigError("revocations.pem: want at least one revocation list")

    def check(
        self, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
    ) -> datetime | None:
        """Until when `certificate` is known not to be revoked; None where nobody keeps a list.

        Raises ForbiddenError for a revoked one, and where no list of the issuer is in force: it
        has expired, is not signed by this issuer, or has a critical extension, such as a list of
        only some certificates has (RFC 5280 §5.2.5).
        """
        named = [one for one in self._lists if one.issuer == issuer.subject]
        if not named:
            return None
        signed = [one for one in named if _is_complete(one) and _is_signed(one, issuer)]
        if not signed:
            raise ForbiddenError("revocation_list_invalid")
        if any(_lists(one, certificate) for one in signed):
            raise ForbiddenError("certificate_revoked")
        ends = [one.next_update_utc for one in signed if one.last_update_utc <= now]
        until = max((end for end in ends if end is not None), default=None)
        if until is None or until <= now:
            raise ForbiddenError("revocation_list_expired")
        return until


def _is_complete(one: x509.CertificateRevocationList) -> bool:
    return not any(extension.critical for extension in one.extensions)


def _is_signed(one: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    """RFC 5280 §6.3.3 (f): by a key that may sign lists. Every authority of a chain has a usage."""
    usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    key = issuer.public_key()
    return (
        usage.crl_sign
        and isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
        and one.is_signature_valid(key)
    )


def _lists(one: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    serial_number = certificate.serial_number
    return one.get_revoked_certificate_by_serial_number(serial_number) is not None
