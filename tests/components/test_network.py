"""The network: made, or taken as it is."""

import json
from ipaddress import IPv4Network
from typing import Any

import pulumi

from components import policies
from components.network import ExistingNetworkArgs, Network, NetworkArgs
from tests.components.checks import check_family, refused
from tests.conftest import ACCOUNT, Deploy, Deployed

SUBNETS = {
    "euw1-az1": IPv4Network("10.20.0.0/24"),
    "euw1-az3": IPv4Network("10.20.1.0/24"),
}
NEW = NetworkArgs(cidr_block=IPv4Network("10.20.0.0/16"), subnets=SUBNETS, log_retention_days=7)
THERE = ExistingNetworkArgs(
    vpc_id="vpc-there",
    subnet_ids={"euw1-az1": "subnet-1", "euw1-az2": pulumi.Output.from_input("subnet-2")},
    endpoint_ips={"euw1-az1": "10.9.0.9", "euw1-az2": "10.9.1.9"},
)


def made(deploy: Deploy, args: NetworkArgs | ExistingNetworkArgs) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        network = Network("n", args, opts)
        return {
            "vpc_id": network.vpc_id,
            "subnet_ids": network.subnet_ids,
            "endpoint_ips": network.endpoint_ips,
        }

    return deploy(build)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: Network(name, NEW, opts))


def test_blocks_that_do_not_fit_are_refused():
    with refused(
        "cidr_block: want a block from /16 to /28, such as '10.20.0.0/16'; got '10.0.0.0/8'"
    ):
        NetworkArgs(cidr_block=IPv4Network("10.0.0.0/8"), subnets=SUBNETS)
    with refused("subnets: want blocks inside 10.9.0.0/16; got '10.20.0.0/24' for euw1-az1"):
        NetworkArgs(cidr_block=IPv4Network("10.9.0.0/16"), subnets=SUBNETS)


def test_an_existing_network_in_one_zone_is_refused():
    with refused(
        "subnet_ids: want at least two Availability Zones, such as 'euw1-az1' and 'euw1-az2'; "
        "got euw1-az1"
    ):
        ExistingNetworkArgs(
            vpc_id="vpc", subnet_ids={"euw1-az1": "s"}, endpoint_ips={"euw1-az1": "10.0.0.9"}
        )


def test_an_existing_network_without_an_endpoint_address_in_each_subnet_is_refused():
    subnets = {"euw1-az1": "s1", "euw1-az2": "s2"}
    with refused(
        "endpoint_ips: want one free address for each of euw1-az1, euw1-az2, "
        "such as '10.20.0.16'; got euw1-az1"
    ):
        ExistingNetworkArgs(vpc_id="v", subnet_ids=subnets, endpoint_ips={"euw1-az1": "10.0.0.9"})
    with refused("endpoint_ips.euw1-az2: want an IPv4 address such as '10.20.0.16'; got 'x'"):
        ExistingNetworkArgs(
            vpc_id="v",
            subnet_ids=subnets,
            endpoint_ips={"euw1-az1": "10.0.0.9", "euw1-az2": "x"},
        )


def test_subnets_are_made_by_zone_id_and_are_private(deploy: Deploy):
    deployed = made(deploy, NEW)
    assert deployed.one("Vpc").inputs == {
        "cidrBlock": "10.20.0.0/16",
        "enableDnsSupport": True,
        "enableDnsHostnames": True,
        "tags": {"Name": "n"},
    }
    assert {r.name: r.inputs for r in deployed.of("Subnet")} == {
        f"n-{zone}": {
            "vpcId": "n-vpc-id",
            "availabilityZoneId": zone,
            "cidrBlock": str(block),
            "tags": {"Name": f"n-{zone}"},
        }
        for zone, block in SUBNETS.items()
    }
    for way_out in ("InternetGateway", "NatGateway", "Route", "RouteTable", "Eip"):
        assert deployed.of(way_out) == []


def test_the_default_security_group_is_emptied(deploy: Deploy):
    assert made(deploy, NEW).one("DefaultSecurityGroup").inputs == {"vpcId": "n-vpc-id"}


def test_endpoint_addresses_are_known_and_kept_free_of_anything_else(deploy: Deploy):
    deployed = made(deploy, NEW)
    assert deployed.outputs["endpoint_ips"] == {"euw1-az1": "10.20.0.16", "euw1-az3": "10.20.1.16"}
    reserved = {r.inputs["subnetId"]: r.inputs for r in deployed.of("SubnetCidrReservation")}
    assert {subnet: inputs["cidrBlock"] for subnet, inputs in reserved.items()} == {
        "n-euw1-az1-id": "10.20.0.16/28",
        "n-euw1-az3-id": "10.20.1.16/28",
    }
    assert {inputs["reservationType"] for inputs in reserved.values()} == {"explicit"}


def test_all_flows_are_logged_and_kept_as_long_as_told(deploy: Deploy):
    deployed = made(deploy, NEW)
    assert deployed.one("FlowLog").inputs == {
        "vpcId": "n-vpc-id",
        "trafficType": "ALL",
        "logDestination": "arn:n-flows",
        "iamRoleArn": "arn:n-flow-logs-role",
    }
    assert deployed.one("LogGroup").inputs == {"retentionInDays": 7}
    role = json.loads(deployed.one("aws:iam/role:Role").inputs["assumeRolePolicy"])
    assert role == policies.trust("vpc-flow-logs.amazonaws.com", ACCOUNT)
    policy = json.loads(deployed.one("RolePolicy").inputs["policy"])
    assert policy == policies.flow_logs("arn:n-flows")


def test_outputs_go_by_zone_id(deploy: Deploy):
    outputs = made(deploy, NEW).outputs
    assert outputs["vpc_id"] == "n-vpc-id"
    assert outputs["subnet_ids"] == {"euw1-az1": "n-euw1-az1-id", "euw1-az3": "n-euw1-az3-id"}


def test_an_existing_network_is_used_as_it_is(deploy: Deploy):
    deployed = made(deploy, THERE)
    assert {r.type for r in deployed.resources} == {"test:index:Outer", "mtls:index:Network"}
    assert deployed.outputs == {
        "vpc_id": "vpc-there",
        "subnet_ids": {"euw1-az1": "subnet-1", "euw1-az2": "subnet-2"},
        "endpoint_ips": {"euw1-az1": "10.9.0.9", "euw1-az2": "10.9.1.9"},
    }


def test_an_existing_network_needs_no_endpoint_addresses(deploy: Deploy):
    args = ExistingNetworkArgs(vpc_id="v", subnet_ids={"euw1-az1": "s1", "euw1-az2": "s2"})
    assert made(deploy, args).outputs["endpoint_ips"] == {}
