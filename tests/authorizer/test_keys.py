"""JWK sets: which keys are of use, and for which signatures."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authorizer.config import ALGORITHMS
from authorizer.keys import MAX_KEYS, KeySet, UnusableKeysError, parse
from tests.authorizer.issuing import b64, jwk, jwks, key

ALL = frozenset(ALGORITHMS)


def only(member: object, algorithms: frozenset[str] = ALL) -> frozenset[str]:
    """The signatures that a key is taken for, beside one that is always good."""
    found = parse(jwks(jwk(key("P-256"), "other"), member), algorithms | {"ES256"})
    return frozenset(name for name in algorithms if found.find("one", name))


def rsa(**members: object) -> dict[str, Any]:
    return jwk(key("rsa-2048")) | members


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rsa-2048", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("rsa-3072", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("P-256", {"ES256"}),
        ("P-384", {"ES384"}),
        ("P-521", {"ES512"}),
        ("Ed25519", {"EdDSA", "Ed25519"}),
        ("rsa-1024", set()),
        ("secp256k1", set()),
    ],
)
def test_a_key_is_for_the_signatures_of_its_kind(kind: str, expected: set[str]):
    assert only(jwk(key(kind))) == expected


@pytest.mark.filterwarnings("ignore")  # the library's, which in a test would leave the key out too
@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_short_rsa_key_is_left_out(bits: int):
    modulus = (1 << (bits - 1)) + 1
    for size in (256, 300):
        assert only(rsa(n=b64(modulus.to_bytes(size, "big")))) == set()
    assert only(rsa(n=b64(((1 << 2047) + 1).to_bytes(300, "big"))))


def test_only_configured_algorithms_count():
    assert only(rsa(), frozenset(["RS256", "ES384"])) == {"RS256"}


def test_a_key_that_names_its_algorithm_is_for_no_other():
    assert only(rsa(alg="PS384")) == {"PS384"}
    assert only(jwk(key("Ed25519"), alg="EdDSA")) == {"EdDSA"}
    assert only(rsa(alg="HS256")) == set()
    assert only(rsa(alg="RSA-OAEP")) == set()


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("rsa-2048", {"use": "enc"}),
        ("rsa-2048", {"use": 1}),
        ("rsa-2048", {"key_ops": ["sign"]}),
        ("rsa-2048", {"key_ops": []}),
        ("rsa-2048", {"key_ops": ["encrypt", "decrypt"]}),
        ("rsa-2048", {"key_ops": "verify"}),
        ("rsa-2048", {"key_ops": ["verify", []]}),
        ("rsa-2048", {"kty": "EC"}),
        ("rsa-2048", {"kty": ["RSA"]}),
        ("rsa-2048", {"kty": "oct", "k": "c2VjcmV0"}),
        ("rsa-2048", {"kty": None}),
        ("rsa-2048", {"n": None}),
        ("rsa-2048", {"n": 1}),
        ("rsa-2048", {"n": "*"}),
        ("rsa-2048", {"n": "é"}),
        ("rsa-2048", {"n": b64(bytes(256))}),
        ("rsa-2048", {"n": b64(bytes(200) + b"\xff" * 100)}),
        ("rsa-2048", {"n": b64(b"\xff" * 1_025)}),
        ("rsa-2048", {"e": "*"}),
        ("rsa-2048", {"e": "AA"}),
        ("rsa-2048", {"d": "AQAB"}),
        ("rsa-2048", {"kid": 1}),
        ("rsa-2048", {"x5c": "not a list"}),
        ("P-256", {"crv": "P-384"}),
        ("P-256", {"crv": ["P-256"]}),
        ("P-256", {"x": b64(b"\x01" * 32)}),
        ("P-256", {"y": None}),
        ("P-256", {"d": "AQAB"}),
        ("Ed25519", {"x": "AA"}),
        ("Ed25519", {"crv": "X25519"}),
        ("Ed25519", {"crv": "Ed448"}),
    ],
)
def test_a_key_of_another_kind_or_purpose_is_left_out(kind: str, changes: dict[str, object]):
    assert only(jwk(key(kind)) | changes) == set()


def test_a_private_key_that_is_published_is_left_out():
    private = key("Ed25519")
    assert isinstance(private, Ed25519PrivateKey)
    assert only(jwk(private) | {"d": b64(private.private_bytes_raw())}) == set()


@pytest.mark.parametrize("member", ["key", None, [], 1])
def test_a_key_is_an_object(member: object):
    assert only(member) == set()


@pytest.mark.parametrize("members", [{"use": "sig"}, {"key_ops": ["verify"]}, {"x5t": "abc"}])
def test_a_key_for_signatures_is_taken(members: dict[str, object]):
    assert only(rsa(**members), frozenset(["RS256"])) == {"RS256"}


def test_keys_are_found_by_kid():
    one, two = key("rsa-2048"), key("rsa-2048", "two")
    found = parse(jwks(jwk(one), jwk(two, "two")), ALL)
    assert found.knows("two")
    assert not found.knows("three")
    assert found.find("three", "RS256") is None
    for name in ("one", "two"):
        chosen = found.find(name, "RS256")
        assert chosen is not None
        assert chosen.kid == name


def test_without_a_kid_the_key_must_be_the_only_one_that_fits():
    found = parse(jwks(jwk(key("rsa-2048")), jwk(key("P-256"), None)), ALL)
    assert found.knows(None)
    assert found.find(None, "RS256")
    assert found.find(None, "ES256")
    both = parse(jwks(jwk(key("rsa-2048")), jwk(key("rsa-2048", "two"), "two")), ALL)
    assert both.find(None, "RS256") is None


def test_a_kid_that_is_there_twice_says_which_key_only_with_the_algorithm():
    found = parse(jwks(jwk(key("rsa-2048")), jwk(key("P-256"))), ALL)
    assert found.find("one", "RS256")
    assert found.find("one", "ES256")
    twice = parse(jwks(jwk(key("rsa-2048")), jwk(key("rsa-2048", "two"))), ALL)
    assert twice.find("one", "RS256") is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":["key"]}',
        b"<html></html>",
    ],
)
def test_what_holds_no_key_of_use_is_no_key_set(text: bytes):
    with pytest.raises(UnusableKeysError):
        parse(text, ALL)


def test_a_set_has_a_hundred_keys_at_most():
    many = [jwk(key("P-256"), str(number)) for number in range(MAX_KEYS + 1)]
    assert parse(jwks(*many[:-1]), ALL).knows(str(MAX_KEYS - 1))
    with pytest.raises(UnusableKeysError, match="at most 100"):
        parse(jwks(*many), ALL)


def test_key_sets_are_told_apart_by_identity():
    assert KeySet([]) != KeySet([])
