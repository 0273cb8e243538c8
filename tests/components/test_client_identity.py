"""Test certificates for clients."""

from typing import Any

import pulumi
import pytest

from components.client_identity import ClientIdentity, ClientIdentityArgs
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed


def args(**changes: Any) -> ClientIdentityArgs:
    given: dict[str, Any] = {
        "common_name": "shop",
        "ca_certificates": "CA",
        "ca_private_key": pulumi.Output.secret("CA KEY"),
    }
    return ClientIdentityArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        identity = ClientIdentity("shop", args(**changes), opts)
        return {"chain": identity.certificate_chain, "key": identity.private_key}

    return deploy(build)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: ClientIdentity(name, args(), opts))


def test_an_authority_without_a_key_is_refused():
    with refused("ca_private_key: want the key of a self-signed authority; got none"):
        args(ca_private_key=None)


@pytest.mark.parametrize("name", ["", "s" * 65], ids=["empty", "65 characters"])
def test_a_name_that_fits_no_certificate_is_refused(name: str):
    with refused(f"common_name: want 1 to 64 characters, as in 'shop'; got {name!r}"):
        args(common_name=name)
    args(common_name="s" * 64)


@pytest.mark.parametrize("hours", [-1, 48, 49])
def test_renewal_outside_the_validity_is_refused(hours: int):
    with refused(f"renew_before_hours: want less than validity_hours (48); got {hours}"):
        args(validity_hours=48, renew_before_hours=hours)


def test_the_certificate_is_good_for_client_authentication_and_nothing_else(deploy: Deploy):
    deployed = made(deploy)
    assert deployed.one("PrivateKey").inputs == {"algorithm": "ECDSA", "ecdsaCurve": "P256"}
    assert deployed.one("CertRequest").inputs == {
        "privateKeyPem": "KEY",
        "subject": {"commonName": "shop"},
    }
    assert deployed.one("LocallySignedCert").inputs == {
        "certRequestPem": "REQUEST",
        "caCertPem": "CA",
        "caPrivateKeyPem": "CA KEY",
        "allowedUses": ["digital_signature", "client_auth"],
        "setSubjectKeyId": True,
        "validityPeriodHours": 8760,
        "earlyRenewalHours": 720,
    }


def test_validity_and_renewal_are_as_told(deploy: Deploy):
    certificate = made(deploy, validity_hours=48, renew_before_hours=0).one("LocallySignedCert")
    assert certificate.inputs["validityPeriodHours"] == 48
    assert certificate.inputs["earlyRenewalHours"] == 0


def test_the_chain_is_the_certificate_and_then_the_authority(deploy: Deploy):
    assert made(deploy).outputs["chain"] == "CERTIFICATECA"


def test_both_keys_are_secret_wherever_they_go(deploy: Deploy):
    deployed = made(deploy)
    assert deployed.outputs["key"] == "KEY"
    assert deployed.secret_outputs == {"key"}
    assert "privateKeyPem" in deployed.one("CertRequest").secret
    assert "caPrivateKeyPem" in deployed.one("LocallySignedCert").secret
