"""Passthrough mode: the chain, the dates, the kinds of key, and revocation."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from authorizer.chain import ChainVerifier
from authorizer.errors import ConfigError, ForbiddenError
from lab.certificates import Authority
from tests.authorizer.certifying import (
    CLIENT,
    MOMENT,
    Made,
    ca,
    common_name,
    der_sequence,
    key_usage,
    leaf,
    make,
    names,
    revoke,
    usages,
)
from tests.authorizer.issuing import NOW, encoded, thumbprint

ROOT = ca("root")
SUB = ca("sub", ROOT)
LEAF = leaf("acme", SUB)
UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)


def verifier(*anchors: Made, lists: str = "") -> ChainVerifier:
    pem = "".join(made.pem for made in anchors or (ROOT,))
    return ChainVerifier(pem.encode(), lists.encode() or None)


def header(*chain: Made) -> str:
    return encoded("".join(made.pem for made in chain))


def reason(*chain: Made, found: ChainVerifier | None = None, now: float = NOW) -> str:
    with pytest.raises(ForbiddenError) as refusal:
        (found or verifier()).check(header(*chain), now)
    return refusal.value.reason


def days(number: float) -> float:
    return NOW + timedelta(days=number).total_seconds()


@pytest.mark.parametrize("chain", [(LEAF, SUB), (LEAF, SUB, ROOT)], ids=["bare", "with root"])
def test_a_chain_to_an_anchor_is_taken(chain: tuple[Made, ...]):
    found = verifier().check(header(*chain), NOW)
    assert found.identity.thumbprint == thumbprint(LEAF.certificate)
    assert found.since == days(-1)
    assert found.until == days(90)


def test_an_intermediate_may_be_an_anchor():
    assert verifier(SUB).check(header(LEAF), NOW)


def test_the_leaf_comes_first():
    assert reason(SUB, LEAF) == "certificate_purpose"
    assert reason(leaf("forged", ca("forger")), LEAF, SUB) == "certificate_untrusted"


def test_a_chain_without_an_anchor_is_refused():
    assert reason(LEAF) == "certificate_untrusted"
    assert reason(LEAF, SUB, found=verifier(ca("root"))) == "certificate_untrusted"
    assert reason(leaf("acme", ca("root"))) == "certificate_untrusted"


def test_a_leaf_that_vouches_for_itself_is_refused():
    extensions = [(x509.BasicConstraints(False, None), True), key_usage(), usages()]
    own = make("acme", None, extensions)
    assert reason(own) == "certificate_untrusted"
    assert reason(own, found=verifier(ROOT, own)) == "certificate_untrusted"


def test_a_signature_of_the_wrong_key_is_refused():
    """The forger has an authority of the same name."""
    forger = ca("sub", ca("root"))
    assert reason(leaf("acme", forger), SUB) == "certificate_untrusted"


def test_a_chain_has_four_certificates_with_its_anchor():
    two = ca("two", SUB)
    three = ca("three", two)
    assert verifier().check(header(leaf("acme", two), two, SUB), NOW)
    assert verifier().check(header(leaf("acme", two), two, SUB, ROOT), NOW)
    assert reason(leaf("acme", three), three, two, SUB) == "certificate_untrusted"
    assert reason(leaf("acme", three), three, two, SUB, ROOT) == "certificate_chain_too_long"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (days(-1) - 1, "certificate_not_yet_valid"),
        (days(90) + 1, "certificate_expired"),
    ],
)
def test_a_leaf_outside_its_dates_is_refused(moment: float, expected: str):
    assert reason(LEAF, SUB, now=moment) == expected


def test_a_leaf_is_valid_on_its_last_second():
    assert verifier().check(header(LEAF, SUB), days(90))
    assert verifier().check(header(LEAF, SUB), days(-1))


def test_an_authority_outside_its_dates_is_refused():
    old = ca("old", ROOT, days=(-20, -1))
    assert reason(leaf("acme", old), old) == "certificate_untrusted"
    root = ca("root", days=(-1, 2_000))
    short = ca("short", root, days=(-1, 900))
    long = leaf("acme", short, days=(-1, 2_000))
    assert verifier(root).check(header(long, short), days(899))
    assert reason(long, short, found=verifier(root), now=days(901)) == "certificate_untrusted"
    gone = ca("gone", days=(-20, -1))
    assert reason(leaf("acme", gone), found=verifier(gone)) == "certificate_untrusted"


def test_a_chain_is_relied_on_no_longer_than_its_shortest_certificate():
    short = ca("short", ROOT, days=(-1, 5))
    assert verifier().check(header(leaf("acme", short), short), NOW).until == days(5)
    late = ca("late", ROOT, days=(0, 5))
    assert verifier().check(header(leaf("acme", late), late), NOW).since == NOW


@pytest.mark.parametrize(
    "extensions",
    [
        [(x509.BasicConstraints(False, None), True), key_usage()],
        [(x509.BasicConstraints(False, None), True), usages(ExtendedKeyUsageOID.SERVER_AUTH)],
        [usages(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)],
        [usages(), key_usage(sign=False)],
        [usages(), (x509.BasicConstraints(True, None), True)],
    ],
    ids=["none", "server", "any", "no signature", "authority"],
)
def test_a_leaf_is_made_for_clients(extensions: list[tuple[x509.ExtensionType, bool]]):
    assert reason(make("acme", SUB, extensions), SUB) == "certificate_purpose"


def test_a_leaf_may_be_for_more_than_clients():
    both = make("acme", SUB, [usages(CLIENT, ExtendedKeyUsageOID.SERVER_AUTH)])
    assert verifier().check(header(both, SUB), NOW)


def test_an_unknown_critical_extension_is_refused():
    assert reason(leaf("acme", SUB, UNKNOWN), SUB) == "certificate_untrusted"
    strange = ca("strange", ROOT, UNKNOWN)
    assert reason(leaf("acme", strange), strange) == "certificate_untrusted"


def test_an_issuer_must_be_an_authority():
    no_ca = make("no", ROOT, [(x509.BasicConstraints(False, None), True), key_usage()])
    assert reason(leaf("acme", no_ca), no_ca) == "certificate_untrusted"
    no_usage = make("no", ROOT, [(x509.BasicConstraints(True, None), True), key_usage()])
    assert reason(leaf("acme", no_usage), no_usage) == "certificate_untrusted"
    assert reason(leaf("mallory", LEAF), LEAF, SUB) == "certificate_untrusted"


def test_an_authority_for_servers_issues_no_clients():
    servers = ca("servers", ROOT, usages(ExtendedKeyUsageOID.SERVER_AUTH))
    assert reason(leaf("acme", servers), servers) == "certificate_untrusted"


def test_a_path_length_is_kept():
    narrow = ca("narrow", ROOT, path_length=0)
    below = ca("below", narrow)
    assert verifier().check(header(leaf("acme", narrow), narrow), NOW)
    assert reason(leaf("acme", below), below, narrow) == "certificate_untrusted"


def test_name_constraints_are_kept():
    only = x509.NameConstraints([x509.DNSName("acme.example")], None)
    acme = ca("acme ca", ROOT, (only, True))
    inside = leaf("acme", acme, names(x509.DNSName("api.acme.example")))
    outside = leaf("acme", acme, names(x509.DNSName("api.globex.example")))
    assert verifier().check(header(inside, acme), NOW)
    assert reason(outside, acme) == "certificate_untrusted"


def test_name_constraints_that_are_not_understood_refuse():
    only = x509.NameConstraints([x509.DirectoryName(common_name("acme"))], None)
    acme = ca("acme ca", ROOT, (only, True))
    assert reason(leaf("acme", acme), acme) == "certificate_untrusted"


@pytest.mark.parametrize("kind", ["rsa-2048", "rsa-3072", "p-256", "p-384", "p-521"])
@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_keys_and_hashes_as_the_load_balancer_takes_them(
    kind: str, digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512
):
    root = ca("root", kind=kind)
    made = leaf("acme", root, kind=kind, digest=digest)
    assert verifier(root).check(header(made), NOW)


@pytest.mark.parametrize("kind", ["rsa-1024", "p-224"])
def test_other_keys_are_refused(kind: str):
    assert reason(leaf("acme", SUB, kind=kind), SUB) == "certificate_kind"
    weak = ca("weak", ROOT, kind=kind)
    assert reason(leaf("acme", weak), weak) == "certificate_untrusted"


def test_an_anchor_with_a_weak_key_is_refused():
    weak = ca("weak", kind="rsa-1024")
    assert reason(leaf("acme", weak), found=verifier(weak)) == "certificate_untrusted"


def test_sha_1_is_refused():
    root = Authority.create("root", key="rsa-2048", not_before=MOMENT - timedelta(days=2))
    issued = root.issue("acme", signature_hash="sha1", not_before=MOMENT - timedelta(days=1))
    found = ChainVerifier(root.certificate_pem.encode(), None)
    with pytest.raises(ForbiddenError, match="certificate_untrusted"):
        found.check(encoded(issued.certificate_pem), NOW)


def test_an_anchor_that_signed_itself_with_sha_1_is_refused():
    root = Authority.create(
        "root", key="rsa-2048", signature_hash="sha1", not_before=MOMENT - timedelta(days=2)
    )
    made = leaf("acme", Made(certificate=root.certificate, key=root.key))
    found = ChainVerifier(root.certificate_pem.encode(), None)
    assert reason(made, found=found) == "certificate_kind"


def test_a_version_1_certificate_is_refused():
    """Made by leaving the version and the extensions out, which are the first and the last of what
    is signed (RFC 5280 §4.1).
    """
    made = make("acme", SUB, []).certificate
    body = made.tbs_certificate_bytes.partition(bytes.fromhex("a003020102"))[2]
    extensions = body.index(bytes.fromhex("a3233021301f0603551d23"))
    body = der_sequence(body[:extensions])
    assert isinstance(SUB.key, ec.EllipticCurvePrivateKey)
    signed = SUB.key.sign(body, ec.ECDSA(hashes.SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256 (RFC 5758 §3.2)
    signature = b"\x03" + bytes([len(signed) + 1]) + b"\0" + signed
    old = x509.load_der_x509_certificate(der_sequence(body + algorithm + signature))
    assert old.version == x509.Version.v1
    old.verify_directly_issued_by(SUB.certificate)
    assert reason(Made(certificate=old, key=SUB.key), SUB) == "certificate_untrusted"


def test_a_revoked_leaf_is_refused():
    found = verifier(lists=revoke(SUB, LEAF.certificate.serial_number))
    assert reason(LEAF, SUB, found=found) == "certificate_revoked"
    assert found.check(header(leaf("acme", SUB), SUB), NOW)


def test_a_revoked_authority_is_refused():
    found = verifier(lists=revoke(ROOT, SUB.certificate.serial_number))
    assert reason(LEAF, SUB, found=found) == "certificate_revoked"


def test_a_serial_number_of_another_issuer_is_not_revoked():
    found = verifier(lists=revoke(ROOT, LEAF.certificate.serial_number) + revoke(SUB))
    assert found.check(header(LEAF, SUB), NOW).until == days(7)


def test_an_authority_without_a_list_revokes_nothing():
    found = verifier(lists=revoke(ca("elsewhere"), LEAF.certificate.serial_number))
    assert found.check(header(LEAF, SUB), NOW).until == days(90)


@pytest.mark.parametrize("moment", [-0.5, 3, 7.5])
def test_a_list_that_is_not_in_force_refuses_everybody(moment: float):
    """Fail closed: who has been revoked since is not known."""
    found = verifier(lists=revoke(SUB, days=(0, 3)))
    assert reason(LEAF, SUB, found=found, now=days(moment)) == "revocation_list_expired"
    assert found.check(header(LEAF, SUB), days(1))


def test_the_newest_of_several_lists_counts_and_each_revokes():
    both = revoke(SUB, LEAF.certificate.serial_number, days=(-9, -1)) + revoke(SUB)
    assert reason(LEAF, SUB, found=verifier(lists=both)) == "certificate_revoked"
    found = verifier(lists=revoke(SUB, days=(-9, -1)) + revoke(SUB, days=(-1, 4)))
    assert found.check(header(LEAF, SUB), NOW).until == days(4)


def test_a_list_that_its_issuer_did_not_sign_refuses_everybody():
    forged = revoke(SUB, signer=ca("sub", ROOT))
    assert reason(LEAF, SUB, found=verifier(lists=forged)) == "revocation_list_invalid"
    rsa = revoke(SUB, signer=ca("sub", ROOT, kind="rsa-2048"))
    assert reason(LEAF, SUB, found=verifier(lists=rsa)) == "revocation_list_invalid"


def test_a_list_of_a_key_that_may_sign_none_refuses_everybody():
    sub = ca("sub", ROOT, lists=False)
    found = verifier(lists=revoke(sub))
    assert reason(leaf("acme", sub), sub, found=found) == "revocation_list_invalid"


def test_a_list_of_only_some_certificates_refuses_everybody():
    part = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=True,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    found = verifier(lists=revoke(SUB, more=[(part, True)]))
    assert reason(LEAF, SUB, found=found) == "revocation_list_invalid"
    delta = verifier(lists=revoke(SUB, more=[(x509.DeltaCRLIndicator(1), True)]))
    assert reason(LEAF, SUB, found=delta) == "revocation_list_invalid"
    numbered = verifier(lists=revoke(SUB, more=[(x509.CRLNumber(1), False)]))
    assert numbered.check(header(LEAF, SUB), NOW)


def test_files_that_cannot_be_used_are_named():
    for pem in (b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ConfigError, match=r"ca-bundle\.pem"):
            ChainVerifier(pem, None)
    for pem in (b"x", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"):
        with pytest.raises(ConfigError, match=r"revocations\.pem"):
            ChainVerifier(ROOT.pem.encode(), pem)


def test_a_header_that_is_no_chain_is_refused():
    with pytest.raises(ForbiddenError, match="certificate_malformed"):
        verifier().check("", NOW)
