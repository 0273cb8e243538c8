"""The trust store: which authorities are in, and that a change of them is seen."""

import pulumi

from components.trust_store import ExistingTrustStoreArgs, TrustStore, TrustStoreArgs
from lab.certificates import Authority
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed, authority_pem

ROOT, OTHER = authority_pem("Root"), authority_pem("Other")


def made(deploy: Deploy, args: TrustStoreArgs | ExistingTrustStoreArgs) -> Deployed:
    return deploy(lambda opts: {"arn": TrustStore("t", args, opts).arn})


def test_what_it_makes_is_its_own(deploy: Deploy):
    args = TrustStoreArgs(authorities={"a": ROOT})
    check_family(deploy, lambda name, opts: TrustStore(name, args, opts))


def test_no_authority_is_refused():
    with refused("authorities: want at least one, as in {'root-2026': '<PEM>'}; got none"):
        TrustStoreArgs(authorities={})


def test_a_bundle_that_a_load_balancer_refuses_is_refused_before_any_resource():
    weak = Authority.create("Weak", key="rsa-1024").certificate_pem
    with refused(
        "CA bundle, certificate 'CN=Weak': want an RSA key of 2048 to 8192 bits; got 1024 bits"
    ):
        TrustStoreArgs(authorities={"late": pulumi.Output.from_input(ROOT), "weak": weak})


def test_the_bundle_holds_every_authority_once_and_in_order(deploy: Deploy):
    authorities = {
        "known": f"# comment\n\n{ROOT}",
        "late": pulumi.Output.from_input(OTHER + ROOT),
    }
    deployed = made(deploy, TrustStoreArgs(authorities=authorities))
    bundle = deployed.one("BucketObjectv2").inputs
    assert bundle["content"] == ROOT + OTHER
    assert bundle["contentType"] == "application/x-pem-file"
    assert bundle["bucket"] == "t-bundles-bucket-id"


def test_the_trust_store_names_the_version_of_the_bundle(deploy: Deploy):
    deployed = made(deploy, TrustStoreArgs(authorities={"a": ROOT}))
    assert deployed.one("aws:lb/trustStore:TrustStore").inputs == {
        "caCertificatesBundleS3Bucket": "t-bundles-bucket-id",
        "caCertificatesBundleS3Key": "ca-bundle.pem",
        "caCertificatesBundleS3ObjectVersion": "t-bundle-version",
    }
    assert deployed.outputs["arn"] == "arn:t-store"


def test_the_bundle_is_put_once_the_bucket_is_closed(deploy: Deploy):
    deployed = made(deploy, TrustStoreArgs(authorities={"a": ROOT}))
    assert deployed.one("BucketPolicy").urn in deployed.one("BucketObjectv2").depends_on


def test_the_bundles_outlive_a_destroy_unless_asked_otherwise(deploy: Deploy):
    for force in (False, True):
        args = TrustStoreArgs(authorities={"a": ROOT}, force_destroy=force)
        assert made(deploy, args).one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is force
    assert TrustStoreArgs(authorities={"a": ROOT}).force_destroy is False


def test_an_existing_trust_store_is_used_as_it_is(deploy: Deploy):
    deployed = made(deploy, ExistingTrustStoreArgs(arn="arn:there"))
    assert deployed.outputs["arn"] == "arn:there"
    assert {r.type for r in deployed.resources} == {"test:index:Outer", "mtls:index:TrustStore"}
