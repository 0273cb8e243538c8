"""Where the keys come from: a file of the package, or the issuer, asked as seldom as is safe."""

import hashlib
import threading
from collections.abc import Callable
from typing import NamedTuple, Protocol

from authorizer import logs
from authorizer.errors import UnauthorizedError
from authorizer.keys import KeySet

DEFAULT_SECONDS = 600
"""Freshness of keys whose response names none."""

MIN_SECONDS, MAX_SECONDS = 60, 86_400
"""Bounds to the freshness that the issuer names by `max-age` (RFC 9111 §5.2.2.1)."""

STALE_SECONDS = 86_400
"""How long keys serve beyond their freshness while the issuer cannot be asked (RFC 5861 §4)."""

COOL_DOWN_SECONDS = 30
"""Between two fetches for a `kid` that is not there: anybody can write one into a token."""

RETRY_SECONDS, RETRY_SECONDS_WITHOUT_KEYS = 30, 5
"""After a fetch that failed, with keys to go on with and without."""


class Fetched(NamedTuple):
    body: bytes
    max_age_seconds: int | None


class FetchError(Exception):
    """The issuer cannot be asked, or what it answers is not a JWK set. The text is for the log."""


class KeySource(Protocol):
    def current(self, now: float) -> KeySet:
        """Raises UnauthorizedError where there are none."""
        ...

    def beyond(self, seen: KeySet, now: float) -> KeySet:
        """Keys that may have come after `seen`, in which a `kid` was not found."""
        ...


class StaticKeys:
    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self, now: float) -> KeySet:
        return self._keys

    def beyond(self, seen: KeySet, now: float) -> KeySet:
        return self._keys


class _State(NamedTuple):
    """`keys` is None until the first fetch succeeds. Times are seconds of the clock."""

    keys: KeySet | None = None
    digest: bytes = b""
    fresh_until: float = float("-inf")
    usable_until: float = float("-inf")
    retry_at: float = float("-inf")


class RemoteKeys:
    """One fetch at a time; those who need its result wait for it, the others do not.

    `fetch` raises FetchError. `parse` raises ValueError for what must not replace good keys.
    """

    def __init__(self, fetch: Callable[[], Fetched], parse: Callable[[bytes], KeySet]) -> None:
        self._fetch = fetch
        self._parse = parse
        self._lock = threading.Lock()
        self._state = _State()
        self._asked_beyond = float("-inf")

    def current(self, now: float) -> KeySet:
        state = self._state
        if state.keys is not None and now < state.fresh_until:
            return state.keys
        with self._lock:
            if now >= self._state.fresh_until:
                self._renew(now)
            state = self._state
        if state.keys is None or now >= state.usable_until:
            raise UnauthorizedError("keys_unavailable")
        return state.keys

    def beyond(self, seen: KeySet, now: float) -> KeySet:
        with self._lock:
            # Whoever held the lock may have brought what is looked for.
            if self._state.keys is seen and now >= self._asked_beyond + COOL_DOWN_SECONDS:
                self._asked_beyond = now
                self._renew(now)
            return self._state.keys or seen

    def _renew(self, now: float) -> None:
        old = self._state
        if now < old.retry_at:
            return
        try:
            fetched = self._fetch()
            digest = hashlib.sha256(fetched.body).digest()
            same = old.keys is not None and digest == old.digest
            keys = old.keys if same else self._parse(fetched.body)
        except (FetchError, ValueError) as error:
            pause = RETRY_SECONDS_WITHOUT_KEYS if old.keys is None else RETRY_SECONDS
            self._state = old._replace(retry_at=now + pause)
            logs.error("keys not fetched", error=type(error).__name__, why=str(error))
            return
        seconds = _freshness(fetched.max_age_seconds)
        self._state = _State(keys, digest, now + seconds, now + seconds + STALE_SECONDS)
        if not same:
            logs.info("keys fetched", fresh_seconds=seconds)


def _freshness(max_age_seconds: int | None) -> int:
    if max_age_seconds is None:
        return DEFAULT_SECONDS
    return min(max(max_age_seconds, MIN_SECONDS), MAX_SECONDS)
