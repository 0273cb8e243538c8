"""The certificate header, and who it says is there."""

import base64
import warnings
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authorizer.certificates import (
    MAX_HEADER_CHARACTERS,
    check_leaf,
    identify,
    only_value,
    parse_header,
)
from authorizer.errors import ForbiddenError
from authorizer.names import of_text
from tests.authorizer.certifying import ca, leaf, names
from tests.authorizer.issuing import NOW, client, confirmation, encoded, thumbprint

PEM = client().certificate_pem


def reason(value: str) -> str:
    with pytest.raises(ForbiddenError) as refusal:
        check_leaf(value, NOW)
    return refusal.value.reason


@pytest.mark.parametrize("safe", ["+=/", "", "+/"])
@pytest.mark.parametrize("pem", [PEM, PEM.strip(), PEM.replace("\n", "\r\n")])
def test_a_leaf_is_read_however_it_is_encoded(safe: str, pem: str):
    found = check_leaf(quote(pem, safe=safe), NOW)
    assert found.identity.thumbprint == thumbprint(client().certificate)
    assert found.since < NOW < found.until


def test_an_identity_says_all_that_rules_ask_for():
    root = ca("root")
    made = leaf(
        "acme",
        root,
        names(
            x509.DNSName("API.Acme.example"),
            x509.UniformResourceIdentifier("spiffe://acme/api"),
            x509.RFC822Name("it@acme.example"),
        ),
        serial=0x3A5B1,
    ).certificate
    found = identify(made)
    assert found.subject == of_text("CN=acme")
    assert found.issuer == of_text("CN=root")
    assert (found.serial_number, found.serial_hex) == (0x3A5B1, "03A5B1")
    assert found.sans_dns == {"api.acme.example"}
    assert found.sans_uri == {"spiffe://acme/api"}
    assert found.thumbprint == thumbprint(made)
    assert found.confirmation == confirmation(made)["x5t#S256"]


def test_a_plus_is_never_a_space():
    value = next(
        encoded(pem) for pem in (leaf("a", ca("root")).pem for _ in range(99)) if "+" in pem
    )
    assert check_leaf(value, NOW)
    assert reason(value.replace("+", "%20")) == "certificate_malformed"
    assert reason(value.replace("+", " ")) == "certificate_malformed"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "CN=acme",
        PEM.replace("\n", ""),
        encoded(PEM) + encoded(PEM),
        encoded(f"{PEM}{PEM}"),
        encoded(f"Subject: CN=acme\n{PEM}"),
        encoded(f"{PEM}\nx"),
        encoded(PEM) + "," + encoded(PEM),
        quote(encoded(PEM), safe=""),
        encoded(PEM.replace("CERTIFICATE", "PRIVATE KEY")),
        encoded(PEM.replace("CERTIFICATE", "X509 CRL")),
        encoded("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        encoded("-----BEGIN CERTIFICATE-----\n=\n-----END CERTIFICATE-----\n"),
        encoded(PEM)[:-60],
        encoded(PEM).replace("MII", "NII"),
        encoded(PEM) + "%FF",
        encoded(PEM) + "\ud800",
        "%" * 100,
        "a" * (MAX_HEADER_CHARACTERS + 1),
        encoded(PEM) + "%0A" * MAX_HEADER_CHARACTERS,
    ],
    ids=range(20),
)
def test_what_is_not_one_certificate_is_refused(value: str):
    assert reason(value) == "certificate_malformed"


def test_a_header_may_hold_a_chain():
    root = ca("root")
    made = leaf("acme", root)
    assert parse_header(encoded(made.pem + root.pem)) == [made.certificate, root.certificate]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "certificate_missing"),
        (["a", "a"], "certificate_repeated"),
        (["a", ""], "certificate_repeated"),
    ],
)
def test_a_header_is_there_once(values: list[str], expected: str):
    with pytest.raises(ForbiddenError, match=expected):
        only_value(values)


def test_the_only_value_is_taken():
    assert only_value(["a"]) == "a"


def test_a_certificate_with_a_broken_extension_is_refused():
    """The names' DER with its length made wrong."""
    made = leaf("acme", ca("root"), names(x509.DNSName("acme.example")))
    der = bytearray(made.certificate.public_bytes(Encoding.DER))
    place = der.index(b"acme.example") - 1
    assert der[place] == 12
    der[place] = 99
    with pytest.raises(ForbiddenError, match="certificate_malformed"):
        identify(x509.load_der_x509_certificate(bytes(der)))


@pytest.mark.parametrize("octets", ["0201f1", "020100"])
def test_a_serial_number_is_positive(octets: str):
    made = leaf("acme", ca("root"), serial=0x7A)
    der = made.certificate.public_bytes(Encoding.DER).replace(
        bytes.fromhex("02017a"), bytes.fromhex(octets), 1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says so too
        certificate = x509.load_der_x509_certificate(der)
        with pytest.raises(ForbiddenError, match="certificate_malformed"):
            identify(certificate)


def test_a_version_that_does_not_exist_is_refused():
    der = client().certificate.public_bytes(Encoding.DER)
    other = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020105"), 1)
    body = base64.encodebytes(other).decode()
    assert (
        reason(encoded(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"))
        == "certificate_malformed"
    )
