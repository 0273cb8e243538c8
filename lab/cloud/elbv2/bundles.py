"""What an ALB accepts as a CA certificate bundle and as a revocation list.

"Configuring mutual TLS on an Application Load Balancer", "Mutual authentication with TLS in
Application Load Balancer" and "Quotas for your Application Load Balancers" in its user guide. Where
these leave a question open, the stricter reading holds: a certificate in a bundle must be a CA's.
"""

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lab.cloud.elbv2.exceptions import ELBError

MAX_CERTIFICATES = 25
MAX_CERTIFICATE_BYTES = 16 * 1024
MAX_SUBJECT_BYTES = 10_000
MAX_LIST_BYTES = 50 * 1024 * 1024
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def check_bundle(content: bytes) -> int:
    """The number of CA certificates in a bundle. Raises InvalidCaCertificatesBundle."""
    certificates = [_load(pem, place) for place, pem in enumerate(_blocks(content), 1)]
    if not certificates:
        raise _invalid_bundle("it has no certificate")
    if len(certificates) > MAX_CERTIFICATES:
        raise _invalid_bundle(
            f"it has {len(certificates)} certificates; at most {MAX_CERTIFICATES}"
        )
    for place, certificate in enumerate(certificates, 1):
        if fault := _fault(certificate):
            subject = certificate.subject.rfc4514_string()
            raise _invalid_bundle(f"certificate {place} ({subject}): {fault}")
    subjects = sum(len(certificate.subject.public_bytes()) for certificate in certificates)
    if subjects > MAX_SUBJECT_BYTES:
        raise _invalid_bundle(f"its subjects have {subjects} bytes; at most {MAX_SUBJECT_BYTES}")
    return len(certificates)


def check_revocation_list(content: bytes) -> int:
    """The number of entries of the one PEM list in a file. Raises InvalidRevocationContent."""
    if len(content) > MAX_LIST_BYTES:
        raise _invalid_list(f"The file has {len(content)} bytes; at most {MAX_LIST_BYTES}.")
    if content.count(b"-----BEGIN X509 CRL-----") > 1:
        raise _invalid_list("More than one CRL objects in the revocation file")
    try:
        revocations = x509.load_pem_x509_crl(content)
    except ValueError:
        raise _invalid_list("The file is not a certificate revocation list in PEM.") from None
    if not isinstance(revocations.signature_hash_algorithm, HASHES):
        raise _invalid_list("The list is not signed with SHA-256, SHA-384 or SHA-512.")
    return len(revocations)


def _blocks(content: bytes) -> list[str]:
    """The PEM blocks of a bundle; only `#` comments without a hyphen may stand between them."""
    try:
        lines = content.decode("ascii").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise _invalid_bundle("it is not PEM text") from None
    blocks: list[str] = []
    block: list[str] | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.removesuffix("\r")
        if not line.strip():
            raise _invalid_bundle(f"line {number} is blank")
        if block is None:
            if line == BEGIN:
                block = [line]
            elif not line.startswith("#"):
                raise _invalid_bundle(f"line {number} is neither a certificate nor a comment")
            elif "-" in line:
                raise _invalid_bundle(f"line {number} is a comment with a hyphen")
            continue
        block.append(line)
        if line == END:
            blocks.append("\n".join(block) + "\n")
            block = None
    if block is not None:
        raise _invalid_bundle("its last certificate has no end")
    return blocks


def _load(pem: str, place: int) -> x509.Certificate:
    if len(pem) > MAX_CERTIFICATE_BYTES:
        raise _invalid_bundle(f"certificate {place} is larger than {MAX_CERTIFICATE_BYTES} bytes")
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except (ValueError, x509.InvalidVersion):
        raise _invalid_bundle(f"certificate {place} cannot be read") from None


def _fault(certificate: x509.Certificate) -> str | None:
    """Why an ALB does not accept this CA certificate; None when it does."""
    if certificate.version != x509.Version.v3:
        return "only X.509 version 3 is supported"
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "its key type is not supported"
    if isinstance(key, rsa.RSAPublicKey):
        if not 2048 <= key.key_size <= 8192:
            return f"an RSA key of {key.key_size} bits is not supported"
    elif not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, CURVES):
        return "its key is neither RSA nor on P-256, P-384 or P-521"
    if not isinstance(_signature_hash(certificate), HASHES):
        return "it is not signed with SHA-256, SHA-384 or SHA-512"
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return "it is not a CA certificate"
    return None if constraints.value.ca else "it is not a CA certificate"


def _signature_hash(certificate: x509.Certificate) -> hashes.HashAlgorithm | None:
    try:
        return certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None


def _invalid_bundle(reason: str) -> ELBError:
    return ELBError(
        "InvalidCaCertificatesBundle",
        f"The specified ca certificate bundle is in an invalid format, or corrupt: {reason}.",
    )


def _invalid_list(reason: str) -> ELBError:
    return ELBError("InvalidRevocationContent", reason)
