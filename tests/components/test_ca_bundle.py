"""What becomes of CA bundles as people have them, and which are refused, whose fault it is named.

Certificates that `lab.certificates` does not make come from the openssl command line.
"""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from components.ca_bundle import (
    MAX_CERTIFICATE_BYTES,
    MAX_SUBJECTS_BYTES,
    CaBundleError,
    check,
    normalise,
)
from lab.certificates import Authority, certificate_pem
from tests.components.checks import refused
from tests.conftest import authority_pem

ROOT, OTHER = authority_pem("Root"), authority_pem("Other")

OpenSsl = Callable[..., str]


@pytest.fixture
def openssl(tmp_path: Path) -> OpenSsl:
    """Runs openssl in a folder of its own and returns what it prints."""

    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=tmp_path,
            input=given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


@pytest.fixture
def self_signed(openssl: OpenSsl) -> OpenSsl:
    """A self-signed CA certificate whose key and signature are what the arguments say."""

    def make(subject: str, *arguments: str) -> str:
        fixed = ("-nodes", "-keyout", "key.pem", "-days", "9", "-subj", f"/CN={subject}")
        return openssl("req", "-x509", *fixed, "-newkey", *arguments)

    return make


# Normalising


def test_a_bundle_in_order_stays_as_it_is():
    assert normalise(ROOT) == ROOT
    assert normalise(ROOT + OTHER) == ROOT + OTHER


def test_texts_are_joined_in_the_order_given():
    assert normalise(OTHER, ROOT) == OTHER + ROOT


@pytest.mark.parametrize(
    "untidy",
    [
        f"\n\n{ROOT}\n \n{OTHER}\n\n",
        f"# Root - of all\n{ROOT}subject=CN = Other\n\n{OTHER}# end",
        (ROOT + OTHER).replace("\n", "\r\n"),
        (ROOT + OTHER).rstrip(),
        ROOT.rstrip() + OTHER,
        ROOT + OTHER + ROOT + ROOT,
        f"\ufeff{ROOT}{OTHER}",
    ],
    ids=["blank lines", "comments", "CRLF", "no final newline", "glued", "duplicates", "BOM"],
)
def test_what_a_load_balancer_chokes_on_is_taken_out(untidy: str):
    assert normalise(untidy) == ROOT + OTHER


def test_the_text_that_openssl_prints_around_a_certificate_is_taken_out(openssl: OpenSsl):
    dump = openssl("x509", "-text", given=ROOT) + openssl("x509", "-text", given=OTHER)
    assert "Signature Algorithm" in dump
    assert normalise(dump) == ROOT + OTHER


def test_a_certificate_given_twice_in_two_texts_is_kept_once():
    assert normalise(ROOT, OTHER, ROOT.rstrip()) == ROOT + OTHER


def test_texts_without_a_final_newline_do_not_run_into_one_another():
    assert normalise(ROOT.rstrip(), OTHER.rstrip()) == ROOT + OTHER


# Kinds


@pytest.mark.parametrize("key", ["rsa-2048", "p-256", "p-384", "p-521"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_keys_and_signatures_that_a_load_balancer_knows_are_taken(key: str, digest: str):
    pem = certificate_pem(signed_by(key, digest))
    assert normalise(pem) == pem


@cache
def signed_by(key: str, digest: str) -> x509.Certificate:
    return Authority.create("Root", key=key, signature_hash=digest).certificate


def test_a_pss_signature_is_taken(self_signed: OpenSsl):
    pem = self_signed("Pss", "rsa:2048", "-sigopt", "rsa_padding_mode:pss")
    assert normalise(pem) == pem


def test_an_intermediate_authority_is_taken_without_its_root():
    issuing = Authority.create("Issuing", Authority.create("Root"))
    assert normalise(issuing.certificate_pem) == issuing.certificate_pem


@pytest.mark.parametrize(
    ("key", "want"),
    [
        ("rsa-1024", "want an RSA key of 2048 to 8192 bits; got 1024 bits"),
        ("p-224", "want an RSA, P-256, P-384 or P-521 key; got secp224r1"),
    ],
)
def test_a_weak_key_is_refused(key: str, want: str):
    pem = Authority.create("Weak", key=key).certificate_pem
    with refused(f"CA bundle, certificate 'CN=Weak': {want}"):
        normalise(ROOT, pem)


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        (("ed25519",), "Ed25519PublicKey"),
        (("ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"), "secp256k1"),
        (
            ("ec", "-pkeyopt", "ec_paramgen_curve:prime239v1"),
            "Curve 1.2.840.10045.3.1.4 is not supported",
        ),
    ],
    ids=["Ed25519", "secp256k1", "prime239v1"],
)
def test_a_key_of_another_kind_is_refused(
    self_signed: OpenSsl, arguments: tuple[str, ...], got: str
):
    pem = self_signed("Odd", *arguments)
    with refused(
        f"CA bundle, certificate 'CN=Odd': want an RSA, P-256, P-384 or P-521 key; got {got}"
    ):
        normalise(pem)


@pytest.mark.parametrize(
    ("arguments", "got"),
    [
        (("-sha1",), "sha1"),
        (("-sha224",), "sha224"),
        (("-sha1", "-sigopt", "rsa_padding_mode:pss"), "sha1"),
    ],
    ids=["SHA-1", "SHA-224", "PSS with SHA-1"],
)
def test_a_weak_signature_is_refused(self_signed: OpenSsl, arguments: tuple[str, ...], got: str):
    pem = self_signed("Old", "rsa:2048", *arguments)
    with refused(
        "CA bundle, certificate 'CN=Old': "
        f"want a signature with SHA-256, SHA-384 or SHA-512; got {got}"
    ):
        normalise(pem)


def test_a_signature_of_a_kind_nobody_knows_is_refused():
    key = Authority.create("Unknown", key="rsa-2048")
    body = key.certificate.public_bytes(Encoding.DER)
    sha256_with_rsa = bytes.fromhex("2a864886f70d01010b")
    unknown = body.replace(sha256_with_rsa, bytes.fromhex("2a864886f70d01017f"))
    with refused(
        "CA bundle, certificate 'CN=Unknown': "
        "want a signature with SHA-256, SHA-384 or SHA-512; got 1.2.840.113549.1.1.127"
    ):
        check([x509.load_der_x509_certificate(unknown)])


def test_an_x509_v1_certificate_is_refused(openssl: OpenSsl):
    key = ("-nodes", "-newkey", "rsa:2048", "-keyout", "key.pem")
    openssl("req", "-new", *key, "-subj", "/CN=First", "-out", "request.pem")
    pem = openssl("x509", "-req", "-in", "request.pem", "-signkey", "key.pem")
    with refused("CA bundle, certificate 'CN=First': want X.509 v3; got v1"):
        normalise(pem)


def test_an_end_entity_certificate_is_refused():
    leaf = Authority.create("Root").issue("shop", key="p-256").certificate_pem
    said_no = Authority.create("shop", certificate_authority=False).certificate_pem
    for pem in (leaf, said_no):
        with refused(
            "CA bundle, certificate 'CN=shop': "
            "want a CA certificate (basic constraints CA:TRUE); got an end-entity certificate"
        ):
            normalise(ROOT, pem)


def test_a_certificate_that_does_not_say_what_it_is_for_is_no_ca():
    certificate = built(common_name("Silent"))
    with pytest.raises(CaBundleError, match=r"'CN=Silent': want a CA certificate .*end-entity"):
        check([certificate])


# Limits


def test_twenty_five_certificates_are_taken_and_one_more_is_refused():
    pems = [authority_pem(f"Root {number}") for number in range(26)]
    assert normalise(*pems[:25]) == "".join(pems[:25])
    with refused("CA bundle: want at most 25 certificates; got 26"):
        normalise(*pems)


def test_duplicates_do_not_count_towards_the_limit():
    assert normalise(*[ROOT] * 26) == ROOT


def test_a_certificate_over_16_kb_is_refused():
    fits = built(common_name("Large"), ca=True, padding=11_000)
    large = built(common_name("Large"), ca=True, padding=12_000)
    size = len(certificate_pem(large))
    assert len(certificate_pem(fits)) <= MAX_CERTIFICATE_BYTES < size
    check([fits])
    with refused(f"CA bundle, certificate 'CN=Large': want at most 16,384 bytes; got {size:,}"):
        normalise(certificate_pem(large))


def test_subjects_over_10_000_bytes_in_all_are_refused():
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "u" * 60)
    subject = x509.Name([unit] * 14)
    size = len(subject.public_bytes())
    fit = MAX_SUBJECTS_BYTES // size
    certificates = [built(subject, ca=True) for _ in range(fit + 1)]
    assert fit < 25
    check(certificates[:fit])
    with refused(
        f"CA bundle: want at most 10,000 bytes of subjects in all; got {size * (fit + 1):,}"
    ):
        normalise(*map(certificate_pem, certificates))


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def built(subject: x509.Name, *, ca: bool = False, padding: int = 0) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now,
        not_valid_after=now + timedelta(days=1),
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    if padding:
        filler = x509.UnrecognizedExtension(
            x509.ObjectIdentifier("1.3.6.1.4.1.9.9"), b"f" * padding
        )
        builder = builder.add_extension(filler, critical=False)
    return builder.sign(key, hashes.SHA256())


# What is no bundle


def test_nothing_is_no_bundle():
    with refused("CA bundle: want at least one certificate; got none"):
        normalise()


@pytest.mark.parametrize("text", ["", "hello", "# nothing\n"], ids=["empty", "text", "comment"])
def test_text_without_a_certificate_is_refused(text: str):
    wanted = "CA bundle: want PEM blocks that begin '-----BEGIN CERTIFICATE-----'; got "
    with pytest.raises(CaBundleError, match=f"^{wanted}") as caught:
        normalise(ROOT, text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
def test_a_private_key_among_the_certificates_is_refused_and_not_repeated(label: str):
    key = f"-----BEGIN {label}-----\nU0VDUkVU\n-----END {label}-----\n"
    with refused("CA bundle: want certificates only; got a private key among them"):
        normalise(ROOT + key)


@pytest.mark.parametrize(
    "rest",
    [
        OTHER[:200],
        "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        OTHER.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
    ],
    ids=["cut off", "revocation list", "trusted certificate"],
)
def test_a_block_that_would_be_passed_over_in_silence_is_refused(rest: str):
    with refused(
        "CA bundle: want whole certificates only; got 2 PEM blocks, 1 of them certificates"
    ):
        normalise(ROOT + rest)


def test_a_certificate_damaged_inside_is_refused():
    damaged = ROOT.replace(ROOT.splitlines()[2], "A" * 64)
    with pytest.raises(CaBundleError, match=r"^CA bundle: want PEM blocks"):
        normalise(damaged)


def test_the_error_is_a_value_error():
    assert issubclass(CaBundleError, ValueError)
