"""Access tokens, and the serialization that signs anything at all."""

import base64
import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc.jwk import Key, OctKey
from joserfc.jws import JWSRegistry


def compact(
    header: Mapping[str, Any],
    payload: Mapping[str, Any] | bytes,
    algorithm: str,
    key: Key | bytes | None,
) -> str:
    """A JWS in compact serialization (RFC 7515 §7.1), signed with `algorithm`.

    `key` may be the bytes of a shared secret (HS256, HS384, HS512), or None ("none"). Nothing is
    checked: not that the header names the algorithm, nor that the key suits it. joserfc's own
    functions for this refuse or warn of what a bad token needs, so only its algorithms are used.
    """
    body = payload if isinstance(payload, bytes) else _json(payload)
    signing_input = f"{_base64url(_json(header))}.{_base64url(body)}"
    # Made directly, as OctKey's own import refuses a public key for a secret.
    signer = OctKey(key, key) if isinstance(key, bytes) else key
    signature = JWSRegistry.algorithms[algorithm].sign(signing_input.encode(), signer)
    return f"{signing_input}.{_base64url(signature)}"


def access_token_claims(
    *,
    issuer: str,
    client_id: str,
    audience: str | Sequence[str],
    scopes: Iterable[str],
    lifetime: timedelta,
    certificate: x509.Certificate | None,
) -> dict[str, Any]:
    """The claims of RFC 9068 §2.2 for a token that a client has for itself.

    So its subject is the client (§2.2). Without scopes there is no `scope`, without a certificate
    no `cnf` (RFC 8705 §3.1). A negative lifetime gives a token that has expired, issued then.
    """
    now = int(time.time())
    expires = now + int(lifetime.total_seconds())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": client_id,
        "client_id": client_id,
        "aud": audience if isinstance(audience, str) else list(audience),
        "iat": min(now, expires),
        "exp": expires,
        "jti": secrets.token_urlsafe(16),
    }
    if scope := " ".join(scopes):
        claims["scope"] = scope
    if certificate:
        claims["cnf"] = {"x5t#S256": thumbprint(certificate)}
    return claims


def thumbprint(certificate: x509.Certificate) -> str:
    """The value of `x5t#S256`: base64url, unpadded, of the SHA-256 of the DER (RFC 8705 §3.1)."""
    return _base64url(certificate.fingerprint(hashes.SHA256()))


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
