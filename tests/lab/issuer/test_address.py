"""The issuer under the names that the world has for it: TLS, and paths."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import KeySet
from joserfc.jwt import decode

from lab.certificates import Authority
from lab.issuer import Address, ClientRegistration, Issuer
from tests.lab.issuer.conftest import AUDIENCE
from tests.lab.issuer.http_client import ask, request_token

HOSTS = ("login.example.com", "keys.example.com")
URL = "https://login.example.com/tenant/v2/"
JWKS_URI = "https://keys.example.com/tenant/keys"
OF_ACME = {"grant_type": "client_credentials", "client_id": "acme", "client_secret": "s3cret"}

AskTls = Callable[..., tuple[int, bytes]]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("Internet")


@pytest.fixture(scope="module")
def tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    issued = authority.issue(HOSTS[0], "p-256", usages=("server_auth",), names=HOSTS)
    for name, text in (("crt", issued.chain_pem), ("key", issued.key_pem)):
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    return context


@pytest.fixture
def issuer(tls: ssl.SSLContext) -> Iterator[Issuer]:
    address = Address(url=URL, jwks_uri=JWKS_URI, tls=tls)
    clients = {"acme": ClientRegistration(secret=OF_ACME["client_secret"])}
    with Issuer(
        AUDIENCE, clients, algorithm="ES256", client_id_claim="azp", address=address
    ) as issuer:
        yield issuer


class Https(HTTPSConnection):
    """To a port of this machine, for a host of the Internet."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__(host, timeout=5, context=context)
        self.local_port, self.context = port, context

    def connect(self) -> None:
        raw = socket.create_connection(("127.0.0.1", self.local_port), self.timeout)
        self.sock = self.context.wrap_socket(raw, server_hostname=self.host)


@pytest.fixture
def ask_tls(issuer: Issuer, authority: Authority) -> AskTls:
    context = ssl.create_default_context(cadata=authority.certificate_pem)

    def get(host: str, path: str) -> tuple[int, bytes]:
        connection = Https(host, issuer.tls_port, context)
        try:
            connection.request("GET", path)
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        finally:
            connection.close()

    return get


def test_its_keys_are_where_its_uri_says_by_tls_and_by_http_here(issuer: Issuer, ask_tls: AskTls):
    status, body = ask_tls("keys.example.com", "/tenant/keys")
    assert (status, json.loads(body)) == (200, issuer.jwks())
    assert ask(issuer.local_url + "/tenant/keys").json == issuer.jwks()
    assert ask(issuer.local_url + "/jwks.json").status == 404
    assert issuer.jwks_fetches == 2


@pytest.mark.parametrize(
    "path",
    [
        "/tenant/v2/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenant/v2",
    ],
)
def test_the_metadata_name_it_as_the_world_does(ask_tls: AskTls, path: str):
    status, body = ask_tls("login.example.com", path)
    metadata: dict[str, Any] = json.loads(body)
    assert status == 200
    assert metadata["issuer"] == URL
    assert metadata["jwks_uri"] == JWKS_URI
    assert metadata["token_endpoint"] == f"{URL}token"


def test_a_token_from_the_local_endpoint_is_of_the_public_issuer(issuer: Issuer):
    assert issuer.local_token_endpoint == f"{issuer.local_url}/tenant/v2/token"
    answer = request_token(issuer, OF_ACME)
    assert answer.status == 200
    keys = KeySet.import_key_set(ask(issuer.local_url + "/tenant/keys").json)
    claims = decode(answer.json["access_token"], keys, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["azp"], claims["client_id"]) == (URL, "acme", "acme")


def test_who_does_not_trust_its_authority_gets_nothing_and_makes_no_noise(
    issuer: Issuer, ask_tls: AskTls, capfd: pytest.CaptureFixture[str]
):
    stranger = Https("keys.example.com", issuer.tls_port, ssl.create_default_context())
    with closing(stranger), pytest.raises(ssl.SSLCertVerificationError):
        stranger.request("GET", "/tenant/keys")
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        ask_tls("other.example.com", "/tenant/keys")
    with socket.create_connection(("127.0.0.1", issuer.tls_port), timeout=5) as plain:
        plain.sendall(b"GET /tenant/keys HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in plain.recv(100)
    issuer.stop()
    assert issuer.jwks_fetches == 0
    assert capfd.readouterr() == ("", "")


def test_an_outage_is_of_both_ways_to_it(issuer: Issuer, ask_tls: AskTls):
    issuer.outage = "error"
    assert ask_tls("keys.example.com", "/tenant/keys")[0] == 503
    assert ask(issuer.local_url + "/tenant/keys").status == 503
    issuer.outage = "refuse"
    with pytest.raises(ConnectionRefusedError):
        ask_tls("keys.example.com", "/tenant/keys")
    issuer.outage = None
    assert ask_tls("keys.example.com", "/tenant/keys")[0] == 200


def test_a_stop_cuts_off_who_is_silent_in_the_handshake(issuer: Issuer, ask_tls: AskTls):
    with socket.create_connection(("127.0.0.1", issuer.tls_port), timeout=5) as silent:
        ask_tls("keys.example.com", "/tenant/keys")  # so that the other has been accepted
        issuer.stop()
        assert silent.recv(1) == b""


def test_without_an_address_there_is_no_tls():
    with Issuer(AUDIENCE, {}) as issuer, pytest.raises(RuntimeError, match="no address"):
        _ = issuer.tls_port
