"""Certificates with any fault that a chain may have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.certificates import PrivateKey, certificate_pem, make_key
from tests.authorizer.issuing import NOW

MOMENT = datetime.fromtimestamp(NOW, UTC)
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH

Extension = tuple[x509.ExtensionType, bool]


@dataclass(frozen=True, kw_only=True)
class Made:
    certificate: x509.Certificate
    key: PrivateKey

    @property
    def pem(self) -> str:
        return certificate_pem(self.certificate)


def common_name(value: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, value)])


def key_usage(*, sign: bool = True, certificates: bool = False, lists: bool = False) -> Extension:
    usage = x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=not sign and not certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=lists,
        encipher_only=False,
        decipher_only=False,
    )
    return usage, True


def make(
    name: str,
    issuer: Made | None,
    extensions: Sequence[Extension],
    *,
    kind: str = "p-256",
    days: tuple[int, int] = (-1, 365),
    serial: int | None = None,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
) -> Made:
    """A certificate of these extensions and no others, valid between `days` from `MOMENT`."""
    key = make_key(kind)
    above = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .issuer_name(issuer.certificate.subject if issuer else common_name(name))
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(MOMENT + timedelta(days=days[0]))
        .not_valid_after(MOMENT + timedelta(days=days[1]))
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())
    for extension, critical in [*extensions, (identifier, False)]:
        builder = builder.add_extension(extension, critical)
    return Made(certificate=builder.sign(above, digest or hashes.SHA256()), key=key)


def ca(
    name: str,
    issuer: Made | None = None,
    *more: Extension,
    path_length: int | None = None,
    lists: bool = True,
    kind: str = "p-256",
    days: tuple[int, int] = (-1, 365),
) -> Made:
    constraints = (x509.BasicConstraints(True, path_length), True)
    extensions = [constraints, key_usage(certificates=True, lists=lists), *more]
    return make(name, issuer, extensions, kind=kind, days=days)


def usages(*found: x509.ObjectIdentifier) -> Extension:
    return x509.ExtendedKeyUsage(found or [CLIENT]), False


def names(*found: x509.GeneralName) -> Extension:
    return x509.SubjectAlternativeName(found), False


def leaf(
    name: str,
    issuer: Made,
    *more: Extension,
    kind: str = "p-256",
    days: tuple[int, int] = (-1, 90),
    serial: int | None = None,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
) -> Made:
    """A client's certificate as it should be."""
    extensions = [(x509.BasicConstraints(False, None), True), key_usage(), usages(), *more]
    return make(name, issuer, extensions, kind=kind, days=days, serial=serial, digest=digest)


def revoke(
    issuer: Made,
    *serials: int,
    days: tuple[int, int] = (-1, 7),
    signer: Made | None = None,
    more: Sequence[Extension] = (),
) -> str:
    """A list in PEM, by `issuer` and signed by `signer`, in force between `days` from `MOMENT`."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(MOMENT + timedelta(days=days[0]))
        .next_update(MOMENT + timedelta(days=days[1]))
    )
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(MOMENT)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    made = builder.sign((signer or issuer).key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


# The order of P-256 (SEC 2 §2.4.2).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def spelt_otherwise(made: Made) -> Made:
    """The same certificate with (r, n - s) for the ECDSA signature (r, s) of its P-256 issuer."""
    certificate = made.certificate
    r, s = utils.decode_dss_signature(certificate.signature)
    signature = utils.encode_dss_signature(r, _ORDER - s)
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256 (RFC 5758 §3.2)
    body = certificate.tbs_certificate_bytes + algorithm
    body += b"\x03" + bytes([len(signature) + 1]) + b"\0" + signature
    return Made(certificate=x509.load_der_x509_certificate(der_sequence(body)), key=made.key)


def der_sequence(content: bytes) -> bytes:
    """Of 128 octets or more (X.690 §8.1.3)."""
    length = len(content).to_bytes(1 if len(content) < 256 else 2, "big")
    return bytes([0x30, 0x80 + len(length)]) + length + content
