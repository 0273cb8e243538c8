"""Each refusal by a real handshake: openssl presents the chain, `Server` judges it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from lab.certificates import Authority, Issued, self_signed
from lab.wire.chain import TrustStore, unsupported
from lab.wire.tls import HandshakeError, Server, Session
from tests.lab.wire.tls_server import POLICY, running, s_client, served, write

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
WEB = served(Authority.create("Web CA"), "api.example.com")
ROOT = Authority.create("Root", key="rsa-2048")
SUB = Authority.create("Sub", ROOT)
SUBSUB = Authority.create("Sub sub", SUB)
SUBSUBSUB = Authority.create("Sub sub sub", SUBSUB)

Judge = Callable[..., str | None]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Why a client is refused, or None when it is let in."""

    def judge(issued: Issued | None, *trusted: Authority, **settings: object) -> str | None:
        lists = settings.pop("revocation_lists", ())
        assert isinstance(lists, tuple)
        trust = TrustStore(
            certificates=tuple(one.certificate for one in trusted or (ROOT,)),
            revocation_lists=tuple(x509.load_pem_x509_crl(pem.encode()) for pem in lists),
            ignore_expiry=bool(settings.pop("ignore_expiry", False)),
        )
        assert not settings
        client = write(tmp_path, issued) if issued else None
        with running(Server([WEB], POLICY, trust)) as server:
            s_client(server.port, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0", client=client)
            outcome = server.outcome()
        return None if isinstance(outcome, Session) else outcome.reason

    return judge


@pytest.mark.parametrize("key", ["rsa-2048", "rsa-4096", "p-256", "p-384", "p-521"])
def test_every_supported_key_is_let_in(judge: Judge, key: str) -> None:
    assert judge(ROOT.issue("client", key)) is None


@pytest.mark.parametrize("signature_hash", ["sha256", "sha384", "sha512"])
def test_every_supported_signature_is_let_in(judge: Judge, signature_hash: str) -> None:
    assert judge(ROOT.issue("client", "p-256", signature_hash=signature_hash)) is None


def test_a_short_rsa_key_is_of_an_unsupported_type(judge: Judge) -> None:
    assert judge(ROOT.issue("client", "rsa-1024")) == "ClientCertTypeUnsupported"


def test_a_signature_with_sha_1_is_of_an_unsupported_type(judge: Judge) -> None:
    assert judge(ROOT.issue("client", signature_hash="sha1")) == "ClientCertTypeUnsupported"


def test_an_unsupported_intermediate_is_refused_like_an_unsupported_leaf(judge: Judge) -> None:
    weak = Authority.create("Weak", ROOT, key="rsa-1024")
    assert judge(weak.issue("client")) == "ClientCertTypeUnsupported"


def test_a_curve_outside_the_list_is_refused(judge: Judge) -> None:
    issued = ROOT.issue("client", "p-224")
    assert judge(issued) is not None
    assert unsupported(issued.certificate) == "ClientCertTypeUnsupported"


def test_nothing_presented_is_an_unmapped_error(judge: Judge) -> None:
    assert judge(None) == "UnmappedConnectionError"


def test_another_authority_is_untrusted(judge: Judge) -> None:
    assert judge(Authority.create("Other").issue("client")) == "ClientCertUntrusted"


def test_another_authority_of_the_same_name_is_untrusted(judge: Judge) -> None:
    assert judge(Authority.create("Root", key="rsa-2048").issue("client")) == "ClientCertUntrusted"


def test_a_self_signed_certificate_is_untrusted(judge: Judge) -> None:
    assert judge(self_signed("client")) == "ClientCertUntrusted"


def test_an_intermediate_alone_in_the_trust_store_does_not_end_a_path(judge: Judge) -> None:
    assert judge(SUB.issue("client"), SUB) == "ClientCertUntrusted"


def test_an_intermediate_may_come_from_the_trust_store(judge: Judge) -> None:
    issued = SUB.issue("client")
    leaf_only = Issued(
        certificate_pem=issued.certificate_pem,
        chain_pem=issued.certificate_pem,
        key_pem=issued.key_pem,
    )
    assert judge(leaf_only, ROOT, SUB) is None
    assert judge(leaf_only, ROOT) == "ClientCertUntrusted"


def test_a_path_of_four_certificates_is_let_in(judge: Judge) -> None:
    assert judge(SUBSUB.issue("client")) is None


def test_a_path_of_five_certificates_is_too_deep(judge: Judge) -> None:
    assert judge(SUBSUBSUB.issue("client")) == "ClientCertMaxChainDepthExceeded"


def test_an_expired_certificate_is_refused(judge: Judge) -> None:
    assert judge(ROOT.issue("client", not_after=NOW - DAY)) == "ClientCertExpired"


def test_an_expired_certificate_is_let_in_where_expiry_is_ignored(judge: Judge) -> None:
    expired = ROOT.issue("client", not_after=NOW - DAY)
    assert judge(expired, ignore_expiry=True) is None


def test_ignoring_expiry_ignores_nothing_else(judge: Judge) -> None:
    expired = Authority.create("Other").issue("client", not_after=NOW - DAY)
    assert judge(expired, ignore_expiry=True) == "ClientCertUntrusted"


def test_a_certificate_of_tomorrow_is_not_yet_valid(judge: Judge) -> None:
    assert judge(ROOT.issue("client", not_before=NOW + DAY)) == "ClientCertNotYetValid"


def test_a_certificate_for_servers_only_has_the_wrong_purpose(judge: Judge) -> None:
    issued = ROOT.issue("client", usages=("server_auth",))
    assert judge(issued) == "ClientCertPurposeInvalid"


def test_a_certificate_for_any_use_may_be_a_clients(judge: Judge) -> None:
    assert judge(ROOT.issue("client", usages=())) is None


def test_what_an_end_entity_signed_is_not_a_valid_chain(judge: Judge) -> None:
    impostor = Authority.create("impostor", ROOT, certificate_authority=False)
    assert judge(impostor.issue("client")) == "ClientCertInvalid"


def test_a_revoked_certificate_is_a_hit(judge: Judge) -> None:
    issued = ROOT.issue("client")
    revoked = (ROOT.revoke(issued.certificate.serial_number),)
    assert judge(issued, revocation_lists=revoked) == "ClientCertCrlHit"
    assert judge(ROOT.issue("other"), revocation_lists=revoked) is None


def test_a_revoked_intermediate_is_a_hit(judge: Judge) -> None:
    revoked = (ROOT.revoke(SUB.certificate.serial_number),)
    assert judge(SUB.issue("client"), revocation_lists=revoked) == "ClientCertCrlHit"


def test_an_authority_without_a_list_is_not_checked_for_revocation(judge: Judge) -> None:
    assert judge(SUB.issue("client"), revocation_lists=(ROOT.revoke(1),)) is None


def test_a_list_that_is_out_of_date_cannot_be_processed(judge: Judge) -> None:
    stale = (ROOT.revoke(1, next_update=NOW - DAY),)
    assert judge(ROOT.issue("client"), revocation_lists=stale) == "ClientCertCrlProcessingError"


def test_a_list_signed_by_somebody_else_cannot_be_processed(judge: Judge) -> None:
    forged = (Authority.create("Root", key="rsa-2048").revoke(1),)
    assert judge(ROOT.issue("client"), revocation_lists=forged) == "ClientCertCrlProcessingError"


def test_a_presented_chain_above_64_k_is_too_big(judge: Judge) -> None:
    names = [f"name-{n}.{'x' * 60}.example.com" for n in range(1800)]
    assert judge(ROOT.issue("client", names=names[:750])) is None
    assert judge(ROOT.issue("client", names=names[:900])) == "ClientCertMaxSizeExceeded"
    # OpenSSL itself takes no more than 100 KB.
    assert judge(ROOT.issue("client", names=names)) == "ClientCertMaxSizeExceeded"


def test_a_refusal_says_what_was_known_of_the_session(tmp_path: Path) -> None:
    client = write(tmp_path, ROOT.issue("client", not_after=NOW - DAY))
    trust = TrustStore(certificates=(ROOT.certificate,))
    with running(Server([WEB], POLICY, trust)) as server:
        s_client(server.port, "-tls1_2", client=client)
        outcome = server.outcome()
    assert isinstance(outcome, HandshakeError)
    assert outcome.session.protocol == "TLSv1.2"
    assert outcome.session.cipher == "ECDHE-ECDSA-AES128-GCM-SHA256"
    assert outcome.session.client_certificate is not None
