"""The CA bundle of a trust store: what load balancers accept, checked before they are asked.

Sources: ELB user guide, "Mutual authentication with TLS in Application Load Balancer" (kinds of
certificate, form of the file) and "Quotas for your Application Load Balancers" (limits).
"""

from collections.abc import Iterable, Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import SignatureAlgorithmOID

MAX_CERTIFICATES = 25
MAX_CERTIFICATE_BYTES = 16 * 1024
MAX_SUBJECTS_BYTES = 10_000
RSA_BITS = (2048, 8192)
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
SIGNATURES = (
    SignatureAlgorithmOID.RSA_WITH_SHA256,
    SignatureAlgorithmOID.RSA_WITH_SHA384,
    SignatureAlgorithmOID.RSA_WITH_SHA512,
    SignatureAlgorithmOID.RSASSA_PSS,
    SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    SignatureAlgorithmOID.ECDSA_WITH_SHA512,
)


class CaBundleError(ValueError):
    """A bundle that a load balancer would refuse; the message names the certificate's subject."""


def normalise(*pems: str) -> str:
    """One bundle out of PEM texts: certificates only, each once, no blank line and no comment.

    Raises CaBundleError for what a load balancer refuses: no certificate, a private key among
    them, a block that is cut off or something else, more than 25 certificates, one over 16 KB,
    subjects over 10,000 bytes in all, not X.509 v3, not a CA, a key other than RSA of 2048 to 8192
    bits or P-256/P-384/P-521, a signature other than SHA-256/384/512 with RSA, RSASSA-PSS or ECDSA.
    """
    certificates: dict[bytes, x509.Certificate] = {}
    for pem in pems:
        for certificate in _parse(pem):
            certificates.setdefault(certificate.fingerprint(hashes.SHA256()), certificate)
    check(certificates.values())
    texts = (c.public_bytes(Encoding.PEM).decode().strip() for c in certificates.values())
    return "\n".join(texts) + "\n"


def check(certificates: Iterable[x509.Certificate]) -> None:
    """Refuse what a load balancer refuses; see `normalise`."""
    certificates = list(certificates)
    if not certificates:
        raise CaBundleError("CA bundle: want at least one certificate; got none")
    if len(certificates) > MAX_CERTIFICATES:
        raise CaBundleError(
            f"CA bundle: want at most {MAX_CERTIFICATES} certificates; got {len(certificates)}"
        )
    subjects = sum(len(c.subject.public_bytes()) for c in certificates)
    if subjects > MAX_SUBJECTS_BYTES:
        raise CaBundleError(
            f"CA bundle: want at most {MAX_SUBJECTS_BYTES:,} bytes of subjects in all; "
            f"got {subjects:,}"
        )
    for certificate in certificates:
        if fault := next(_faults(certificate), None):
            want, got = fault
            subject = certificate.subject.rfc4514_string()
            raise CaBundleError(f"CA bundle, certificate '{subject}': want {want}; got {got}")


def _parse(pem: str) -> list[x509.Certificate]:
    if "PRIVATE KEY-----" in pem:
        raise CaBundleError("CA bundle: want certificates only; got a private key among them")
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise CaBundleError(
            "CA bundle: want PEM blocks that begin '-----BEGIN CERTIFICATE-----'; "
            f"got {pem[:40]!r}… ({error})"
        ) from error
    # The loader passes over what it cannot read, and an authority would be missing later.
    if (blocks := pem.count("-----BEGIN ")) != len(certificates):
        raise CaBundleError(
            f"CA bundle: want whole certificates only; got {blocks} PEM blocks, "
            f"{len(certificates)} of them certificates"
        )
    return certificates


def _faults(certificate: x509.Certificate) -> Iterator[tuple[str, str]]:
    if certificate.version is not x509.Version.v3:
        yield "X.509 v3", certificate.version.name
    size = len(certificate.public_bytes(Encoding.PEM))
    if size > MAX_CERTIFICATE_BYTES:
        yield f"at most {MAX_CERTIFICATE_BYTES:,} bytes", f"{size:,}"
    if not _is_ca(certificate):
        yield "a CA certificate (basic constraints CA:TRUE)", "an end-entity certificate"
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm as error:
        yield "an RSA, P-256, P-384 or P-521 key", str(error)
        return
    if isinstance(key, rsa.RSAPublicKey):
        if not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
            yield f"an RSA key of {RSA_BITS[0]} to {RSA_BITS[1]} bits", f"{key.key_size} bits"
    elif not (isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES)):
        kind = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
        yield "an RSA, P-256, P-384 or P-521 key", kind
    signature = certificate.signature_algorithm_oid
    if signature not in SIGNATURES or not isinstance(certificate.signature_hash_algorithm, HASHES):
        yield "a signature with SHA-256, SHA-384 or SHA-512", _signature_name(certificate)


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signature_name(certificate: x509.Certificate) -> str:
    try:
        digest = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        digest = None
    return digest.name if digest else certificate.signature_algorithm_oid.dotted_string
