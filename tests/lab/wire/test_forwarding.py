from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from lab.certificates import Authority
from lab.wire import forwarding
from lab.wire.listener import Listener
from lab.wire.messages import Request, Response
from lab.wire.tls import Session

NOW = datetime.now(UTC)
ROOT = "Root=1-67891233-abcdef012345678912345678"
TLS = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"


def listener(**attributes: str) -> Listener:
    values: dict[str, Any] = {"Protocol": "HTTPS", "Port": 443}
    return Listener(
        balancer={},
        listener=values,
        balancer_attributes={},
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
        rules=(),
    )


def request(*headers: tuple[str, str]) -> Request:
    return Request(method="GET", target="/a", headers=(("Host", "a"), *headers))


def sent(to: Listener, *headers: tuple[str, str]) -> Request:
    session = Session(protocol="TLSv1.3", cipher="TLS_AES_128_GCM_SHA256")
    return forwarding.to_target(request(*headers), to, session, ("10.0.0.9", 5000), "Root=1")


def test_a_trace_id_is_made_up() -> None:
    assert forwarding.trace_id(request()).startswith("Root=1-")


@pytest.mark.parametrize("before", [ROOT, f"Self=1-0-0;{ROOT}"])
def test_a_trace_id_that_was_sent_gets_this_hop_as_self(before: str) -> None:
    own, root = forwarding.trace_id(request(("X-Amzn-Trace-Id", before))).split(";")
    assert own.startswith("Self=1-")
    assert own != "Self=1-0-0"
    assert root == ROOT


def test_the_client_port_is_added_where_it_is_asked_for() -> None:
    asked = listener(routing__http__xff_client_port__enabled="true")
    assert sent(asked).header("X-Forwarded-For") == "10.0.0.9:5000"
    assert sent(listener()).header("X-Forwarded-For") == "10.0.0.9"


def test_tls_headers_are_added_where_they_are_asked_for() -> None:
    name = "routing.http.request.x_amzn_tls_cipher_suite.header_name"
    asked = listener(**{TLS: "true", name: "X-Cipher"})
    assert sent(asked).header("X-Amzn-Tls-Version") == "TLSv1.3"
    assert sent(asked).header("X-Cipher") == "TLS_AES_128_GCM_SHA256"
    assert sent(listener()).header("X-Amzn-Tls-Version") is None


def test_addresses_are_counted_over_all_copies_of_the_header() -> None:
    several = request(("X-Forwarded-For", "1.1.1.1, 2.2.2.2"), ("x-forwarded-for", "3.3.3.3"))
    assert forwarding.forwarded_for_count(several) == 3


@pytest.mark.parametrize(
    ("number", "expected"), [(0x03A5B1, "03A5B1"), (0xFEF2, "FEF2"), (1, "01")]
)
def test_a_serial_number_is_whole_bytes(number: int, expected: str) -> None:
    issued = Authority.create("CA").issue("client", "p-256", serial_number=number)
    assert forwarding.serial_number(issued.certificate) == expected


def test_names_are_told_as_rfc_2253_says_last_attribute_first() -> None:
    name = x509.Name.from_rfc4514_string("CN=client\\, one,OU=mTLS,O=Acme,C=US")
    assert next(iter(name)).value == "US"
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW)
    session = Session(client_certificate=builder.sign(key, hashes.SHA256()))
    headers = dict(forwarding.certificate_headers(listener(), session))
    expected = "CN=client\\, one,OU=mTLS,O=Acme,C=US"
    assert headers["X-Amzn-Mtls-Clientcert-Subject"] == expected
    assert headers["X-Amzn-Mtls-Clientcert-Issuer"] == expected


def test_a_targets_response_loses_what_concerned_its_connection() -> None:
    headers = (("Connection", "X-Hop"), ("X-Hop", "1"), ("Content-Length", "7"), ("A", "b"))
    kept = forwarding.from_target(Response(status=200, headers=headers)).headers
    assert set(kept) == {("Content-Length", "7"), ("A", "b")}
