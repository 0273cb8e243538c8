"""The issuer's keys over time: fresh, stale, renewed; by an injected clock and fetch."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from authorizer.errors import UnauthorizedError
from authorizer.key_source import (
    COOL_DOWN_SECONDS,
    DEFAULT_SECONDS,
    MAX_SECONDS,
    MIN_SECONDS,
    RETRY_SECONDS,
    RETRY_SECONDS_WITHOUT_KEYS,
    STALE_SECONDS,
    Fetched,
    FetchError,
    RemoteKeys,
    StaticKeys,
)
from authorizer.keys import KeySet, UnusableKeysError


class Issuer:
    """Answers `body`, or not at all while it is `down`; counts how often it was asked."""

    def __init__(self, body: bytes = b"1", max_age: int | None = None) -> None:
        self.body = body
        self.max_age = max_age
        self.down = False
        self.asked = 0

    def fetch(self) -> Fetched:
        self.asked += 1
        if self.down:
            raise FetchError("ConnectionRefusedError")
        return Fetched(self.body, self.max_age)


def parse(body: bytes) -> KeySet:
    if body == b"bad":
        raise UnusableKeysError("no key of use")
    return KeySet([])


def source(issuer: Issuer) -> RemoteKeys:
    return RemoteKeys(issuer.fetch, parse)


@pytest.mark.parametrize(
    ("max_age", "seconds"),
    [
        (None, DEFAULT_SECONDS),
        (0, MIN_SECONDS),
        (59, MIN_SECONDS),
        (61, 61),
        (3_600, 3_600),
        (MAX_SECONDS + 1, MAX_SECONDS),
        (10**9, MAX_SECONDS),
    ],
)
def test_keys_are_fresh_as_long_as_the_issuer_says_within_bounds(max_age: int | None, seconds: int):
    issuer = Issuer(max_age=max_age)
    found = source(issuer)
    found.current(1_000)
    found.current(1_000 + seconds - 0.001)
    assert issuer.asked == 1
    found.current(1_000 + seconds)
    assert issuer.asked == 2


def test_the_same_keys_stay_the_same_object():
    issuer = Issuer()
    found = source(issuer)
    first = found.current(0)
    assert found.current(10_000) is first
    issuer.body = b"2"
    assert found.current(20_000) is not first
    assert issuer.asked == 3


def test_while_the_issuer_is_away_its_keys_serve_for_a_day():
    issuer = Issuer()
    found = source(issuer)
    keys = found.current(0)
    issuer.down = True
    end = DEFAULT_SECONDS + STALE_SECONDS
    assert found.current(DEFAULT_SECONDS) is keys
    assert found.current(end - 1) is keys
    with pytest.raises(UnauthorizedError, match="keys_unavailable"):
        found.current(end)


def test_an_issuer_that_is_away_is_asked_now_and_then():
    issuer = Issuer()
    found = source(issuer)
    found.current(0)
    issuer.down = True
    for second in range(DEFAULT_SECONDS, DEFAULT_SECONDS + RETRY_SECONDS):
        found.current(second)
    assert issuer.asked == 2
    issuer.down, issuer.body = False, b"2"
    found.current(DEFAULT_SECONDS + RETRY_SECONDS)
    assert issuer.asked == 3


def test_without_any_keys_the_issuer_is_asked_sooner():
    issuer = Issuer()
    issuer.down = True
    found = source(issuer)
    for second in range(RETRY_SECONDS_WITHOUT_KEYS):
        with pytest.raises(UnauthorizedError, match="keys_unavailable"):
            found.current(second)
    assert issuer.asked == 1
    issuer.down = False
    assert found.current(RETRY_SECONDS_WITHOUT_KEYS)


def test_bad_keys_do_not_replace_good_ones():
    issuer = Issuer()
    found = source(issuer)
    keys = found.current(0)
    issuer.body = b"bad"
    assert found.current(DEFAULT_SECONDS) is keys
    issuer.body = b"2"
    assert found.current(DEFAULT_SECONDS + RETRY_SECONDS) is not keys


def test_an_unknown_kid_fetches_once_per_cool_down():
    issuer = Issuer()
    found = source(issuer)
    keys = found.current(0)
    assert found.beyond(keys, 1) is keys
    assert issuer.asked == 2
    for second in range(2, COOL_DOWN_SECONDS + 1):
        found.beyond(keys, second)
    assert issuer.asked == 2
    issuer.body = b"2"
    assert found.beyond(keys, COOL_DOWN_SECONDS + 1) is not keys
    assert issuer.asked == 3


def test_an_unknown_kid_finds_the_keys_that_another_has_brought():
    issuer = Issuer()
    found = source(issuer)
    old = found.current(0)
    found.beyond(old, 1)
    issuer.body = b"2"
    new = found.current(DEFAULT_SECONDS + 1)
    asked = issuer.asked
    assert found.beyond(old, DEFAULT_SECONDS + 2) is new
    assert issuer.asked == asked


def test_an_unknown_kid_does_not_hurry_an_issuer_that_is_away():
    issuer = Issuer()
    found = source(issuer)
    keys = found.current(0)
    issuer.down = True
    found.current(DEFAULT_SECONDS)
    assert found.beyond(keys, DEFAULT_SECONDS + 1) is keys
    assert issuer.asked == 2


def test_one_fetch_is_in_flight_however_many_ask():
    release = threading.Event()
    asked: list[int] = []

    def fetch() -> Fetched:
        asked.append(1)
        release.wait(10)
        return Fetched(b"1", None)

    found = RemoteKeys(fetch, parse)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(found.current, 0) for _ in range(8)]
        while not asked:
            time.sleep(0.001)
        release.set()
        results = {id(one.result()) for one in waiting}
    assert len(results) == len(asked) == 1


def test_keys_of_the_package_do_not_change():
    keys = KeySet([])
    found = StaticKeys(keys)
    assert found.current(0) is found.beyond(keys, 10**10) is keys
