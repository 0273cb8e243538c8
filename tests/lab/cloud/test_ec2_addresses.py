import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def ec2(client):
    return client("ec2")


@pytest.fixture
def subnet(ec2):
    """The smallest subnet there is: 16 addresses, 11 of them usable."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/28")["Subnet"]["SubnetId"]


def reserve(ec2, subnet, cidr, kind="explicit", **settings):
    return ec2.create_subnet_cidr_reservation(
        SubnetId=subnet, Cidr=cidr, ReservationType=kind, **settings
    )["SubnetCidrReservation"]


def interface(ec2, subnet, **settings):
    made = ec2.create_network_interface(SubnetId=subnet, **settings)
    return made["NetworkInterface"]["PrivateIpAddress"]


def test_an_automatic_address_is_never_aws_or_reserved_or_in_use(ec2, subnet):
    reserve(ec2, subnet, "10.0.0.4/30")
    reserve(ec2, subnet, "10.0.0.12/31", "prefix")
    taken = [interface(ec2, subnet) for _ in range(5)]
    assert taken == ["10.0.0.8", "10.0.0.9", "10.0.0.10", "10.0.0.11", "10.0.0.14"]
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        interface(ec2, subnet)


def test_an_explicit_reservation_is_for_who_asks_for_its_addresses(ec2, subnet):
    reserve(ec2, subnet, "10.0.0.4/30")
    assert interface(ec2, subnet, PrivateIpAddress="10.0.0.5") == "10.0.0.5"


def test_a_prefix_reservation_gives_no_single_address(ec2, subnet):
    reserve(ec2, subnet, "10.0.0.4/30", "prefix")
    with pytest.raises(ClientError, match="Address is in subnet's reserved address range"):
        interface(ec2, subnet, PrivateIpAddress="10.0.0.5")


def test_a_deleted_reservation_frees_its_addresses(ec2, subnet):
    reservation = reserve(ec2, subnet, "10.0.0.4/30")
    which = {"SubnetCidrReservationId": reservation["SubnetCidrReservationId"]}
    ec2.delete_subnet_cidr_reservation(**which)
    assert interface(ec2, subnet) == "10.0.0.4"
    with pytest.raises(ClientError, match=r"InvalidSubnetCidrReservationID\.NotFound"):
        ec2.delete_subnet_cidr_reservation(**which)


def test_a_reservation_comes_back_as_it_was_sent(ec2, subnet):
    tags = [{"Key": "a", "Value": "b"}]
    specification = [{"ResourceType": "subnet-cidr-reservation", "Tags": tags}]
    reserve(ec2, subnet, "10.0.0.4/30", Description="d", TagSpecifications=specification)
    [got] = ec2.get_subnet_cidr_reservations(SubnetId=subnet)["SubnetIpv4CidrReservations"]
    assert got["Cidr"] == "10.0.0.4/30"
    assert got["ReservationType"] == "explicit"
    assert got["Description"] == "d"
    assert got["Tags"] == tags


def test_a_reservation_outside_the_subnet_is_refused(ec2, subnet):
    with pytest.raises(ClientError, match="Reservation CIDR should be within subnet CIDR block"):
        reserve(ec2, subnet, "10.0.1.0/28")


def test_a_reservation_that_overlaps_another_is_refused(ec2, subnet):
    reserve(ec2, subnet, "10.0.0.4/30")
    with pytest.raises(ClientError, match="has overlap with existing reserved CIDR block"):
        reserve(ec2, subnet, "10.0.0.0/29")


def test_an_address_is_free_again_when_its_interface_is_gone(ec2, subnet):
    made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    assert interface(ec2, subnet) == made["PrivateIpAddress"] == "10.0.0.4"
