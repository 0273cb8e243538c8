import json

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def ec2(client):
    return client("ec2")


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


def subnet(ec2, vpc, cidr="10.0.1.0/24", **settings):
    return ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **settings)["Subnet"]


def test_a_subnet_comes_back_with_its_zones_name_and_id_and_gives_no_public_addresses(ec2, vpc):
    made = subnet(ec2, vpc, AvailabilityZone="eu-west-1b")
    again = subnet(ec2, vpc, "10.0.2.0/24", AvailabilityZoneId=made["AvailabilityZoneId"])
    assert again["AvailabilityZone"] == "eu-west-1b"
    assert made["MapPublicIpOnLaunch"] is False
    assert made["DefaultForAz"] is False


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.1.128/25", "InvalidSubnet.Conflict"),
        ("10.1.0.0/24", "InvalidSubnet.Range"),
        ("10.0.2.0/29", "InvalidSubnet.Range"),
        ("10.0.0.0/15", "InvalidSubnet.Range"),
        ("10.0.0.0.0/24", "InvalidParameterValue"),
    ],
)
def test_a_subnet_is_refused_for_its_cidr_block(ec2, vpc, cidr, code):
    subnet(ec2, vpc)
    with pytest.raises(ClientError) as refusal:
        subnet(ec2, vpc, cidr)
    assert refusal.value.response["Error"]["Code"] == code


def test_a_zone_of_another_region_is_refused(ec2, vpc):
    with pytest.raises(ClientError, match="for parameter availabilityZone is invalid"):
        subnet(ec2, vpc, AvailabilityZone="us-east-1a")


def test_host_bits_of_a_cidr_block_are_dropped(ec2):
    made = ec2.create_vpc(CidrBlock="10.0.7.9/16")["Vpc"]
    assert made["CidrBlock"] == "10.0.0.0/16"
    assert subnet(ec2, made["VpcId"], "10.0.1.7/24")["CidrBlock"] == "10.0.1.0/24"


def test_a_subnet_with_an_interface_is_not_deleted(ec2, vpc):
    subnet_id = subnet(ec2, vpc)["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]
    with pytest.raises(ClientError) as refusal:
        ec2.delete_subnet(SubnetId=subnet_id)
    assert refusal.value.response["Error"]["Code"] == "DependencyViolation"
    ec2.delete_network_interface(NetworkInterfaceId=made["NetworkInterfaceId"])
    ec2.delete_subnet(SubnetId=subnet_id)


def test_a_vpc_is_deleted_only_when_nothing_of_the_users_is_in_it(ec2, vpc):
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc)["GroupId"]
    with pytest.raises(ClientError, match="has dependencies and cannot be deleted"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.delete_security_group(GroupId=group)
    subnet_id = subnet(ec2, vpc)["SubnetId"]
    with pytest.raises(ClientError, match="has dependencies and cannot be deleted"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc)
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound"):
        ec2.delete_vpc(VpcId=vpc)


def role(client, name, service):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = client("iam")
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]


@pytest.mark.parametrize(
    ("service", "group", "outcome"),
    [
        ("vpc-flow-logs.amazonaws.com", "flow", ("SUCCESS", None)),
        ("vpc-flow-logs.amazonaws.com", "missing", ("FAILED", "Access error")),
        ("ec2.amazonaws.com", "flow", ("FAILED", "Access error")),
    ],
)
def test_a_flow_log_says_whether_it_can_be_delivered(client, ec2, vpc, service, group, outcome):
    logs = client("logs")
    if group == "flow" and not logs.describe_log_groups()["logGroups"]:
        logs.create_log_group(logGroupName="flow")
    destination = f"arn:aws:logs:eu-west-1:111111111111:log-group:{group}"
    arn = role(client, f"{service}-{group}", service)
    made = ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestinationType="cloud-watch-logs",
        LogDestination=destination,
        DeliverLogsPermissionArn=arn,
        MaxAggregationInterval=60,
    )
    [got] = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"]
    assert (got["DeliverLogsStatus"], got.get("DeliverLogsErrorMessage")) == outcome
    assert got["LogDestination"] == destination
    assert got["DeliverLogsPermissionArn"] == arn
    assert got["MaxAggregationInterval"] == 60
