"""The arithmetic behind fixed endpoint addresses."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from components.addresses import (
    check_endpoint_ips,
    check_subnets,
    check_vpc,
    check_zones,
    endpoint_block,
    endpoint_ip,
    parse_address,
    parse_network,
)
from tests.components.checks import refused

VPC = IPv4Network("10.20.0.0/16")


@pytest.mark.parametrize("block", ["10.20.1.0/24", "10.20.1.0/26", "10.20.1.64/26", "10.16.0.0/12"])
def test_the_endpoint_has_an_address_of_its_subnet_that_aws_does_not_keep_for_itself(block: str):
    subnet = IPv4Network(block)
    assert endpoint_ip(subnet) in endpoint_block(subnet)
    assert endpoint_block(subnet).subnet_of(subnet)
    kept = [*list(subnet)[:4], subnet.broadcast_address] if subnet.prefixlen > 20 else [subnet[0]]
    assert not set(kept) & set(endpoint_block(subnet))


def test_the_endpoint_has_the_same_address_each_time():
    assert endpoint_ip(IPv4Network("10.20.1.0/24")) == IPv4Address("10.20.1.16")
    assert endpoint_block(IPv4Network("10.20.1.0/24")) == IPv4Network("10.20.1.16/28")


def test_text_becomes_networks_and_addresses():
    assert parse_network("cidr", "10.20.0.0/16") == VPC
    assert parse_address("ip", "10.20.0.16") == IPv4Address("10.20.0.16")


def test_a_block_with_host_bits_is_refused():
    with refused(
        "cidr: want an IPv4 CIDR block such as '10.20.0.0/16'; got '10.20.0.1/16' "
        "(10.20.0.1/16 has host bits set)"
    ):
        parse_network("cidr", "10.20.0.1/16")


@pytest.mark.parametrize("text", ["", "ten", "10.20.0.0/33", "fd00::/64"])
def test_what_is_no_ipv4_block_is_refused(text: str):
    wanted = "cidr: want an IPv4 CIDR block such as '10.20.0.0/16'; got "
    with pytest.raises(ValueError, match=f"^{wanted}'{text}' "):
        parse_network("cidr", text)


@pytest.mark.parametrize("text", ["", "here", "10.20.0.256", "10.20.0.0/24", "::1"])
def test_what_is_no_ipv4_address_is_refused(text: str):
    with refused(f"ip: want an IPv4 address such as '10.20.0.16'; got '{text}'"):
        parse_address("ip", text)


@pytest.mark.parametrize("block", ["10.0.0.0/15", "10.0.0.0/29"])
def test_a_vpc_larger_or_smaller_than_ec2_takes_is_refused(block: str):
    with refused(f"cidr: want a block from /16 to /28, such as '10.20.0.0/16'; got '{block}'"):
        check_vpc("cidr", IPv4Network(block))


@pytest.mark.parametrize("block", ["10.0.0.0/16", "10.0.0.0/28"])
def test_the_largest_and_the_smallest_vpc_are_taken(block: str):
    check_vpc("cidr", IPv4Network(block))


def subnets(**blocks: str) -> dict[str, IPv4Network]:
    return {zone: IPv4Network(block) for zone, block in blocks.items()}


def test_subnets_side_by_side_are_taken_down_to_the_smallest():
    check_subnets("subnets", VPC, subnets(a="10.20.0.0/26", b="10.20.0.64/26", c="10.20.1.0/24"))


def test_a_subnet_outside_the_vpc_is_refused():
    with refused("subnets: want blocks inside 10.20.0.0/16; got '10.21.0.0/24' for b"):
        check_subnets("subnets", VPC, subnets(a="10.20.0.0/24", b="10.21.0.0/24"))


def test_a_subnet_too_small_for_load_balancer_and_endpoint_is_refused():
    with refused(
        "subnets: want /26 or larger, room for the load balancer and the endpoint; "
        "got '10.20.1.0/27' for b"
    ):
        check_subnets("subnets", VPC, subnets(a="10.20.0.0/24", b="10.20.1.0/27"))


def test_overlapping_subnets_are_refused():
    with refused(
        "subnets: want blocks that do not overlap; got '10.20.0.0/24' for a and "
        "'10.20.0.64/26' for c"
    ):
        check_subnets(
            "subnets", VPC, subnets(a="10.20.0.0/24", b="10.20.1.0/24", c="10.20.0.64/26")
        )


@pytest.mark.parametrize(("zones", "got"), [((), "none"), (("euw1-az1",), "euw1-az1")])
def test_fewer_than_two_zones_are_refused(zones: tuple[str, ...], got: str):
    message = (
        f"zones: want at least two Availability Zones, such as 'euw1-az1' and 'euw1-az2'; got {got}"
    )
    with refused(message):
        check_zones("zones", dict.fromkeys(zones))
    with refused(message):
        check_subnets("zones", VPC, {zone: IPv4Network("10.20.0.0/24") for zone in zones})


@pytest.mark.parametrize(
    ("addresses", "got"),
    [({}, "none"), ({"a": "10.0.0.9"}, "a"), ({"a": "10.0.0.9", "c": "10.0.1.9"}, "a, c")],
)
def test_endpoint_addresses_for_other_zones_than_the_subnets_are_refused(
    addresses: dict[str, str], got: str
):
    with refused(f"ips: want one free address for each of a, b, such as '10.20.0.16'; got {got}"):
        check_endpoint_ips("ips", ["b", "a"], addresses)


def test_an_endpoint_address_that_is_none_is_refused():
    with refused("ips.b: want an IPv4 address such as '10.20.0.16'; got 'there'"):
        check_endpoint_ips("ips", ["a", "b"], {"a": "10.0.0.9", "b": "there"})
    check_endpoint_ips("ips", ["a", "b"], {"b": "10.0.1.9", "a": "10.0.0.9"})
