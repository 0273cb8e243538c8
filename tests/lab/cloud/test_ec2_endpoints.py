import json

import pytest
from botocore.exceptions import ClientError

SERVICE = "com.amazonaws.eu-west-1.execute-api"


class Vpc:
    """A VPC with a subnet in each of two zones and a security group, as ids."""

    def __init__(self, ec2, cidr="10.0"):
        self.id = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(
                VpcId=self.id,
                CidrBlock=f"{cidr}.{number}.0/24",
                AvailabilityZone=f"eu-west-1{zone}",
            )["Subnet"]["SubnetId"]
            for number, zone in ((1, "a"), (2, "b"))
        ]
        self.group = ec2.create_security_group(GroupName="e", Description="e", VpcId=self.id)[
            "GroupId"
        ]


@pytest.fixture
def ec2(client):
    return client("ec2")


@pytest.fixture
def vpc(ec2):
    return Vpc(ec2)


def create(ec2, vpc, **settings):
    defaults = {
        "VpcId": vpc.id,
        "ServiceName": SERVICE,
        "VpcEndpointType": "Interface",
        "SubnetIds": vpc.subnets,
        "SecurityGroupIds": [vpc.group],
        "PrivateDnsEnabled": False,
    }
    return ec2.create_vpc_endpoint(**defaults | settings)["VpcEndpoint"]


def described(ec2, endpoint):
    [found] = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])["VpcEndpoints"]
    return found


def interfaces(ec2, endpoint):
    ids = described(ec2, endpoint)["NetworkInterfaceIds"]
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"]
    return {each["SubnetId"]: each for each in found}


def addresses(ec2, endpoint):
    return {subnet: each["PrivateIpAddress"] for subnet, each in interfaces(ec2, endpoint).items()}


def fixed(vpc, *hosts):
    return [
        {"SubnetId": subnet, "Ipv4": host} for subnet, host in zip(vpc.subnets, hosts, strict=False)
    ]


def refused(ec2, vpc, code, words, **settings):
    """`settings` are refused, and nothing is left behind."""
    interfaces_before = len(ec2.describe_network_interfaces()["NetworkInterfaces"])
    with pytest.raises(ClientError) as refusal:
        create(ec2, vpc, **settings)
    assert refusal.value.response["Error"]["Code"] == code
    assert words in refusal.value.response["Error"]["Message"]
    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == interfaces_before


def test_an_endpoint_has_an_interface_with_the_wanted_address_in_each_subnet(ec2, vpc):
    endpoint = create(ec2, vpc, SubnetConfigurations=fixed(vpc, "10.0.1.10", "10.0.2.10"))
    assert addresses(ec2, endpoint) == dict(
        zip(vpc.subnets, ["10.0.1.10", "10.0.2.10"], strict=True)
    )
    for interface in interfaces(ec2, endpoint).values():
        assert interface["InterfaceType"] == "vpc_endpoint"
        assert interface["Description"] == f"VPC Endpoint Interface {endpoint['VpcEndpointId']}"
        assert interface["Status"] == "in-use"
        assert [group["GroupId"] for group in interface["Groups"]] == [vpc.group]


def test_an_endpoint_comes_back_as_it_was_sent_and_available(ec2, vpc):
    policy = json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "execute-api:*", "Resource": "*"}
            ]
        }
    )
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "a", "Value": "b"}]}]
    created = create(ec2, vpc, PolicyDocument=policy, TagSpecifications=tags)
    got = described(ec2, created)
    assert (created["State"], got["State"]) == ("pending", "available")
    assert got["SubnetIds"] == vpc.subnets
    assert got["Groups"] == [{"GroupId": vpc.group, "GroupName": "e"}]
    assert got["PolicyDocument"] == policy
    assert got["PrivateDnsEnabled"] is False
    assert got["IpAddressType"] == "ipv4"
    assert got["DnsOptions"] == {"DnsRecordIpType": "ipv4"}
    assert got["Tags"] == [{"Key": "a", "Value": "b"}]


def test_an_endpoint_has_a_regional_name_and_one_per_zone_and_a_private_one_if_asked(ec2, vpc):
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc.id, **{attribute: {"Value": True}})
    endpoint = create(ec2, vpc, PrivateDnsEnabled=True)
    names = [entry["DnsName"] for entry in endpoint["DnsEntries"]]
    suffix = ".execute-api.eu-west-1.vpce.amazonaws.com"
    regional = names[0].removesuffix(suffix)
    assert regional.startswith(endpoint["VpcEndpointId"])
    assert names[1:] == [
        f"{regional}-eu-west-1a{suffix}",
        f"{regional}-eu-west-1b{suffix}",
        "execute-api.eu-west-1.amazonaws.com",
    ]
    refused(
        ec2, vpc, "InvalidParameter", "already a conflicting DNS domain", PrivateDnsEnabled=True
    )


def test_without_security_groups_an_endpoint_gets_the_vpcs_default_one(ec2, vpc):
    endpoint = create(ec2, vpc, SecurityGroupIds=[])
    assert [group["GroupName"] for group in endpoint["Groups"]] == ["default"]


def test_the_default_policy_allows_everything(ec2, vpc):
    [statement] = json.loads(create(ec2, vpc)["PolicyDocument"])["Statement"]
    assert statement == {"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("host", "code", "words"),
    [
        ("10.0.2.10", "InvalidParameterValue", "does not fall within the subnet's address range"),
        ("10.0.1.3", "InvalidParameterValue", "Address is in subnet's reserved address range"),
        ("10.0.1.255", "InvalidParameterValue", "Address is in subnet's reserved address range"),
        ("10.0.1", "InvalidParameterValue", "Invalid IP address: 10.0.1"),
    ],
)
def test_an_address_that_no_interface_can_have_is_refused(ec2, vpc, host, code, words):
    refused(ec2, vpc, code, words, SubnetConfigurations=fixed(vpc, host))


def test_an_address_in_use_is_refused(ec2, vpc):
    create(ec2, vpc, SubnetConfigurations=fixed(vpc, "10.0.1.10"))
    refused(
        ec2,
        vpc,
        "InvalidIPAddress.InUse",
        "Address 10.0.1.10 is in use.",
        SubnetConfigurations=fixed(vpc, "10.0.1.10"),
    )


def test_an_address_for_a_subnet_the_endpoint_is_not_in_is_refused(ec2, vpc):
    refused(
        ec2,
        vpc,
        "InvalidParameter",
        "is not one of the endpoint's subnets",
        SubnetIds=vpc.subnets[:1],
        SubnetConfigurations=fixed(vpc, "10.0.1.10", "10.0.2.10"),
    )


def test_two_subnets_in_one_zone_are_refused(ec2, vpc):
    other = ec2.create_subnet(VpcId=vpc.id, CidrBlock="10.0.3.0/24", AvailabilityZone="eu-west-1a")[
        "Subnet"
    ]["SubnetId"]
    refused(
        ec2,
        vpc,
        "DuplicateSubnetsInSameZone",
        f"Found another VPC endpoint subnet in the availability zone of {other}.",
        SubnetIds=[*vpc.subnets, other],
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"IpAddressType": "dualstack"}, "needs subnets with IPv6 CIDR blocks"),
        ({"SubnetConfigurations": [{"Ipv6": "fd00::1"}]}, "has no IPv6 CIDR block"),
    ],
)
def test_ipv6_needs_subnets_that_have_it(ec2, vpc, settings, words):
    for configuration in settings.get("SubnetConfigurations", []):
        configuration["SubnetId"] = vpc.subnets[0]
    refused(ec2, vpc, "InvalidParameter", words, **settings)


def test_a_gateway_endpoint_has_a_route_table_and_no_interface(ec2, vpc):
    of_vpc = [{"Name": "vpc-id", "Values": [vpc.id]}]
    [table] = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc.id, ServiceName="com.amazonaws.eu-west-1.s3", VpcEndpointType="Gateway"
    )["VpcEndpoint"]
    modify(ec2, made, AddRouteTableIds=[table["RouteTableId"]])
    got = described(ec2, made)
    assert got["RouteTableIds"] == [table["RouteTableId"]]
    assert got["NetworkInterfaceIds"] == []


@pytest.mark.parametrize("name", ["com.amazonaws.us-east-1.execute-api", f"{SERVICE}s"])
def test_a_service_that_the_region_does_not_have_is_refused(ec2, vpc, name):
    refused(
        ec2,
        vpc,
        "InvalidServiceName",
        f"The Vpc Endpoint Service '{name}' does not exist",
        ServiceName=name,
    )


def test_a_type_that_the_service_does_not_offer_is_refused(ec2, vpc):
    refused(
        ec2,
        vpc,
        "InvalidParameter",
        "Endpoint type (Gateway) does not match available service types ([Interface]).",
        VpcEndpointType="Gateway",
    )


def test_security_groups_and_subnets_of_another_vpc_are_refused(ec2, vpc):
    other = Vpc(ec2, "10.1")
    refused(
        ec2,
        vpc,
        "InvalidParameter",
        "belong to different networks",
        SecurityGroupIds=[other.group],
    )
    refused(ec2, vpc, "InvalidParameter", "is not in the VPC", SubnetIds=other.subnets)
    refused(ec2, vpc, "InvalidGroup.NotFound", "does not exist", SecurityGroupIds=["sg-00000000"])


@pytest.mark.parametrize("attribute", ["EnableDnsSupport", "EnableDnsHostnames"])
def test_private_dns_needs_both_dns_attributes_of_the_vpc(ec2, vpc, attribute):
    ec2.modify_vpc_attribute(VpcId=vpc.id, EnableDnsHostnames={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc.id, **{attribute: {"Value": False}})
    refused(
        ec2,
        vpc,
        "InvalidParameter",
        "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes"
        f" set to true for {vpc.id}",
        PrivateDnsEnabled=True,
    )


@pytest.mark.parametrize(
    ("document", "position"),
    [
        ("{", "(1,2)"),
        ("[]", "(1,1)"),
        ('{\n "Statement": [{"Effect": "Permit"}]}', "(2,17)"),
        ('{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]}', "(1,1)"),
        ('{"Statement": [], "Extra": 1}', "(1,19)"),
        ('{"Version": "2020-01-01"}', "(1,2)"),
        ('{"Statement": ["all"]}', "(1,2)"),
        ('{"Statement": [{"Effects": "Allow"}]}', "(1,17)"),
        (
            '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",'
            ' "Condition": []}}',
            "(1,85)",
        ),
    ],
)
def test_a_document_that_is_no_policy_is_refused(ec2, vpc, document, position):
    refused(
        ec2,
        vpc,
        "InvalidPolicyDocument",
        f"The Policy Document is not valid. Syntax error at position {position}",
        PolicyDocument=document,
    )


def test_a_policy_has_at_most_20480_characters(ec2, vpc):
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": ""}
    empty = len(json.dumps({"Statement": [statement]}))
    for length in (20480, 20481):
        statement["Resource"] = "x" * (length - empty)
        document = json.dumps({"Statement": [statement]})
        if length == 20480:
            create(ec2, vpc, PolicyDocument=document)
        else:
            refused(
                ec2, vpc, "InvalidPolicyDocument", "the limit is 20480", PolicyDocument=document
            )


def modify(ec2, endpoint, **changes):
    return ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], **changes)


def test_interfaces_follow_the_endpoints_subnets_addresses_and_groups(ec2, vpc):
    endpoint = create(ec2, vpc, SubnetIds=vpc.subnets[:1])
    other = ec2.create_security_group(GroupName="f", Description="f", VpcId=vpc.id)["GroupId"]
    modify(
        ec2,
        endpoint,
        AddSubnetIds=vpc.subnets[1:],
        SubnetConfigurations=fixed(vpc, "10.0.1.77", "10.0.2.77"),
        AddSecurityGroupIds=[other],
        RemoveSecurityGroupIds=[vpc.group],
    )
    assert list(addresses(ec2, endpoint).values()) == ["10.0.1.77", "10.0.2.77"]
    for interface in interfaces(ec2, endpoint).values():
        assert [group["GroupId"] for group in interface["Groups"]] == [other]
    modify(ec2, endpoint, RemoveSubnetIds=vpc.subnets[:1])
    assert addresses(ec2, endpoint) == {vpc.subnets[1]: "10.0.2.77"}


def test_interfaces_that_stay_get_the_endpoints_new_groups(ec2, vpc):
    endpoint = create(ec2, vpc)
    other = ec2.create_security_group(GroupName="f", Description="f", VpcId=vpc.id)["GroupId"]
    modify(ec2, endpoint, AddSecurityGroupIds=[other], RemoveSecurityGroupIds=[vpc.group])
    assert described(ec2, endpoint)["NetworkInterfaceIds"] == endpoint["NetworkInterfaceIds"]
    for interface in interfaces(ec2, endpoint).values():
        assert [group["GroupId"] for group in interface["Groups"]] == [other]


def test_a_refused_modification_changes_nothing(ec2, vpc):
    endpoint = create(ec2, vpc, SubnetConfigurations=fixed(vpc, "10.0.1.10", "10.0.2.10"))
    before = described(ec2, endpoint)
    with pytest.raises(ClientError, match="reserved address range"):
        modify(ec2, endpoint, SubnetConfigurations=fixed(vpc, "10.0.1.11", "10.0.2.1"))
    assert described(ec2, endpoint) == before
    assert list(addresses(ec2, endpoint).values()) == ["10.0.1.10", "10.0.2.10"]


def test_a_policy_is_replaced_and_reset(ec2, vpc):
    endpoint = create(ec2, vpc)
    default = endpoint["PolicyDocument"]
    modify(ec2, endpoint, PolicyDocument=default.replace("Allow", "Deny"))
    assert "Deny" in described(ec2, endpoint)["PolicyDocument"]
    modify(ec2, endpoint, ResetPolicy=True)
    assert described(ec2, endpoint)["PolicyDocument"] == default
    with pytest.raises(ClientError, match="InvalidPolicyDocument"):
        modify(ec2, endpoint, PolicyDocument="no")


def test_an_endpoint_goes_with_its_interfaces(ec2, vpc):
    endpoint = create(ec2, vpc)
    gone = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"], "vpce-00000000"])
    assert [each["ResourceId"] for each in gone["Unsuccessful"]] == ["vpce-00000000"]
    assert gone["Unsuccessful"][0]["Error"]["Code"] == "InvalidVpcEndpoint.NotFound"
    of_vpc = [{"Name": "vpc-id", "Values": [vpc.id]}]
    assert ec2.describe_network_interfaces(Filters=of_vpc)["NetworkInterfaces"] == []
    with pytest.raises(ClientError, match=r"InvalidVpcEndpointId\.NotFound"):
        described(ec2, endpoint)
    with pytest.raises(ClientError, match=r"InvalidVpcEndpointId\.NotFound"):
        modify(ec2, endpoint, ResetPolicy=True)


def test_an_interface_of_an_endpoint_is_not_its_users_to_delete(ec2, vpc):
    endpoint = create(ec2, vpc)
    with pytest.raises(ClientError, match="is currently in use"):
        ec2.delete_network_interface(NetworkInterfaceId=endpoint["NetworkInterfaceIds"][0])
