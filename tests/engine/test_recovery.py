"""A run of the engine that is killed half way, and what makes the stack whole again.

As docs/troubleshooting.md says: drop the lock, delete or keep what AWS made and the state does not
know, refresh, deploy.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pulumi.automation import Deployment

from lab.provider.engine import Engine
from lab.provider.inprocess import DeployError
from tests.engine.conftest import Account
from tests.engine.interruption import Gate, kill
from tests.engine.inventory import Client, inventory

pytestmark = pytest.mark.engine

CERTIFICATE = "aws:acm/certificate:Certificate"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
LOAD_BALANCER = "aws:lb/loadBalancer:LoadBalancer"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
SUBNET = "aws:ec2/subnet:Subnet"
TRUST_STORE = "aws:lb/trustStore:TrustStore"
ZONE = "aws:route53/zone:Zone"

CHANGES = {
    "mtls:domain": "other.example.com",
    "mtls:subnets": json.dumps({f"euw1-az{n}": f"10.20.{n - 1}.0/24" for n in (1, 2, 3)}),
    "mtls:logRetentionDays": "30",
}


@pytest.fixture(scope="module")
def registry() -> Gate:
    return Gate()


@pytest.fixture(scope="module")
def empty(account: Account, dev: Engine) -> dict[str, int]:
    return inventory(account.client)


@pytest.fixture(scope="module")
def undisturbed(account: Account, dev: Engine, empty: dict[str, int]) -> dict[str, int]:
    """What a deployment makes that nobody interrupts."""
    dev.up()
    made = inventory(account.client)
    dev.destroy()
    assert inventory(account.client) == empty
    return made


def _delete_endpoint(client: Client, asked: Mapping[str, Any]) -> None:
    filters = [{"Name": "vpc-id", "Values": [asked["vpcId"]]}]
    (endpoint,) = client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])


def _delete_trust_store(client: Client, asked: Mapping[str, Any]) -> None:
    elbv2 = client("elbv2")
    (made,) = elbv2.describe_trust_stores(Names=[asked["name"]])["TrustStores"]
    elbv2.delete_trust_store(TrustStoreArn=made["TrustStoreArn"])


def _delete_zone(client: Client, asked: Mapping[str, Any]) -> None:
    route53 = client("route53")
    zones = route53.list_hosted_zones_by_name(DNSName=asked["name"])["HostedZones"]
    (made,) = [zone for zone in zones if zone["Name"] == f"{asked['name']}."]
    route53.delete_hosted_zone(Id=made["Id"])


def _delete_certificate(client: Client, asked: Mapping[str, Any]) -> None:
    listed = client("acm").list_certificates()["CertificateSummaryList"]
    (made,) = [one for one in listed if one["DomainName"] == asked["domainName"]]
    client("acm").delete_certificate(CertificateArn=made["CertificateArn"])


def _delete_subnet(client: Client, asked: Mapping[str, Any]) -> None:
    filters = [
        {"Name": "vpc-id", "Values": [asked["vpcId"]]},
        {"Name": "cidr-block", "Values": [asked["cidrBlock"]]},
    ]
    (made,) = client("ec2").describe_subnets(Filters=filters)["Subnets"]
    client("ec2").delete_subnet(SubnetId=made["SubnetId"])


DELETE: dict[str, Callable[[Client, Mapping[str, Any]], None]] = {
    CERTIFICATE: _delete_certificate,
    ENDPOINT: _delete_endpoint,
    SUBNET: _delete_subnet,
    TRUST_STORE: _delete_trust_store,
    ZONE: _delete_zone,
}
"""By type: find in AWS what was asked for, and delete it."""


def unlock(engine: Engine) -> None:
    with pytest.raises(DeployError, match="currently locked by 1 lock"):
        engine.up()
    engine.cancel()


def delete(engine: Engine, client: Client, orphans: set[str]) -> None:
    """Deletes what of these types was being created."""
    for one in engine.pending():
        if one.operation == "creating" and one.type in orphans:
            DELETE[one.type](client, one.inputs)


def keep(engine: Engine, ids: Mapping[str, str]) -> None:
    """Makes of pending creations, by URN, ones that are done, and forgets all others."""
    exported = engine.stack.export_stack()
    state = exported.deployment or {}
    made = [
        {**one["resource"], "id": ids[one["resource"]["urn"]]}
        for one in state["pending_operations"]
        if one["resource"]["urn"] in ids
    ]
    edited = {**state, "resources": [*state["resources"], *made], "pending_operations": []}
    engine.stack.import_stack(Deployment(version=exported.version, deployment=edited))


def clear(engine: Engine) -> None:
    engine.refresh(clear_pending_creates=True)
    assert engine.pending() == []


def test_a_deployment_killed_before_aws_was_asked_is_finished_by_the_next(
    account: Account,
    dev: Engine,
    registry: Gate,
    empty: dict[str, int],
    undisturbed: dict[str, int],
):
    kill("up", dev, account.providers.ports, registry, "before", ("create", ENDPOINT))
    assert ENDPOINT in {one.type for one in dev.pending()}
    unlock(dev)
    clear(dev)
    dev.up()
    assert inventory(account.client) == undisturbed
    assert dev.up().changing == []
    dev.destroy()
    assert inventory(account.client) == empty


def test_a_deployment_killed_before_it_heard_from_aws_is_finished_once_no_orphan_is_left(
    account: Account,
    dev: Engine,
    registry: Gate,
    empty: dict[str, int],
    undisturbed: dict[str, int],
):
    orphans = {ENDPOINT, LOAD_BALANCER, TRUST_STORE, ZONE}
    points = [("create", type_) for type_ in orphans]
    kill("up", dev, account.providers.ports, registry, "after", *points)
    assert orphans <= {one.type for one in dev.pending()}
    assert orphans.isdisjoint(entry.type for entry in dev.entries())
    unlock(dev)
    delete(dev, account.client, orphans - {LOAD_BALANCER})
    balancers = account.client("elbv2").describe_load_balancers()["LoadBalancers"]
    made = {one["LoadBalancerName"]: one["LoadBalancerArn"] for one in balancers}
    asked = [one for one in dev.pending() if one.type == LOAD_BALANCER]
    kept = {one.urn: made[one.inputs["name"]] for one in asked if one.inputs["name"] in made}
    assert len(kept) == len(made)
    keep(dev, kept)
    clear(dev)
    assert kept.keys().isdisjoint(step.urn for step in dev.preview().changing)
    dev.up()
    assert inventory(account.client) == undisturbed
    assert dev.up().changing == []
    dev.destroy()
    assert inventory(account.client) == empty


def test_a_change_and_a_destruction_that_are_killed_are_finished_by_the_next(
    account: Account,
    dev: Engine,
    registry: Gate,
    empty: dict[str, int],
    undisturbed: dict[str, int],
):
    dev.up()
    orphans = {CERTIFICATE, SUBNET, ZONE}
    points = [("update", LOG_GROUP), *(("create", type_) for type_ in orphans)]
    ports = account.providers.ports
    kill("up", dev, ports, registry, "after", *points, changes=CHANGES)
    assert {*orphans, LOG_GROUP} <= {one.type for one in dev.pending()}
    unlock(dev)
    delete(dev, account.client, orphans)
    clear(dev)
    assert dev.up(CHANGES).outputs["url"] == "https://other.example.com"
    assert dev.up(CHANGES).changing == []
    dev.up()
    assert inventory(account.client) == undisturbed

    kill("destroy", dev, ports, registry, "after", ("delete", LOAD_BALANCER))
    known = sum(one.type == LOAD_BALANCER for one in dev.entries())
    left = len(account.client("elbv2").describe_load_balancers()["LoadBalancers"])
    assert known > left
    unlock(dev)
    clear(dev)
    assert sum(one.type == LOAD_BALANCER for one in dev.entries()) == left
    dev.destroy()
    assert inventory(account.client) == empty
