import ssl
import urllib.error
import urllib.parse
import urllib.request
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

FIXED_404 = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}


@pytest.fixture(scope="module")
def acm(client):
    return client("acm")


def describe(acm, arn):
    return acm.describe_certificate(CertificateArn=arn)["Certificate"]


def private_key(cloud, arn):
    query = urllib.parse.urlencode({"arn": arn})
    url = f"{cloud.endpoint_url}/_lab/acm/private-key?{query}"
    with urllib.request.urlopen(url) as answer:  # noqa: S310
        return answer.read()


def put_record(client, account, zone_id, record):
    values = [{"Value": record["Value"].upper()}]
    change = {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": values}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": change}]}
    client("route53", account).change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


def test_a_request_is_pending_until_its_record_is_in_a_public_zone_of_any_account(acm, client):
    arn = acm.request_certificate(DomainName="a.example.org", ValidationMethod="DNS")[
        "CertificateArn"
    ]
    pending = describe(acm, arn)
    assert pending["Status"] == "PENDING_VALIDATION"
    assert "NotAfter" not in pending
    option = pending["DomainValidationOptions"][0]
    assert option["ValidationStatus"] == "PENDING_VALIDATION"
    record = option["ResourceRecord"]
    route53 = client("route53", "customer")
    vpc_id = client("ec2", "customer").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    private = route53.create_hosted_zone(
        Name="example.org", CallerReference="1", VPC={"VPCRegion": "eu-west-1", "VPCId": vpc_id}
    )
    put_record(client, "customer", private["HostedZone"]["Id"], record)
    assert describe(acm, arn)["Status"] == "PENDING_VALIDATION"
    public = route53.create_hosted_zone(Name="example.org", CallerReference="2")
    put_record(client, "customer", public["HostedZone"]["Id"], record)
    issued = describe(acm, arn)
    assert issued["Status"] == "ISSUED"
    assert issued["DomainValidationOptions"][0]["ValidationStatus"] == "SUCCESS"


def test_every_domain_must_be_validated(acm, client):
    arn = acm.request_certificate(
        DomainName="one.example.info",
        ValidationMethod="DNS",
        SubjectAlternativeNames=["two.example.info"],
    )["CertificateArn"]
    zone = client("route53").create_hosted_zone(Name="example.info", CallerReference="3")
    first, second = describe(acm, arn)["DomainValidationOptions"]
    put_record(client, "producer", zone["HostedZone"]["Id"], first["ResourceRecord"])
    detail = describe(acm, arn)
    states = [option["ValidationStatus"] for option in detail["DomainValidationOptions"]]
    assert (detail["Status"], states) == ("PENDING_VALIDATION", ["SUCCESS", "PENDING_VALIDATION"])
    put_record(client, "producer", zone["HostedZone"]["Id"], second["ResourceRecord"])
    assert describe(acm, arn)["Status"] == "ISSUED"


def test_an_issued_certificate_verifies_against_the_root_in_its_chain(cloud, acm, issue):
    arn = issue("www.example.com", "*.example.com")
    answer = acm.get_certificate(CertificateArn=arn)
    leaf = x509.load_pem_x509_certificate(answer["Certificate"].encode())
    root = x509.load_pem_x509_certificate(answer["CertificateChain"].encode())
    leaf.verify_directly_issued_by(root)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["www.example.com", "*.example.com"]
    span = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    assert span == timedelta(days=395, seconds=-1)
    context = ssl.create_default_context(cadata=answer["CertificateChain"])
    assert context.cert_store_stats()["x509_ca"] == 1
    key = load_pem_private_key(private_key(cloud, arn), None)
    assert key.public_key() == leaf.public_key()


def test_a_wildcard_and_its_base_share_a_record(acm, issue):
    arn = issue("example.com", "*.example.com", validate=False)
    options = describe(acm, arn)["DomainValidationOptions"]
    assert [option["DomainName"] for option in options] == ["example.com", "*.example.com"]
    assert options[0]["ResourceRecord"] == options[1]["ResourceRecord"]


def test_the_key_algorithm_is_the_requested_one(cloud, acm, issue):
    arn = issue("ec.example.com", KeyAlgorithm="EC_secp384r1")
    assert describe(acm, arn)["KeyAlgorithm"] == "EC_secp384r1"
    key = load_pem_private_key(private_key(cloud, arn), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp384r1"


def test_a_pending_certificate_is_not_handed_out(cloud, acm, issue, refused):
    arn = issue("not-yet.example.com", validate=False)
    with refused("RequestInProgressException"):
        acm.get_certificate(CertificateArn=arn)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        private_key(cloud, arn)
    refusal.value.close()
    assert refusal.value.code == 404


@pytest.mark.parametrize(
    "domain", ["a.example.com.", "nodots", "a..example.com", "a_b.example.com", "x.*.example.com"]
)
def test_a_name_that_is_no_domain_is_refused(acm, refused, domain):
    with refused("ValidationException", "at 'domainName' failed to satisfy constraint"):
        acm.request_certificate(DomainName=domain, ValidationMethod="DNS")


def test_an_alternative_name_is_checked_too(acm, refused):
    with refused("ValidationException", r"at 'subjectAlternativeNames\.1\.member'"):
        acm.request_certificate(
            DomainName="a.example.com",
            ValidationMethod="DNS",
            SubjectAlternativeNames=["b.example.com."],
        )


def test_a_first_name_of_more_than_64_characters_is_refused(acm, refused):
    with refused("ValidationException", "no longer than 64 characters"):
        acm.request_certificate(DomainName=f"{'a' * 60}.example.com", ValidationMethod="DNS")


def test_more_than_ten_alternative_names_are_refused(acm, refused):
    names = [f"n{n}.example.com" for n in range(11)]
    with refused("LimitExceededException"):
        acm.request_certificate(
            DomainName="a.example.com", ValidationMethod="DNS", SubjectAlternativeNames=names
        )


def test_a_key_algorithm_for_imports_only_is_refused(acm, refused):
    with refused("ValidationException", "RSA_4096 is not supported"):
        acm.request_certificate(
            DomainName="a.example.com", ValidationMethod="DNS", KeyAlgorithm="RSA_4096"
        )


def test_validation_by_email_is_not_modelled(acm, refused):
    with refused("NotImplemented", "the lab does not model it"):
        acm.request_certificate(DomainName="a.example.com")


def test_the_key_of_no_certificate_is_not_found(cloud):
    for arn in ("", "arn:aws:acm:eu-west-1:111111111111:certificate/none"):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            private_key(cloud, arn)
        refusal.value.close()
        assert refusal.value.code == 404


def test_a_token_makes_a_request_once(acm, issue):
    first = issue("token.example.com", validate=False, IdempotencyToken="abc")
    assert issue("token.example.com", validate=False, IdempotencyToken="abc") == first


def test_tags_and_listing(acm, issue):
    tags = [{"Key": "stack", "Value": "dev"}]
    arn = issue("tagged.example.com", Tags=tags)
    assert acm.list_tags_for_certificate(CertificateArn=arn)["Tags"] == tags
    listed = acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"]
    assert arn in [each["CertificateArn"] for each in listed]


def test_a_certificate_in_use_is_not_deleted(client, acm, issue, create_balancer, refused):
    arn = issue("used.example.com")
    balancer = create_balancer("in-use")
    elbv2 = client("elbv2")
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
        DefaultActions=[FIXED_404],
    )["Listeners"][0]["ListenerArn"]
    assert describe(acm, arn)["InUseBy"] == [balancer]
    with refused("ResourceInUseException", "is in use"):
        acm.delete_certificate(CertificateArn=arn)
    elbv2.delete_listener(ListenerArn=listener)
    acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException"):
        acm.describe_certificate(CertificateArn=arn)


def test_an_imported_certificate_keeps_its_own_chain(cloud, acm, make_ca):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = make_ca("imported.example.com", key, ca=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    arn = acm.import_certificate(Certificate=certificate, PrivateKey=pem)["CertificateArn"]
    answer = acm.get_certificate(CertificateArn=arn)
    assert answer["Certificate"] == certificate.decode()
    assert "CertificateChain" not in answer
    assert private_key(cloud, arn) == pem
