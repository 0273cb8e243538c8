"""Each setting changed under the Pulumi engine: what is updated, and what is replaced."""

import json
from collections.abc import Iterator, Mapping
from string import Template
from typing import Any

import pytest
import yaml

from lab.attempt import curl
from lab.certificates import Authority
from lab.provider.engine import Result
from lab.provider.inprocess import DeployError
from lab.session import Lab
from tests.conftest import ROOT
from tests.engine.changes import CHANGES, CLOSED, CONSUMER_CHANGES, MOVES, OWN_CUSTOMER

pytestmark = pytest.mark.engine

KEPT = {"LoadBalancer", "VpcEndpoint", "RestApi", "TrustStore", "Listener", "Vpc", "Subnet"}
"""What no change of daily life may replace."""

OPENAPI = """
openapi: 3.0.1
info: {title: widgets, version: "1"}
paths:
  /widgets:
    get:
      responses: {"200": {description: OK}}
      x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: "${widgets}"}
"""


@pytest.fixture(scope="module")
def lab(cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev", "acme"], tmp_path_factory.mktemp("lab"), engine="pulumi") as lab:
        yield lab


@pytest.fixture(scope="module")
def there(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the settings name, and no stack makes."""
    folder = tmp_path_factory.mktemp("there")
    (folder / "ca.pem").write_text(Authority.create("theirs").certificate_pem)
    (folder / "api.yaml").write_text(OPENAPI)
    lab.client("route53").create_hosted_zone(Name="example.org", CallerReference="there")
    ec2, elbv2 = lab.client("ec2"), lab.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.30.{n}.0/24", AvailabilityZoneId=zone)
        for n, zone in enumerate(("euw1-az1", "euw1-az2"))
    ]
    first, second = (subnet["Subnet"]["SubnetId"] for subnet in subnets)
    alb = elbv2.create_load_balancer(Name="there", Scheme="internal", Subnets=[first, second])
    group = ec2.create_security_group(GroupName="there", Description="there", VpcId=vpc)
    return {
        "folder": str(folder),
        "vpc": vpc,
        "subnet1": first,
        "subnet2": second,
        "group": group["GroupId"],
        "alb": alb["LoadBalancers"][0]["LoadBalancerArn"],
        "endpoint": lab.deployments["acme"].outputs["endpoint_id"],
        "service": lab.outputs["service_name"],
    }


def changes(given: Mapping[str, Any], there: Mapping[str, str]) -> dict[str, str]:
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
    return {
        Template(key).substitute(there): Template(text).substitute(there)
        for key, text in texts.items()
    }


def kinds(previewed: Result, operation: str) -> set[str]:
    return {step.type.rpartition(":")[2] for step in previewed.of(operation)}


def told(previewed: Result) -> dict[str, str]:
    """What a preview says it would do to which resource."""
    touched = [made for made in previewed.changes if made.operation != "same"]
    told = {made.urn.rpartition("::")[2]: made.operation for made in touched}
    assert len(touched) == len(told), "two resources of one name"
    return told


def named(previewed: Result, operation: str) -> set[str]:
    """What this is done to."""
    done = [made for made in previewed.changes if made.operation == operation]
    return {made.urn.rpartition("::")[2] for made in done}


def test_every_setting_is_changed_here():
    listed = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    tables = (CHANGES, CONSUMER_CHANGES, MOVES)
    changed = {key for table in tables for given, *_ in table.values() for key in given}
    assert changed | CLOSED.keys() | OWN_CUSTOMER.keys() == set(listed)


@pytest.mark.parametrize("change", CHANGES)
def test_a_preview_tells_what_a_change_touches(lab: Lab, there: dict[str, str], change: str):
    given, expected = CHANGES[change]
    previewed = lab.engines["dev"].preview(changes(given, there))
    assert told(previewed) == changes(expected, there)
    assert kinds(previewed, "replace") & KEPT == set()


@pytest.mark.parametrize("change", CONSUMER_CHANGES)
def test_a_preview_tells_what_a_customers_change_touches(
    lab: Lab, there: dict[str, str], change: str
):
    given, expected = CONSUMER_CHANGES[change]
    assert told(lab.engines["acme"].preview(changes(given, there))) == changes(expected, there)


def test_a_preview_without_private_link_deletes_it_all_and_touches_nothing_else(
    lab: Lab, there: dict[str, str]
):
    its = ("privatelink-", "client-acme-")
    names = {entry.urn.rpartition("::")[2] for entry in lab.entries("dev")}
    previewed = lab.engines["dev"].preview(changes(CLOSED, there))
    assert {one.operation for one in previewed.changes} == {"same", "update", "delete"}
    assert named(previewed, "update") == {"api-authorizer-jwt-function"}, "its customers' rules"
    assert named(previewed, "delete") == {name for name in names if name.startswith(its)}


def test_a_preview_of_ones_own_customer_makes_what_is_its_and_touches_nothing_else(
    lab: Lab, there: dict[str, str]
):
    previewed = lab.engines["dev"].preview(changes(OWN_CUSTOMER, there))
    assert {one.operation for one in previewed.changes} == {"same", "update", "create"}
    assert named(previewed, "update") == {"privatelink-service"}
    assert {name.partition("-")[0] for name in named(previewed, "create")} == {"consumer"}


@pytest.mark.parametrize("change", MOVES)
def test_a_preview_tells_what_a_move_replaces(lab: Lab, there: dict[str, str], change: str):
    given, replaced, deleted = MOVES[change]
    previewed = lab.engines["dev"].preview(changes(given, there))
    assert kinds(previewed, "replace") & KEPT == replaced
    assert kinds(previewed, "delete") & KEPT == deleted


def test_changes_are_made_and_taken_back_while_clients_call(lab: Lab, there: dict[str, str]):
    clients = lab.clients()
    assert {client.account for client in clients} == {"producer", "acme"}
    for change in ("a route more", "a private custom domain name", "TLS policy"):
        lab.deploy("dev", changes(CHANGES[change][0], there))
        for client in clients:
            assert curl(client.door, client.files, "/widgets").status == 200, change
    lab.deploy("dev")
    assert lab.engines["dev"].preview().changing == []
    for client in clients:
        assert curl(client.door, client.files, "/widgets").status == 200


def test_drift_made_by_hand_is_found_by_refresh_and_mended_by_up(lab: Lab):
    engine, elbv2, ec2 = lab.engines["dev"], lab.client("elbv2"), lab.client("ec2")
    (listener,) = [
        one["ListenerArn"]
        for one in elbv2.describe_listeners(LoadBalancerArn=lab.outputs["alb_arn"])["Listeners"]
        if one["Port"] == 443
    ]
    elbv2.modify_listener(ListenerArn=listener, MutualAuthentication={"Mode": "off"})
    ec2.modify_vpc_endpoint(VpcEndpointId=lab.outputs["vpc_endpoint_id"], ResetPolicy=True)
    client = lab.clients()[0]
    nobody = type(client.files)(ca=client.files.ca)
    assert curl(client.door, nobody, "/widgets").status == 401, "only the authorizer is left"
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


def test_a_zone_less_is_another_load_balancer_and_never_cuts_customers_off(
    lab: Lab, there: dict[str, str]
):
    zone_more = changes(CHANGES["a zone more"][0], there)
    lab.deploy("dev", zone_more)
    assert lab.outputs["service_zones"] == ["euw1-az1", "euw1-az2", "euw1-az3"]
    for client in lab.clients():
        assert curl(client.door, client.files, "/widgets").status == 200
    previewed = lab.engines["dev"].preview()
    assert kinds(previewed, "replace") & KEPT == {"LoadBalancer", "Listener"}
    assert "privatelink-nlb-lb" in named(previewed, "replace")
    guarded = {"mtls:deletionProtection": "true"}
    lab.deploy("dev", {**zone_more, **guarded})
    with pytest.raises(DeployError, match="currently marked for protection"):
        lab.deploy("dev", guarded)
    assert lab.engines["dev"].preview({**zone_more, **guarded}).changing == []
    lab.deploy("dev", zone_more)
    with pytest.raises(DeployError, match="ExistingVpcEndpointConnections"):
        lab.deploy("dev")
    customer = next(client for client in lab.clients() if client.account == "acme")
    # Some wait for the endpoint's address in the zone that is gone, until it is found unhealthy.
    answers = [curl(customer.door, customer.files, "/widgets").status for _ in range(6)]
    assert 200 in answers
