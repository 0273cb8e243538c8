"""The front's two modes of mutual authentication: verify and passthrough."""

from typing import Any

import pulumi
import pytest
from pulumi_aws import apigateway

from components.listener_rules import ApiTarget
from components.mtls_alb_front import MtlsAlbFront
from tests.components.checks import check_family, refused
from tests.components.test_mtls_alb_front import (
    FULL,
    LEGACY,
    REFUSED,
    REPORTS,
    args,
    made,
    rules,
)
from tests.conftest import Deploy, Deployed

PASSTHROUGH: dict[str, Any] = {"mode": "passthrough", "trust_store_arn": None}


@pytest.fixture(scope="module")
def verifying(deploy: Deploy) -> Deployed:
    return made(deploy)


@pytest.fixture(scope="module")
def passing(deploy: Deploy) -> Deployed:
    return made(deploy, **PASSTHROUGH)


def test_what_it_makes_in_passthrough_is_its_own(deploy: Deploy):
    changes = FULL | PASSTHROUGH | {"path_routes": {}}
    check_family(deploy, lambda name, opts: MtlsAlbFront(name, args(**changes), opts))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"trust_store_arn": None},
            "trust_store_arn: want one to verify certificates against; got none",
        ),
        (
            {"mode": "passthrough"},
            "trust_store_arn: want none in mode 'passthrough', in which the load balancer "
            "verifies nothing; got one",
        ),
        (
            PASSTHROUGH | {"path_routes": {"reports": REPORTS, "legacy": LEGACY}},
            "path_routes: want none in mode 'passthrough', in which they lead past the "
            "authorizer that verifies certificates; got reports, legacy",
        ),
        ({"mode": "off"}, "mode: want 'verify' or 'passthrough'; got 'off'"),
    ],
    ids=["verify without a trust store", "passthrough with one", "path routes", "off"],
)
def test_a_mode_that_does_not_fit_is_refused(changes: dict[str, Any], message: str):
    with refused(message):
        args(**changes)


def test_in_passthrough_the_listener_has_no_trust_store_and_is_otherwise_the_same(
    passing: Deployed, verifying: Deployed
):
    listener = passing.one("aws:lb/listener:Listener").inputs
    assert listener["mutualAuthentication"] == {"mode": "passthrough"}
    other = verifying.one("aws:lb/listener:Listener").inputs
    assert {**listener, "mutualAuthentication": None} == {**other, "mutualAuthentication": None}


def test_the_listener_waits_for_the_stage_whose_authorizer_reads_what_it_writes(deploy: Deploy):
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        stage = apigateway.Stage("stage", rest_api="a", deployment="d", stage_name="v1", opts=opts)
        target = ApiTarget(
            host="abc.execute-api.eu-west-1.amazonaws.com", stage_name=stage.stage_name
        )
        MtlsAlbFront("f", args(api=target), opts)
        return {}

    deployed = deploy(build)
    assert deployed.one("Stage").urn in deployed.one("aws:lb/listener:Listener").depends_on


@pytest.mark.parametrize("changes", [FULL, PASSTHROUGH], ids=["verify", "passthrough"])
def test_a_header_that_no_client_may_send_is_refused_before_anything_else(
    deploy: Deploy, changes: dict[str, Any]
):
    first = rules(made(deploy, **changes))[: len(REFUSED)]
    assert [r["conditions"] for r in first] == [
        [{"httpHeader": {"httpHeaderName": header, "values": ["*"]}}] for header in REFUSED
    ]
    for rule in first:
        assert rule["priority"] < 100
        assert rule["actions"] == [
            {
                "type": "fixed-response",
                "fixedResponse": {"statusCode": "403", "contentType": "text/plain"},
            }
        ]
