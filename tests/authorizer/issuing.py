"""What the authorizer is asked with: keys, tokens, certificates, configurations and events.

Tokens are signed with cryptography alone, so that what verifies them is not what made them.
"""

import base64
import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from authorizer import config, keys
from authorizer.certificates import LEAF_HEADER, Checked, check_leaf
from authorizer.config import Config
from authorizer.decision import Authorizer
from authorizer.key_source import KeySource, StaticKeys
from authorizer.policy import Policies
from authorizer.tenants import Tenants
from authorizer.tokens import TokenVerifier
from lab.certificates import Authority, Issued

EVENTS = Path(__file__).parent / "events"
NOW = 1_795_435_200
"""23 November 2026, 12:00:00 UTC."""

STAGE = "arn:aws:execute-api:eu-west-1:111122223333:abc123/live"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

CURVES: dict[str, ec.EllipticCurve] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def key(kind: str, name: str = "") -> PrivateKey:
    """A private key of a kind (`rsa-2048`, a curve, `Ed25519`); another for each name."""
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:]))
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind])


def jwk(private: PrivateKey, kid: str | None = "one", **members: object) -> dict[str, Any]:
    """The public half, as the issuer publishes it."""
    public = private.public_key()
    found: dict[str, Any] = {}
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        found = {"kty": "RSA", "n": b64(numbers.n.to_bytes(size, "big")), "e": "AQAB"}
    elif isinstance(public, ec.EllipticCurvePublicKey):
        size = (public.key_size + 7) // 8
        names = {curve.name: name for name, curve in CURVES.items()}
        point = public.public_numbers()
        found = {
            "kty": "EC",
            "crv": names[public.curve.name],
            "x": b64(point.x.to_bytes(size, "big")),
            "y": b64(point.y.to_bytes(size, "big")),
        }
    else:
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        found = {"kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
    return found | ({} if kid is None else {"kid": kid}) | members


def jwks(*members: object) -> bytes:
    return json.dumps({"keys": members}).encode()


def signature(algorithm: str, private: PrivateKey, message: bytes) -> bytes:
    """RFC 7518 §3.3 to §3.5, RFC 8037 §3.1."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(message)
    digest = HASHES[algorithm[2:]]
    if isinstance(private, ec.EllipticCurvePrivateKey):
        r, s = utils.decode_dss_signature(private.sign(message, ec.ECDSA(digest)))
        size = (private.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    if algorithm.startswith("PS"):
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        return private.sign(message, pss, digest)
    return private.sign(message, padding.PKCS1v15(), digest)


def compact(header: bytes, payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    message = f"{b64(header)}.{b64(payload)}"
    return f"{message}.{b64(sign(message.encode()))}"


def claims(**changes: object) -> dict[str, Any]:
    """Of an access token of `acme`; a change to None leaves the claim out."""
    usual: dict[str, object] = {
        "iss": "https://issuer.example.com",
        "aud": "https://api.example.com",
        "sub": "acme-service",
        "client_id": "acme-client",
        "iat": NOW - 60,
        "exp": NOW + 600,
        "scope": "widgets.read",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


def token(
    payload: Mapping[str, object] | None = None,
    *,
    private: PrivateKey | None = None,
    algorithm: str = "RS256",
    **header: object,
) -> str:
    """A signed token; header members given as None are left out."""
    private = private or key("rsa-2048")
    usual: dict[str, object] = {"alg": algorithm, "kid": "one", "typ": "at+jwt"}
    whole = {name: value for name, value in (usual | header).items() if value is not None}
    body = json.dumps(claims() if payload is None else payload).encode()
    return compact(
        json.dumps(whole).encode(), body, lambda message: signature(algorithm, private, message)
    )


@cache
def authority(name: str = "root") -> Authority:
    return Authority.create(name)


@cache
def client(name: str = "acme", issuer: str = "root") -> Issued:
    return authority(issuer).issue(name, key="p-256")


def thumbprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def confirmation(certificate: x509.Certificate) -> dict[str, str]:
    """The `cnf` of a token bound to a certificate (RFC 8705 §3.1)."""
    return {"x5t#S256": b64(bytes.fromhex(thumbprint(certificate)))}


def encoded(pem: str) -> str:
    """As the load balancer puts PEM into a header."""
    return quote(pem, safe="+=/")


def tenant(name: str, **changes: object) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "certificates": {
            "issuers": [],
            "subjects": [f"CN={name}"],
            "sanDns": [],
            "sanUri": [],
            "thumbprints": [],
        },
        "tokens": {"subjects": [f"{name}-service"], "clientIds": []},
        "binding": "optional",
        "blocked": False,
        "blockedCertificates": [],
    }
    return usual | changes


def rules(**changes: object) -> dict[str, Any]:
    """`certificates` of a tenant."""
    kinds = ("issuers", "subjects", "sanDns", "sanUri", "thumbprints")
    return {kind: [] for kind in kinds} | changes


def settings(**changes: object) -> dict[str, Any]:
    """`config.json` of an API with two tenants."""
    usual: dict[str, Any] = {
        "mode": "verify",
        "issuer": "https://issuer.example.com",
        "audiences": ["https://api.example.com"],
        "algorithms": ["RS256"],
        "jwksUri": None,
        "allowHttp": False,
        "typ": "at+jwt",
        "leewaySeconds": 30,
        "requiredClaims": ["sub"],
        "clientIdClaim": "client_id",
        "routes": ["GET /widgets", "GET /orders/{id}", "GET /whoami"],
        "scopes": {"GET /widgets": ["widgets.read"], "GET /orders/{id}": ["orders.read"]},
        "tenants": {"acme": tenant("acme"), "globex": tenant("globex")},
    }
    return copy.deepcopy(usual | changes)


def parsed(**changes: object) -> Config:
    return config.parse(json.dumps(settings(**changes)).encode())


def key_set(*members: object, algorithms: frozenset[str] = frozenset(["RS256"])) -> keys.KeySet:
    return keys.parse(jwks(*(members or (jwk(key("rsa-2048")),))), algorithms)


def authorizer(
    *,
    source: KeySource | None = None,
    clock: Callable[[], float] = lambda: NOW,
    check: Callable[[str, float], Checked] = check_leaf,
    header: str = LEAF_HEADER,
    **changes: object,
) -> Authorizer:
    found = parsed(**changes)
    source = source or StaticKeys(key_set(algorithms=found.algorithms))
    return Authorizer(
        certificate_header=header,
        check=check,
        tokens=TokenVerifier(found, source),
        tenants=Tenants(found.tenants),
        policies=Policies(found.routes),
        clock=clock,
    )


def event(
    bearer: str | None = None,
    pem: str | None = None,
    *,
    name: str = "widgets",
    header: str = "X-Client-Cert-Leaf",
) -> dict[str, Any]:
    """A stored event with this token and certificate in its place; None is acme's good one."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    pem = client().certificate_pem if pem is None else pem
    values = {"Authorization": f"Bearer {bearer or token()}", header: encoded(pem)}
    found["headers"] |= values
    found["multiValueHeaders"] |= {name: [value] for name, value in values.items()}
    return found


def resources(answer: Mapping[str, Any], effect: str = "Allow") -> list[str]:
    """What a policy names with an effect, without the stage's ARN."""
    return [
        arn.removeprefix(f"{STAGE}/")
        for statement in answer["policyDocument"]["Statement"]
        if statement["Effect"] == effect
        for arn in statement["Resource"]
    ]
