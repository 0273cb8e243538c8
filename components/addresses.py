"""CIDR arithmetic for the subnets that the load balancer and the endpoint share."""

from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

SMALLEST_SUBNET = 26
"""Prefix length. A load balancer wants eight free addresses in each subnet (ELB user guide,
"Subnets for your load balancer"), and `endpoint_block` keeps sixteen back."""

LARGEST, SMALLEST = 16, 28
"""Prefix lengths that EC2 takes for a VPC (VPC user guide, "VPC CIDR blocks")."""

_ENDPOINT_HOST = 16


def endpoint_block(subnet: IPv4Network) -> IPv4Network:
    """The /28 of `subnet` that is reserved for endpoint addresses, clear of those AWS keeps."""
    return IPv4Network((int(subnet.network_address) + _ENDPOINT_HOST, 28))


def endpoint_ip(subnet: IPv4Network) -> IPv4Address:
    """The fixed address of the execute-api endpoint in `subnet`."""
    return endpoint_block(subnet).network_address


def parse_network(field: str, value: str) -> IPv4Network:
    """An IPv4 network from CIDR notation.

    Raises ValueError naming `field` when host bits are set or the text is no CIDR block.
    """
    try:
        return IPv4Network(value)
    except ValueError as error:
        raise ValueError(
            f"{field}: want an IPv4 CIDR block such as '10.20.0.0/16'; got {value!r} ({error})"
        ) from error


def parse_address(field: str, value: str) -> IPv4Address:
    """An IPv4 address from text. Raises ValueError naming `field`."""
    try:
        return IPv4Address(value)
    except ValueError as error:
        raise ValueError(
            f"{field}: want an IPv4 address such as '10.20.0.16'; got {value!r}"
        ) from error


def check_vpc(field: str, vpc: IPv4Network) -> None:
    """Refuse a VPC block that EC2 refuses. Raises ValueError naming `field`."""
    if not LARGEST <= vpc.prefixlen <= SMALLEST:
        raise ValueError(
            f"{field}: want a block from /{LARGEST} to /{SMALLEST}, such as '10.20.0.0/16'; "
            f"got '{vpc}'"
        )


def check_subnets(field: str, vpc: IPv4Network, subnets: Mapping[str, IPv4Network]) -> None:
    """Refuse subnets that are outside the VPC, too small, overlapping, or fewer than two.

    Raises ValueError naming `field` and the zones at fault.
    """
    check_zones(field, subnets)
    for zone, subnet in subnets.items():
        if not subnet.subnet_of(vpc):
            raise ValueError(f"{field}: want blocks inside {vpc}; got '{subnet}' for {zone}")
        if subnet.prefixlen > SMALLEST_SUBNET:
            raise ValueError(
                f"{field}: want /{SMALLEST_SUBNET} or larger, room for the load balancer and the "
                f"endpoint; got '{subnet}' for {zone}"
            )
    for (zone, subnet), (other_zone, other) in combinations(subnets.items(), 2):
        if subnet.overlaps(other):
            raise ValueError(
                f"{field}: want blocks that do not overlap; got '{subnet}' for {zone} and "
                f"'{other}' for {other_zone}"
            )


def check_endpoint_ips(field: str, zones: Collection[str], addresses: Mapping[str, str]) -> None:
    """Refuse anything but one IPv4 address for each of `zones`. Raises ValueError."""
    if set(addresses) != set(zones):
        raise ValueError(
            f"{field}: want one free address for each of {', '.join(sorted(zones))}, "
            f"such as '10.20.0.16'; got {', '.join(sorted(addresses)) or 'none'}"
        )
    for zone, address in addresses.items():
        parse_address(f"{field}.{zone}", address)


def check_zones(field: str, zones: Mapping[str, object]) -> None:
    """Refuse fewer than two Availability Zones, as a load balancer does. Raises ValueError."""
    if len(zones) < 2:
        raise ValueError(
            f"{field}: want at least two Availability Zones, such as 'euw1-az1' and 'euw1-az2'; "
            f"got {', '.join(zones) or 'none'}"
        )
