"""Rotation, outage and recovery of the issuer, while many threads ask: no answer is wrong."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from authorizer import keys
from authorizer.errors import UnauthorizedError
from authorizer.key_source import (
    COOL_DOWN_SECONDS,
    DEFAULT_SECONDS,
    RETRY_SECONDS,
    STALE_SECONDS,
    Fetched,
    FetchError,
    RemoteKeys,
)
from authorizer.tokens import TokenVerifier
from tests.authorizer.issuing import (
    NOW,
    authorizer,
    claims,
    client,
    event,
    jwk,
    jwks,
    key,
    parsed,
    resources,
    token,
)

THREADS = 8
LATER = NOW + 10**6
NUMBERS = itertools.count()


class Issuer:
    """Publishes the keys of these names; notes how many fetches there were, and at once."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.down = False
        self.fetched = 0
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def fetch(self) -> Fetched:
        with self._lock:
            self.fetched += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.down:
                raise FetchError("TimeoutError")
            return Fetched(jwks(*[jwk(key("P-256", name), name) for name in self.names]), None)
        finally:
            with self._lock:
                self._now -= 1


def signed(name: str) -> str:
    """A token that nobody has seen."""
    body = claims(sub=f"s{next(NUMBERS)}", exp=LATER)
    return token(body, private=key("P-256", name), algorithm="ES256", kid=name)


def together(do: Callable[[], bool]) -> list[bool]:
    """What each of many threads gets, all of them started at once."""
    barrier = threading.Barrier(THREADS)

    def one() -> list[bool]:
        barrier.wait()
        return [do() for _ in range(10)]

    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(one) for _ in range(THREADS)]
        return [answer for found in waiting for answer in found.result()]


def test_no_answer_is_wrong_while_keys_rotate_and_the_issuer_comes_and_goes():
    issuer = Issuer("k0")
    source = RemoteKeys(issuer.fetch, lambda body: keys.parse(body, frozenset(["ES256"])))
    verifier = TokenVerifier(parsed(algorithms=["ES256"]), source)
    now = [float(NOW)]

    def accepts(make: Callable[[], str]) -> Callable[[], bool]:
        def do() -> bool:
            try:
                return bool(verifier.verify(make(), now[0]))
            except UnauthorizedError:
                return False

        return do

    remembered = {name: signed(name) for name in ("k0", "k1", "k2", "k3")}
    assert all(together(accepts(lambda: remembered["k0"])))
    for number in (1, 2):
        # A key comes beside the one before: it is found at once, by one fetch.
        name, old = f"k{number}", f"k{number - 1}"
        issuer.names = (old, name)
        before = issuer.fetched
        assert all(together(accepts(lambda name=name: signed(name))))
        assert all(together(accepts(lambda old=old: signed(old))))
        assert all(together(accepts(lambda name=name: remembered[name])))
        assert issuer.fetched == before + 1
        assert not any(together(accepts(lambda: signed("stranger"))))
        now[0] += COOL_DOWN_SECONDS

    # The key that left is refused once the others are fetched, seen before or not.
    now[0] += DEFAULT_SECONDS
    assert all(together(accepts(lambda: remembered["k2"])))
    assert not any(together(accepts(lambda: remembered["k0"])))
    assert not any(together(accepts(lambda: signed("k0"))))

    # Away: those who are known stay in, the others stay out.
    issuer.down = True
    for _ in range(3):
        now[0] += DEFAULT_SECONDS
        before = issuer.fetched
        assert all(together(accepts(lambda: signed("k2"))))
        assert not any(together(accepts(lambda: signed("k3"))))
        assert issuer.fetched == before + 1

    # Back, with new keys only.
    issuer.down, issuer.names = False, ("k3",)
    now[0] += RETRY_SECONDS
    assert all(together(accepts(lambda: signed("k3"))))
    assert not any(together(accepts(lambda: remembered["k2"])))

    # Away for longer than keys may serve.
    issuer.down = True
    now[0] += DEFAULT_SECONDS + STALE_SECONDS
    assert not any(together(accepts(lambda: signed("k3"))))
    assert issuer.most_at_once == 1


def test_clients_in_many_threads_get_their_own_answers():
    found = authorizer()
    asked = {
        "acme": event(token(claims(scope="widgets.read"))),
        "globex": event(
            token(claims(sub="globex-service", scope="orders.read")),
            client("globex").certificate_pem,
        ),
    }
    expected = {"acme": ["GET/widgets", "GET/whoami"], "globex": ["GET/orders/*", "GET/whoami"]}
    turns = itertools.cycle(["acme", "globex", "globex", "acme", "acme"])

    def right() -> bool:
        name = next(turns)
        answer = found.answer(asked[name])
        tenant = answer["context"]["tenant"]
        return tenant == name and resources(answer) == expected[name]

    for _ in range(20):
        assert all(together(right))
