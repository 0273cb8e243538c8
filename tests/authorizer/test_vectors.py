"""Signatures that others made: the examples of the RFCs, and forgeries that are known by name."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from authorizer.errors import UnauthorizedError
from authorizer.key_source import StaticKeys
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
    token,
    unb64,
)

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors.json").read_text())

# ES256: the order of P-256 (FIPS 186-5, SEC 2 §2.4.2).
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def verifier(*members: object, algorithms: list[str], **changes: object) -> TokenVerifier:
    keys = StaticKeys(key_set(*members, algorithms=frozenset(algorithms)))
    return TokenVerifier(parsed(algorithms=algorithms, **changes), keys)


def reason(found: TokenVerifier, text: str, now: float = NOW) -> str:
    with pytest.raises(UnauthorizedError) as refusal:
        found.verify(text, now)
    return refusal.value.reason


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_a_signature_of_an_rfc_is_verified_by_its_key_only(vector: dict[str, Any]):
    message, _, signature = vector["token"].rpartition(".")
    keys = key_set(vector["jwk"], algorithms=frozenset([vector["algorithm"]]))
    found = keys.find(vector["jwk"].get("kid"), vector["algorithm"])
    assert found is not None
    assert found.verifies(vector["algorithm"], message.encode(), unb64(signature))
    assert not found.verifies(vector["algorithm"], message.encode() + b"A", unb64(signature))
    for place in (0, 20, -1):
        bad = bytearray(unb64(signature))
        bad[place] ^= 1
        assert not found.verifies(vector["algorithm"], message.encode(), bytes(bad))


@pytest.mark.parametrize("vector", VECTORS[:2], ids=lambda vector: vector["source"])
def test_a_token_of_rfc_7515_fails_by_what_it_says_and_not_by_its_signature(vector: dict[str, Any]):
    algorithms = [vector["algorithm"]]
    found = verifier(vector["jwk"], algorithms=algorithms, typ=None, issuer="joe")
    assert reason(found, vector["token"], 1_300_819_370) == "token_audience"
    assert reason(found, vector["token"][:-6], 1_300_819_370) == "token_signature"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_refused(name: str):
    found = verifier(jwk(key("rsa-2048")), algorithms=["RS256"])
    head, body, tail = token(alg=name).split(".")
    assert reason(found, f"{head}.{body}.") == "token_algorithm"
    assert reason(found, f"{head}.{body}.{tail}") == "token_algorithm"
    assert reason(found, f"{head}.{body}") == "token_malformed"


@pytest.mark.parametrize("encoding", ["PEM", "DER", "jwk"])
def test_the_public_key_is_no_secret_to_make_a_mac_with(encoding: str):
    """CVE-2015-9235 and its like."""
    public = key("rsa-2048").public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secret = {
        "PEM": public.public_bytes(serialization.Encoding.PEM, spki),
        "DER": public.public_bytes(serialization.Encoding.DER, spki),
        "jwk": json.dumps(jwk(key("rsa-2048"))).encode(),
    }[encoding]
    forged = compact(
        b'{"alg":"HS256","kid":"one","typ":"at+jwt"}',
        json.dumps(claims()).encode(),
        lambda message: hmac.new(secret, message, hashlib.sha256).digest(),
    )
    found = verifier(jwk(key("rsa-2048")), algorithms=["RS256"])
    assert reason(found, forged) == "token_algorithm"


@pytest.mark.parametrize(
    "extra",
    [
        {"jwk": jwk(key("rsa-2048", "forger"))},
        {"jku": "https://forger.example/jwks.json"},
        {"x5u": "https://forger.example/chain.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"enc": "A256GCM"},
        {"zip": "DEF"},
        {"epk": {}},
    ],
    ids=lambda extra: "+".join(extra),
)
def test_a_header_that_brings_a_key_or_an_extension_is_refused(extra: dict[str, Any]):
    found = verifier(jwk(key("rsa-2048")), algorithms=["RS256"])
    forger = key("rsa-2048", "forger")
    assert reason(found, token(private=forger, **extra)) == "token_header"
    assert reason(found, token(**extra)) == "token_header"


@pytest.mark.parametrize(
    ("r", "s"),
    [(0, 0), (0, 1), (1, 0), (P256_ORDER, P256_ORDER), (P256_ORDER, 1), (1, P256_ORDER)],
)
def test_a_psychic_signature_is_refused(r: int, s: int):
    """CVE-2022-21449: r or s that is a multiple of the curve's order."""
    forged = compact(
        b'{"alg":"ES256","kid":"one","typ":"at+jwt"}',
        json.dumps(claims()).encode(),
        lambda _: r.to_bytes(32, "big") + s.to_bytes(32, "big"),
    )
    found = verifier(jwk(key("P-256")), algorithms=["ES256"])
    assert reason(found, forged) == "token_signature"


def test_an_ecdsa_signature_is_of_the_length_of_its_curve():
    message, _, signature = token(private=key("P-256"), algorithm="ES256").rpartition(".")
    r, s = (int.from_bytes(half, "big") for half in (unb64(signature)[:32], unb64(signature)[32:]))
    found = verifier(jwk(key("P-256")), algorithms=["ES256"])
    der = utils.encode_dss_signature(r, s)
    longer = r.to_bytes(33, "big") + s.to_bytes(33, "big")
    for other in (der, longer, unb64(signature)[:-1], unb64(signature) + b"\0"):
        assert reason(found, f"{message}.{b64(other)}") == "token_signature"


def test_the_other_signature_of_an_ecdsa_token_gains_nothing():
    """(r, n - s) verifies wherever (r, s) does: it is valid (RFC 7518 §3.4), and says the same."""
    text = token(private=key("P-256"), algorithm="ES256")
    message, _, signature = text.rpartition(".")
    r, s = unb64(signature)[:32], int.from_bytes(unb64(signature)[32:], "big")
    other = f"{message}.{b64(r + (P256_ORDER - s).to_bytes(32, 'big'))}"
    found = verifier(jwk(key("P-256")), algorithms=["ES256"])
    assert other != text
    assert found.verify(other, NOW) == found.verify(text, NOW)
    assert reason(found, other, NOW + 10_000) == "token_expired"


def test_an_rsa_signature_of_another_length_or_padding_is_refused():
    found = verifier(jwk(key("rsa-2048")), algorithms=["RS256", "PS256"])
    text = token()
    message, _, signature = text.rpartition(".")
    for other in (unb64(signature)[1:], b"\0" + unb64(signature), bytes(256), b"\x01"):
        assert reason(found, f"{message}.{b64(other)}") == "token_signature"
    assert reason(found, f"{message}.") == "token_signature"
    as_pss = token(algorithm="PS256")
    swapped = f"{message}.{as_pss.rpartition('.')[2]}"
    assert reason(found, swapped) == "token_signature"
    assert found.verify(as_pss, NOW)


def test_a_signature_with_another_hash_is_refused():
    private = key("P-256")
    assert isinstance(private, ec.EllipticCurvePrivateKey)

    def sign(message: bytes) -> bytes:
        r, s = utils.decode_dss_signature(private.sign(message, ec.ECDSA(hashes.SHA512())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    forged = compact(
        b'{"alg":"ES256","kid":"one","typ":"at+jwt"}', json.dumps(claims()).encode(), sign
    )
    found = verifier(jwk(private), algorithms=["ES256"])
    assert reason(found, forged) == "token_signature"
