"""Keys and certificates are what the tls provider would make."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

from lab.provider.aws import Aws
from lab.provider.registry import Registry
from lab.provider.schema import RefusalError

from .conftest import World

KEY = "tls:index/privateKey:PrivateKey"
SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert"
REQUEST = "tls:index/certRequest:CertRequest"
SIGNED = "tls:index/locallySignedCert:LocallySignedCert"


@pytest.fixture
def world(registry: Registry) -> World:
    """These resources call nothing, so there is no AWS to be found."""
    return World(registry, _NoAws())


class _NoAws(Aws):
    def __init__(self) -> None:
        """No settings: whatever asked for them would fail."""

    @property
    def settings(self) -> object:  # type: ignore[override]
        return type("Settings", (), {"default_tags": {}})


def _key(world: World, curve: str = "P256") -> str:
    return world.make(KEY, algorithm="ECDSA", ecdsaCurve=curve)["privateKeyPem"]


def _ca(world: World, key: str, **more: object) -> x509.Certificate:
    made = world.make(
        SELF_SIGNED,
        privateKeyPem=key,
        subject={"commonName": "Root", "organization": "Example"},
        allowedUses=["cert_signing", "crl_signing"],
        isCaCertificate=True,
        validityPeriodHours=48,
        **more,
    )
    return x509.load_pem_x509_certificate(made["certPem"].encode())


@pytest.mark.parametrize(
    ("curve", "expected"), [("P224", 224), ("P256", 256), ("P384", 384), ("P521", 521)]
)
def test_an_ecdsa_key_has_its_curve(world: World, curve: str, expected: int) -> None:
    key = serialization.load_pem_private_key(_key(world, curve).encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.key_size == expected


def test_an_rsa_key_has_its_size_and_all_forms_are_the_same_key(world: World) -> None:
    made = world.make(KEY, algorithm="RSA", rsaBits=2048)
    assert made["privateKeyPem"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert made["privateKeyPemPkcs8"].startswith("-----BEGIN PRIVATE KEY-----")
    keys = [
        serialization.load_pem_private_key(made[name].encode(), None)
        for name in ("privateKeyPem", "privateKeyPemPkcs8")
    ]
    openssh = serialization.load_ssh_private_key(made["privateKeyOpenssh"].encode(), None)
    public = serialization.load_pem_public_key(made["publicKeyPem"].encode())
    assert all(isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048 for key in keys)
    assert keys[0].public_key() == keys[1].public_key() == openssh.public_key() == public
    assert made["publicKeyFingerprintSha256"].startswith("SHA256:")
    assert len(made["publicKeyFingerprintMd5"].split(":")) == 16


def test_a_ca_certificate_says_so(world: World) -> None:
    certificate = _ca(world, _key(world), maxPathLength=1)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (
        True,
        True,
        1,
    )
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert not usage.value.digital_signature
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
    names = [one.value for one in certificate.subject]
    assert names == ["Example", "Root"]
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime.total_seconds() == 48 * 3600


@pytest.mark.parametrize(
    ("curve", "digest"),
    [("P224", "sha256"), ("P256", "sha256"), ("P384", "sha384"), ("P521", "sha512")],
)
def test_the_signature_goes_with_the_signers_curve(world: World, curve: str, digest: str) -> None:
    certificate = _ca(world, _key(world, curve))
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == digest


def test_a_signed_certificate_is_for_the_request_and_by_the_ca(world: World) -> None:
    ca_key, own_key = _key(world), _key(world)
    ca = _ca(world, ca_key)
    request = world.make(
        REQUEST,
        privateKeyPem=own_key,
        subject={"commonName": "shop", "emailAddress": "shop@example.com"},
        dnsNames=["shop.example.com"],
        ipAddresses=["10.0.0.1"],
        uris=["spiffe://example.com/shop"],
    )
    made = world.make(
        SIGNED,
        certRequestPem=request["certRequestPem"],
        caCertPem=ca.public_bytes(serialization.Encoding.PEM).decode(),
        caPrivateKeyPem=ca_key,
        allowedUses=["digital_signature", "client_auth"],
        validityPeriodHours=1,
        setSubjectKeyId=True,
    )
    certificate = x509.load_pem_x509_certificate(made["certPem"].encode())
    certificate.verify_directly_issued_by(ca)
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.example.com"]
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://example.com/shop"
    ]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        Usage.CLIENT_AUTH
    ]
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, False)
    issuer = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    parent = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issuer.key_identifier == parent.digest
    assert extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "shop"
    assert made["caKeyAlgorithm"] == "ECDSA"


def test_a_request_whose_signature_is_broken_is_refused(registry: Registry, world: World) -> None:
    key = _key(world)
    one = world.make(REQUEST, privateKeyPem=key, subject={"commonName": "a"})["certRequestPem"]
    der = bytearray(x509.load_pem_x509_csr(one.encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    broken = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(RefusalError, match="signature does not match"):
        world.make(
            SIGNED,
            certRequestPem=broken,
            caCertPem=_ca(world, key).public_bytes(serialization.Encoding.PEM).decode(),
            caPrivateKeyPem=key,
            allowedUses=["client_auth"],
            validityPeriodHours=1,
        )


def test_an_unknown_use_is_refused_with_the_nearest_one(world: World) -> None:
    with pytest.raises(RefusalError, match=r"'client_auth'$"):
        world.make(
            SELF_SIGNED,
            privateKeyPem=_key(world),
            allowedUses=["clientauth"],
            validityPeriodHours=1,
        )
