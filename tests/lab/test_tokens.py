"""What of a stack's configuration the lab's issuer follows, and what it hands out for it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.certificates import Authority
from lab.issuer import thumbprint
from lab.tokens import NoTokenError, Tokens, TokenSettings, request_token

JWT = {
    "kind": "jwt",
    "issuer": "https://issuer.example.com",
    "audiences": ["https://api.example.com", "https://other.example.com"],
    "algorithms": ["ES256"],
    "scopes": {
        "GET /widgets": ["widgets.read"],
        "POST /widgets": ["widgets.read", "widgets.write"],
    },
}
CLIENTS = {"shop": {"tokens": {"clientIds": ["shop-1", "shop-2"]}}, "till": {}}
CUSTOMERS = {"acme": {"tokens": {"subjects": ["acme-service"]}}}


def config(authorizer: dict[str, Any], **changes: Any) -> dict[str, str]:
    given = {"authorizer": authorizer, "clients": CLIENTS, "customers": CUSTOMERS, **changes}
    return {f"mtls:{key}": json.dumps(value) for key, value in given.items()}


def claims(token: str | None) -> dict[str, Any]:
    assert token
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tokens]:
    tokens = Tokens(tmp_path)
    yield tokens
    tokens.close()


def test_the_issuer_is_the_configured_one_and_its_names_lead_here(tokens: Tokens):
    tokens.follow(config({**JWT, "jwksUri": "https://keys.example.com/k"}), {})
    assert tokens.issuer
    assert tokens.internet == dict.fromkeys(
        ("issuer.example.com", "keys.example.com"), tokens.issuer.tls_port
    )
    assert (tokens.issuer.url, tokens.issuer.jwks_uri) == (
        "https://issuer.example.com",
        "https://keys.example.com/k",
    )
    tokens.follow(config(JWT), {})
    assert list(tokens.internet) == ["issuer.example.com"]
    assert tokens.issuer.jwks_uri == "https://issuer.example.com/.well-known/jwks.json"


def test_a_token_has_what_the_stack_asks_for_and_is_bound_to_the_tenants_certificate(
    tokens: Tokens,
):
    authority = Authority.create("Clients")
    issued, other = authority.issue("shop", "p-256"), authority.issue("shop", "p-256")
    tokens.follow(config(JWT), {"shop": issued.chain_pem})
    found = claims(tokens.token("shop"))
    assert found["iss"] == "https://issuer.example.com"
    assert found["aud"] == "https://api.example.com"
    assert (found["sub"], found["client_id"]) == ("shop-1", "shop-1")
    assert found["scope"] == "widgets.read widgets.write"
    assert found["cnf"] == {"x5t#S256": thumbprint(issued.certificate)}
    bound = claims(tokens.token("shop", other.certificate))
    assert bound["cnf"] == {"x5t#S256": thumbprint(other.certificate)}
    assert "cnf" not in claims(tokens.token("acme"))
    assert claims(tokens.token("acme"))["sub"] == "acme-service"
    assert tokens.token("till") is None


@pytest.mark.parametrize(
    "authorizer",
    [
        {"kind": "none"},
        {"kind": "bring-your-own", "functionArn": "arn:aws:lambda:eu-west-1:1:function:own"},
        {**JWT, "jwksFile": "keys.json"},
        {**JWT, "issuer": "https://issuer.example.com:8443"},
        {**JWT, "jwksUri": "http://issuer.example.com/keys"},
    ],
)
def test_a_stack_without_tokens_of_the_lab_has_no_issuer(
    tokens: Tokens, tmp_path: Path, authorizer: dict[str, Any]
):
    tokens.follow(config(JWT), {})
    tokens.follow(config(authorizer), {})
    assert (tokens.issuer, tokens.internet, tokens.described({})) == (None, {}, None)
    assert tokens.token("shop") is None
    assert tokens.write(tmp_path / "shop.token", "shop") is None
    assert not (tmp_path / "shop.token").exists()
    assert TokenSettings.of({}) is None


def test_the_next_deployment_keeps_keys_and_secrets_and_forgets_who_is_gone(tokens: Tokens):
    tokens.follow(config(JWT), {})
    assert tokens.issuer
    issuer, secret = tokens.issuer, tokens.issuer.clients["shop-1"].secret
    port, keys = issuer.tls_port, issuer.jwks()
    tokens.follow(config(JWT, customers={}), {})
    assert tokens.issuer is issuer
    assert (issuer.tls_port, issuer.jwks()) == (port, keys)
    assert issuer.clients["shop-1"].secret == secret
    assert set(issuer.clients) == {"shop-1"}
    tokens.follow(config({**JWT, "issuer": "https://login.example.com"}), {})
    assert tokens.issuer is not issuer
    assert list(tokens.internet) == ["login.example.com"]


def test_files_are_private_and_renewed(tokens: Tokens, tmp_path: Path):
    tokens.follow(config(JWT), {})
    path = tokens.write(tmp_path / "shop.token", "shop")
    assert path
    assert path.stat().st_mode & 0o077 == 0
    before = path.read_text()
    tokens.renew()
    assert path.read_text() != before
    assert path.stat().st_mode & 0o077 == 0
    key = tmp_path / "issuer.key"
    assert key.stat().st_mode & 0o077 == 0


def test_the_token_endpoint_gives_one_to_who_has_the_secret(tokens: Tokens):
    tokens.follow(config(JWT), {})
    described = tokens.described({"acme-shop": "acme"})
    assert described
    assert described["url"] == "https://issuer.example.com"
    assert list(described["clients"]) == ["acme", "acme-shop", "shop"]
    assert described["clients"]["acme-shop"] == described["clients"]["acme"]
    endpoint = described["token_endpoint"]
    assert endpoint.startswith("http://127.0.0.1:")
    token = request_token(endpoint, **described["clients"]["acme-shop"])
    assert claims(token)["client_id"] == "acme-service"
    with pytest.raises(NoTokenError, match=r"answers 401 .*invalid_client"):
        request_token(endpoint, "acme-service", "guessed")
    tokens.close()
    with pytest.raises(NoTokenError, match="refused"):
        request_token(endpoint, **described["clients"]["shop"])
