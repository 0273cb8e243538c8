"""The issuer's public keys, from a JWK set (RFC 7517)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from joserfc import jwa
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from authorizer import base64url, logs
from authorizer.strict_json import parse_object

MIN_RSA_BITS, MAX_RSA_BITS = 2_048, 8_192
"""RFC 7518 §3.3 wants 2,048 or more; above 8,192 a verification is a burden and no gain."""

MAX_KEYS = 100

# The library leaves the kind of its list's members open.
_MODELS = cast(list[jwa.JWSAlgModel], jwa.JWS_ALGORITHMS)  # pyright: ignore[reportUnknownMemberType]
_SIGNATURES = {model.name: model for model in _MODELS}
_CURVES = ("P-256", "P-384", "P-521", "Ed25519")


class UnusableKeysError(ValueError):
    """Not a JWK set, or none of its keys is of use."""


class VerificationKey(NamedTuple):
    """`algorithms` are the configured ones that fit its `kty`, `crv` and `alg`."""

    kid: str | None
    algorithms: frozenset[str]
    key: Any

    def verifies(self, algorithm: str, message: bytes, signature: bytes) -> bool:
        return _SIGNATURES[algorithm].verify(message, signature, self.key)


class KeySet:
    """Compared by identity: another object means other keys."""

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self._all = tuple(keys)
        self._kids = frozenset(key.kid for key in self._all)

    def knows(self, kid: str | None) -> bool:
        """Without a `kid` in the token every key is meant."""
        return kid is None or kid in self._kids

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The one key meant by a token; None too where several could be meant."""
        fitting = [
            key
            for key in self._all
            if algorithm in key.algorithms and (kid is None or key.kid == kid)
        ]
        return fitting[0] if len(fitting) == 1 else None


def parse(text: bytes, algorithms: frozenset[str]) -> KeySet:
    """The usable keys of a JWK set. A key of another kind or purpose is left out (RFC 7517 §5).

    Raises UnusableKeysError.
    """
    try:
        members = parse_object(text).get("keys")
    except ValueError:
        raise UnusableKeysError("not a JSON object in UTF-8") from None
    if not isinstance(members, list) or len(cast(list[object], members)) > MAX_KEYS:
        raise UnusableKeysError(f"not a list of at most {MAX_KEYS} keys")
    found = [_key(member, algorithms) for member in cast(list[object], members)]
    keys = [key for key in found if key is not None]
    if len(keys) < len(found):
        logs.warning("keys left out", count=len(found) - len(keys))
    if not keys:
        raise UnusableKeysError("no key of use")
    return KeySet(keys)


def _key(member: object, algorithms: frozenset[str]) -> VerificationKey | None:
    if not isinstance(member, dict):
        return None
    jwk = cast(dict[str, object], member)
    kid = jwk.get("kid")
    if not _suits(jwk) or not (kid is None or isinstance(kid, str)):
        return None
    try:
        key = JWKRegistry.import_key(cast(Any, jwk))
    except Exception:
        # The library's own errors, cryptography's, and those of a member of an odd kind.
        return None
    fitting = frozenset(name for name in algorithms if _fits(key, name))
    return VerificationKey(kid, fitting, key) if fitting else None


def _suits(jwk: Mapping[str, object]) -> bool:
    """A public key of a kind and size taken here. Its `use` and `alg` are the library's affair.

    A private key that is published is anybody's, and what it signed is nobody's word.
    """
    if "d" in jwk or "verify" not in _operations(jwk):
        return False
    match jwk.get("kty"):
        case "RSA":
            return _is_rsa_modulus(jwk.get("n"))
        case "EC" | "OKP":
            return jwk.get("crv") in _CURVES
        case _:
            return False


def _operations(jwk: Mapping[str, object]) -> list[object]:
    operations = jwk.get("key_ops", ["verify"])
    return cast(list[object], operations) if isinstance(operations, list) else []


def _is_rsa_modulus(value: object) -> bool:
    try:
        modulus = base64url.decode(value.encode("ascii")) if isinstance(value, str) else b""
    except ValueError:
        return False
    return MIN_RSA_BITS <= int.from_bytes(modulus, "big").bit_length() <= MAX_RSA_BITS


def _fits(key: Any, algorithm: str) -> bool:
    try:
        _SIGNATURES[algorithm].check_key(key)
    except JoseError:
        return False
    return True
