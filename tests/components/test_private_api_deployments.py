"""Deployments of the private API: anew if and only if what they freeze changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pulumi.runtime import mocks

from tests.components.test_private_api import (
    BACKENDS,
    FUNCTION,
    JWT,
    OWN,
    ROUTES,
    document,
    made,
    operation,
)
from tests.conftest import Deploy, Deployed, Engine


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    """From routes."""
    return made(deploy)


def test_a_deployment_waits_for_the_definition_and_the_policy(plain: Deployed):
    awaited = plain.one("Deployment").depends_on
    assert {plain.one("RestApi").urn, plain.one("RestApiPolicy").urn} <= awaited


def trigger(deployed: Deployed) -> str:
    value = deployed.one("Deployment").inputs["triggers"]["definition"]
    assert len(value) == 64
    return value


REORDERED = {"paths": dict(reversed(document()["paths"].items())), "openapi": "3.0.1"} | {
    "info": {"title": "t"}
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"routes": dict(reversed(ROUTES.items()))},
        {"backends": dict(reversed(BACKENDS.items()))},
        {"throttling_rate_limit": 1, "throttling_burst_limit": 1, "log_retention_days": 1},
        {"manage_log_role": True},
    ],
    ids=["nothing", "order of routes", "order of backends", "limits", "log role"],
)
def test_what_a_deployment_does_not_freeze_does_not_deploy_anew(
    deploy: Deploy, plain: Deployed, changes: dict[str, Any]
):
    assert trigger(made(deploy, **changes)) == trigger(plain)


@pytest.mark.parametrize("openapi", [document(), REORDERED], ids=["same", "order of keys"])
def test_the_same_document_does_not_deploy_anew(deploy: Deploy, openapi: dict[str, Any]):
    assert trigger(made(deploy, openapi=openapi)) == trigger(made(deploy, openapi=document()))


@pytest.mark.parametrize(
    "routes",
    [
        ROUTES | {"GET /new": "widgets"},
        {"GET /widgets": "widgets"},
        {**ROUTES, "ANY /parts": "widgets"},
        {"POST /widgets": "widgets", "PUT /widgets/{id}": "widgets", "ANY /parts": "parts"},
    ],
    ids=["added", "removed", "other backend", "other method"],
)
def test_a_changed_route_deploys_anew(deploy: Deploy, plain: Deployed, routes: dict[str, str]):
    assert trigger(made(deploy, routes=routes)) != trigger(plain)


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_a_changed_function_deploys_anew(deploy: Deploy, shape: dict[str, Any]):
    backends = BACKENDS | {"parts": f"{FUNCTION}:parts-2"}
    assert trigger(made(deploy, backends=backends, **shape)) != trigger(made(deploy, **shape))


@pytest.mark.parametrize(
    "openapi",
    [
        document(**{"/new": {"get": operation("parts")}}),
        document() | {"info": {"title": "other"}},
        document(**{"/parts": {"put": operation("widgets")}}),
    ],
    ids=["path", "title", "backend"],
)
def test_a_changed_document_deploys_anew(deploy: Deploy, openapi: dict[str, Any]):
    assert trigger(made(deploy, openapi=openapi)) != trigger(made(deploy, openapi=document()))


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_a_changed_definition_puts_the_policy_again(deploy: Deploy, shape: dict[str, Any]):
    backends = BACKENDS | {"parts": f"{FUNCTION}:parts-2"}
    changed = made(deploy, backends=backends, **shape).one("RestApiPolicy").inputs["policy"]
    assert changed != made(deploy, **shape).one("RestApiPolicy").inputs["policy"]


@pytest.mark.parametrize(
    "changed",
    [None, OWN, replace(JWT, cache_ttl_seconds=0)],
    ids=["none", "another", "time to remember"],
)
def test_another_authorizer_deploys_anew(deploy: Deploy, changed: Any):
    before = trigger(made(deploy, authorizer=JWT))
    assert trigger(made(deploy, authorizer=changed)) != before


def test_other_rules_of_the_same_authorizer_do_not_deploy_anew(deploy: Deploy):
    before = made(deploy, authorizer=JWT)
    after = made(deploy, authorizer=replace(JWT, leeway_seconds=5))
    assert trigger(after) == trigger(before)
    code = [one.one("aws:lambda/function:Function").inputs["code"].path for one in (before, after)]
    assert code[0] != code[1]


@pytest.fixture
def replaced_endpoint(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, endpoints come up with another id."""
    ordinary = Engine.new_resource

    def new_resource(engine: Engine, given: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id_, outputs = ordinary(engine, given)
        return ("vpce-new" if given.typ == "aws:ec2/vpcEndpoint:VpcEndpoint" else id_), outputs

    return lambda: monkeypatch.setattr(Engine, "new_resource", new_resource)


@pytest.mark.parametrize("shape", [{}, {"openapi": document()}], ids=["routes", "openapi"])
def test_another_endpoint_in_the_policy_deploys_anew(
    deploy: Deploy, shape: dict[str, Any], replaced_endpoint: Callable[[], None]
):
    before = trigger(made(deploy, **shape))
    replaced_endpoint()
    after = made(deploy, **shape)
    assert "vpce-new" in after.one("RestApiPolicy").inputs["policy"]
    assert trigger(after) != before
