"""Mutual TLS in passthrough: asked for, not verified, told to the target as it was presented."""

import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from cryptography import x509

from lab.certificates import Authority, Issued, self_signed
from lab.wire.tls import HandshakeError, Server, Session
from tests.lab.wire.stack import DOMAIN, Stack
from tests.lab.wire.tls_server import HOST, POLICY, Running, running, s_client, served, write

NOW, DAY = datetime.now(UTC), timedelta(days=1)
HEADER = "X-Amzn-Mtls-Clientcert"
RENAMED = "routing.http.request.x_amzn_mtls_clientcert.header_name"
ANY_KEY = ("-tls1_2", "-cipher", "ALL:@SECLEVEL=0")
OTHER = Authority.create("Other")
DEEP = Authority.create("4", Authority.create("3", Authority.create("2", OTHER)))

ANYBODY: dict[str, Callable[[], Issued]] = {
    "other authority": lambda: OTHER.issue("client-1"),
    "self-signed": lambda: self_signed("client-1"),
    "expired": lambda: OTHER.issue("client-1", not_after=NOW - DAY),
    "not yet valid": lambda: OTHER.issue("client-1", not_before=NOW + DAY),
    "server only": lambda: OTHER.issue("client-1", usages=("server_auth",)),
    "chain of five": lambda: DEEP.issue("client-1"),
}


@pytest.fixture(scope="module")
def asking() -> Iterator[Running]:
    """The TLS side of a listener in passthrough."""
    certificates = [served(Authority.create("Web CA"), HOST)]
    with running(Server(certificates, POLICY, passthrough=True)) as server:
        yield server


@pytest.fixture(scope="module")
def open_stack(stack: Stack) -> Stack:
    """The stack with its listener in passthrough."""
    set_mode(stack, Mode="passthrough")
    return stack


def set_mode(stack: Stack, **mutual: str) -> None:
    stack.client("elbv2").modify_listener(
        ListenerArn=stack.ids["listener"], MutualAuthentication=mutual
    )


def chain_of(value: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(unquote(value).encode())


@contextmanager
def conversation(stack: Stack, issued: Issued) -> Iterator[Callable[[], list[str]]]:
    """One connection; each call asks again and says which headers the target got of Mtls."""
    context = ssl.create_default_context(cafile=str(stack.folder / "web.pem"))
    context.load_cert_chain(*write(stack.folder, issued))
    with closing(http.client.HTTPSConnection(DOMAIN)) as connection:
        plain = socket.create_connection(("127.0.0.1", stack.door()))
        connection.sock = context.wrap_socket(plain, server_hostname=DOMAIN)

        def told() -> list[str]:
            connection.request("GET", "/widgets")
            headers = json.loads(connection.getresponse().read())["headers"]
            return [name for name in headers if "Mtls" in name]

        yield told


def session_of(server: Running) -> Session:
    outcome = server.outcome()
    assert isinstance(outcome, Session)
    return outcome


def refusal_of(server: Running) -> str:
    outcome = server.outcome()
    assert isinstance(outcome, HandshakeError)
    return outcome.reason


# The handshake


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_certificate_is_asked_for_without_naming_authorities(
    asking: Running, version: str
) -> None:
    result = s_client(asking.port, version)
    assert "No client certificate CA names sent" in result.stdout
    assert "Requested Signature Algorithms" in result.stdout
    session = session_of(asking)
    assert (session.client_certificate, session.unverified_chain) == (None, ())


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("name", ANYBODY)
def test_whatever_is_presented_is_let_in_and_kept_leaf_first(
    asking: Running, tmp_path: Path, name: str, version: str
) -> None:
    issued = ANYBODY[name]()
    s_client(asking.port, version, client=write(tmp_path, issued))
    session = session_of(asking)
    presented = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    assert list(session.unverified_chain) == presented
    assert session.client_certificate == issued.certificate == presented[0]


@pytest.mark.parametrize("kind", ["rsa-1024", "sha1"])
def test_keys_and_signatures_are_not_judged(asking: Running, tmp_path: Path, kind: str) -> None:
    signed = "sha1" if kind == "sha1" else "sha256"
    key = "rsa-2048" if kind == "sha1" else kind
    authority = Authority.create("RSA", key="rsa-2048")
    issued = authority.issue("client-1", key, signature_hash=signed)
    s_client(asking.port, *ANY_KEY, client=write(tmp_path, issued))
    assert session_of(asking).client_certificate == issued.certificate


def test_a_curve_that_tls_did_not_offer_ends_the_handshake(asking: Running, tmp_path: Path) -> None:
    issued = OTHER.issue("client-1", "p-224")
    s_client(asking.port, *ANY_KEY, client=write(tmp_path, issued))
    assert refusal_of(asking) == "UnmappedConnectionError"


def test_more_than_one_tls_message_holds_is_refused(asking: Running, tmp_path: Path) -> None:
    long_names = tuple(f"{n}.{'x' * 60}.{'y' * 60}.example.com" for n in range(500))
    issued = OTHER.issue("client-1", "p-256", names=long_names)
    s_client(asking.port, client=write(tmp_path, issued))
    assert refusal_of(asking) == "ClientCertMaxSizeExceeded"


# The request


@pytest.mark.parametrize("name", ANYBODY)
def test_the_target_gets_the_chain_as_it_was_presented(open_stack: Stack, name: str) -> None:
    issued = ANYBODY[name]()
    headers = open_stack.event(issued)["multiValueHeaders"]
    (value,) = headers[HEADER]
    assert unquote(value) == issued.chain_pem
    assert [one for one in headers if "Mtls" in one] == [HEADER]


def test_who_presents_no_certificate_is_forwarded_without_a_header(open_stack: Stack) -> None:
    result = open_stack.curl(None)
    assert result.returncode == 0
    assert "client-1" not in result.stdout
    assert "Mtls" not in result.stdout


def test_the_header_goes_by_the_listeners_name_and_one_of_the_clients_stays_first(
    open_stack: Stack, good: Issued
) -> None:
    open_stack.set_listener(**{RENAMED: "X-Client-Cert"})
    forged = ["-H", "x-client-cert: forged", "-H", f"{HEADER}: forged too"]
    headers = open_stack.event(good, "/widgets", *forged)["multiValueHeaders"]
    open_stack.set_listener(**{RENAMED: ""})
    assert headers["x-client-cert"] == ["forged"]
    assert unquote(headers["X-Client-Cert"][0]) == good.chain_pem
    assert headers[HEADER] == ["forged too"]


def test_a_header_that_only_verify_writes_is_whatever_the_client_says(
    open_stack: Stack, good: Issued
) -> None:
    forged = ["-H", f"{HEADER}-Subject: CN=admin"]
    headers = open_stack.event(good, "/widgets", *forged)["multiValueHeaders"]
    assert headers[f"{HEADER}-Subject"] == ["CN=admin"]


@pytest.mark.parametrize(("authorities", "status"), [(2, "200"), (3, "431")])
def test_a_long_chain_and_a_token_exceed_the_8000_bytes_of_a_private_api(
    open_stack: Stack, authorities: int, status: str
) -> None:
    above = Authority.create("root", key="rsa-4096")
    for number in range(authorities):
        above = Authority.create(f"CA {number}", above, key="rsa-4096")
    issued = above.issue("client-1", "rsa-4096")
    token = f"Authorization: Bearer {'t' * 1500}"
    result = open_stack.curl(
        issued, "/widgets", "-H", token, "-o", "/dev/null", "-w", "%{http_code}"
    )
    assert result.stdout == status


# The connection log


def test_a_connection_is_logged_as_a_success_with_what_was_presented(open_stack: Stack) -> None:
    issued = ANYBODY["expired"]()
    result = open_stack.curl(issued, "/widgets", "-o", "/dev/null", "-w", "%{local_port}")
    (line,) = open_stack.log("connection_logs", int(result.stdout))
    assert line[7] == "CN=client-1"
    assert line[8].endswith(f"NotAfter={NOW - DAY:%Y-%m-%dT%H:%M:%SZ}")
    assert int(line[9], 16) == issued.certificate.serial_number
    assert line[10] == "Success"


def test_a_connection_without_a_certificate_is_a_success_too(open_stack: Stack) -> None:
    result = open_stack.curl(None, "/widgets", "-o", "/dev/null", "-w", "%{local_port}")
    (line,) = open_stack.log("connection_logs", int(result.stdout))
    assert line[7:11] == ["-", "-", "-", "Success"]


# Changing the mode


def test_a_connection_stays_what_its_handshake_made_it(open_stack: Stack) -> None:
    """A chain nobody verified must not come to be told as a verified certificate."""
    issued = ANYBODY["self-signed"]()
    with conversation(open_stack, issued) as told:
        assert told() == [HEADER]
        set_mode(open_stack, Mode="verify", TrustStoreArn=open_stack.ids["trust_store"])
        assert told() == [HEADER]
    assert open_stack.curl(issued).returncode in (35, 56)
    set_mode(open_stack, Mode="passthrough")
    assert open_stack.curl(issued).returncode == 0
