import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import JWKRegistry

from lab.certificates import Issued, self_signed
from lab.issuer import ALGORITHMS, Issuer, compact, make_key, thumbprint
from tests.lab.issuer.http_client import ask

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Header, claims and signature, read by nothing but the rules of RFC 7515 §7.1."""
    assert "=" not in token
    header, claims, signature = (base64.urlsafe_b64decode(f"{part}==") for part in token.split("."))
    return json.loads(header), json.loads(claims), signature


def verify(token: str, jwks: dict[str, Any]) -> None:
    """Raises InvalidSignature unless the key that the token names made it; without joserfc."""
    header, _, signature = parts(token)
    algorithm = header["alg"]
    (jwk,) = [one for one in jwks["keys"] if one["kid"] == header["kid"]]
    key = JWKRegistry.import_key(jwk).public_key
    signed = token.rpartition(".")[0].encode()
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.verify(signature, signed)
    digest = HASHES[algorithm[2:]]
    if isinstance(key, ec.EllipticCurvePublicKey):
        half = (key.curve.key_size + 7) // 8
        assert len(signature) == 2 * half
        r, s = (int.from_bytes(one) for one in (signature[:half], signature[half:]))
        return key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
    assert isinstance(key, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    used = pss if algorithm.startswith("PS") else padding.PKCS1v15()
    return key.verify(signature, signed, used, digest)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_each_algorithm_is_verified_by_the_published_keys(
    issuer: Issuer, algorithm: str
):
    token = issuer.token("acme", algorithm=algorithm)
    assert parts(token)[0] == {
        "alg": algorithm,
        "typ": "at+jwt",
        "kid": issuer.key(algorithm).kid,
    }
    jwks = ask(issuer.jwks_uri).json
    verify(token, jwks)
    signature = issuer.token("acme", algorithm=algorithm).rpartition(".")[2]
    with pytest.raises(InvalidSignature):
        verify(f"{token.rpartition('.')[0]}.{signature}", jwks)


def test_the_thumbprint_is_that_of_the_whole_certificate(certificate: Issued):
    der = certificate.certificate.public_bytes(Encoding.DER)
    expected = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode()
    assert thumbprint(certificate.certificate) == expected.rstrip("=")


def test_a_token_can_be_bound_to_another_certificate_or_to_none(issuer: Issuer):
    other = self_signed("other", "p-256").certificate
    bound = parts(issuer.token("globex", bound_to=other))[1]
    assert bound["cnf"] == {"x5t#S256": thumbprint(other)}
    assert parts(issuer.token("acme", bound_to=other))[1]["cnf"] == bound["cnf"]
    assert "cnf" in parts(issuer.token("acme"))[1]
    assert "cnf" not in parts(issuer.token("acme", claims={"cnf": None}))[1]


def test_a_token_can_have_expired(issuer: Issuer):
    claims = parts(issuer.token("acme", lifetime=timedelta(seconds=-60)))[1]
    assert claims["iat"] == claims["exp"] <= time.time() - 60


def test_a_token_can_be_for_another_audience_or_several(issuer: Issuer):
    assert parts(issuer.token("acme", audience="https://other"))[1]["aud"] == "https://other"
    assert parts(issuer.token("acme", audience=("a", "b")))[1]["aud"] == ["a", "b"]


def test_a_token_can_have_other_scopes_or_none(issuer: Issuer):
    assert parts(issuer.token("acme", scopes=["admin"]))[1]["scope"] == "admin"
    assert "scope" not in parts(issuer.token("acme", scopes=()))[1]


def test_claims_and_header_can_be_replaced_and_left_out(issuer: Issuer):
    token = issuer.token(
        "acme",
        claims={"sub": "globex", "exp": None, "nbf": 1},
        header={"typ": "JWT", "kid": None, "crit": ["x"]},
    )
    header, claims, _ = parts(token)
    assert header == {"alg": "RS256", "typ": "JWT", "crit": ["x"]}
    assert claims["sub"] == "globex"
    assert claims["client_id"] == "acme"
    assert claims["nbf"] == 1
    assert "exp" not in claims


def test_a_token_can_be_unsigned(issuer: Issuer):
    token = issuer.token("acme", algorithm="none")
    assert token.endswith(".")
    assert parts(token)[0] == {"alg": "none", "typ": "at+jwt"}


def test_a_public_key_can_be_misused_as_a_shared_secret(issuer: Issuer):
    secret = issuer.key("RS256").as_pem()
    assert secret.startswith(b"-----BEGIN PUBLIC KEY-----")
    known = {"kid": issuer.key("RS256").kid}
    token = issuer.token("acme", algorithm="HS256", key=secret, header=known)
    assert parts(token)[0] == {"alg": "HS256", "typ": "at+jwt", **known}
    signed = token.rpartition(".")[0].encode()
    assert parts(token)[2] == hmac.digest(secret, signed, "sha256")


def test_a_header_can_claim_what_the_signature_is_not(issuer: Issuer):
    token = issuer.token("acme", header={"alg": "RS512"})
    with pytest.raises(InvalidSignature):
        verify(token, issuer.jwks())
    signed, _, signature = token.rpartition(".")
    key = issuer.key("RS256").public_key
    assert isinstance(key, rsa.RSAPublicKey)
    made = base64.urlsafe_b64decode(f"{signature}==")
    key.verify(made, signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_a_foreign_key_is_named_by_itself_or_poses_as_a_published_one(issuer: Issuer):
    foreign = make_key("rsa-2048")
    header = parts(issuer.token("acme", key=foreign))[0]
    assert header["kid"] == foreign.kid
    assert header["kid"] not in [key["kid"] for key in issuer.jwks()["keys"]]
    posing = issuer.token("acme", key=foreign, header={"kid": issuer.key("RS256").kid})
    with pytest.raises(InvalidSignature):
        verify(posing, issuer.jwks())


def test_a_key_of_the_wrong_curve_signs_too(issuer: Issuer):
    token = issuer.token("acme", algorithm="ES256", key=issuer.key("ES384"))
    assert len(parts(token)[2]) == 2 * 48


@pytest.mark.parametrize("payload", [b"[]", b"\xff", b'{"sub":"a","sub":"b"}', b""])
def test_any_bytes_can_be_signed(issuer: Issuer, payload: bytes):
    key = issuer.key("ES256")
    token = compact({"alg": "ES256", "kid": key.kid}, payload, "ES256", key)
    assert base64.urlsafe_b64decode(token.split(".")[1] + "==") == payload
    assert len(base64.urlsafe_b64decode(token.split(".")[2] + "==")) == 64


@pytest.mark.parametrize("algorithm", ["HS256", "ES256K", "rs256"])
def test_the_issuer_has_no_key_for_other_algorithms(issuer: Issuer, algorithm: str):
    with pytest.raises(ValueError, match=f"no key of the issuer is for '{algorithm}'"):
        issuer.token("acme", algorithm=algorithm)


def test_nobody_gets_a_token_without_being_registered(issuer: Issuer):
    with pytest.raises(KeyError, match="initech"):
        issuer.token("initech")
