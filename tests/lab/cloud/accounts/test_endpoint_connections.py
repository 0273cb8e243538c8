"""Interface endpoints of one account to the endpoint service of another."""

import itertools
import json

import pytest

from .privatelink import (
    balancer,
    build,
    configuration,
    endpoint,
    prove,
    service,
    state,
)

ACME = "arn:aws:iam::444455556666:root"
NUMBER = itertools.count()
FULL = {"Statement": [{"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


@pytest.fixture(scope="module")
def producer(ec2):
    return build(ec2, "euw1-az1", "euw1-az2")


@pytest.fixture
def acme(client):
    return build(client("ec2", "acme"), "euw1-az1", "euw1-az2")


@pytest.fixture
def offer(client, ec2, producer):
    """`offer(AcceptanceRequired=True, …)`: a service that acme may connect to."""

    def make(**arguments):
        arn = balancer(client("elbv2"), producer, f"nlb-{next(NUMBER)}")
        return service(ec2, arn, **({"allowed": [ACME]} | arguments))

    return make


def connections(ec2, service_id):
    of_service = [{"Name": "service-id", "Values": [service_id]}]
    return ec2.describe_vpc_endpoint_connections(Filters=of_service)["VpcEndpointConnections"]


def decide(ec2, verb, service_id, *endpoint_ids):
    """The codes of what could not be accepted or rejected."""
    act = getattr(ec2, f"{verb}_vpc_endpoint_connections")
    answer = act(ServiceId=service_id, VpcEndpointIds=list(endpoint_ids))
    return [each["Error"]["Code"] for each in answer["Unsuccessful"]]


def test_an_endpoint_is_available_at_once_where_no_acceptance_is_required(ec2, acme, offer):
    made = offer()
    connected = endpoint(acme, made["ServiceName"])
    assert connected["State"] == "pending"
    endpoint_id = connected["VpcEndpointId"]
    assert state(acme.ec2, endpoint_id) == "available"
    [connection] = connections(ec2, made["ServiceId"])
    assert connection["VpcEndpointId"] == endpoint_id
    assert connection["VpcEndpointOwner"] == "444455556666"
    assert connection["VpcEndpointState"] == "available"
    assert connection["NetworkLoadBalancerArns"] == made["NetworkLoadBalancerArns"]
    assert connection["DnsEntries"] == connected["DnsEntries"]
    assert connection["VpcEndpointConnectionId"].startswith("vpce-con-")


def test_an_endpoint_waits_for_its_acceptance_where_it_is_required(ec2, acme, offer):
    made = offer(AcceptanceRequired=True)
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    assert state(acme.ec2, endpoint_id) == "pendingAcceptance"
    assert connections(ec2, made["ServiceId"])[0]["VpcEndpointState"] == "pendingAcceptance"
    assert decide(ec2, "accept", made["ServiceId"], endpoint_id) == []
    assert connections(ec2, made["ServiceId"])[0]["VpcEndpointState"] == "available"
    assert state(acme.ec2, endpoint_id) == "available"


@pytest.mark.parametrize("accepted", [True, False])
def test_a_connection_is_rejected_before_or_after_its_acceptance_and_for_good(
    ec2, acme, offer, accepted
):
    made = offer(AcceptanceRequired=True)
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    if accepted:
        decide(ec2, "accept", made["ServiceId"], endpoint_id)
    assert decide(ec2, "reject", made["ServiceId"], endpoint_id) == []
    assert state(acme.ec2, endpoint_id) == "rejected"
    for verb in ("accept", "reject"):
        assert decide(ec2, verb, made["ServiceId"], endpoint_id) == ["InvalidState"]
    assert connections(ec2, made["ServiceId"])[0]["VpcEndpointState"] == "rejected"


def test_only_the_services_owner_decides_and_only_on_its_own_connections(
    client, ec2, acme, offer, refused
):
    made, other = offer(AcceptanceRequired=True), offer(AcceptanceRequired=True)
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        decide(acme.ec2, "accept", made["ServiceId"], endpoint_id)
    assert acme.ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"] == []
    wrong = decide(ec2, "accept", other["ServiceId"], endpoint_id, "vpce-0")
    assert wrong == ["InvalidVpcEndpointId.NotFound"] * 2
    assert state(acme.ec2, endpoint_id) == "pendingAcceptance"


def test_connections_can_be_found_by_endpoint_owner_and_state(client, ec2, acme, offer):
    made = offer(allowed=["*"], AcceptanceRequired=True)
    globex = build(client("ec2", "globex"), "euw1-az1")
    mine = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    theirs = endpoint(globex, made["ServiceName"])["VpcEndpointId"]
    decide(ec2, "accept", made["ServiceId"], theirs)

    def ids(name, value):
        wanted = [
            {"Name": "service-id", "Values": [made["ServiceId"]]}, {"Name": name, "Values": [value]}
        ]  # fmt: skip
        found = ec2.describe_vpc_endpoint_connections(Filters=wanted)["VpcEndpointConnections"]
        return [each["VpcEndpointId"] for each in found]

    assert ids("vpc-endpoint-owner", "444455556666") == [mine]
    assert ids("vpc-endpoint-state", "available") == [theirs]
    assert ids("vpc-endpoint-id", mine) == [mine]


def test_an_endpoint_has_interfaces_and_names_in_its_owners_zones(acme, offer):
    made = offer()
    connected = endpoint(acme, made["ServiceName"])
    assert connected["OwnerId"] == "444455556666"
    found = acme.ec2.describe_network_interfaces(
        NetworkInterfaceIds=connected["NetworkInterfaceIds"]
    )["NetworkInterfaces"]
    assert {each["SubnetId"] for each in found} == set(acme.subnets.values())
    for each in found:
        assert [group["GroupId"] for group in each["Groups"]] == [acme.group_id]
    names = [entry["DnsName"] for entry in connected["DnsEntries"]]
    suffix = f".{made['ServiceId']}.eu-west-1.vpce.amazonaws.com"
    regional = names[0].removesuffix(suffix)
    assert regional.startswith(f"{connected['VpcEndpointId']}-")
    zones = acme.ec2.describe_subnets(SubnetIds=list(acme.subnets.values()))["Subnets"]
    zonal = {f"{regional}-{zone['AvailabilityZone']}{suffix}" for zone in zones}
    assert set(names[1:]) == zonal
    assert len(names) == 3


def test_whom_no_permission_names_gets_what_a_missing_service_gets(client, ec2, offer, refused):
    made = offer()
    globex = build(client("ec2", "globex"), "euw1-az1")
    name = made["ServiceName"]
    words = f"The Vpc Endpoint Service '{name}' does not exist"
    with refused("InvalidServiceName", words):
        endpoint(globex, name)
    with refused("InvalidServiceName", "vpce-svc-0' does not exist"):
        endpoint(globex, "com.amazonaws.vpce.eu-west-1.vpce-svc-0")
    assert connections(ec2, made["ServiceId"]) == []


def test_a_permission_that_is_withdrawn_ends_no_connection(ec2, acme, offer, refused):
    made = offer()
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=made["ServiceId"], RemoveAllowedPrincipals=[ACME]
    )
    assert state(acme.ec2, endpoint_id) == "available"
    assert connections(ec2, made["ServiceId"])[0]["VpcEndpointState"] == "available"
    with refused("InvalidServiceName"):
        endpoint(acme, made["ServiceName"])


def test_a_subnet_in_a_zone_without_the_service_is_refused(client, ec2, offer, refused):
    made, there = offer(), build(client("ec2", "acme"), "euw1-az1", "euw1-az3")
    wrong = there.subnets["euw1-az3"]
    words = (
        f"The VPC endpoint service {made['ServiceName']} does not support the availability zone of"
        f" the subnet: {wrong}"
    )
    with refused("InvalidParameter", words):
        endpoint(there, made["ServiceName"])
    assert connections(ec2, made["ServiceId"]) == []
    right = [there.subnets["euw1-az1"]]
    endpoint_id = endpoint(there, made["ServiceName"], SubnetIds=right)["VpcEndpointId"]
    with refused("InvalidParameter", words):
        there.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, AddSubnetIds=[wrong])


def test_one_subnet_of_a_zone_is_enough(acme, offer, refused):
    subnet = acme.subnets["euw1-az1"]
    other = acme.ec2.create_subnet(
        VpcId=acme.vpc_id, CidrBlock="10.0.9.0/24", AvailabilityZoneId="euw1-az1"
    )["Subnet"]["SubnetId"]
    with refused("DuplicateSubnetsInSameZone"):
        endpoint(acme, offer()["ServiceName"], SubnetIds=[subnet, other])


def test_the_service_offers_interface_endpoints_only(acme, offer, refused):
    words = r"Endpoint type \(Gateway\) does not match available service types \(\[Interface\]\)"
    with refused("InvalidParameter", words):
        endpoint(acme, offer()["ServiceName"], VpcEndpointType="Gateway")


def test_an_endpoint_to_a_service_has_no_policy_of_its_own(acme, offer, refused):
    name = offer()["ServiceName"]
    narrow = json.dumps(FULL).replace('"Action": "*"', '"Action": "execute-api:*"')
    with refused("InvalidParameter", f"{name} does not support VPC endpoint policies"):
        endpoint(acme, name, PolicyDocument=narrow)
    connected = endpoint(acme, name, PolicyDocument=json.dumps(FULL))
    assert json.loads(connected["PolicyDocument"]) == FULL
    with refused("InvalidParameter", "does not support VPC endpoint policies"):
        acme.ec2.modify_vpc_endpoint(
            VpcEndpointId=connected["VpcEndpointId"], PolicyDocument=narrow
        )


def test_private_dns_is_off_unless_asked_for(acme, offer):
    connected = endpoint(acme, offer()["ServiceName"])
    assert connected["PrivateDnsEnabled"] is False


def verified(client, ec2, made, domain):
    prove(client("route53"), configuration(ec2, made["ServiceId"]), domain)
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=made["ServiceId"])
    return made["ServiceName"]


def test_private_dns_needs_a_name_that_is_verified(client, ec2, acme, offer, refused):
    with refused("InvalidParameter", "does not provide a private DNS name"):
        endpoint(acme, offer()["ServiceName"], PrivateDnsEnabled=True)
    made = offer(PrivateDnsName="api.links.test")
    with refused("InvalidParameter", "has not verified its private DNS name"):
        endpoint(acme, made["ServiceName"], PrivateDnsEnabled=True)
    name = verified(client, ec2, made, "api.links.test")
    connected = endpoint(acme, name, PrivateDnsEnabled=True)
    assert connected["PrivateDnsEnabled"] is True
    assert [each["DnsName"] for each in connected["DnsEntries"]][-1] == "api.links.test"
    [seen] = connections(ec2, made["ServiceId"])
    assert "api.links.test" not in [each["DnsName"] for each in seen["DnsEntries"]]


def test_private_dns_needs_a_vpc_with_dns_and_one_endpoint_for_the_name(
    client, ec2, acme, offer, refused
):
    made = offer(PrivateDnsName="api.single.test")
    name = verified(client, ec2, made, "single.test")
    without = build(client("ec2", "acme"), "euw1-az1", dns=False)
    with refused("InvalidParameter", "requires both enableDnsSupport and enableDnsHostnames"):
        endpoint(without, name, PrivateDnsEnabled=True)
    endpoint(acme, name, PrivateDnsEnabled=True)
    with refused("InvalidParameter", "conflicting DNS domain for api.single.test"):
        endpoint(acme, name, PrivateDnsEnabled=True)


def test_private_dns_comes_after_the_acceptance(client, ec2, acme, offer, refused):
    made = offer(PrivateDnsName="api.later.test", AcceptanceRequired=True)
    name = verified(client, ec2, made, "later.test")
    words = "Private DNS can't be enabled until the endpoint connection is accepted"
    with refused("InvalidParameter", words):
        endpoint(acme, name, PrivateDnsEnabled=True)
    endpoint_id = endpoint(acme, name)["VpcEndpointId"]

    def enable():
        acme.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PrivateDnsEnabled=True)

    with refused("InvalidParameter", words):
        enable()
    decide(ec2, "accept", made["ServiceId"], endpoint_id)
    enable()
    [got] = acme.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    assert got["DnsEntries"][-1]["DnsName"] == "api.later.test"
    acme.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint_id, PrivateDnsEnabled=False)
    [got] = acme.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    assert got["PrivateDnsEnabled"] is False


def test_an_endpoint_that_is_deleted_takes_its_connection_and_interfaces_along(ec2, acme, offer):
    made = offer()
    connected = endpoint(acme, made["ServiceName"])
    gone = acme.ec2.delete_vpc_endpoints(VpcEndpointIds=[connected["VpcEndpointId"]])
    assert gone["Unsuccessful"] == []
    assert connections(ec2, made["ServiceId"]) == []
    of_vpc = [{"Name": "vpc-id", "Values": [acme.vpc_id]}]
    assert acme.ec2.describe_network_interfaces(Filters=of_vpc)["NetworkInterfaces"] == []


def test_a_vpc_has_fifty_interface_endpoints_at_most(client, offer, refused):
    place, name = build(client("ec2", "acme")), offer()["ServiceName"]
    for _ in range(50):
        endpoint(place, name, SubnetIds=[])
    with refused("VpcEndpointLimitExceeded"):
        endpoint(place, name, SubnetIds=[])
