"""The customer's endpoint: in the service's zones, closed but to clients, under its name."""

import asyncio
import re
from typing import Any

import pulumi
import pytest

from components.consumer_endpoint import ConsumerEndpoint, ConsumerEndpointArgs
from components.security_groups import Client
from tests import conftest
from tests.components.checks import check_family, edges, refused
from tests.conftest import Deploy, Deployed

SERVICE = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
ELSEWHERE = (
    "subnet_ids: want zones of the service, which is in euw1-az1, euw1-az2; "
    "got euw1-az1, euw1-az3, where euw1-az3 is none of them"
)


def args(**changes: Any) -> ConsumerEndpointArgs:
    given: dict[str, Any] = {
        "vpc_id": "vpc-1",
        "subnet_ids": {"euw1-az2": "subnet-2", "euw1-az1": pulumi.Output.from_input("subnet-1")},
        "domain": "api.example.com",
        "service_name": SERVICE,
        "service_zone_ids": ["euw1-az2", "euw1-az1"],
    }
    return ConsumerEndpointArgs(**given | changes)


FULL: dict[str, Any] = {
    "clients": {"shop": Client(), "bank": Client(security_group_id="sg-bank")},
    "client_cidrs": ("10.8.0.0/16", "192.168.7.0/24"),
    "dns": "private-hosted-zone",
    "service_name": pulumi.Output.from_input(SERVICE),
    "service_zone_ids": pulumi.Output.from_input(["euw1-az1", "euw1-az2"]),
}


def made(deploy: Deploy, **changes: Any) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        it = ConsumerEndpoint("c", args(**changes), opts)
        return {key: getattr(it, key) for key in ConsumerEndpoint.__annotations__}

    return deploy(build)


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    """Only what must be given."""
    return made(deploy)


@pytest.fixture(scope="module")
def full(deploy: Deploy) -> Deployed:
    """All that may be given."""
    return made(deploy, **FULL)


@pytest.mark.parametrize("changes", [{}, FULL], ids=["plain", "full"])
def test_what_it_makes_is_its_own(deploy: Deploy, changes: dict[str, Any]):
    check_family(deploy, lambda name, opts: ConsumerEndpoint(name, args(**changes), opts))


# Refusals


@pytest.mark.parametrize("cidr", ["0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/7"])
def test_the_whole_world_or_half_of_it_is_no_client(cidr: str):
    with refused(
        f"client_cidrs: want blocks of /8 or smaller, such as '10.20.0.0/16'; got {cidr!r}"
    ):
        args(client_cidrs=("10.0.0.0/8", cidr))


@pytest.mark.parametrize("cidr", ["::/0", "2001:db8::/32", "10.0.0.1/8", "everybody"])
def test_what_is_no_ipv4_block_is_no_client(cidr: str):
    with pytest.raises(ValueError, match=r"^client_cidrs: want an IPv4 CIDR block such as"):
        args(client_cidrs=(cidr,))


def test_a_block_given_twice_is_refused():
    with refused("client_cidrs: want each block once; got 10.8.0.0/16, 10.8.0.0/16"):
        args(client_cidrs=("10.8.0.0/16", "10.8.0.0/16"))


def test_a_domain_a_service_or_dns_of_another_form_is_refused():
    with refused(
        "domain: want a lower-case host name of at most 64 characters, no trailing dot, "
        "such as 'api.example.com'; got 'API.example.com'"
    ):
        args(domain="API.example.com")
    with refused(
        "service_name: want the name of an endpoint service, such as "
        "'com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0'; "
        "got 'com.amazonaws.eu-west-1.execute-api'"
    ):
        args(service_name="com.amazonaws.eu-west-1.execute-api")
    with refused("dns: want 'private-dns-name' or 'private-hosted-zone'; got 'hosts'"):
        args(dns="hosts")


def test_no_zone_is_refused():
    with refused("subnet_ids: want at least one zone, such as 'euw1-az1'; got none"):
        args(subnet_ids={})


def test_a_zone_without_the_service_is_refused_at_once():
    with refused(ELSEWHERE):
        args(subnet_ids={"euw1-az1": "subnet-1", "euw1-az3": "subnet-3"})
    args(subnet_ids={"euw1-az1": "subnet-1"})


def unknown() -> pulumi.Output[str]:
    """A value that a preview does not know."""
    loop = asyncio.get_event_loop()
    nothing, no = loop.create_future(), loop.create_future()
    nothing.set_result(None)
    no.set_result(False)
    return pulumi.Output(set(), nothing, no)


def test_a_zone_without_the_service_is_refused_in_a_preview_where_the_producer_tells_its_zones(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
):
    registered: list[str] = []
    answer = conftest.Engine.new_resource

    def new_resource(self: Any, resource: Any) -> Any:
        registered.append(resource.name)
        return answer(self, resource)

    def build(opts: pulumi.ResourceOptions) -> None:
        subnets = {"euw1-az1": unknown(), "euw1-az3": unknown()}
        zones = pulumi.Output.from_input(["euw1-az2", "euw1-az1"])
        ConsumerEndpoint("c", args(subnet_ids=subnets, service_zone_ids=zones), opts)

    monkeypatch.setattr(conftest.Engine, "new_resource", new_resource)
    with pytest.raises(ValueError, match=re.escape(ELSEWHERE)):
        deploy(build)
    assert "c-group" in registered
    assert "c-vpce" not in registered


def test_zones_of_another_region_are_not_compared(deploy: Deploy):
    zones = {"use1-az1": "subnet-1"}
    for service_zones in (["euw1-az1"], pulumi.Output.from_input(["euw1-az1"])):
        deployed = made(
            deploy,
            subnet_ids=zones,
            service_zone_ids=service_zones,
            service_region="eu-west-1",
        )
        inputs = deployed.one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs
        assert inputs["serviceRegion"] == "eu-west-1"
        assert inputs["subnetIds"] == ["subnet-1"]
    with refused("service_region: want a region such as 'eu-west-1'; got 'Ireland'"):
        args(subnet_ids=zones, service_region="Ireland")
    with refused(
        "subnet_ids: want zones with PrivateLink between regions, such as 'euw1-az1'; got use1-az3"
    ):
        args(subnet_ids={"use1-az3": "subnet-3"}, service_region="eu-west-1")


# The endpoint


@pytest.mark.parametrize("zones", [["euw1-az2", "euw1-az1"], FULL["service_zone_ids"]])
def test_the_endpoint_is_in_each_subnet_with_its_own_group_and_no_policy(
    deploy: Deploy, zones: Any
):
    deployed = made(deploy, service_zone_ids=zones)
    assert deployed.one("aws:ec2/vpcEndpoint:VpcEndpoint", "c-vpce").inputs == {
        "vpcId": "vpc-1",
        "vpcEndpointType": "Interface",
        "serviceName": SERVICE,
        "subnetIds": ["subnet-2", "subnet-1"],
        "securityGroupIds": ["c-group-id"],
    }


def test_without_clients_nobody_reaches_the_endpoint(plain: Deployed):
    assert [r.name for r in plain.resources if "Rule" in r.type] == []
    assert set(plain.one("SecurityGroup").inputs) & {"ingress", "egress"} == set()


def test_listed_groups_and_blocks_reach_the_endpoint_and_nobody_else(deploy: Deploy):
    clients = made(deploy, clients=FULL["clients"])
    path = {("c-client-shop-id", "c-group-id", 443), ("sg-bank", "c-group-id", 443)}
    assert edges(clients, "SecurityGroupIngressRule") == path
    assert edges(clients, "SecurityGroupEgressRule") == path
    made_here = clients.of("SecurityGroup")
    assert {r.name: r.inputs["vpcId"] for r in made_here} == {
        "c-group": "vpc-1",
        "c-client-shop": "vpc-1",
    }
    blocks = made(deploy, client_cidrs=FULL["client_cidrs"])
    assert {r.name: r.inputs for r in blocks.of("SecurityGroupIngressRule")} == {
        f"c-from-{cidr}": {
            "securityGroupId": "c-group-id",
            "cidrIpv4": cidr,
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
        }
        for cidr in FULL["client_cidrs"]
    }
    assert blocks.of("SecurityGroupEgressRule") == []


# The name


def test_the_services_private_name_is_turned_on_for_an_endpoint_that_is_accepted(plain: Deployed):
    assert plain.one("EndpointPrivateDns").inputs == {
        "vpcEndpointId": "c-vpce-id",
        "privateDnsEnabled": True,
    }
    assert plain.of("Zone") == plain.of("Record") == []


def test_it_stays_off_for_an_endpoint_that_waits(deploy: Deploy, monkeypatch: pytest.MonkeyPatch):
    type_ = "aws:ec2/vpcEndpoint:VpcEndpoint"
    waiting = conftest.FIXED[type_] | {"state": "pendingAcceptance"}
    monkeypatch.setitem(conftest.FIXED, type_, waiting)
    deployed = made(deploy)
    assert deployed.one("EndpointPrivateDns").inputs["privateDnsEnabled"] is False
    assert deployed.outputs["state"] == "pendingAcceptance"


def test_a_zone_of_ones_own_leads_to_the_regional_name_inside_the_vpc_only(full: Deployed):
    zone = full.one("Zone").inputs
    assert (zone["name"], zone["vpcs"]) == ("api.example.com", [{"vpcId": "vpc-1"}])
    assert full.one("Record").inputs == {
        "zoneId": "c-zone-id",
        "name": "api.example.com",
        "type": "A",
        "aliases": [
            {
                "name": "vpce-1.vpce-svc-1.eu-west-1.vpce.amazonaws.com",
                "zoneId": "Z-VPCE",
                "evaluateTargetHealth": False,
            }
        ],
    }
    assert full.of("EndpointPrivateDns") == []


def test_outputs_are_what_clients_and_the_provider_need(full: Deployed):
    assert full.outputs == {
        "endpoint_id": "c-vpce-id",
        "state": "available",
        "dns_name": "vpce-1.vpce-svc-1.eu-west-1.vpce.amazonaws.com",
        "url": "https://api.example.com",
        "client_security_group_ids": {"shop": "c-client-shop-id", "bank": "sg-bank"},
    }
