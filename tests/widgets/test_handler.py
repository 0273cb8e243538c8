"""The sample backend, on events as API Gateway sends them."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from components.mtls_alb_front import CLIENT_CERTIFICATE_HEADERS
from widgets.handler import CERTIFICATE_HEADERS, AmbiguousCallerError, certificate, handle

EVENTS = Path(__file__).parent / "events"


def event(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_widgets_answers_the_widget():
    answer = handle(event("widgets"), None)
    assert answer == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": '{"id":"1","value":"4.99"}',
    }


def test_widgets_does_not_ask_who_calls():
    anonymous = event("whoami_without_certificate") | {"resource": "/widgets"}
    assert handle(anonymous, None)["statusCode"] == 200


def test_whoami_answers_what_the_load_balancer_measured():
    answer = handle(event("whoami"), None)
    assert answer["statusCode"] == 200
    assert answer["headers"] == {"Content-Type": "application/json"}
    found = json.loads(answer["body"])
    leaf = x509.load_pem_x509_certificate(found["certificate"].encode())
    assert found == {
        "subject": leaf.subject.rfc4514_string(),
        "issuer": leaf.issuer.rfc4514_string(),
        "serial_number": f"{leaf.serial_number:X}",
        "validity": f"NotBefore={leaf.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ};"
        f"NotAfter={leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "certificate": found["certificate"],
    }
    assert found["subject"] == "CN=shop"


def test_a_plus_in_a_certificate_stays_a_plus():
    leaf = event("whoami")["headers"]["X-Client-Cert-Leaf"]
    assert "+" in leaf
    assert "+" in certificate(event("whoami")["multiValueHeaders"])["certificate"]


def test_only_the_certificate_is_decoded():
    headers = event("whoami")["multiValueHeaders"] | {"X-Client-Cert-Subject": ["CN=100%25"]}
    assert certificate(headers)["subject"] == "CN=100%25"


@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower", "upper"])
def test_header_names_are_read_in_any_case(spelling: Any):
    headers = event("whoami")["multiValueHeaders"]
    spelt = {spelling(name): values for name, values in headers.items()}
    assert certificate(spelt) == certificate(headers)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("whoami_without_certificate", "x-client-cert-subject: want one value; got 0"),
        ("whoami_forged_same_case", "x-client-cert-subject: want one value; got 2"),
        ("whoami_forged_other_case", "x-client-cert-subject: want one value; got 2"),
    ],
)
def test_a_caller_who_is_not_told_exactly_once_is_refused(name: str, message: str):
    answer = handle(event(name), None)
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"message": message}
    assert "bank" not in answer["body"]


@pytest.mark.parametrize("header", CERTIFICATE_HEADERS.values())
@pytest.mark.parametrize("values", [[], ["one", "two"]], ids=["none", "two"])
def test_each_certificate_header_must_be_there_once(header: str, values: list[str]):
    headers = {name.lower(): v for name, v in event("whoami")["multiValueHeaders"].items()}
    with pytest.raises(
        AmbiguousCallerError, match=f"^{header}: want one value; got {len(values)}$"
    ):
        certificate(headers | {header: values})


def test_the_headers_read_are_those_that_the_listener_gives():
    given = {name.lower() for name in CLIENT_CERTIFICATE_HEADERS.values()}
    assert set(CERTIFICATE_HEADERS.values()) <= given


# With an authorizer


def test_behind_an_authorizer_whoami_answers_tenant_and_thumbprint_too():
    authorizer = event("whoami_passthrough")["requestContext"]["authorizer"]
    given = event("whoami")
    given["requestContext"] |= {"authorizer": authorizer}
    found = json.loads(handle(given, None)["body"])
    assert found == json.loads(handle(event("whoami"), None)["body"]) | {
        "tenant": "shop",
        "certificate_thumbprint": authorizer["certificateThumbprint"],
    }


def test_in_passthrough_whoami_answers_what_the_authorizer_found():
    given = event("whoami_passthrough")
    (chain,) = given["multiValueHeaders"]["X-Client-Cert"]
    leaf = x509.load_pem_x509_certificates(unquote(chain).encode())[0]
    answer = handle(given, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {
        "tenant": "shop",
        "certificate_thumbprint": leaf.fingerprint(hashes.SHA256()).hex(),
    }


@pytest.mark.parametrize("values", [["CN=bank"], ["CN=bank", "CN=bank"], []])
def test_in_passthrough_a_subject_header_is_not_believed(values: list[str]):
    given = event("whoami_passthrough")
    given["multiValueHeaders"] |= {"x-client-cert-subject": values}
    answer = handle(given, None)
    assert answer["statusCode"] == 400
    assert "bank" not in answer["body"]


def test_in_passthrough_a_chain_that_no_authorizer_verified_says_nothing():
    given = event("whoami_passthrough")
    del given["requestContext"]["authorizer"]
    assert handle(given, None)["statusCode"] == 400
