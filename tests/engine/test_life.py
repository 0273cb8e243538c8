"""The dev stack under the Pulumi engine: preview, deploy, deploy again, refresh, destroy."""

import ipaddress

import pytest

from lab.provider.engine import Engine, Result
from tests.engine.conftest import Account
from tests.engine.inventory import inventory

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def before(account: Account, dev: Engine) -> dict[str, int]:
    return inventory(account.client)


@pytest.fixture(scope="module")
def previewed(before: dict[str, int], dev: Engine) -> Result:
    return dev.preview()


@pytest.fixture(scope="module")
def deployed(previewed: Result, dev: Engine) -> Result:
    return dev.up()


def test_a_preview_makes_nothing(account: Account, before: dict[str, int], previewed: Result):
    assert {step.operation for step in previewed.steps} == {"create", "read"}
    assert [step.name for step in previewed.of("read")] == ["before"]
    assert inventory(account.client) == before


def test_a_preview_knows_the_addresses_that_the_load_balancer_will_forward_to(previewed: Result):
    attachments = [s for s in previewed.steps if s.type.endswith(":TargetGroupAttachment")]
    to_endpoint = [step for step in attachments if step.name.startswith("front-api-")]
    targets = [ipaddress.ip_address(step.inputs["targetId"]) for step in to_endpoint]
    assert len(targets) == 2
    assert all(target in ipaddress.ip_network("10.20.0.0/16") for target in targets)


def test_a_deployment_makes_what_the_preview_listed(previewed: Result, deployed: Result):
    assert {step.operation for step in deployed.steps} == {"create", "read"}
    assert {step.urn for step in deployed.steps} == {step.urn for step in previewed.steps}
    assert deployed.outputs["url"] == "https://api.example.com"
    assert "clients" in deployed.secret_outputs


def test_deploying_again_changes_nothing(deployed: Result, dev: Engine):
    again = dev.up()
    assert [(step.operation, step.name, step.detail) for step in again.changing] == []
    assert again.outputs == deployed.outputs


def test_refreshing_changes_nothing(deployed: Result, dev: Engine):
    refreshed = dev.refresh()
    assert [(step.operation, step.name, step.detail) for step in refreshed.changing] == []
    assert dev.preview().changing == []


def test_destroying_leaves_nothing(
    account: Account, before: dict[str, int], deployed: Result, dev: Engine
):
    dev.destroy()
    assert dev.entries() == []
    assert inventory(account.client) == before
