"""What the resources of PrivateLink refuse, wait for and leave alone."""

from typing import Any

import pytest

from lab.provider import schema
from lab.provider.aws import Aws
from lab.provider.registry import OperationError, PartlyCreatedError, Registry

from . import places, places_privatelink
from .conftest import World

ACCEPTER = "aws:ec2/vpcEndpointConnectionAccepter:VpcEndpointConnectionAccepter"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
MAPPING = "aws:apigateway/basePathMapping:BasePathMapping"
PRINCIPAL = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
PRIVATE_DNS = "aws:vpc/endpointPrivateDns:EndpointPrivateDns"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
VERIFICATION = "aws:vpc/endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification"


def test_a_verification_that_fails_names_the_record_that_is_missing(
    registry: Registry, aws: Aws, world: World
) -> None:
    service = places_privatelink.service(world, privateDnsName="unproven.example.com")
    proof = service["privateDnsNameConfigurations"][0]
    inputs = {"serviceId": service["id"], "waitForVerification": True}
    with pytest.raises(OperationError) as failure:
        registry.create(VERIFICATION, aws, inputs)
    assert str(failure.value) == (
        f"creating VPC Endpoint Service Private DNS Verification ({service['id']}): waiting for "
        "verification of unproven.example.com: failed; public DNS has no TXT record "
        f"'{proof['name']}.unproven.example.com' with the value '{proof['value']}'"
    )
    assert not isinstance(failure.value, PartlyCreatedError)
    id_, _ = registry.create(VERIFICATION, aws, {**inputs, "waitForVerification": False})
    assert id_ == service["id"]


def test_waiting_for_a_verification_cannot_be_changed_afterwards(
    registry: Registry, aws: Aws
) -> None:
    old, new = ({"serviceId": "vpce-svc-1", "waitForVerification": wait} for wait in (True, False))
    assert not registry.diff(VERIFICATION, old, new).replaces
    with pytest.raises(OperationError, match="Update method should not have been called"):
        registry.update(VERIFICATION, aws, "vpce-svc-1", old, new, ["waitForVerification"])


def _waiting(world: World) -> dict[str, Any]:
    """Inputs of an accepter for an endpoint that waits to be accepted."""
    service = places_privatelink.service(world, acceptanceRequired=True)
    return {
        "vpcEndpointServiceId": service["id"],
        "vpcEndpointId": places_privatelink.connection(world, service),
    }


def test_an_endpoint_has_its_names_before_it_is_accepted(
    registry: Registry, aws: Aws, world: World
) -> None:
    endpoint_id = _waiting(world)["vpcEndpointId"]
    endpoint = registry.read(ENDPOINT, aws, endpoint_id, {}) or {}
    assert endpoint["state"] == "pendingAcceptance"
    assert endpoint["dnsEntries"][0]["dnsName"].startswith(f"{endpoint_id}-")


def test_an_endpoint_that_is_accepted_already_is_accepted(
    registry: Registry, aws: Aws, world: World
) -> None:
    inputs = _waiting(world)
    first = registry.create(ACCEPTER, aws, inputs)
    assert registry.create(ACCEPTER, aws, inputs) == first
    assert first[1]["vpcEndpointState"] == "available"


def test_an_endpoint_that_was_rejected_cannot_be_accepted(
    registry: Registry, aws: Aws, world: World
) -> None:
    inputs = _waiting(world)
    id_, outputs = registry.create(ACCEPTER, aws, inputs)
    registry.delete(ACCEPTER, aws, id_, outputs)
    assert (registry.read(ACCEPTER, aws, id_, outputs) or {})["vpcEndpointState"] == "rejected"
    with pytest.raises(OperationError, match="unexpected state 'rejected', wanted"):
        registry.create(ACCEPTER, aws, inputs)


def test_an_endpoint_that_asked_for_no_connection_cannot_be_accepted(
    registry: Registry, aws: Aws, world: World
) -> None:
    inputs = {**_waiting(world), "vpcEndpointId": "vpce-0123456789abcdef0"}
    with pytest.raises(OperationError, match="couldn't find resource"):
        registry.create(ACCEPTER, aws, inputs)


def test_a_connection_whose_endpoint_was_deleted_is_gone(
    registry: Registry, aws: Aws, world: World
) -> None:
    id_, outputs = registry.create(ACCEPTER, aws, _waiting(world))
    aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[outputs["vpcEndpointId"]])
    assert registry.read(ACCEPTER, aws, id_, outputs) is None
    registry.delete(ACCEPTER, aws, id_, outputs)


def test_a_principal_is_allowed_by_one_resource_only(
    registry: Registry, aws: Aws, world: World
) -> None:
    inputs = {
        "vpcEndpointServiceId": places_privatelink.service(world)["id"],
        "principalArn": places_privatelink.PRINCIPAL,
    }
    registry.create(PRINCIPAL, aws, inputs)
    with pytest.raises(OperationError, match="is allowed already"):
        registry.create(PRINCIPAL, aws, inputs)


def test_private_dns_cannot_be_turned_on_before_the_endpoint_is_accepted(
    registry: Registry, aws: Aws, world: World
) -> None:
    inputs = {"vpcEndpointId": _waiting(world)["vpcEndpointId"], "privateDnsEnabled": True}
    with pytest.raises(OperationError, match="InvalidParameter: Private DNS can't be enabled"):
        registry.create(PRIVATE_DNS, aws, inputs)
    _, outputs = registry.create(PRIVATE_DNS, aws, {**inputs, "privateDnsEnabled": False})
    assert outputs["privateDnsEnabled"] is False


def test_an_endpoint_that_is_gone_has_no_private_dns(
    registry: Registry, aws: Aws, world: World
) -> None:
    outputs = {"vpcEndpointId": _waiting(world)["vpcEndpointId"], "privateDnsEnabled": False}
    aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[outputs["vpcEndpointId"]])
    assert registry.read(PRIVATE_DNS, aws, outputs["vpcEndpointId"], outputs) is None


def test_without_its_policy_a_topic_has_the_one_that_it_was_born_with(
    registry: Registry, aws: Aws, world: World
) -> None:
    topic = world.make("aws:sns/topic:Topic")
    policy = places.policy("sns:Publish", Principal={"Service": "vpce.amazonaws.com"})
    made = world.make(TOPIC_POLICY, arn=topic["arn"], policy=policy)
    registry.delete(TOPIC_POLICY, aws, made["id"], made)
    shown = registry.read(TOPIC_POLICY, aws, made["id"], made) or {}
    assert '"AWS:SourceOwner": "111111111111"' in shown["policy"].replace('":"', '": "')
    assert "vpce.amazonaws.com" not in shown["policy"]


def test_subnets_of_a_network_load_balancer_that_are_not_known_yet_force_nothing(
    registry: Registry,
) -> None:
    old = {"loadBalancerType": "network", "subnets": ["a", "b"]}
    assert registry.diff(BALANCER, old, {**old, "subnets": ["a"]}).replaces == {"subnets"}
    assert not registry.diff(BALANCER, old, {**old, "subnets": schema.UNKNOWN}).replaces
    other = {**old, "loadBalancerType": "application"}
    assert not registry.diff(BALANCER, other, {**other, "subnets": ["a"]}).replaces


def test_a_mapping_stays_with_its_domain_name(registry: Registry, aws: Aws) -> None:
    old = {"domainName": "a.example.com", "domainNameId": "one", "restApi": "api"}
    new = {**old, "domainNameId": "two"}
    assert not registry.diff(MAPPING, old, new).replaces
    with pytest.raises(OperationError, match="domainNameId cannot be changed in place"):
        registry.update(MAPPING, aws, "a.example.com//one", old, new, ["domainNameId"])


def test_domain_names_and_mappings_are_found_by_their_ids_alone(
    registry: Registry, aws: Aws, world: World
) -> None:
    domain = places_privatelink.private_domain(world)
    found = registry.read("aws:apigateway/domainName:DomainName", aws, domain["id"], {}) or {}
    assert found["arn"] == domain["arn"]
    key = {name: domain[name] for name in ("domainName", "domainNameId")}
    made = world.make(MAPPING, **key, restApi=places_privatelink.private_api(world))
    mapping = registry.read(MAPPING, aws, made["id"], {}) or {}
    assert (mapping["restApi"], mapping["domainNameId"]) == (made["restApi"], key["domainNameId"])
