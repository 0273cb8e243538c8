import pytest
from joserfc.errors import InvalidKeyIdError

from lab.issuer import ALGORITHMS, Issuer
from tests.lab.issuer.http_client import ask, verified


def key_ids(issuer: Issuer) -> list[str]:
    return [key["kid"] for key in ask(issuer.jwks_uri).json["keys"]]


def test_a_rotation_replaces_every_key_and_the_old_ones_stay_published(issuer: Issuer):
    old = key_ids(issuer)
    before = issuer.token("acme")
    issuer.rotate()
    assert {issuer.key(algorithm).kid for algorithm in ALGORITHMS}.isdisjoint(old)
    published = key_ids(issuer)
    assert len(set(published)) == 10
    assert published[5:] == old
    after = issuer.token("acme")
    assert verified(issuer, after).header["kid"] == published[0]
    assert verified(issuer, before).header["kid"] == old[0]


def test_a_retired_key_is_no_longer_published(issuer: Issuer):
    before = issuer.token("acme")
    issuer.rotate()
    after = issuer.token("acme")
    issuer.retire()
    assert len(key_ids(issuer)) == 5
    assert verified(issuer, after).claims["sub"] == "acme"
    with pytest.raises(InvalidKeyIdError):
        verified(issuer, before)


def test_a_second_rotation_keeps_both_earlier_sets(issuer: Issuer):
    issuer.rotate()
    issuer.rotate()
    assert len(set(key_ids(issuer))) == 15


def test_a_retired_key_can_still_be_misused(issuer: Issuer):
    old = issuer.key("RS256")
    issuer.rotate()
    issuer.retire()
    with pytest.raises(InvalidKeyIdError, match=str(old.kid)):
        verified(issuer, issuer.token("acme", key=old))
