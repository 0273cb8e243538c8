"""The sample backend, on events as API Gateway sends them."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from components.mtls_alb_front import CLIENT_CERTIFICATE_HEADERS
from widgets.handler import CERTIFICATE_HEADERS, AmbiguousCallerError, caller, handle

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
    certificate = x509.load_pem_x509_certificate(found["certificate"].encode())
    assert found == {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial_number": f"{certificate.serial_number:X}",
        "validity": f"NotBefore={certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ};"
        f"NotAfter={certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "certificate": found["certificate"],
    }
    assert found["subject"] == "CN=shop"


def test_a_plus_in_a_certificate_stays_a_plus():
    leaf = event("whoami")["headers"]["X-Client-Cert-Leaf"]
    assert "+" in leaf
    assert "+" in caller(event("whoami")["multiValueHeaders"])["certificate"]


def test_only_the_certificate_is_decoded():
    headers = event("whoami")["multiValueHeaders"] | {"X-Client-Cert-Subject": ["CN=100%25"]}
    assert caller(headers)["subject"] == "CN=100%25"


@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower", "upper"])
def test_header_names_are_read_in_any_case(spelling: Any):
    headers = event("whoami")["multiValueHeaders"]
    spelt = {spelling(name): values for name, values in headers.items()}
    assert caller(spelt) == caller(headers)


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
        caller(headers | {header: values})


def test_the_headers_read_are_those_that_the_listener_gives():
    given = {name.lower() for name in CLIENT_CERTIFICATE_HEADERS.values()}
    assert set(CERTIFICATE_HEADERS.values()) <= given
