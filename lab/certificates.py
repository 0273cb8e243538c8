"""Certificates made on the spot: authorities, and what they issue, good and deliberately bad."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_CURVES: dict[str, ec.EllipticCurve] = {
    "p-224": ec.SECP224R1(),
    "p-256": ec.SECP256R1(),
    "p-384": ec.SECP384R1(),
    "p-521": ec.SECP521R1(),
}
_HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_USAGES = {
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
}


def make_key(kind: str) -> PrivateKey:
    """A private key: `rsa-<bits>`, or `p-224`, `p-256`, `p-384`, `p-521`."""
    if kind.startswith("rsa-"):
        bits = int(kind.removeprefix("rsa-"))
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return ec.generate_private_key(_CURVES[kind])


def key_pem(key: PrivateKey) -> str:
    """The key unencrypted, as PKCS #8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True, kw_only=True)
class Issued:
    """An end-entity certificate, and the chain a client sends with it (leaf first, no root)."""

    certificate_pem: str
    chain_pem: str
    key_pem: str

    @property
    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate_pem.encode())

    @property
    def key(self) -> PrivateKey:
        key = serialization.load_pem_private_key(self.key_pem.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise TypeError(f"the kind of private key of {self.certificate.subject}")
        return key


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority: a root, or below `parent`."""

    certificate: x509.Certificate
    key: PrivateKey
    parent: "Authority | None" = None

    @classmethod
    def create(
        cls,
        name: str,
        parent: "Authority | None" = None,
        key: str = "p-256",
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        signature_hash: str = "sha256",
        certificate_authority: bool = True,
    ) -> "Authority":
        """A new authority, valid from a day ago for ten years unless told otherwise."""
        private_key = make_key(key)
        signer = parent.key if parent else private_key
        issuer = parent.certificate.subject if parent else _common_name(name)
        builder = _validity(x509.CertificateBuilder(), not_before, not_after, days=3650)
        builder = (
            builder.subject_name(_common_name(name))
            .issuer_name(issuer)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(certificate_authority, None), critical=True)
            .add_extension(_key_usage(certificate_authority=True), critical=True)
        )
        builder = _identifiers(builder, private_key, signer)
        certificate = _sign(builder, signer, signature_hash)
        return cls(certificate=certificate, key=private_key, parent=parent)

    @property
    def certificate_pem(self) -> str:
        return certificate_pem(self.certificate)

    def issue(
        self,
        common_name: str,
        key: str = "rsa-2048",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        usages: Sequence[str] = ("client_auth",),
        signature_hash: str = "sha256",
        *,
        names: Sequence[str] = (),
        serial_number: int | None = None,
    ) -> Issued:
        """An end-entity certificate, by default valid from a day ago for a year.

        `usages` are `client_auth` and `server_auth`; none leaves the extension out. `names`
        become DNS alternative names.
        """
        private_key = make_key(key)
        builder = _validity(x509.CertificateBuilder(), not_before, not_after, days=365)
        builder = (
            builder.subject_name(_common_name(common_name))
            .issuer_name(self.certificate.subject)
            .public_key(private_key.public_key())
            .serial_number(serial_number or x509.random_serial_number())
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(_key_usage(certificate_authority=False), critical=True)
        )
        builder = _identifiers(builder, private_key, self.key)
        if usages:
            extended = x509.ExtendedKeyUsage([_USAGES[usage] for usage in usages])
            builder = builder.add_extension(extended, critical=False)
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        leaf = certificate_pem(_sign(builder, self.key, signature_hash))
        return Issued(
            certificate_pem=leaf,
            chain_pem=leaf + self._intermediates_pem(),
            key_pem=key_pem(private_key),
        )

    def revoke(self, *serial_numbers: int, next_update: datetime | None = None) -> str:
        """A complete revocation list (PEM) of this authority, current for a week."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(min(now, next_update or now) - timedelta(days=1))
            .next_update(next_update or now + timedelta(days=7))
        )
        for serial_number in serial_numbers:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial_number)
            builder = builder.add_revoked_certificate(revoked.revocation_date(now).build())
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()

    def _intermediates_pem(self) -> str:
        if self.parent is None:
            return ""
        return self.certificate_pem + self.parent._intermediates_pem()


# sha256WithRSAEncryption and sha1WithRSAEncryption (RFC 8017 appendix A.2.4), DER, of one length
_SHA256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")
_SHA1_WITH_RSA = bytes.fromhex("06092a864886f70d010105")


def _sign(
    builder: x509.CertificateBuilder, key: PrivateKey, signature_hash: str
) -> x509.Certificate:
    if signature_hash != "sha1":
        return builder.sign(key, _HASHES[signature_hash])
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("signature_hash: sha1 is made by an authority with an RSA key only")
    return _sign_with_sha1(builder, key)


def _sign_with_sha1(builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey) -> x509.Certificate:
    """What cryptography no longer builds: the SHA-256 certificate with its algorithm replaced."""
    modern = builder.sign(key, hashes.SHA256()).tbs_certificate_bytes
    body = modern.replace(_SHA256_WITH_RSA, _SHA1_WITH_RSA, 1)
    signature = key.sign(body, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - made to be refused
    algorithm = _der(0x30, _SHA1_WITH_RSA + bytes.fromhex("0500"))
    return x509.load_der_x509_certificate(
        _der(0x30, body + algorithm + _der(0x03, b"\0" + signature))
    )


def _der(tag: int, content: bytes) -> bytes:
    """One DER value with a definite length (X.690 §8.1.3)."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _validity(
    builder: x509.CertificateBuilder,
    not_before: datetime | None,
    not_after: datetime | None,
    *,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    start = not_before or min(now, not_after or now) - timedelta(days=1)
    return builder.not_valid_before(start).not_valid_after(
        not_after or start + timedelta(days=days)
    )


def _identifiers(
    builder: x509.CertificateBuilder, subject: PrivateKey, issuer: PrivateKey
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(subject.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    return builder.add_extension(own, critical=False).add_extension(above, critical=False)


def _key_usage(*, certificate_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not certificate_authority,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificate_authority,
        crl_sign=certificate_authority,
        encipher_only=False,
        decipher_only=False,
    )


def self_signed(common_name: str, key: str = "rsa-2048") -> Issued:
    """An end-entity certificate that vouches for itself."""
    own = Authority.create(common_name, key=key, certificate_authority=False)
    pem = own.certificate_pem
    return Issued(certificate_pem=pem, chain_pem=pem, key_pem=key_pem(own.key))
