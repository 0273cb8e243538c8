"""Tokens: what their headers and claims must say, and how long that is remembered."""

import json
from typing import Any

import pytest

from authorizer import tokens
from authorizer.config import ALGORITHMS, Config
from authorizer.errors import UnauthorizedError
from authorizer.key_source import StaticKeys
from authorizer.keys import KeySet
from authorizer.tokens import TokenVerifier
from tests.authorizer.issuing import (
    NOW,
    b64,
    claims,
    compact,
    jwk,
    key,
    key_set,
    parsed,
    signature,
    token,
)

KINDS = {"RS": "rsa-2048", "PS": "rsa-2048", "Ed": "Ed25519"}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def verifier(*members: object, **changes: object) -> TokenVerifier:
    config = parsed(**changes)
    return TokenVerifier(config, StaticKeys(key_set(*members, algorithms=config.algorithms)))


def reason(text: str, now: float = NOW, found: TokenVerifier | None = None) -> str:
    with pytest.raises(UnauthorizedError) as refusal:
        (found or verifier()).verify(text, now)
    return refusal.value.reason


def test_a_token_says_who_calls_and_what_for():
    found = verifier().verify(token(claims(scope="a b  c", scp=["d e", "f"])), NOW)
    assert (found.subject, found.client_id, found.key_id) == ("acme-service", "acme-client", "one")
    assert found.scopes == {"a", "b", "c", "d", "e", "f"}
    assert found.confirmation is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_configured_algorithm_is_verified(algorithm: str):
    private = key(CURVES.get(algorithm) or KINDS[algorithm[:2]])
    found = verifier(jwk(private), algorithms=[algorithm])
    good = token(private=private, algorithm=algorithm)
    assert found.verify(good, NOW)
    head, _, tail = good.split(".")
    other = b64(json.dumps(claims(sub="other")).encode())
    assert reason(f"{head}.{other}.{tail}", found=found) == "token_signature"
    assert reason(token(private=private, algorithm=algorithm)[:-4], found=found)
    stranger = key(CURVES.get(algorithm) or KINDS[algorithm[:2]], "stranger")
    assert reason(token(private=stranger, algorithm=algorithm), found=found) == "token_signature"


@pytest.mark.parametrize("algorithm", sorted(set(ALGORITHMS) - {"RS256"}))
def test_no_other_algorithm_is_verified(algorithm: str):
    private = key(CURVES.get(algorithm) or KINDS[algorithm[:2]])
    found = verifier(jwk(private), jwk(key("rsa-2048"), "two"))
    assert reason(token(private=private, algorithm=algorithm), found=found) == "token_algorithm"


def test_the_keys_own_algorithm_decides_between_two():
    found = verifier(jwk(key("rsa-2048"), alg="RS512"), algorithms=["RS256", "RS512"])
    assert reason(token(algorithm="RS256"), found=found) == "token_key"
    assert found.verify(token(algorithm="RS512"), NOW)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"alg": None}, "token_algorithm"),
        ({"alg": ["RS256"]}, "token_algorithm"),
        ({"alg": "rs256"}, "token_algorithm"),
        ({"kid": 1}, "token_header"),
        ({"kid": ""}, "token_header"),
        ({"kid": "a" * 256}, "token_header"),
        ({"kid": 'a"b'}, "token_header"),
        ({"kid": "two"}, "token_key"),
        ({"typ": None}, "token_type"),
        ({"typ": "JWT"}, "token_type"),
        ({"typ": 1}, "token_type"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header: dict[str, Any], expected: str):
    assert reason(token(**header)) == expected


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_is_a_media_type(kind: str):
    assert verifier().verify(token(typ=kind), NOW)
    assert verifier(typ="application/at+jwt").verify(token(typ=kind), NOW)


def test_without_a_configured_type_any_is_taken():
    for kind in (None, "JWT", "at+jwt"):
        assert verifier(typ=None).verify(token(typ=kind), NOW)


def test_a_header_may_say_more_than_is_understood():
    assert verifier().verify(token(nonce="x", x5t="abc"), NOW)


def test_without_a_kid_the_only_key_is_meant():
    assert verifier().verify(token(kid=None), NOW).key_id == "one"
    nameless = verifier(jwk(key("rsa-2048"), None))
    assert nameless.verify(token(kid=None), NOW).key_id == ""
    two = verifier(jwk(key("rsa-2048")), jwk(key("rsa-2048", "two"), "two"))
    assert reason(token(kid=None), found=two) == "token_key"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": None}, "token_issuer"),
        ({"iss": "https://issuer.example.com/"}, "token_issuer"),
        ({"iss": ["https://issuer.example.com"]}, "token_issuer"),
        ({"aud": None}, "token_audience"),
        ({"aud": []}, "token_audience"),
        ({"aud": "https://api.example.com/"}, "token_audience"),
        ({"aud": ["x", 1]}, "token_claims"),
        ({"aud": {"https://api.example.com": 1}}, "token_claims"),
        ({"exp": None}, "token_claims"),
        ({"exp": str(NOW + 60)}, "token_claims"),
        ({"exp": True}, "token_claims"),
        ({"exp": [NOW]}, "token_claims"),
        ({"exp": 10**400}, "token_claims"),
        ({"exp": -1}, "token_claims"),
        ({"exp": NOW - 30}, "token_expired"),
        ({"nbf": NOW + 31}, "token_not_yet_valid"),
        ({"nbf": "now"}, "token_claims"),
        ({"iat": NOW + 31}, "token_not_yet_valid"),
        ({"iat": False}, "token_claims"),
        ({"sub": None}, "token_claims"),
        ({"sub": ""}, "token_claims"),
        ({"sub": 1}, "token_claims"),
        ({"sub": "a" * 256}, "token_claims"),
        ({"sub": "a\nb"}, "token_claims"),
        ({"sub": 'a","tenant":"globex'}, "token_claims"),
        ({"sub": "a\\"}, "token_claims"),
        ({"sub": "é"}, "token_claims"),
        ({"sub": "\ud800"}, "token_claims"),
        ({"client_id": ["acme"]}, "token_claims"),
        ({"client_id": "a" * 256}, "token_claims"),
        ({"scope": 1}, "token_claims"),
        ({"scope": {"a": 1}}, "token_claims"),
        ({"scp": ["a", None]}, "token_claims"),
    ],
)
def test_a_claim_that_does_not_fit_is_refused(changes: dict[str, Any], expected: str):
    assert reason(token(claims(**changes))) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://other.example.com", "https://api.example.com"]},
        {"exp": NOW - 29},
        {"exp": NOW + 0.5},
        {"nbf": NOW + 30},
        {"iat": NOW + 30},
        {"iat": None},
        {"nbf": 0},
        {"sub": "a" * 255},
        {"client_id": None},
        {"scope": ""},
        {"scope": None},
    ],
)
def test_a_claim_that_just_fits_is_taken(changes: dict[str, Any]):
    assert verifier().verify(token(claims(**changes)), NOW)


def test_exp_may_not_be_infinite():
    body = json.dumps(claims()).replace(f'"exp": {NOW + 600}', '"exp": 1e999').encode()
    forged = compact(
        b'{"alg":"RS256","kid":"one","typ":"at+jwt"}',
        body,
        lambda message: signature("RS256", key("rsa-2048"), message),
    )
    assert reason(forged) == "token_claims"


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_a_required_claim_must_say_something(value: object):
    payload = claims() | {"tenant": value}
    assert reason(token(payload), found=verifier(requiredClaims=["tenant"])) == "token_claims"


def test_a_required_claim_may_be_false():
    found = verifier(requiredClaims=["member"])
    assert found.verify(token(claims(member=False)), NOW)
    assert reason(token(), found=found) == "token_claims"


def test_a_subject_is_required_only_by_configuration():
    assert verifier(requiredClaims=[]).verify(token(claims(sub=None)), NOW).subject == ""


def test_another_claim_may_name_the_client():
    found = verifier(clientIdClaim="azp")
    assert found.verify(token(claims(azp="other")), NOW).client_id == "other"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"x5t#S256": "abc"}, "abc"),
        ({"jkt": "abc"}, ""),
        ({"x5t#S256": 1}, ""),
        ({}, ""),
        ("abc", ""),
        ([], ""),
    ],
)
def test_a_confirmation_of_another_kind_fits_no_certificate(value: object, expected: str):
    found = verifier().verify(token(claims() | {"cnf": value}), NOW)
    assert found.confirmation == expected


def test_a_null_confirmation_is_one_that_fits_nothing():
    assert verifier().verify(token(claims() | {"cnf": None}), NOW).confirmation == ""


HEADER = b'{"alg":"RS256","kid":"one","typ":"at+jwt"}'


def signed(header: bytes, body: bytes) -> str:
    return compact(header, body, lambda message: signature("RS256", key("rsa-2048"), message))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (b'{"alg":"none","alg":"RS256","kid":"one","typ":"at+jwt"}', b"{}"),
        (b"[]", b"{}"),
        (b"{", b"{}"),
        (b"\xff", b"{}"),
        (HEADER, b'{"sub":"a","sub":"acme-service"}'),
        (HEADER, b"[]"),
        (HEADER, b"null"),
        (HEADER, b""),
        (HEADER, b'{"exp":NaN}'),
    ],
)
def test_what_is_no_json_object_is_no_token(header: bytes, body: bytes):
    assert reason(signed(header, body)) == "token_malformed"


def test_nesting_as_deep_as_fits_is_refused():
    """By the parser or, where it goes that deep, for what is missing."""
    deep = signed(HEADER, b'{"a":' * 1_500 + b"1" + b"}" * 1_500)
    assert reason(deep) in ("token_malformed", "token_issuer")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "....",
        '{"payload":"","signatures":[]}',
        "é.b.c".encode("ascii", "replace").decode(),
    ],
)
def test_what_is_not_of_three_parts_is_no_token(text: str):
    assert reason(text) == "token_malformed"


@pytest.mark.parametrize("change", ["{}=", "{}==", " {}", "{} ", "{}\n", "{}A", "{}AA"])
def test_a_token_has_one_text(change: str):
    assert reason(change.format(token())) in ("token_malformed", "token_signature")


def test_every_truncation_is_refused():
    text = token()
    found = verifier()
    for length in range(len(text)):
        assert reason(text[:length], found=found)


class Counted(TokenVerifier):
    """How often a signature was verified."""

    def __init__(self, config: Config, keys: Any) -> None:
        super().__init__(config, keys)
        self.verified = 0

    def _verify(self, data: bytes, keys: KeySet, now: float) -> Any:
        self.verified += 1
        return super()._verify(data, keys, now)


class Changing:
    """A key source whose keys a test puts in its place."""

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys

    def current(self, now: float) -> KeySet:
        return self.keys

    def beyond(self, seen: KeySet, now: float) -> KeySet:
        return self.keys


def test_a_token_is_verified_once():
    found = Counted(parsed(), StaticKeys(key_set()))
    first = found.verify(token(), NOW)
    assert found.verify(token(), NOW + 1) is first
    assert found.verified == 1
    assert found.verify(token(claims(sub="other")), NOW).subject == "other"
    assert found.verified == 2


def test_a_remembered_token_expires():
    found = Counted(parsed(), StaticKeys(key_set()))
    found.verify(token(), NOW + 629)
    assert reason(token(), NOW + 630, found) == "token_expired"
    assert reason(token(), NOW + 630, found) == "token_expired"
    assert found.verified == 2


def test_a_remembered_token_is_no_more_valid_before_its_time():
    found = Counted(parsed(), StaticKeys(key_set()))
    text = token(claims(nbf=NOW))
    found.verify(text, NOW)
    assert reason(text, NOW - 31, found) == "token_not_yet_valid"


def test_what_was_refused_is_not_remembered():
    found = Counted(parsed(), StaticKeys(key_set()))
    for _ in range(2):
        assert reason(token(claims(iss="x")), found=found) == "token_issuer"
    assert found.verified == 2


def test_tokens_are_forgotten_when_the_keys_change():
    source = Changing(key_set())
    found = Counted(parsed(), source)
    found.verify(token(), NOW)
    source.keys = key_set()
    found.verify(token(), NOW)
    assert found.verified == 2
    source.keys = key_set(jwk(key("rsa-2048", "two")))
    assert reason(token(), found=found) == "token_signature"


def test_a_kid_that_came_later_is_looked_for():
    class Later(Changing):
        def beyond(self, seen: KeySet, now: float) -> KeySet:
            self.keys = key_set(jwk(key("rsa-2048", "two"), "two"))
            return self.keys

    found = Counted(parsed(), Later(key_set()))
    text = token(private=key("rsa-2048", "two"), kid="two")
    assert found.verify(text, NOW).key_id == "two"
    assert found.verify(text, NOW)
    assert found.verified == 1


def test_so_many_tokens_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tokens, "REMEMBERED", 3)
    found = Counted(parsed(), StaticKeys(key_set()))
    texts = [token(claims(sub=f"s{number}")) for number in range(4)]
    for text in (texts[0], texts[1], texts[2], texts[0], texts[3]):
        found.verify(text, NOW)
    assert found.verified == 4
    found.verify(texts[0], NOW)
    assert found.verified == 4
    found.verify(texts[1], NOW)
    assert found.verified == 5
