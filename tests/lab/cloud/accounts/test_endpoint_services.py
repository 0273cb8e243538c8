"""Endpoint services: making, changing, showing them to others, and proving a private DNS name."""

import itertools
import re

import pytest
from botocore.exceptions import ClientError

from .privatelink import balancer, build, configuration, endpoint, prove, service

ACME, GLOBEX = "arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"
NUMBER = itertools.count()


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


@pytest.fixture(scope="module")
def place(ec2):
    return build(ec2, "euw1-az1", "euw1-az2")


@pytest.fixture
def nlb(client, place):
    return balancer(client("elbv2"), place, f"nlb-{next(NUMBER)}")


def seen(client, account, name):
    """ServiceDetails of the service as the account sees it; empty when it does not."""
    try:
        found = client("ec2", account).describe_vpc_endpoint_services(ServiceNames=[name])
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidServiceName":
            raise
        return {}
    return found["ServiceDetails"][0]


def delete(ec2, service_id):
    answer = ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service_id])
    return [each["Error"] for each in answer["Unsuccessful"]]


def test_a_service_is_named_after_its_id_and_is_in_its_load_balancers_zones(client, ec2, nlb):
    tags = [{"ResourceType": "vpc-endpoint-service", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = service(ec2, nlb, AcceptanceRequired=True, TagSpecifications=tags)
    service_id = made["ServiceId"]
    assert re.fullmatch(r"vpce-svc-[0-9a-f]{17}", service_id)
    got = configuration(ec2, service_id)
    assert got == made
    assert got["ServiceName"] == f"com.amazonaws.vpce.eu-west-1.{service_id}"
    assert got["ServiceType"] == [{"ServiceType": "Interface"}]
    assert got["ServiceState"] == "Available"
    assert got["AcceptanceRequired"] is True
    assert got["NetworkLoadBalancerArns"] == [nlb]
    assert got["AvailabilityZoneIds"] == ["euw1-az1", "euw1-az2"]
    names = client("ec2").describe_availability_zones(ZoneIds=["euw1-az1", "euw1-az2"])
    assert got["AvailabilityZones"] == [z["ZoneName"] for z in names["AvailabilityZones"]]
    assert got["BaseEndpointDnsNames"] == [f"{service_id}.eu-west-1.vpce.amazonaws.com"]
    assert got["SupportedRegions"] == [{"Region": "eu-west-1", "ServiceState": "Available"}]
    assert got["SupportedIpAddressTypes"] == ["ipv4"]
    assert got["Tags"] == [{"Key": "a", "Value": "b"}]
    assert "PrivateDnsNameConfiguration" not in got


def test_a_service_needs_an_active_network_load_balancer_of_its_own_account(
    client, ec2, place, nlb, refused
):
    with refused("InvalidParameter", "is a required member"):
        service(ec2)
    application = client("elbv2").create_load_balancer(
        Name="app", Subnets=list(place.subnets.values()), Scheme="internal"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    for arn in (application, nlb.replace("111122223333", "444455556666"), "nlb"):
        with refused("InvalidParameter", "does not exist"):
            service(ec2, arn)
    provisioning = balancer(client("elbv2"), place, "provisioning", active=False)
    with refused("InvalidParameter", "is not active"):
        service(ec2, provisioning)
    with refused("InvalidParameter", "does not exist"):
        service(client("ec2", "acme"), nlb)


def test_a_load_balancer_belongs_to_one_service_and_stays_while_it_does(client, ec2, nlb, refused):
    made = service(ec2, nlb)
    with refused("InvalidParameter", "already associated with another endpoint service"):
        service(ec2, nlb)
    with refused("ResourceInUse", "cannot be deleted because it is currently associated with"):
        client("elbv2").delete_load_balancer(LoadBalancerArn=nlb)
    assert delete(ec2, made["ServiceId"]) == []
    client("elbv2").delete_load_balancer(LoadBalancerArn=nlb)


def test_load_balancers_come_and_go_but_one_stays(client, ec2, place, nlb, refused):
    made = service(ec2, nlb)
    service_id, more = made["ServiceId"], build(ec2, "euw1-az3")
    other = balancer(client("elbv2"), more, f"nlb-{next(NUMBER)}")

    def modify(**arguments):
        ec2.modify_vpc_endpoint_service_configuration(ServiceId=service_id, **arguments)

    with refused("InvalidParameter", "at least one load balancer"):
        modify(RemoveNetworkLoadBalancerArns=[nlb])
    with refused("InvalidParameter", "is not associated with the service"):
        modify(RemoveNetworkLoadBalancerArns=[other])
    modify(AddNetworkLoadBalancerArns=[other], AcceptanceRequired=True)
    got = configuration(ec2, service_id)
    assert got["NetworkLoadBalancerArns"] == [nlb, other]
    assert got["AvailabilityZoneIds"] == ["euw1-az1", "euw1-az2", "euw1-az3"]
    assert got["AcceptanceRequired"] is True
    modify(RemoveNetworkLoadBalancerArns=[nlb])
    assert configuration(ec2, service_id)["AvailabilityZoneIds"] == ["euw1-az3"]


def test_a_zone_that_a_load_balancer_gets_later_counts_when_it_is_associated_anew(client, ec2):
    place = build(ec2, "euw1-az1", "euw1-az2")
    first = place.subnets["euw1-az1"]
    arn = balancer(client("elbv2"), place, f"nlb-{next(NUMBER)}", Subnets=[first])
    service_id = service(ec2, arn)["ServiceId"]
    client("elbv2").set_subnets(LoadBalancerArn=arn, Subnets=list(place.subnets.values()))
    assert configuration(ec2, service_id)["AvailabilityZoneIds"] == ["euw1-az1"]
    ec2.modify_vpc_endpoint_service_configuration(
        ServiceId=service_id, AddNetworkLoadBalancerArns=[arn]
    )
    assert configuration(ec2, service_id)["AvailabilityZoneIds"] == ["euw1-az1", "euw1-az2"]


def test_only_its_owner_has_a_service_in_hand(client, ec2, nlb, refused):
    service_id = service(ec2, nlb, allowed=["*"])["ServiceId"]
    acme = client("ec2", "acme")
    assert acme.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    with refused("InvalidVpcEndpointServiceId.NotFound", service_id):
        configuration(acme, service_id)
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        acme.modify_vpc_endpoint_service_permissions(
            ServiceId=service_id, AddAllowedPrincipals=[ACME]
        )
    assert delete(acme, service_id)[0]["Code"] == "InvalidVpcEndpointServiceId.NotFound"
    assert configuration(ec2, service_id)


def test_permissions_are_answered_with_their_kind_and_id(ec2, nlb):
    service_id = service(ec2, nlb)["ServiceId"]
    wanted = {
        ACME: "Account",
        "arn:aws:iam::777788889999:user/lab": "User",
        "arn:aws:iam::777788889999:role/path/deployer": "Role",
        "*": "All",
    }
    added = ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=service_id, AddAllowedPrincipals=list(wanted)
    )
    assert added["ReturnValue"] is True
    found = {each["Principal"]: each for each in added["AddedPrincipals"]}
    assert {principal: each["PrincipalType"] for principal, each in found.items()} == wanted
    for each in found.values():
        assert re.fullmatch(r"vpce-svc-perm-[0-9a-f]{17}", each["ServicePermissionId"])
        assert each["ServiceId"] == service_id
    again = ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=service_id, AddAllowedPrincipals=[ACME, GLOBEX], RemoveAllowedPrincipals=["*"]
    )
    assert [each["Principal"] for each in again["AddedPrincipals"]] == [GLOBEX]
    shown = ec2.describe_vpc_endpoint_service_permissions(ServiceId=service_id)
    kept = {each["Principal"]: each for each in shown["AllowedPrincipals"]}
    assert kept.keys() == {*wanted, GLOBEX} - {"*"}
    assert kept[ACME] == found[ACME]
    one = ec2.describe_vpc_endpoint_service_permissions(
        ServiceId=service_id, Filters=[{"Name": "principal-type", "Values": ["Role"]}]
    )["AllowedPrincipals"]
    assert [each["Principal"] for each in one] == ["arn:aws:iam::777788889999:role/path/deployer"]


@pytest.mark.parametrize(
    "principal",
    ["444455556666", "arn:aws:iam::4444:root", "arn:aws:iam::444455556666:group/g", "acme", ""],
)
def test_what_is_no_principal_is_refused(ec2, nlb, refused, principal):
    service_id = service(ec2, nlb)["ServiceId"]
    with refused("InvalidPrincipal"):
        ec2.modify_vpc_endpoint_service_permissions(
            ServiceId=service_id, AddAllowedPrincipals=[ACME, principal]
        )
    shown = ec2.describe_vpc_endpoint_service_permissions(ServiceId=service_id)
    assert shown["AllowedPrincipals"] == []


@pytest.mark.parametrize(
    ("principal", "acme", "globex"),
    [
        (None, False, False),
        (ACME, True, False),
        ("arn:aws:iam::444455556666:user/lab", True, False),
        ("arn:aws:iam::444455556666:user/other", False, False),
        ("arn:aws:iam::777788889999:role/lab", False, False),
        ("*", True, True),
    ],
)
def test_only_its_owner_and_allowed_principals_see_a_service(
    client, ec2, nlb, principal, acme, globex
):
    name = service(ec2, nlb, allowed=[principal] if principal else [])["ServiceName"]
    assert seen(client, "producer", name)
    assert bool(seen(client, "acme", name)) is acme
    assert bool(seen(client, "globex", name)) is globex
    everything = client("ec2", "acme").describe_vpc_endpoint_services()["ServiceNames"]
    assert (name in everything) is acme


def test_a_service_looks_to_each_account_as_its_zones_are_named_there(client, ec2, nlb):
    made = service(ec2, nlb, allowed=["*"])
    for account in ("producer", "acme", "globex"):
        found = seen(client, account, made["ServiceName"])
        assert found["ServiceId"] == made["ServiceId"]
        assert found["Owner"] == "111122223333"
        assert found["VpcEndpointPolicySupported"] is False
        assert found["AvailabilityZoneIds"] == ["euw1-az1", "euw1-az2"]
        zones = client("ec2", account).describe_availability_zones(
            ZoneNames=found["AvailabilityZones"]
        )["AvailabilityZones"]
        assert {zone["ZoneId"] for zone in zones} == {"euw1-az1", "euw1-az2"}


def test_services_can_be_filtered_and_paged(client, ec2, nlb, refused):
    made = service(ec2, nlb, allowed=[ACME])
    acme = client("ec2", "acme")

    def names(**request):
        return acme.describe_vpc_endpoint_services(**request)["ServiceNames"]

    by_owner = [{"Name": "owner", "Values": ["111122223333"]}]
    assert made["ServiceName"] in names(Filters=by_owner)
    assert all(name.startswith("com.amazonaws.vpce.") for name in names(Filters=by_owner))
    by_name = [{"Name": "service-name", "Values": ["*.execute-api"]}]
    assert names(Filters=by_name) == ["com.amazonaws.eu-west-1.execute-api"]
    with refused("InvalidParameterValue", "The filter 'colour' is invalid"):
        names(Filters=[{"Name": "colour", "Values": ["red"]}])
    first = acme.describe_vpc_endpoint_services(MaxResults=5)
    second = acme.describe_vpc_endpoint_services(MaxResults=5, NextToken=first["NextToken"])
    assert first["ServiceNames"] + second["ServiceNames"] == names()[:10]


def test_a_service_with_open_connections_is_not_deleted(client, ec2, nlb):
    made = service(ec2, nlb, allowed=[ACME])
    service_id = made["ServiceId"]
    acme = build(client("ec2", "acme"), "euw1-az1")
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    [error] = delete(ec2, service_id)
    assert error == {
        "Code": "ExistingVpcEndpointConnections",
        "Message": f"Service {service_id} has existing active VPC Endpoint connections!",
    }
    ec2.reject_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=[endpoint_id])
    assert delete(ec2, service_id) == []
    assert delete(ec2, service_id)[0]["Code"] == "InvalidVpcEndpointServiceId.NotFound"
    acme.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])


def test_a_load_balancer_with_open_connections_is_not_taken_away(client, ec2, nlb, refused):
    other = balancer(client("elbv2"), build(ec2, "euw1-az1"), f"nlb-{next(NUMBER)}")
    made = service(ec2, nlb, other, allowed=[ACME])
    endpoint(build(client("ec2", "acme"), "euw1-az1"), made["ServiceName"])
    with refused("ExistingVpcEndpointConnections"):
        ec2.modify_vpc_endpoint_service_configuration(
            ServiceId=made["ServiceId"], RemoveNetworkLoadBalancerArns=[nlb]
        )


def verify(ec2, service_id):
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=service_id)
    return configuration(ec2, service_id)["PrivateDnsNameConfiguration"]["State"]


def test_a_private_dns_name_waits_for_its_proof(client, ec2, nlb):
    made = service(ec2, nlb, PrivateDnsName="api.widgets.test", allowed=[ACME])
    proof = made["PrivateDnsNameConfiguration"]
    assert (proof["State"], proof["Type"]) == ("pendingVerification", "TXT")
    assert re.fullmatch(r"_[a-z0-9]{20}", proof["Name"])
    assert re.fullmatch(r"vpce:[A-Za-z0-9]{20}", proof["Value"])
    assert verify(ec2, made["ServiceId"]) == "failed"
    prove(client("route53"), made, "api.widgets.test")
    assert configuration(ec2, made["ServiceId"])["PrivateDnsNameConfiguration"] == {
        **proof, "State": "failed"
    }  # fmt: skip
    assert verify(ec2, made["ServiceId"]) == "verified"
    details = seen(client, "acme", made["ServiceName"])
    assert details["PrivateDnsName"] == "api.widgets.test"
    assert details["PrivateDnsNames"] == [{"PrivateDnsName": "api.widgets.test"}]
    assert details["PrivateDnsNameVerificationState"] == "verified"


def test_a_parent_domains_proof_holds_for_a_wildcard_too(client, ec2, nlb):
    made = service(ec2, nlb, PrivateDnsName="*.api.parent.test")
    prove(client("route53"), made, "parent.test")
    assert verify(ec2, made["ServiceId"]) == "verified"


def test_a_proof_in_a_private_zone_or_of_another_service_or_domain_is_none(client, ec2, place, nlb):
    made = service(ec2, nlb, PrivateDnsName="api.secret.test")
    other = service(
        ec2, balancer(client("elbv2"), place, f"nlb-{next(NUMBER)}"),
        PrivateDnsName="api.secret.test",
    )  # fmt: skip
    route53 = client("route53")
    prove(route53, other, "secret.test")
    prove(route53, made, "elsewhere.test")
    zone = route53.create_hosted_zone(
        Name="api.secret.test",
        CallerReference="private",
        VPC={"VPCId": place.vpc_id, "VPCRegion": "eu-west-1"},
    )["HostedZone"]
    assert zone["Config"]["PrivateZone"]
    prove(route53, made, "api.secret.test")
    assert verify(ec2, made["ServiceId"]) == "failed"
    assert verify(ec2, other["ServiceId"]) == "verified"


def test_a_record_with_another_value_proves_nothing(client, ec2, nlb):
    made = service(ec2, nlb, PrivateDnsName="api.valued.test")
    wrong = {**made["PrivateDnsNameConfiguration"], "Value": "vpce:00000000000000000000"}
    prove(client("route53"), {"PrivateDnsNameConfiguration": wrong}, "valued.test")
    assert verify(ec2, made["ServiceId"]) == "failed"
    prove(client("route53"), made, "valued.test")
    assert verify(ec2, made["ServiceId"]) == "verified"


def test_another_private_dns_name_needs_another_proof(client, ec2, nlb, refused):
    service_id = service(ec2, nlb, PrivateDnsName="one.moved.test")["ServiceId"]
    prove(client("route53"), configuration(ec2, service_id), "one.moved.test")
    assert verify(ec2, service_id) == "verified"

    def modify(**arguments):
        ec2.modify_vpc_endpoint_service_configuration(ServiceId=service_id, **arguments)
        return configuration(ec2, service_id)

    before = configuration(ec2, service_id)
    assert modify(PrivateDnsName="one.moved.test") == before
    after = modify(PrivateDnsName="two.moved.test")
    assert after["PrivateDnsNameConfiguration"]["State"] == "pendingVerification"
    assert (
        after["PrivateDnsNameConfiguration"]["Value"]
        != before["PrivateDnsNameConfiguration"]["Value"]
    )
    with refused("InvalidParameter", "cannot be specified together"):
        modify(PrivateDnsName="three.moved.test", RemovePrivateDnsName=True)
    assert "PrivateDnsName" not in modify(RemovePrivateDnsName=True)
    with refused("InvalidParameter", "does not have a private DNS name"):
        verify(ec2, service_id)


@pytest.mark.parametrize(
    "name", ["API.example.com", "example", "a.*.example.com", "-a.example.com"]
)
def test_what_is_no_private_dns_name_is_refused(ec2, nlb, refused, name):
    with refused("InvalidParameter", "is not valid"):
        service(ec2, nlb, PrivateDnsName=name)


@pytest.mark.parametrize(
    "arguments",
    [
        {"SupportedRegions": ["us-east-1"]},
        {"SupportedIpAddressTypes": ["ipv4", "ipv6"]},
        {"GatewayLoadBalancerArns": ["x"]},
    ],
)
def test_what_is_not_modelled_says_so(ec2, nlb, refused, arguments):
    with refused("NotImplemented", "does not model it"):
        service(ec2, nlb, **arguments)


def test_the_services_own_region_and_type_may_be_named(ec2, nlb):
    made = service(ec2, nlb, SupportedRegions=["eu-west-1"], SupportedIpAddressTypes=["ipv4"])
    assert made["SupportedRegions"][0]["Region"] == "eu-west-1"
