"""Whatever comes: an Exception("Unauthorized") or a denial, and never anything else."""

import copy
import json
import warnings
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from authorizer import handler
from authorizer.chain import ChainVerifier
from authorizer.decision import Authorizer
from authorizer.errors import ForbiddenError
from tests.authorizer.certifying import ca, leaf
from tests.authorizer.issuing import (
    NOW,
    authorizer,
    b64,
    claims,
    client,
    encoded,
    event,
    token,
    unb64,
)

# Without a store of examples, and the same ones in every run.
FUZZ = settings(
    max_examples=300,
    database=None,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.text(st.characters(), max_size=40)  # lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
GOOD = event()
TOKEN = token()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Authorizer:
    """Behind the handler, and good for the good event."""
    one = authorizer()
    monkeypatch.setattr(handler, "authorizer", lambda: one)
    assert allowed(GOOD)
    return one


def allowed(one: Any) -> bool:
    """Whether an event is let through; it fails on what is neither of the two refusals."""
    with warnings.catch_warnings():
        # cryptography's, of certificates that it will not read one day
        warnings.simplefilter("ignore", UserWarning)
        try:
            answer = handler.handle(one, None)
        except Exception as error:
            assert type(error) is Exception  # noqa: PT017 - both ways are right here
            assert str(error) == "Unauthorized"  # noqa: PT017
            return False
    assert set(answer) == {"principalId", "policyDocument", "context"}
    assert all(isinstance(value, str) for value in answer["context"].values())
    json.dumps(answer)
    return any(one["Effect"] == "Allow" for one in answer["policyDocument"]["Statement"])


@pytest.mark.usefixtures("found")
@FUZZ
@given(JSON)
def test_any_json_is_refused(one: Any):
    assert not allowed(one)


@pytest.mark.usefixtures("found")
@FUZZ
@given(
    st.sampled_from(["methodArn", "resource", "httpMethod", "multiValueHeaders"]),
    JSON,
    st.booleans(),
)
def test_an_event_with_a_member_changed_is_refused(name: str, value: Any, missing: bool):
    assume(value != GOOD[name])
    one = dict(GOOD)
    if missing:
        del one[name]
    else:
        one[name] = value
    assert not allowed(one)


@pytest.mark.usefixtures("found")
@FUZZ
@given(st.sampled_from(sorted(GOOD)), JSON)
def test_no_member_makes_it_fail_in_another_way(name: str, value: Any):
    allowed(dict(GOOD) | {name: value})


@pytest.mark.usefixtures("found")
@FUZZ
@given(
    st.sampled_from(["Authorization", "X-Client-Cert-Leaf"]),
    st.one_of(JSON, st.lists(TEXT, max_size=3), st.lists(st.binary(max_size=40).map(b64))),
)
def test_headers_of_any_kind_are_refused(name: str, values: Any):
    one = copy.deepcopy(GOOD)
    assume(values != one["multiValueHeaders"][name])
    one["multiValueHeaders"][name] = values
    assert not allowed(one)


@pytest.mark.usefixtures("found")
@FUZZ
@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABab09-_.=+/ \n%\x00é"))
def test_a_token_with_a_character_changed_is_refused(place: int, character: str):
    assume(TOKEN[place] != character)
    assert not allowed(event(TOKEN[:place] + character + TOKEN[place + 1 :]))


@pytest.mark.usefixtures("found")
@FUZZ
@given(st.integers(0, 2), st.integers(0, 10_000), st.integers(1, 255))
def test_a_token_with_a_byte_changed_is_refused(part: int, place: int, change: int):
    parts = TOKEN.split(".")
    raw = bytearray(unb64(parts[part]))
    raw[place % len(raw)] ^= change
    parts[part] = b64(bytes(raw))
    assert not allowed(event(".".join(parts)))


@pytest.mark.usefixtures("found")
@FUZZ
@given(
    st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "client_id", "scope", "scp", "cnf"]),
    JSON,
)
def test_a_signed_claim_of_any_kind_never_fails_in_another_way(name: str, value: Any):
    """An issuer that errs is no attacker; still it must not bring the authorizer down."""
    good = allowed(event(token(claims() | {name: value})))
    if good and name in ("iss", "sub"):
        assert value == claims()[name]


@pytest.mark.usefixtures("found")
@FUZZ
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "x"]) | TEXT, JSON))
def test_a_signed_header_of_any_kind_never_fails_in_another_way(header: dict[str, Any]):
    header = {name: value for name, value in header.items() if name not in ("private", "payload")}
    try:
        made = token(**header)  # type: ignore[arg-type]
    except TypeError:
        assume(False)
        raise
    if allowed(event(made)):
        assert header.get("typ") in (None, "at+jwt")


@pytest.mark.usefixtures("found")
@FUZZ
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_certificate_with_a_byte_changed_is_never_another_tenants(place: int, change: int):
    """Its signature is the load balancer's affair in verify mode: what is left is the name."""
    pem = client().certificate_pem
    head, *body, tail = pem.splitlines()
    raw = bytearray(unb64("".join(body).replace("+", "-").replace("/", "_").rstrip("=")))
    raw[place % len(raw)] ^= change
    text = b64(bytes(raw)).replace("-", "+").replace("_", "/")
    one = event(pem="\n".join([head, text + "=" * (-len(text) % 4), tail, ""]))
    if allowed(one):
        assert handler.handle(one, None)["principalId"] == "acme"


CHAIN_ROOT = ca("root")
CHAIN = leaf("acme", CHAIN_ROOT)


@FUZZ
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_chain_with_a_byte_changed_says_nothing_else(place: int, change: int):
    """What is signed cannot change; the signature itself may have a second spelling."""
    raw = bytearray(CHAIN.certificate.public_bytes(Encoding.DER))
    raw[place % len(raw)] ^= change
    text = b64(bytes(raw)).replace("-", "+").replace("_", "/")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    lines[-1] += "=" * (-len(text) % 4)
    pem = "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        verifier = ChainVerifier(CHAIN_ROOT.pem.encode(), None)
        try:
            verifier.check(encoded(pem), NOW)
        except ForbiddenError:
            return
        other = x509.load_der_x509_certificate(bytes(raw))
        assert other.tbs_certificate_bytes == CHAIN.certificate.tbs_certificate_bytes
