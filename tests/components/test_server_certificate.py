"""The certificate that the load balancer shows."""

import pulumi
from pulumi_aws import lb

from components.server_certificate import ServerCertificate, ServerCertificateArgs
from tests.components.checks import check_family
from tests.conftest import Deploy

ARGS = ServerCertificateArgs(domain="api.example.com", validation_zone_id="Z1")


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: ServerCertificate(name, ARGS, opts))


def test_the_domain_is_proved_by_a_record_in_the_zone_given(deploy: Deploy):
    deployed = deploy(lambda opts: {"arn": ServerCertificate("s", ARGS, opts).arn})
    assert deployed.one("Certificate").inputs == {
        "domainName": "api.example.com",
        "validationMethod": "DNS",
    }
    assert deployed.one("Record").inputs == {
        "zoneId": "Z1",
        "name": "_p",
        "type": "CNAME",
        "records": ["_v"],
        "ttl": 300,
    }
    assert deployed.one("CertificateValidation").inputs == {
        "certificateArn": "arn:s-certificate",
        "validationRecordFqdns": ["_p"],
    }
    assert deployed.outputs["arn"] == "arn:s-certificate"


def test_whoever_takes_the_arn_waits_until_the_certificate_is_issued(deploy: Deploy):
    def build(opts: pulumi.ResourceOptions) -> None:
        arn = ServerCertificate("s", ARGS, opts).arn
        lb.ListenerCertificate("user", listener_arn="arn", certificate_arn=arn)

    deployed = deploy(build)
    issued = deployed.one("CertificateValidation").urn
    assert issued in deployed.one("ListenerCertificate").depends_on
