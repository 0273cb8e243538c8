"""Whether an Application Load Balancer in `verify` mode accepts a client's certificate chain.

OpenSSL builds and validates the path; `ChainCheck` watches it through the verify callback, adds the
rules that are the load balancer's own, and names the reason as the connection log does.

Sources (Elastic Load Balancing, Application Load Balancers): "Mutual authentication with TLS"
(certificate version, keys, signatures), "Quotas" (chain depth 4, 64 K per TLS message),
"Connection logs", "Error reason codes".

Where AWS leaves a choice, the stricter reading is taken: the depth counts every certificate of the
path, leaf and root included; a path must end in a self-signed certificate of the trust store; keys
and signatures are judged on every certificate of the path; a revocation list that is out of date
refuses (`ClientCertCrlProcessingError`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import SignatureAlgorithmOID
from OpenSSL import crypto

MAX_CHAIN_DEPTH = 4
MAX_PRESENTED_BYTES = 64 * 1024

TOO_DEEP = "ClientCertMaxChainDepthExceeded"
TOO_BIG = "ClientCertMaxSizeExceeded"
UNTRUSTED = "ClientCertUntrusted"
UNSUPPORTED = "ClientCertTypeUnsupported"
INVALID = "ClientCertInvalid"
WRONG_PURPOSE = "ClientCertPurposeInvalid"
NOT_YET_VALID = "ClientCertNotYetValid"
EXPIRED = "ClientCertExpired"
CRL_UNUSABLE = "ClientCertCrlProcessingError"
REVOKED = "ClientCertCrlHit"
UNMAPPED = "UnmappedConnectionError"

# When several hold, the first is reported: a path that is not trusted says nothing of its dates.
_PRECEDENCE = (
    TOO_BIG,
    TOO_DEEP,
    UNTRUSTED,
    UNSUPPORTED,
    INVALID,
    WRONG_PURPOSE,
    NOT_YET_VALID,
    EXPIRED,
    CRL_UNUSABLE,
    REVOKED,
)

# X509_V_ERR_* (OpenSSL, include/openssl/x509_vfy.h) -> reason. Any other number is INVALID.
_NO_CRL = 3
_REASONS = {
    **dict.fromkeys((2, 7, 18, 19, 20, 21, 27, 28, 29, 30, 31), UNTRUSTED),
    **dict.fromkeys((66, 67, 68), UNSUPPORTED),
    9: NOT_YET_VALID,
    10: EXPIRED,
    22: TOO_DEEP,
    23: REVOKED,
    26: WRONG_PURPOSE,
    **dict.fromkeys((8, 11, 12, 15, 16, 33, 35, 36, 44, 54), CRL_UNUSABLE),
}

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_SIGNATURES = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)


@dataclass(frozen=True, kw_only=True)
class TrustStore:
    """A trust store as a listener uses it."""

    certificates: tuple[x509.Certificate, ...]
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()
    ignore_expiry: bool = False

    def fill(self, store: crypto.X509Store) -> None:
        """Puts the certificates and lists where OpenSSL looks for them."""
        for certificate in self.certificates:
            store.add_cert(crypto.X509.from_cryptography(certificate))
        for revocation_list in self.revocation_lists:
            store.add_crl(revocation_list)
        if self.revocation_lists:
            flags = crypto.X509StoreFlags
            store.set_flags(flags.CRL_CHECK | flags.CRL_CHECK_ALL)


class ChainCheck:
    """What one connection's path validation found; made anew for each connection."""

    def __init__(self, trust: TrustStore) -> None:
        self._trust = trust
        self._path: dict[int, x509.Certificate] = {}
        self._errors: list[tuple[int, int]] = []
        self._listed = {crl.issuer for crl in trust.revocation_lists}

    def observe(self, certificate: x509.Certificate, error: int, depth: int) -> None:
        """One call of OpenSSL's verify callback; `error` is 0 when nothing was found."""
        self._path[depth] = certificate
        if error:
            self._errors.append((error, depth))

    def reason(self, presented: Sequence[x509.Certificate]) -> str | None:
        """Why the chain that the client presented is refused, or None when it is accepted."""
        found = {self._reason_of(error, depth) for error, depth in self._errors}
        found.update(map(unsupported, self._path.values()))
        if len(self._path) > MAX_CHAIN_DEPTH:
            found.add(TOO_DEEP)
        found.add(too_big(presented))
        return next((reason for reason in _PRECEDENCE if reason in found), None)

    def _reason_of(self, error: int, depth: int) -> str | None:
        if error == _NO_CRL and self._path[depth].issuer not in self._listed:
            return None  # Revocation is checked for the authorities that have a list.
        if error == _NO_CRL:
            return CRL_UNUSABLE
        reason = _REASONS.get(error, INVALID)
        return None if reason == EXPIRED and self._trust.ignore_expiry else reason


def too_big(presented: Sequence[x509.Certificate]) -> str | None:
    """Whether a client presented more than fits into one TLS message, in whatever mode."""
    size = sum(len(one.public_bytes(serialization.Encoding.DER)) for one in presented)
    return TOO_BIG if size > MAX_PRESENTED_BYTES else None


def unsupported(certificate: x509.Certificate) -> str | None:
    """Whether version, public key or signature is one that the load balancer does not support."""
    if certificate.version is not x509.Version.v3:
        return UNSUPPORTED
    return (
        None if _key_supported(certificate) and _signature_supported(certificate) else UNSUPPORTED
    )


def _key_supported(certificate: x509.Certificate) -> bool:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):  # a kind, or a curve, that cryptography cannot load
        return False
    if isinstance(key, rsa.RSAPublicKey):
        return 2048 <= key.key_size <= 8192
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)


def _signature_supported(certificate: x509.Certificate) -> bool:
    if certificate.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        return isinstance(certificate.signature_hash_algorithm, _HASHES)
    return certificate.signature_algorithm_oid in _SIGNATURES
