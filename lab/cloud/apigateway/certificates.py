"""Which ACM certificate a custom domain name may have.

"Get certificates ready in AWS Certificate Manager" (Developer Guide): of the account and Region,
issued, for the name. The words are AWS's but for a certificate that is not issued or that has
another kind of key.
"""

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.acm.models import acm_backends

from lab.cloud.apigateway.exceptions import BadRequestException

CURVES = (ec.SECP256R1, ec.SECP384R1)


def check_certificate(
    arn: str | None, domain_name: str, endpoint_type: str, region: str, account_id: str
) -> None:
    """Raises BadRequestException."""
    if not arn:
        raise BadRequestException(
            f"A certificate was not provided for the endpoint type {endpoint_type}."
        )
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "acm" or parts[3] != region:
        raise BadRequestException(
            f"Invalid certificate ARN: {arn}. Certificate must be in '{region}'."
        )
    if parts[4] != account_id:
        raise BadRequestException(
            "The certificate provided must be owned by the account creating the domain."
        )
    certificate: Any = acm_backends[account_id][region]._certificates.get(arn)
    if certificate is None:
        raise BadRequestException("The provided certificate does not exist.")
    certificate.check()
    if certificate.status != "ISSUED":
        raise BadRequestException(f"The provided certificate is {certificate.status}, not ISSUED.")
    leaf = x509.load_pem_x509_certificate(certificate.cert)
    if not covers(leaf, domain_name):
        raise BadRequestException(
            "The domain name to be created is not covered by the provided certificate."
        )
    if endpoint_type == "PRIVATE" and not _is_for_private(leaf.public_key()):
        raise BadRequestException(
            "The provided certificate must have an RSA key of 2048 bits or a key on P-256 or P-384."
        )


def covers(certificate: x509.Certificate, domain_name: str) -> bool:
    """By its subject alternative names; `*` stands for one label (RFC 6125, section 6.4.3)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    names = [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]
    return domain_name in names or f"*.{domain_name.partition('.')[2]}" in names


def _is_for_private(key: Any) -> bool:
    """ "Custom domain names for private APIs in API Gateway" (Developer Guide)."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size == 2048
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES)
