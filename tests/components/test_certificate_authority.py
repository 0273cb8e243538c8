"""Authorities: one with a key here, for development; one whose key is never seen."""

from typing import Any, cast

import pytest

from components.certificate_authority import CertificateAuthority, CertificateAuthorityArgs
from lab.certificates import Authority
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed, authority_pem

SELF_SIGNED = CertificateAuthorityArgs(kind="self-signed")
OWN = CertificateAuthorityArgs(kind="bring-your-own", bundle=f"\n{authority_pem('Corp')}\n")


def made(deploy: Deploy, args: CertificateAuthorityArgs) -> Deployed:
    def build(opts: Any) -> dict[str, Any]:
        ca = CertificateAuthority("ca", args, opts)
        return {
            "certificates": ca.certificates,
            "private_key": ca.private_key,
            "usd": ca.monthly_price_usd,
        }

    return deploy(build)


@pytest.mark.parametrize("args", [SELF_SIGNED, OWN], ids=lambda args: args.kind)
def test_what_it_makes_is_its_own(deploy: Deploy, args: CertificateAuthorityArgs):
    check_family(deploy, lambda name, opts: CertificateAuthority(name, args, opts))


def test_an_unknown_kind_is_refused():
    with refused("kind: want one of self-signed, bring-your-own; got 'acm'"):
        CertificateAuthorityArgs(kind=cast("Any", "acm"))


def test_a_bundle_for_a_self_signed_authority_is_refused():
    with refused("bundle: want none for a self-signed authority; got one"):
        CertificateAuthorityArgs(kind="self-signed", bundle=authority_pem("Corp"))


def test_a_bundle_of_ones_own_that_a_load_balancer_refuses_is_refused():
    weak = Authority.create("Weak", key="p-224").certificate_pem
    with refused(
        "CA bundle, certificate 'CN=Weak': want an RSA, P-256, P-384 or P-521 key; got secp224r1"
    ):
        CertificateAuthorityArgs(kind="bring-your-own", bundle=weak)
    with pytest.raises(ValueError, match=r"^CA bundle: want PEM blocks"):
        CertificateAuthorityArgs(kind="bring-your-own")


def test_a_self_signed_authority_signs_certificates_and_revocation_lists_only(deploy: Deploy):
    deployed = made(deploy, SELF_SIGNED)
    assert deployed.one("PrivateKey").inputs == {"algorithm": "ECDSA", "ecdsaCurve": "P384"}
    assert deployed.one("SelfSignedCert").inputs == {
        "privateKeyPem": "KEY",
        "subject": {"commonName": "ca"},
        "isCaCertificate": True,
        "setSubjectKeyId": True,
        "allowedUses": ["cert_signing", "crl_signing"],
        "validityPeriodHours": 87_600,
    }


def test_a_self_signed_authority_is_called_as_told(deploy: Deploy):
    args = CertificateAuthorityArgs(kind="self-signed", common_name="Dev", validity_hours=24)
    root = made(deploy, args).one("SelfSignedCert").inputs
    assert root["subject"] == {"commonName": "Dev"}
    assert root["validityPeriodHours"] == 24


def test_the_key_of_a_self_signed_authority_is_secret(deploy: Deploy):
    deployed = made(deploy, SELF_SIGNED)
    assert deployed.outputs["private_key"] == "KEY"
    assert deployed.secret_outputs == {"private_key"}
    assert "privateKeyPem" in deployed.one("SelfSignedCert").secret
    assert deployed.outputs["certificates"] == authority_pem("ca")


def test_an_authority_of_ones_own_makes_nothing_and_has_no_key(deploy: Deploy):
    deployed = made(deploy, OWN)
    assert {r.name for r in deployed.resources} == {"outer", "ca"}
    assert deployed.outputs["private_key"] is None
    assert deployed.outputs["certificates"] == authority_pem("Corp")


@pytest.mark.parametrize("args", [SELF_SIGNED, OWN], ids=lambda args: args.kind)
def test_the_price_is_told(deploy: Deploy, args: CertificateAuthorityArgs):
    assert made(deploy, args).outputs["usd"] == 0
