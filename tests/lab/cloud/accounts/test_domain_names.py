"""Custom domain names of API Gateway: regional and private ones."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .domains import POLICY, named, patch


def test_a_regional_name_has_a_name_in_dns_and_a_hosted_zone(gateway, regional, wildcard):
    made = regional(tags={"a": "b"})
    got = gateway.get_domain_name(domainName=made["domainName"])
    assert {**got, "ResponseMetadata": None} == {**made, "ResponseMetadata": None}
    assert re.fullmatch(
        r"d-[a-z0-9]{10}\.execute-api\.eu-west-1\.amazonaws\.com", got["regionalDomainName"]
    )
    assert got["regionalHostedZoneId"] == "ZLY8HYME6SFDD"
    assert got["regionalCertificateArn"] == wildcard
    assert got["domainNameStatus"] == "AVAILABLE"
    assert got["securityPolicy"] == "TLS_1_2"
    assert got["endpointConfiguration"] == {"types": ["REGIONAL"], "ipAddressType": "ipv4"}
    assert got["tags"] == {"a": "b"}
    assert "domainNameId" not in got


def test_a_private_name_has_an_id_an_arn_and_a_policy(gateway, private, wildcard):
    made = private(policy=json.dumps(POLICY))
    assert made["domainNameStatus"] == "PENDING"
    got = gateway.get_domain_name(**named(made))
    assert got["domainNameStatus"] == "AVAILABLE"
    assert re.fullmatch(r"[a-z0-9]{10}", got["domainNameId"])
    identity = f"domainnames/{got['domainName']}+{got['domainNameId']}"
    assert got["domainNameArn"] == f"arn:aws:apigateway:eu-west-1:111122223333:/{identity}"
    assert got["certificateArn"] == wildcard
    assert got["endpointConfiguration"] == {"types": ["PRIVATE"], "ipAddressType": "dualstack"}
    [statement] = json.loads(got["policy"])["Statement"]
    resource = f"arn:aws:execute-api:eu-west-1:111122223333:/{identity}/*"
    assert statement["Resource"] == [resource]
    assert "regionalDomainName" not in got


def test_a_private_name_is_found_only_with_its_id(gateway, private, regional, refused):
    name = "both.widgets.test"
    made, public = private(name), regional(name)
    assert "regionalDomainName" in gateway.get_domain_name(domainName=name)
    assert "policy" not in gateway.get_domain_name(**named(made))
    gateway.delete_domain_name(**named(public))
    for wrong in ({}, {"domainNameId": "abcde12345"}):
        with refused("NotFoundException", "Invalid domain name identifier specified"):
            gateway.get_domain_name(domainName=name, **wrong)


def test_a_regional_name_is_unique_in_the_region_and_a_private_one_in_its_account(
    client, certify, private, regional, refused
):
    mine, theirs = private(), regional()
    acme = client("apigateway", "acme")
    certificate = certify("*.widgets.test", account="acme")
    with refused("BadRequestException", "The domain name you provided already exists."):
        regional(theirs["domainName"], on=acme, regionalCertificateArn=certificate)
    with refused("BadRequestException", "The domain name you provided already exists."):
        private(mine["domainName"])
    other = private(mine["domainName"], on=acme, certificateArn=certificate)
    assert other["domainNameArn"] != mine["domainNameArn"]
    with refused("NotFoundException"):
        acme.get_domain_name(**named(mine))


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (None, "A certificate was not provided for the endpoint type"),
        ("not-an-arn", "Invalid certificate ARN: not-an-arn. Certificate must be in 'eu-west-1'."),
        ("arn:aws:acm:us-east-1:111122223333:certificate/x", "Certificate must be in 'eu-west-1'"),
        ("arn:aws:acm:eu-west-1:444455556666:certificate/x", "must be owned by the account"),
        ("arn:aws:acm:eu-west-1:111122223333:certificate/x", "certificate does not exist"),
        ("pending", "is PENDING_VALIDATION, not ISSUED"),
        ("elsewhere", "is not covered by the provided certificate"),
        ("deep", "is not covered by the provided certificate"),
    ],
)
def test_a_certificate_must_be_the_accounts_own_issued_and_for_the_name(
    certify, private, regional, refused, certificate, words
):
    made = {
        "pending": lambda: certify("*.widgets.test", "pending.test", validate=False),
        "elsewhere": lambda: certify("elsewhere.test"),
        "deep": lambda: certify("*.deep.widgets.test"),
    }
    arn = made[certificate]() if certificate in made else certificate
    given = {} if arn is None else {"certificateArn": arn}
    with refused("BadRequestException", re.escape(words)):
        private(**({"certificateArn": ""} | given))
    with refused("BadRequestException", re.escape(words)):
        regional(regionalCertificateArn=arn or "")


def test_a_certificate_belongs_to_the_type(private, regional, wildcard, refused):
    with refused("BadRequestException", "for EDGE while REGIONAL is active"):
        regional(certificateArn=wildcard)
    with refused("BadRequestException", "for REGIONAL while PRIVATE is active"):
        private(regionalCertificateArn=wildcard)


def imported(acm, key):
    """The ARN of an imported certificate with that key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "widgets")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("*.widgets.test")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=9))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    return acm.import_certificate(
        Certificate=certificate.public_bytes(Encoding.PEM),
        PrivateKey=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )["CertificateArn"]


def test_a_private_name_has_one_of_few_kinds_of_key(client, private, regional, refused):
    acm = client("acm")
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        assert private(certificateArn=imported(acm, key))
    for key in (rsa.generate_private_key(65537, 3072), ec.generate_private_key(ec.SECP521R1())):
        arn = imported(acm, key)
        with refused("BadRequestException", "must have an RSA key of 2048 bits"):
            private(certificateArn=arn)
        assert regional(regionalCertificateArn=arn)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"name": "*.widgets.test"}, "BadRequestException", "Wildcard custom domain names"),
        ({"name": "Widgets.test"}, "BadRequestException", "is not valid"),
        ({"securityPolicy": "TLS_1_0"}, "BadRequestException", "Invalid security policy 'TLS_1_0'"),
        ({"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"}, "NotImplemented", "model"),
        ({"policy": "{"}, "BadRequestException", "Invalid policy document"),
        ({"routingMode": "ROUTING_RULE_ONLY"}, "NotImplemented", "does not model it"),
        ({"mutualTlsAuthentication": {}}, "NotImplemented", "does not model it"),
        ({"endpointConfiguration": {"types": ["EDGE"]}}, "NotImplemented", "edge-optimized"),
        ({"endpointConfiguration": {"types": ["OPEN"]}}, "BadRequestException", "endpoint type"),
        (
            {"endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}},
            "BadRequestException",
            "Only dualstack",
        ),
    ],
)
def test_what_a_private_name_cannot_be_is_refused(private, refused, arguments, code, words):
    with refused(code, words):
        private(**arguments)


def test_a_regional_name_may_be_a_wildcard_and_has_no_policy(regional, refused):
    assert regional("*.widgets.test")
    with refused("BadRequestException", "only for private custom domain names"):
        regional(policy=json.dumps(POLICY))
    with refused("NotImplemented"):
        regional(endpointConfiguration={"types": ["REGIONAL"], "ipAddressType": "dualstack"})


def test_an_update_changes_all_or_nothing(gateway, certify, private, refused):
    made, other = private(policy=json.dumps(POLICY)), certify("*.widgets.test")
    changed = patch(gateway, made, certificateArn=other, policy="")
    assert changed["certificateArn"] == other
    assert "policy" not in changed
    before = gateway.get_domain_name(**named(made))
    with refused("BadRequestException", "is not covered"):
        patch(gateway, made, policy=json.dumps(POLICY), certificateArn=certify("other.test"))
    with refused("BadRequestException", "Invalid patch path '/domainName'"):
        patch(gateway, made, policy=json.dumps(POLICY), domainName="b.widgets.test")
    after = gateway.get_domain_name(**named(made))
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}


def test_names_are_listed_and_deleted(gateway, private, regional, refused):
    made = [private(), regional()]

    def listed():
        pages = gateway.get_paginator("get_domain_names").paginate()
        return [(each["domainName"], each.get("domainNameId")) for page in pages
                for each in page["items"]]  # fmt: skip

    wanted = [(each["domainName"], each.get("domainNameId")) for each in made]
    assert set(wanted) <= set(listed())
    for each in made:
        gateway.delete_domain_name(**named(each))
        with refused("NotFoundException"):
            gateway.get_domain_name(**named(each))
    assert not set(wanted) & set(listed())


def test_a_certificate_in_use_stays(client, gateway, certify, private, regional, refused):
    for make, setting in ((private, "certificateArn"), (regional, "regionalCertificateArn")):
        arn = certify("*.widgets.test")
        made = make(**{setting: arn})
        shown = client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        assert [made["domainName"] in user for user in shown["InUseBy"]] == [True]
        with refused("ResourceInUseException"):
            client("acm").delete_certificate(CertificateArn=arn)
        gateway.delete_domain_name(**named(made))
        client("acm").delete_certificate(CertificateArn=arn)
