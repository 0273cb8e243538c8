"""The private DNS name: proved in public, and known once it is."""

from typing import Any

import pulumi

from components.private_dns_name import PrivateDnsName, PrivateDnsNameArgs
from tests.components.checks import check_family
from tests.conftest import Deploy, Deployed

ARGS = PrivateDnsNameArgs(
    domain="api.example.com",
    service_id="vpce-svc-1",
    record_name="_proof",
    record_value="vpce:proof",
    validation_zone_id="Z-PUBLIC",
)


def made(deploy: Deploy) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        return {"domain": PrivateDnsName("p", ARGS, opts).domain}

    return deploy(build)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: PrivateDnsName(name, ARGS, opts))


def test_the_proof_is_a_record_in_the_public_zone(deploy: Deploy):
    assert made(deploy).one("Record").inputs == {
        "zoneId": "Z-PUBLIC",
        "name": "_proof.api.example.com",
        "type": "TXT",
        "records": ["vpce:proof"],
        "ttl": 1800,
    }


def test_it_is_verified_after_the_record_and_known_after_that(deploy: Deploy):
    deployed = made(deploy)
    verified = deployed.one("EndpointServicePrivateDnsVerification")
    assert verified.inputs == {"serviceId": "vpce-svc-1", "waitForVerification": True}
    assert deployed.one("Record").urn in verified.depends_on
    assert deployed.outputs == {"domain": "api.example.com"}


def test_another_domain_is_verified_anew(deploy: Deploy):
    # The verification names the service alone, so only its own name can tell two apart.
    verified = made(deploy).one("EndpointServicePrivateDnsVerification")
    assert verified.name == "p-verified-api.example.com"
