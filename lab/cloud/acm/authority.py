"""The certificate authority behind ACM's public certificates: one root per running API."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# "AWS Certificate Manager public certificate characteristics and limitations" in its user guide
VALIDITY = timedelta(days=395)
CURVES = {"EC_prime256v1": ec.SECP256R1, "EC_secp384r1": ec.SECP384R1}
KEY_ALGORITHMS = ("RSA_2048", *CURVES)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_key(algorithm: str) -> Key:
    """`algorithm` is one of KEY_ALGORITHMS."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    return rsa.generate_private_key(65537, 2048)


class Authority:
    """A self-signed root that signs server certificates."""

    def __init__(self) -> None:
        self._key = new_key("RSA_2048")
        self._name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Amazon"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Amazon"),
            ]
        )
        now = datetime.now(UTC).replace(microsecond=0)
        key_id = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        certificate = (
            _builder(
                self._name, self._name, self._key, now - timedelta(days=1), now + 10 * VALIDITY
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_key_usage(ca=True, encipherment=False), critical=True)
            .add_extension(key_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self._key_id = key_id
        self.certificate_pem = certificate.public_bytes(Encoding.PEM)

    def issue(self, domains: list[str], key: Key) -> bytes:
        """A PEM server certificate for `domains`, the first of which is its common name."""
        start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domains[0])])
        names = x509.SubjectAlternativeName([x509.DNSName(domain) for domain in domains])
        usage = _key_usage(ca=False, encipherment=isinstance(key, rsa.RSAPrivateKey))
        key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._key_id)
        end = start + VALIDITY - timedelta(seconds=1)
        certificate = (
            _builder(subject, self._name, key, start, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(key_id, critical=False)
            .add_extension(issuer_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=end,
    )


def _key_usage(*, ca: bool, encipherment: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
