import pytest

from lab.issuer import ClientRegistration, Issuer
from tests.lab.issuer.conftest import AUDIENCE
from tests.lab.issuer.http_client import ask

PATHS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


@pytest.mark.parametrize("path", PATHS)
def test_the_metadata_lead_to_the_keys_and_the_token_endpoint(issuer: Issuer, path: str):
    answer = ask(issuer.url + path)
    metadata = answer.json
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert metadata["issuer"] == issuer.url
    assert metadata["scopes_supported"] == ["widgets.read", "widgets.write"]
    assert metadata["grant_types_supported"] == ["client_credentials"]
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    assert len(ask(metadata["jwks_uri"]).json["keys"]) == 5
    assert ask(metadata["token_endpoint"], "POST").json["error"] == "invalid_request"


def test_the_keys_are_public_and_of_every_kind(issuer: Issuer):
    answer = ask(issuer.jwks_uri)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    kinds = [(key["kty"], key.get("crv")) for key in answer.json["keys"]]
    curves = [("EC", "P-256"), ("EC", "P-384"), ("EC", "P-521"), ("OKP", "Ed25519")]
    assert kinds == [("RSA", None), *curves]
    for key in answer.json["keys"]:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)
    assert answer.json == issuer.jwks()


def test_how_long_the_keys_may_be_cached_can_be_said():
    with Issuer(AUDIENCE, {"acme": ClientRegistration()}, max_age_seconds=2) as issuer:
        assert ask(issuer.jwks_uri).headers["Cache-Control"] == "public, max-age=2"
        assert "scopes_supported" not in ask(issuer.url + PATHS[0]).json


def test_every_fetch_of_the_keys_is_counted_and_nothing_else(issuer: Issuer):
    ask(issuer.url + PATHS[0])
    assert issuer.jwks_fetches == 0
    ask(issuer.jwks_uri)
    ask(issuer.jwks_uri + "?again")
    assert issuer.jwks_fetches == 2


def test_other_paths_are_not_found_and_other_methods_not_allowed(issuer: Issuer):
    assert ask(f"{issuer.url}/authorize").status == 404
    posted = ask(issuer.jwks_uri, "POST")
    assert (posted.status, posted.headers["Allow"]) == (405, "GET")
