"""The whole path with one setting changed: the authorizer verifies the certificates."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from lab.attempt import curl
from lab.cases import CASES
from lab.session import Lab
from tests.conftest import ROOT
from tests.lab.test_cases import ROWS

pytestmark = pytest.mark.lab

MODE = "mtls:mutualAuthentication"
NOT_OF_THE_MODE = ("over_private_link", "health_listener", "onboarding", "private_names")
"""Cases of the way to the load balancer, which is the same in both."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """In verify to begin with; the first test changes the setting."""
    with Lab(ROOT, ["dev", "acme"], tmp_path_factory.mktemp("lab")) as lab:
        yield lab


def listener(lab: Lab) -> dict[str, Any]:
    found = lab.client("elbv2").describe_listeners(LoadBalancerArn=lab.outputs["alb_arn"])
    (one,) = [each for each in found["Listeners"] if each["Port"] == 443]
    return one


def change(lab: Lab, mode: str) -> list[tuple[str, str]]:
    """The deployment's changes, in their order: what was done, to which resource."""
    lab.configs[lab.stack][MODE] = mode
    changes = lab.deploy(lab.stack).changes
    return [(one.operation, one.urn.rpartition("::")[2]) for one in changes]


def test_one_setting_changes_the_listener_in_place_after_the_authorizer(lab: Lab):
    before = listener(lab)
    changes = change(lab, "passthrough")
    after = listener(lab)
    assert after == {**before, "MutualAuthentication": {"Mode": "passthrough"}}
    order = [
        ("update", "api-authorizer-jwt-function"),
        ("update", "api-stage-live"),
        ("update", "front-https"),
        ("delete", "trust-store"),
    ]
    assert sorted(order, key=changes.index) == order
    assert lab.client("elbv2").describe_trust_stores()["TrustStores"] == []


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.__name__ not in NOT_OF_THE_MODE],
    ids=lambda case: case.__name__,
)
def test_every_case_comes_out_as_expected(lab: Lab, case: Any):
    results = list(case(lab))
    assert [result for result in results if not result.passed] == []
    assert len(results) == ROWS[case.__name__]


@pytest.mark.parametrize(
    ("name", "status"),
    [("X-CLIENT-CERT", 403), ("x-client-cert", 403), ("X_Client_Cert", 401), ("X-Leaf", 401)],
)
def test_somebody_elses_chain_and_token_are_nothing_without_the_key(
    lab: Lab, name: str, status: int
):
    lab.deploy(lab.stack)
    client = lab.clients()[0]
    assert curl(client.door, client.files, "/widgets").status == 200, "now an answer is remembered"
    chain = quote(lab.outputs["clients"][client.name]["certificate_chain"], safe="+=/")
    keyless = replace(client.files, cert=None, key=None)
    answer = curl(client.door, keyless, "/widgets", "--header", f"{name}: {chain}")
    assert (answer.status, answer.body == "") == (status, status == 403)


def test_the_setting_changed_back_leaves_only_verified_certificates(lab: Lab):
    before = listener(lab)
    changes = change(lab, "verify")
    after = listener(lab)
    assert after["ListenerArn"] == before["ListenerArn"]
    assert after["MutualAuthentication"]["Mode"] == "verify"
    order = [
        ("create", "trust-store"),
        ("update", "front-https"),
    ]
    assert sorted(order, key=changes.index) == order
    client = lab.clients()[0]
    assert curl(client.door, client.files, "/widgets").status == 200
    keyless = replace(client.files, cert=None, key=None)
    assert curl(client.door, keyless, "/widgets").refused_at_tls
