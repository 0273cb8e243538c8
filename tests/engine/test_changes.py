"""Each setting changed under the Pulumi engine: what is updated, and what is replaced."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.attempt import curl
from lab.session import Lab
from tests.conftest import ROOT

pytestmark = pytest.mark.engine

KEPT = {"LoadBalancer", "VpcEndpoint", "RestApi", "TrustStore", "Listener", "Vpc", "Subnet"}
"""What no change of daily life may replace."""

NEW_DEPLOYMENT = {"api-stage-deployment": "replace", "api-stage-live": "update"}

CHANGES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "throttling": (
        {"mtls:throttlingRateLimit": "50", "mtls:throttlingBurstLimit": "60"},
        {"api-stage-settings": "update"},
    ),
    "log retention": (
        {"mtls:logRetentionDays": "30"},
        {
            "network-flows": "update",
            "api-stage-access": "update",
            "api-stage-execution": "update",
            "front-alb-logs-lifecycle": "update",
        },
    ),
    "deletion protection": (
        {"mtls:deletionProtection": "true"},
        {
            "front-alb-lb": "update",
            "front-alb-logs-bucket": "update",
            "trust-bundles-bucket": "update",
        },
    ),
    "TLS policy": (
        {"mtls:tlsPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"},
        {"front-https": "update"},
    ),
    "a client more": (
        {"mtls:clients": {"shop": {"certificateAuthority": "root-2026"}, "till": {}}},
        {
            "front-client-till": "create",
            "front-from-till-in": "create",
            "front-from-till-out": "create",
        },
    ),
    "a route more": (
        {"mtls:routes": {"GET /widgets": "widgets", "GET /whoami": "widgets", "GET /a": "widgets"}},
        {"api-rest-api": "update", "api-policy": "update", **NEW_DEPLOYMENT},
    ),
    "a route less": (
        {"mtls:routes": {"GET /widgets": "widgets"}},
        {"api-rest-api": "update", "api-policy": "update", **NEW_DEPLOYMENT},
    ),
    "a certificate authority more": (
        {
            "mtls:certificateAuthorities": {
                "root-2026": {"kind": "self-signed"},
                "root-2027": {"kind": "self-signed"},
            }
        },
        {
            "ca-root-2027-key": "create",
            "ca-root-2027-root": "create",
            "trust-bundle": "update",
            "trust-store": "update",
        },
    ),
    "a zone more": (
        {
            "mtls:subnets": {
                "euw1-az1": "10.20.0.0/24",
                "euw1-az2": "10.20.1.0/24",
                "euw1-az3": "10.20.2.0/24",
            }
        },
        {
            "network-euw1-az3": "create",
            "network-euw1-az3-endpoint-addresses": "create",
            "front-api-euw1-az3": "create",
            "api-endpoint-vpce": "update",
            "front-alb-lb": "update",
        },
    ),
    "another domain": (
        {"mtls:domain": "other.example.com"},
        {
            "front-zone": "replace",
            "front-alias": "replace",
            "front-server-certificate": "replace",
            "front-server-validation": "replace",
            "front-server-issued": "replace",
            "front-https": "update",
            "front-api": "update",
        },
    ),
}
"""By change: the settings, and for each resource that is touched how."""


@pytest.fixture(scope="module")
def lab(cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev"], tmp_path_factory.mktemp("lab"), engine="pulumi") as lab:
        yield lab


def changes(given: dict[str, Any]) -> dict[str, str]:
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}


@pytest.mark.parametrize("change", CHANGES)
def test_a_preview_tells_what_a_change_touches(lab: Lab, change: str):
    given, expected = CHANGES[change]
    previewed = lab.engines["dev"].preview(changes(given))
    told = {
        made.urn.rpartition("::")[2]: made.operation
        for made in previewed.changes
        if made.operation != "same"
    }
    assert told == expected
    replaced = {step.type.rpartition(":")[2] for step in previewed.of("replace")}
    assert replaced & KEPT == set()


def test_changes_are_made_and_taken_back_while_clients_call(lab: Lab):
    client = lab.clients()[0]
    for change in ("a route more", "a zone more", "TLS policy"):
        lab.deploy("dev", changes(CHANGES[change][0]))
        assert curl(client.door, client.files, "/widgets").status == 200, change
    lab.deploy("dev")
    assert lab.engines["dev"].preview().changing == []
    assert curl(client.door, client.files, "/widgets").status == 200


def test_drift_made_by_hand_is_found_by_refresh_and_mended_by_up(lab: Lab):
    engine, elbv2, ec2 = lab.engines["dev"], lab.client("elbv2"), lab.client("ec2")
    (listener,) = [
        one["ListenerArn"]
        for one in elbv2.describe_listeners(LoadBalancerArn=lab.outputs["alb_arn"])["Listeners"]
    ]
    elbv2.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "off"})
    ec2.modify_vpc_endpoint(VpcEndpointId=lab.outputs["vpc_endpoint_id"], ResetPolicy=True)
    client = lab.clients()[0]
    nobody = type(client.files)(ca=client.files.ca)
    assert curl(client.door, nobody, "/widgets").status == 200, "the drift lets anybody in"
    refreshed = engine.refresh()
    assert {step.name for step in refreshed.changing} == {"front-https", "api-endpoint-vpce"}
    mended = {
        change.urn.rpartition("::")[2]
        for change in engine.up().changes
        if change.operation != "same"
    }
    assert mended == {"front-https", "api-endpoint-vpce"}
    assert curl(client.door, nobody, "/widgets").refused_at_tls
    assert curl(client.door, client.files, "/widgets").status == 200
