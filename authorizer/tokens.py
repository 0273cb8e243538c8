"""JWTs in the JWS compact serialisation (RFC 7515 §7.1, RFC 7519), as RFC 8725 advises."""

import hashlib
import re
from typing import NamedTuple, cast

from authorizer import base64url
from authorizer.config import Config
from authorizer.errors import UnauthorizedError
from authorizer.key_source import KeySource
from authorizer.keys import KeySet
from authorizer.memory import Memory
from authorizer.strict_json import parse_object

REMEMBERED = 4_096

FORBIDDEN_HEADERS = frozenset(
    (
        # Extensions that must be understood, of which none is (RFC 7515 §4.1.11, RFC 7797).
        *("crit", "b64"),
        # Keys that the token brings along: whoever forges one brings his own (RFC 8725 §3.10).
        *("jku", "jwk", "x5u", "x5c"),
        # Of encrypted tokens (RFC 7516 §4.1), which are not taken.
        *("enc", "zip", "epk"),
    )
)

# Printable ASCII, of at most 255 characters (OpenID Connect Core §2 for `sub`), and without what
# would end a string in an access log's JSON, where API Gateway quotes nothing.
_IDENTIFIER = re.compile(r"[ !#-\[\]-~]{1,255}")

# Where a float stops to tell one second from the next: no date of anybody's.
_LAST_DATE = 2**53


class Token(NamedTuple):
    """What a verified token says. Times are NumericDates with the leeway applied.

    `confirmation` is `cnf.x5t#S256`, None without `cnf`, and "" for any other proof of possession.
    """

    subject: str
    client_id: str
    key_id: str
    scopes: frozenset[str]
    confirmation: str | None
    not_before: float
    expires: float


class _Remembered(NamedTuple):
    token: Token
    keys: KeySet


class TokenVerifier:
    def __init__(self, config: Config, keys: KeySource) -> None:
        self._config = config
        self._type = config.token_type and _media_type(config.token_type)
        self._keys = keys
        self._memory: Memory[bytes, _Remembered] = Memory(REMEMBERED)

    def verify(self, text: str, now: float) -> Token:
        """Of ASCII text. A token verified before under the same keys is not verified again.

        Raises UnauthorizedError.
        """
        keys = self._keys.current(now)
        data = text.encode("ascii")
        digest = hashlib.sha256(data).digest()
        known = self._memory.get(digest)
        if known is not None and known.keys is keys:
            token = known.token
        else:
            token, keys = self._verify(data, keys, now)
        if now >= token.expires:
            self._memory.forget(digest)
            raise UnauthorizedError("token_expired")
        if now < token.not_before:
            raise UnauthorizedError("token_not_yet_valid")
        if known is None or known.token is not token:
            self._memory.put(digest, _Remembered(token, keys))
        return token

    def _verify(self, data: bytes, keys: KeySet, now: float) -> tuple[Token, KeySet]:
        parts = data.split(b".")
        if len(parts) != 3:
            raise UnauthorizedError("token_malformed")
        try:
            header = parse_object(base64url.decode(parts[0]))
            signature = base64url.decode(parts[2])
        except ValueError:
            raise UnauthorizedError("token_malformed") from None
        algorithm, kid = self._header(header)
        if not keys.knows(kid):
            keys = self._keys.beyond(keys, now)
        key = keys.find(kid, algorithm)
        if key is None:
            raise UnauthorizedError("token_key")
        if not key.verifies(algorithm, parts[0] + b"." + parts[1], signature):
            raise UnauthorizedError("token_signature")
        try:
            claims = parse_object(base64url.decode(parts[1]))
        except ValueError:
            raise UnauthorizedError("token_malformed") from None
        return self._token(claims, kid or key.kid or ""), keys

    def _header(self, header: dict[str, object]) -> tuple[str, str | None]:
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
        if not FORBIDDEN_HEADERS.isdisjoint(header):
            raise UnauthorizedError("token_header")
        if not isinstance(algorithm, str) or algorithm not in self._config.algorithms:
            raise UnauthorizedError("token_algorithm")
        if self._type and not (isinstance(kind, str) and _media_type(kind) == self._type):
            raise UnauthorizedError("token_type")
        if kid is None:
            return algorithm, None
        if not isinstance(kid, str) or not _IDENTIFIER.fullmatch(kid):
            raise UnauthorizedError("token_header")
        return algorithm, kid

    def _token(self, claims: dict[str, object], key_id: str) -> Token:
        config = self._config
        if claims.get("iss") != config.issuer:
            raise UnauthorizedError("token_issuer")
        if config.audiences.isdisjoint(_texts(claims.get("aud", []))):
            raise UnauthorizedError("token_audience")
        if any(claims.get(name) in (None, "", [], {}) for name in config.required_claims):
            raise UnauthorizedError("token_claims")
        leeway = config.leeway_seconds
        begins = max(_date(claims, "nbf"), _date(claims, "iat"))
        if "exp" not in claims:
            raise UnauthorizedError("token_claims")
        return Token(
            subject=_identifier(claims, "sub"),
            client_id=_identifier(claims, config.client_id_claim),
            key_id=key_id,
            scopes=frozenset(_scopes(claims, "scope") + _scopes(claims, "scp")),
            confirmation=_confirmation(claims),
            not_before=begins - leeway,
            expires=_date(claims, "exp") + leeway,
        )


def _media_type(text: str) -> str:
    """RFC 7515 §4.1.9: without regard to case, and `application/` may be left out."""
    return text.lower().removeprefix("application/")


def _texts(value: object) -> list[str]:
    """A text or a list of texts; anything else refuses the token."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        items = cast(list[object], value)
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) == len(items):
            return texts
    raise UnauthorizedError("token_claims")


def _scopes(claims: dict[str, object], name: str) -> list[str]:
    """RFC 6749 §3.3 has one text with spaces; some issuers send a list."""
    if name not in claims:
        return []
    return [scope for text in _texts(claims[name]) for scope in text.split(" ") if scope]


def _identifier(claims: dict[str, object], name: str) -> str:
    value = claims.get(name, "")
    if isinstance(value, str) and (not value or _IDENTIFIER.fullmatch(value)):
        return value
    raise UnauthorizedError("token_claims")


def _date(claims: dict[str, object], name: str) -> float:
    """A NumericDate (RFC 7519 §2); one that is not there was always."""
    if name not in claims:
        return float("-inf")
    value = claims[name]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LAST_DATE:
        return value
    raise UnauthorizedError("token_claims")


def _confirmation(claims: dict[str, object]) -> str | None:
    """RFC 7800 §3, RFC 8705 §3.1."""
    if "cnf" not in claims:
        return None
    value = claims["cnf"]
    thumbprint = cast(dict[str, object], value).get("x5t#S256") if isinstance(value, dict) else ""
    return thumbprint if isinstance(thumbprint, str) else ""
