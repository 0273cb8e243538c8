"""What a function finds outside: the hosts the lab says, by TLS, and nothing else."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.certificates import Authority
from lab.wire.aws import Accounts
from lab.wire.functions import Functions
from tests.lab.wire.private_api import Lab, make_function

HOST = "issuer.example.com"
FETCH = """
import urllib.request
def handler(event, context):
    try:
        with urllib.request.urlopen(event, timeout=5) as answer:
            return answer.read().decode()
    except OSError as error:
        return f"{type(getattr(error, 'reason', error)).__name__}: {error}"
"""


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.headers['Host']} says hello".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(authority: Authority, folder: Path) -> Iterator[int]:
    """A port on 127.0.0.1 that answers as HOST by TLS."""
    issued = authority.issue(HOST, "p-256", usages=("server_auth",), names=(HOST,))
    chain = folder / "server.pem"
    chain.write_text(issued.chain_pem + issued.key_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def fetch(lab: Lab) -> str:
    return make_function(lab[0], "fetch", FETCH, Timeout=20)


@pytest.fixture(scope="module")
def online(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Functions]:
    folder = tmp_path_factory.mktemp("internet")
    authority = Authority.create("lab")
    ca = folder / "ca.pem"
    ca.write_text(authority.certificate_pem)
    with serving(authority, folder) as port:
        functions = Functions(Accounts([lab[0]]), internet={HOST: port}, internet_ca=ca)
        yield functions
        functions.close()


def test_a_host_of_the_internet_is_reached_by_tls(online: Functions, fetch: str) -> None:
    said = online.invoke(fetch, f"https://{HOST}/jwks.json", 20).payload
    assert said == f"{HOST} says hello"
    assert online.invoke(fetch, f"https://{HOST.upper()}:443/", 20).payload.endswith("says hello")


@pytest.mark.parametrize(
    "url", ["https://www.example.com/", f"https://www.{HOST}/", f"http://{HOST}/"]
)
def test_nothing_else_is(online: Functions, fetch: str, url: str) -> None:
    said = online.invoke(fetch, url, 20).payload
    assert said.startswith("gaierror: ")
    assert "Name or service not known" in said


def test_without_an_internet_no_name_leads_anywhere(lab: Lab, fetch: str) -> None:
    assert lab[1].invoke(fetch, f"https://{HOST}/", 20).payload.startswith("gaierror: ")


def test_a_certificate_of_another_authority_is_not_trusted(
    lab: Lab, fetch: str, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text(Authority.create("other").certificate_pem)
    with serving(Authority.create("lab"), tmp_path) as port:
        functions = Functions(Accounts([lab[0]]), internet={HOST: port}, internet_ca=ca)
        try:
            said = functions.invoke(fetch, f"https://{HOST}/", 20).payload
        finally:
            functions.close()
    assert said.startswith("SSLCertVerificationError: ")


def test_addresses_and_localhost_are_what_they_are(lab: Lab) -> None:
    source = """
import socket
def handler(event, context):
    found = {}
    for name in ("127.0.0.1", "::1", "localhost", None):
        found[str(name)] = sorted({each[4][0] for each in socket.getaddrinfo(name, 80)})
    return found
"""
    found = lab[1].invoke(make_function(lab[0], "resolves", source), None, 20).payload
    assert found["127.0.0.1"] == ["127.0.0.1"]
    assert found["::1"] == ["::1"]
    assert set(found["localhost"]) <= {"127.0.0.1", "::1"}
