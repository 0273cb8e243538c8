"""A listener's mutual authentication: what pulumi-aws refuses before any call."""

from typing import Any

import pytest

from lab.provider.aws import Aws
from lab.provider.registry import Registry
from lab.provider.schema import UNKNOWN, RefusalError

LISTENER = "aws:lb/listener:Listener"
ABOUT = "aws:lb/listener:Listener: mutualAuthentication"


def checked(registry: Registry, aws: Aws, mutual: dict[str, Any]) -> dict[str, Any]:
    refusal = {"contentType": "text/plain", "statusCode": "404"}
    inputs = {
        "loadBalancerArn": "arn:alb",
        "defaultActions": [{"type": "fixed-response", "fixedResponse": refusal}],
        "mutualAuthentication": mutual,
    }
    return registry.check(LISTENER, "l", inputs, {}, aws)


@pytest.mark.parametrize(
    ("mutual", "message"),
    [
        (
            {"mode": "verify"},
            f"{ABOUT}.trustStoreArn must be specified when mutualAuthentication.mode is verify",
        ),
        (
            {"mode": "passthrough", "trustStoreArn": "arn:store"},
            f"{ABOUT}.trustStoreArn cannot be specified when "
            "mutualAuthentication.mode is passthrough",
        ),
        (
            {"mode": "passthrough", "ignoreClientCertificateExpiry": False},
            f"{ABOUT}.ignoreClientCertificateExpiry cannot be specified when "
            "mutualAuthentication.mode is passthrough",
        ),
        (
            {"mode": "off", "advertiseTrustStoreCaNames": "off"},
            f"{ABOUT}.advertiseTrustStoreCaNames cannot be specified when "
            "mutualAuthentication.mode is off",
        ),
    ],
    ids=["verify alone", "passthrough store", "passthrough expiry", "off names"],
)
def test_what_does_not_fit_the_mode_is_refused(
    registry: Registry, aws: Aws, mutual: dict[str, Any], message: str
) -> None:
    with pytest.raises(RefusalError) as refusal:
        checked(registry, aws, mutual)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "mutual",
    [
        {"mode": "off"},
        {"mode": "passthrough"},
        {"mode": "verify", "trustStoreArn": "arn:store", "ignoreClientCertificateExpiry": True},
        {"mode": "verify", "trustStoreArn": UNKNOWN},
    ],
    ids=["off", "passthrough", "verify", "a trust store still to be made"],
)
def test_what_fits_the_mode_is_taken(registry: Registry, aws: Aws, mutual: dict[str, Any]) -> None:
    assert checked(registry, aws, mutual)["mutualAuthentication"] == mutual


def test_a_change_of_mode_is_an_update_in_place(registry: Registry, aws: Aws) -> None:
    verify = checked(registry, aws, {"mode": "verify", "trustStoreArn": "arn:store"})
    passed_on = checked(registry, aws, {"mode": "passthrough"})
    for old, new in ((verify, passed_on), (passed_on, verify)):
        diff = registry.diff(LISTENER, old, new)
        assert (diff.changed, diff.replaces) == ({"mutualAuthentication"}, frozenset())
