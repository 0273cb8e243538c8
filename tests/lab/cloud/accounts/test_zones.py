"""Availability Zone names differ from account to account; their ids do not."""

from typing import Any

import pytest

ALL = ("producer", "acme", "globex")
IDS = {"euw1-az1", "euw1-az2", "euw1-az3"}


def zones(client, account, **arguments):
    answer = client("ec2", account).describe_availability_zones(**arguments)
    return {each["ZoneName"]: each["ZoneId"] for each in answer["AvailabilityZones"]}


@pytest.fixture
def vpc_of(client):
    return lambda account: client("ec2", account).create_vpc(CidrBlock="10.0.0.0/16")["Vpc"][
        "VpcId"
    ]


def create_subnet(client, account, vpc_id, number: int = 0, **zone: Any):
    return client("ec2", account).create_subnet(
        VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", **zone
    )["Subnet"]


def test_every_account_has_the_same_zones_by_other_names(client):
    mappings = [zones(client, account) for account in ALL]
    for mapping in mappings:
        assert list(mapping) == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
        assert set(mapping.values()) == IDS
    producer, acme, globex = mappings
    assert acme != producer
    assert globex != producer
    assert zones(client, "acme") == acme


def test_the_first_account_keeps_the_usual_names(client):
    assert zones(client, "producer") == {
        "eu-west-1a": "euw1-az3",
        "eu-west-1b": "euw1-az1",
        "eu-west-1c": "euw1-az2",
    }


@pytest.mark.parametrize("account", ALL)
def test_a_subnet_is_created_by_name_or_by_id_and_shows_both(client, vpc_of, account):
    vpc_id, names = vpc_of(account), zones(client, account)
    for number, (name, zone_id) in enumerate(names.items()):
        by_name = create_subnet(client, account, vpc_id, number, AvailabilityZone=name)
        by_id = create_subnet(client, account, vpc_id, number + 10, AvailabilityZoneId=zone_id)
        for subnet in (by_name, by_id):
            assert (subnet["AvailabilityZone"], subnet["AvailabilityZoneId"]) == (name, zone_id)


@pytest.mark.parametrize("account", ALL)
def test_default_subnets_interfaces_and_filters_agree(client, account):
    ec2, names = client("ec2", account), zones(client, account)
    subnets = ec2.describe_subnets()["Subnets"]
    assert {each["AvailabilityZone"]: each["AvailabilityZoneId"] for each in subnets} == names
    by_id = [{"Name": "availability-zone-id", "Values": ["euw1-az2"]}]
    for subnet in ec2.describe_subnets(Filters=by_id)["Subnets"]:
        assert names[subnet["AvailabilityZone"]] == "euw1-az2"
        made = ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]
        assert made["AvailabilityZone"] == subnet["AvailabilityZone"]
        assert made["AvailabilityZoneId"] == "euw1-az2"


@pytest.mark.parametrize("account", ALL)
def test_zones_are_found_by_id_and_by_name(client, account):
    [name] = zones(client, account, ZoneIds=["euw1-az1"])
    assert zones(client, account, ZoneNames=[name]) == {name: "euw1-az1"}


@pytest.mark.parametrize("arguments", [{"ZoneNames": ["eu-west-1z"]}, {"ZoneIds": ["euw1-az9"]}])
def test_unknown_zones_are_refused(client, refused, arguments):
    with refused("InvalidParameterValue", "Invalid availability zone"):
        zones(client, "acme", **arguments)


def test_a_subnet_in_an_unknown_zone_is_refused(client, refused, vpc_of):
    vpc_id = vpc_of("acme")
    for zone in ({"AvailabilityZone": "eu-west-1d"}, {"AvailabilityZoneId": "euw1-az4"}):
        with refused("InvalidParameterValue", "for parameter availabilityZone is invalid"):
            create_subnet(client, "acme", vpc_id, 0, **zone)


def test_a_load_balancer_names_zones_as_its_account_does(client, vpc_of):
    vpc_id, names = vpc_of("acme"), zones(client, "acme")
    wanted = {
        create_subnet(client, "acme", vpc_id, n, AvailabilityZoneId=zone_id)["SubnetId"]: zone_id
        for n, zone_id in enumerate(("euw1-az1", "euw1-az3"))
    }
    balancer = client("elbv2", "acme").create_load_balancer(
        Name="named", Subnets=list(wanted), Scheme="internal"
    )["LoadBalancers"][0]
    shown = {each["SubnetId"]: each["ZoneName"] for each in balancer["AvailabilityZones"]}
    assert {subnet: names[name] for subnet, name in shown.items()} == wanted
