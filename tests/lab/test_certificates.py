"""What is made must be what it says, by openssl's own judgement."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from lab.certificates import Authority, Issued, make_key, self_signed

NOW = datetime.now(UTC)


def verify(folder: Path, root: Authority, issued: Issued, *arguments: str) -> str:
    """What `openssl verify` says of a certificate for clients with the chain it comes with."""
    (folder / "root.pem").write_text(root.certificate_pem)
    (folder / "chain.pem").write_text(issued.chain_pem)
    (folder / "leaf.pem").write_text(issued.certificate_pem)
    command = ["openssl", "verify", "-purpose", "sslclient", "-CAfile", str(folder / "root.pem")]
    command += ["-untrusted", str(folder / "chain.pem"), *arguments, str(folder / "leaf.pem")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    return result.stdout + result.stderr


@pytest.mark.parametrize("key", ["rsa-2048", "p-256", "p-384", "p-521"])
def test_openssl_accepts_a_chain_of_any_kind_of_key(tmp_path: Path, key: str) -> None:
    root = Authority.create("Root", key=key)
    issued = Authority.create("Sub", root, key=key).issue("client", key)
    assert verify(tmp_path, root, issued).endswith("OK\n")


def test_a_signature_with_sha_1_is_a_true_one(tmp_path: Path) -> None:
    root = Authority.create("Root", key="rsa-2048")
    issued = root.issue("client", signature_hash="sha1")
    assert verify(tmp_path, root, issued, "-auth_level", "0").endswith("OK\n")
    assert "digest algorithm too weak" in verify(tmp_path, root, issued, "-auth_level", "1")


def test_sha_1_needs_an_rsa_authority() -> None:
    with pytest.raises(ValueError, match="sha1"):
        Authority.create("Root", key="p-256").issue("client", signature_hash="sha1")


def test_dates_are_kept_as_given(tmp_path: Path) -> None:
    root = Authority.create("Root")
    past, future = NOW - timedelta(days=2), NOW + timedelta(days=2)
    assert "has expired" in verify(tmp_path, root, root.issue("client", not_after=past))
    assert "not yet valid" in verify(tmp_path, root, root.issue("client", not_before=future))


def test_purposes_are_kept_as_given(tmp_path: Path) -> None:
    root = Authority.create("Root")
    issued = root.issue("client", usages=("server_auth",))
    assert "purpose" in verify(tmp_path, root, issued)


def test_the_chain_holds_every_intermediate_and_no_root() -> None:
    root = Authority.create("Root")
    issued = Authority.create("Two", Authority.create("One", root)).issue("client")
    chain = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    assert [one.subject.rfc4514_string() for one in chain] == ["CN=client", "CN=Two", "CN=One"]


def test_a_revocation_list_revokes(tmp_path: Path) -> None:
    root = Authority.create("Root")
    issued = root.issue("client")
    (tmp_path / "list.pem").write_text(root.revoke(issued.certificate.serial_number))
    checks = ["-crl_check", "-CRLfile", str(tmp_path / "list.pem")]
    assert "revoked" in verify(tmp_path, root, issued, *checks)
    assert verify(tmp_path, root, root.issue("other"), *checks).endswith("OK\n")


def test_a_self_signed_certificate_vouches_for_itself_only(tmp_path: Path) -> None:
    assert "self-signed" in verify(tmp_path, Authority.create("Root"), self_signed("client"))


def test_the_key_belongs_to_the_certificate() -> None:
    issued = Authority.create("Root").issue("client", "p-384")
    assert issued.key.public_key() == issued.certificate.public_key()
    assert make_key("p-224").key_size == 224
