"""Decisions of a warm authorizer, against verifying a signature and against other libraries."""

import tempfile
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwt as joserfc_jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet

from authorizer.handler import load
from bench.authorizer_case import AUDIENCE, ISSUER, Case, best_microseconds

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
ROUNDS, COUNT = 40, 25


@dataclass(frozen=True, kw_only=True)
class Warm:
    """Microseconds of one call each: the signature alone, ours, and the token alone by others."""

    algorithm: str
    raw: float
    first_sight: float
    seen: float
    joserfc: float
    pyjwt: float
    pyjwt_client: float


class _Client(jwt.PyJWKClient):
    """As it is after its first fetch: the set is kept for `lifespan` seconds."""

    def __init__(self, keys: dict[str, Any]) -> None:
        super().__init__("https://issuer.example.com/jwks.json", lifespan=3_600)
        self._keys = keys

    def fetch_data(self) -> Any:
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(self._keys)
        return self._keys


def warm(algorithm: str) -> Warm:
    case = Case(algorithm)
    tokens = [case.token() for _ in range(COUNT)]
    runs = [_raw(case, tokens), *_ours(case, tokens), *_others(case, tokens)]
    with warnings.catch_warnings():
        # joserfc's about the name EdDSA, which RFC 9864 replaces by that of the curve.
        warnings.simplefilter("ignore", SecurityWarning)
        least = best_microseconds(ROUNDS, COUNT, runs)
    names = ("raw", "first_sight", "seen", "joserfc", "pyjwt", "pyjwt_client")
    return Warm(algorithm=algorithm, **dict(zip(names, least, strict=True)))


def _ours(case: Case, tokens: list[str]) -> list[Callable[[int], None]]:
    """First sight and seen before: an authorizer a round, that has seen the certificate."""
    events = [case.event(token) for token in tokens]
    with tempfile.TemporaryDirectory() as folder:
        fresh = [load(case.write(Path(folder))) for _ in range(ROUNDS)]
    for authorizer in fresh:
        authorizer.answer(case.event(case.token()))

    def run(number: int) -> None:
        for event in events:
            if fresh[number].answer(event)["principalId"] != "acme":
                raise SystemExit("bench: want an allowed call")

    return [run, run]


def _raw(case: Case, tokens: list[str]) -> Callable[[int], None]:
    """cryptography alone, of signatures in the form that it takes."""
    key: Any = case.key.get_op_key("verify")
    digest = hashes.SHA384() if case.algorithm == "ES384" else hashes.SHA256()
    arguments: dict[str, tuple[Any, ...]] = {
        "RS": (padding.PKCS1v15(), digest),
        "PS": (padding.PSS(padding.MGF1(digest), digest.digest_size), digest),
        "ES": (ec.ECDSA(digest),),
        "Ed": (),
    }
    given = arguments[case.algorithm[:2]]
    parts = [token.rpartition(".")[::2] for token in tokens]
    signed = [(_signature(case, text), message.encode()) for message, text in parts]

    def run(_number: int) -> None:
        for signature, message in signed:
            key.verify(signature, message, *given)

    return run


def _signature(case: Case, text: str) -> bytes:
    """ECDSA's in DER; a token has its two numbers side by side."""
    value = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if not case.algorithm.startswith("ES"):
        return value
    half = len(value) // 2
    numbers = (int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    return encode_dss_signature(*numbers)


def _others(case: Case, tokens: list[str]) -> list[Callable[[int], None]]:
    """The token alone: signature, issuer, audience and dates."""
    keys = KeySet.import_key_set(case.jwks)  # pyright: ignore[reportArgumentType]
    registry = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
    )
    pyjwt_key = jwt.PyJWKSet.from_dict(case.jwks).keys[0]
    client = _Client(case.jwks)
    algorithms = [case.algorithm]

    def joserfc(_number: int) -> None:
        for token in tokens:
            registry.validate(joserfc_jwt.decode(token, keys, algorithms=algorithms).claims)

    def pyjwt(_number: int) -> None:
        for token in tokens:
            jwt.decode(token, pyjwt_key, algorithms, issuer=ISSUER, audience=AUDIENCE)

    def pyjwt_client(_number: int) -> None:
        for token in tokens:
            key = client.get_signing_key_from_jwt(token)
            jwt.decode(token, key, algorithms, issuer=ISSUER, audience=AUDIENCE)

    return [joserfc, pyjwt, pyjwt_client]
