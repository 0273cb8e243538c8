"""Signing keys, one of each kind, and how one set of them follows another."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

SigningKey = RSAKey | ECKey | OKPKey

_KINDS: Mapping[str, Callable[[], SigningKey]] = {
    "rsa-2048": partial(RSAKey.generate_key, 2048, auto_kid=True),
    "p-256": partial(ECKey.generate_key, "P-256", auto_kid=True),
    "p-384": partial(ECKey.generate_key, "P-384", auto_kid=True),
    "p-521": partial(ECKey.generate_key, "P-521", auto_kid=True),
    "ed25519": partial(OKPKey.generate_key, "Ed25519", auto_kid=True),
}

ALGORITHMS: Mapping[str, str] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "rsa-2048"),
    "ES256": "p-256",
    "ES384": "p-384",
    "ES512": "p-521",
    "EdDSA": "ed25519",
    "Ed25519": "ed25519",
}
"""What the issuer signs with (RFC 7518 §3.1, RFC 8037, RFC 9864), and the kind of key for it."""


def make_key(kind: str) -> SigningKey:
    """A private key: `rsa-2048`, `p-256`, `p-384`, `p-521` or `ed25519`.

    Its key ID is its thumbprint (RFC 7638), so no two keys share one.
    """
    return _KINDS[kind]()


class SigningKeys:
    """The keys in use, one of each kind, and the earlier ones that are still published."""

    def __init__(self) -> None:
        self._current = _one_of_each()
        self._previous: tuple[SigningKey, ...] = ()

    def current(self, algorithm: str) -> SigningKey:
        """The key in use for an algorithm. Raises ValueError for one that no such key is for."""
        if algorithm not in ALGORITHMS:
            wanted = ", ".join(ALGORITHMS)
            raise ValueError(
                f"algorithm: no key of the issuer is for {algorithm!r}, only for {wanted}; give one"
            )
        return self._current[ALGORITHMS[algorithm]]

    def rotate(self) -> None:
        self._previous = (*self._previous, *self._current.values())
        self._current = _one_of_each()

    def retire(self) -> None:
        self._previous = ()

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK Set (RFC 7517 §5), those in use first.

        No key says `alg`, which is optional (§4.4): the RSA key is for six algorithms.
        """
        keys = (*self._current.values(), *self._previous)
        return {"keys": [key.as_dict(private=False, use="sig") for key in keys]}


def _one_of_each() -> dict[str, SigningKey]:
    return {kind: make_key(kind) for kind in _KINDS}
