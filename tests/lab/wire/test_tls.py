"""The TLS side of a listener, against unmodified curl and openssl."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.certificates import Authority
from lab.wire.chain import TrustStore
from lab.wire.tls import HandshakeError, PlainHttpError, Policy, Server, Session
from tests.lab.wire.tls_server import (
    HOST,
    POLICY,
    Running,
    curl,
    run,
    running,
    s_client,
    served,
    write,
)

WEB = Authority.create("Web CA")
ROOT = Authority.create("Root")
WEAK = "ALL:@SECLEVEL=0"


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    """A server that asks for no client certificate."""
    certificates = [served(WEB, HOST), served(WEB, "*.other.example")]
    with running(Server(certificates, POLICY)) as server:
        yield server


@pytest.fixture(scope="module")
def mutual() -> Iterator[Running]:
    trust = TrustStore(certificates=(ROOT.certificate,))
    with running(Server([served(WEB, HOST)], POLICY, trust, advertise=True)) as server:
        yield server


@pytest.fixture
def client(tmp_path: Path) -> tuple[str, str]:
    return write(tmp_path, ROOT.issue("client"))


def test_curl_is_served_and_speaks_http_1_1(plain: Running) -> None:
    result = curl(plain.port, "-w", "%{http_version}")
    assert (result.returncode, result.stdout) == (0, "ok1.1")
    outcome = plain.outcome()
    assert isinstance(outcome, Session)
    assert (outcome.alpn, outcome.protocol) == (b"http/1.1", "TLSv1.3")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_without_a_certificate_is_cut_off_without_a_status(
    mutual: Running, version: str
) -> None:
    result = curl(mutual.port, "--tls-max", version, "-w", "%{http_code}")
    assert result.returncode in (35, 56)
    assert result.stdout == "000"
    assert isinstance(mutual.outcome(), HandshakeError)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_with_an_untrusted_certificate_is_reset(
    mutual: Running, version: str, tmp_path: Path
) -> None:
    untrusted = write(tmp_path, Authority.create("Other").issue("client"))
    result = curl(mutual.port, "--tls-max", version, "-S", client=untrusted)
    assert result.returncode in (35, 56)
    assert "reset by peer" in result.stderr
    assert isinstance(mutual.outcome(), HandshakeError)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_with_a_trusted_certificate_is_served(
    mutual: Running, version: str, client: tuple[str, str]
) -> None:
    result = curl(mutual.port, "--tls-max", version, client=client)
    assert (result.returncode, result.stdout) == (0, "ok")
    outcome = mutual.outcome()
    assert isinstance(outcome, Session)
    assert outcome.client_certificate is not None


def test_a_protocol_below_the_policy_is_refused(plain: Running) -> None:
    result = s_client(plain.port, "-tls1_1", "-cipher", WEAK)
    assert result.returncode == 1
    assert "alert protocol version" in result.stderr
    assert isinstance(plain.outcome(), HandshakeError)


def test_a_cipher_outside_the_policy_is_refused(plain: Running) -> None:
    result = s_client(plain.port, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384")
    assert result.returncode == 1
    assert "handshake failure" in result.stderr
    assert isinstance(plain.outcome(), HandshakeError)


def test_an_older_policy_takes_older_protocols() -> None:
    policy = Policy(protocols=("TLSv1.2", "TLSv1.1"), ciphers=("ECDHE-ECDSA-AES128-SHA",))
    with running(Server([served(WEB, HOST)], policy)) as server:
        result = s_client(server.port, "-tls1_1", "-cipher", WEAK)
        assert "Cipher is ECDHE-ECDSA-AES128-SHA" in result.stdout
        assert isinstance(server.outcome(), Session)


def test_a_policy_of_tls_1_3_alone_refuses_tls_1_2() -> None:
    policy = Policy(protocols=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",))
    with running(Server([served(WEB, HOST)], policy)) as server:
        assert curl(server.port, "--tls-max", "1.2").returncode == 35
        assert isinstance(server.outcome(), HandshakeError)
        assert curl(server.port).returncode == 0
        outcome = server.outcome()
        assert isinstance(outcome, Session)
        assert outcome.cipher == "TLS_AES_256_GCM_SHA384"


def test_a_session_of_tls_1_2_is_not_resumed(mutual: Running, client: tuple[str, str]) -> None:
    with running(Server([served(WEB, HOST)], POLICY)) as plain:
        for port, certificate in ((mutual.port, client), (plain.port, None)):
            result = s_client(port, "-tls1_2", "-reconnect", client=certificate)
            assert result.stdout.count("New, TLSv1.2") == 6
            assert "Reused" not in result.stdout


def test_no_ticket_of_tls_1_3_is_given_out(
    mutual: Running, client: tuple[str, str], tmp_path: Path
) -> None:
    session = tmp_path / "session"
    first = s_client(mutual.port, "-tls1_3", "-sess_out", str(session), client=client)
    assert "New, TLSv1.3" in first.stdout
    if session.exists():
        again = s_client(mutual.port, "-tls1_3", "-sess_in", str(session), client=client)
        assert "New, TLSv1.3" in again.stdout
        assert "Reused" not in again.stdout


def test_the_names_of_trusted_authorities_are_told_only_if_asked_for(
    mutual: Running, plain: Running
) -> None:
    silent = Server(
        [served(WEB, HOST)], POLICY, TrustStore(certificates=(ROOT.certificate,)), advertise=False
    )
    assert "CN = Root" in s_client(mutual.port).stdout
    with running(silent) as server:
        result = s_client(server.port)
        assert "No client certificate CA names sent" in result.stdout


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        (HOST, HOST),
        ("a.other.example", "*.other.example"),
        ("a.b.other.example", HOST),
        ("x", HOST),
    ],
)
def test_the_certificate_is_chosen_by_server_name(plain: Running, name: str, arn: str) -> None:
    s_client(plain.port, "-servername", name)
    outcome = plain.outcome()
    assert isinstance(outcome, Session)
    assert (outcome.certificate_arn, outcome.server_name) == (arn, name)


def test_plain_http_is_told_apart(plain: Running) -> None:
    result = run(["curl", "-s", f"http://127.0.0.1:{plain.port}/"])
    assert result.stdout == "ok"
    assert isinstance(plain.outcome(), PlainHttpError)
