import base64
import time
from email.message import Message

import pytest

from lab.certificates import Issued
from lab.issuer import ClientRegistration, Issuer, thumbprint
from lab.issuer.clients import authenticate
from lab.issuer.errors import TokenError
from tests.lab.issuer.conftest import AUDIENCE
from tests.lab.issuer.http_client import Answer, ask, basic, request_token, verified

GRANT = {"grant_type": "client_credentials"}


def secret(issuer: Issuer, client: str = "acme") -> str:
    return issuer.clients[client].secret


def granted(issuer: Issuer, **form: str) -> Answer:
    return request_token(issuer, {**GRANT, **form}, basic("acme", secret(issuer)))


def refused(answer: Answer, error: str, status: int = 400) -> None:
    assert (answer.status, answer.json["error"]) == (status, error)
    assert "access_token" not in answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_client_gets_a_token_by_basic_authentication(issuer: Issuer, certificate: Issued):
    answer = granted(issuer)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 300)
    assert answer.json["scope"] == "widgets.read widgets.write"
    token = verified(issuer, answer.json["access_token"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims["iss"] == issuer.url
    assert token.claims["aud"] == AUDIENCE
    assert token.claims["sub"] == token.claims["client_id"] == "acme"
    assert token.claims["scope"] == "widgets.read widgets.write"
    assert token.claims["exp"] - token.claims["iat"] == 300
    assert abs(token.claims["iat"] - time.time()) < 10
    assert token.claims["cnf"] == {"x5t#S256": thumbprint(certificate.certificate)}


def test_a_client_gets_a_token_by_the_form_unbound_without_a_certificate(issuer: Issuer):
    form = {**GRANT, "client_id": "globex", "client_secret": secret(issuer, "globex")}
    answer = request_token(issuer, form)
    assert answer.status == 200
    assert "scope" not in answer.json
    claims = verified(issuer, answer.json["access_token"]).claims
    assert set(claims) == {"iss", "sub", "client_id", "aud", "iat", "exp", "jti"}
    assert claims["sub"] == "globex"


def test_no_two_tokens_are_the_same(issuer: Issuer):
    assert granted(issuer).body != granted(issuer).body


def test_a_client_gets_the_scopes_that_it_asks_for(issuer: Issuer):
    answer = granted(issuer, scope="widgets.write")
    assert answer.json["scope"] == "widgets.write"
    assert verified(issuer, answer.json["access_token"]).claims["scope"] == "widgets.write"


@pytest.mark.parametrize("scope", ["admin", "widgets.read admin", "widgets.read  x", " ", 'a"b'])
def test_a_scope_that_is_not_the_clients_is_refused(issuer: Issuer, scope: str):
    refused(granted(issuer, scope=scope), "invalid_scope")


def test_an_empty_scope_counts_as_left_out(issuer: Issuer):
    assert granted(issuer, scope="").json["scope"] == "widgets.read widgets.write"


@pytest.mark.parametrize("grant", ["authorization_code", "password", "refresh_token", "x"])
def test_no_other_grant_is_supported(issuer: Issuer, grant: str):
    refused(granted(issuer, grant_type=grant), "unsupported_grant_type")


def test_a_request_must_say_its_grant(issuer: Issuer):
    refused(granted(issuer, grant_type=""), "invalid_request")


@pytest.mark.parametrize(
    "authorization",
    [
        basic("acme", "wrong")["Authorization"],
        basic("acme", "")["Authorization"],
        basic("nobody", "x")["Authorization"],
        "Bearer abc",
        "Basic",
        "Basic ?",
        "Basic \u00e9",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"acme:%ff").decode(),
    ],
)
def test_a_client_that_does_not_authenticate_is_refused(issuer: Issuer, authorization: str):
    answer = request_token(issuer, GRANT, {"Authorization": authorization})
    refused(answer, "invalid_client", 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.parametrize(
    "form", [{}, {"client_id": "acme"}, {"client_id": "acme", "client_secret": "wrong"}]
)
def test_a_form_without_the_secret_is_refused(issuer: Issuer, form: dict[str, str]):
    refused(request_token(issuer, {**GRANT, **form}), "invalid_client", 401)


def test_right_credentials_under_another_scheme_are_refused(issuer: Issuer):
    credentials = basic("acme", secret(issuer))["Authorization"].removeprefix("Basic ")
    for scheme, status in (("Digest", 401), ("basic", 200)):
        headers = {"Authorization": f"{scheme} {credentials}"}
        assert request_token(issuer, GRANT, headers).status == status


def test_a_second_authorization_header_is_refused():
    client = ClientRegistration()
    headers = Message()
    headers["Authorization"] = basic("acme", client.secret)["Authorization"]
    assert authenticate(headers, GRANT, {"acme": client}) == "acme"
    headers["Authorization"] = basic("acme", "other")["Authorization"]
    with pytest.raises(TokenError, match="invalid_request: more than one"):
        authenticate(headers, GRANT, {"acme": client})


def test_one_client_is_refused_with_the_secret_of_another(issuer: Issuer):
    headers = basic("acme", secret(issuer, "globex"))
    refused(request_token(issuer, GRANT, headers), "invalid_client", 401)


def test_two_ways_to_authenticate_at_once_are_refused(issuer: Issuer):
    refused(granted(issuer, client_secret=secret(issuer)), "invalid_request")
    refused(granted(issuer, client_id="globex"), "invalid_request")
    assert granted(issuer, client_id="acme").status == 200


def test_a_parameter_given_twice_is_refused(issuer: Issuer):
    form = [*GRANT.items(), ("scope", "widgets.read"), ("scope", "widgets.write")]
    refused(request_token(issuer, form, basic("acme", secret(issuer))), "invalid_request")


@pytest.mark.parametrize("form", [b"grant_type=%ff", b"grant_type=\xff"])
def test_a_form_that_is_not_text_is_refused(issuer: Issuer, form: bytes):
    refused(request_token(issuer, form), "invalid_request")


def test_a_body_that_is_no_form_is_refused(issuer: Issuer):
    json_type = {"Content-Type": "application/json", **basic("acme", secret(issuer))}
    refused(request_token(issuer, GRANT, json_type), "invalid_request")


def test_a_token_is_only_posted_for(issuer: Issuer):
    answer = ask(issuer.token_endpoint)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


def test_an_id_and_a_secret_of_any_characters_pass_by_basic_authentication():
    odd = ClientRegistration(secret="p+a s%:ß")  # noqa: S106 (of this test alone)
    with Issuer(AUDIENCE, {"a:b c": odd}) as issuer:
        assert request_token(issuer, GRANT, basic("a:b c", odd.secret)).status == 200


def test_a_secret_is_random_and_never_shown():
    one, other = ClientRegistration(), ClientRegistration()
    assert one.secret != other.secret
    assert len(one.secret) >= 43
    assert one.secret not in repr(one)


@pytest.mark.parametrize("scope", ["", "two words", 'a"b', "a\\b", "é"])
def test_what_cannot_be_a_scope_is_not_registered(scope: str):
    with pytest.raises(ValueError, match=r"scopes: want such as 'widgets\.read'"):
        ClientRegistration(scopes=(scope,))
