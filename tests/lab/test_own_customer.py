"""A producer that is its own customer: PrivateLink from a second VPC of the same account."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lab.attempt import Door, Files, curl
from lab.session import Lab
from lab.vantage import Vantage
from tests.conftest import ROOT

pytestmark = pytest.mark.lab

WIDGET = '{"id":"1","value":"4.99"}'
OWN_CUSTOMER = {
    "mtls:acceptanceRequired": "false",
    "mtls:consumerVpcCidr": "10.40.0.0/16",
    "mtls:consumerSubnets": json.dumps({"euw1-az1": "10.40.0.0/24", "euw1-az2": "10.40.1.0/24"}),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev"], tmp_path_factory.mktemp("lab")) as lab:
        lab.deploy("dev", OWN_CUSTOMER)
        yield lab


@pytest.fixture(scope="module")
def endpoint(lab: Lab) -> dict[str, Any]:
    """The endpoint in the second VPC, as EC2 describes it."""
    endpoint_id = lab.outputs["consumer"]["endpoint_id"]
    described = lab.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    return described["VpcEndpoints"][0]


@pytest.fixture(scope="module")
def vantage(lab: Lab, endpoint: dict[str, Any]) -> Vantage:
    return Vantage(ec2=lab.client("ec2"), wire=lab.wire, subnet_id=endpoint["SubnetIds"][0])


@pytest.fixture
def door(lab: Lab, vantage: Vantage) -> Door:
    """From the second VPC, in the group of its client."""
    groups = lab.outputs["consumer"]["client_security_group_ids"]
    return vantage.door("api.example.com", 443, groups["shop"])


def test_a_client_in_the_second_vpc_gets_an_answer_with_its_certificate_only(
    lab: Lab, endpoint: dict[str, Any], door: Door
):
    producer_vpc = lab.client("elbv2").describe_load_balancers(
        LoadBalancerArns=[lab.outputs["alb_arn"]]
    )["LoadBalancers"][0]["VpcId"]
    assert endpoint["VpcId"] != producer_vpc
    assert endpoint["State"] == "available"
    client = lab.clients()[0]
    assert curl(door, client.files, "/widgets").body == WIDGET
    assert curl(door, client.files, "/whoami").json["subject"] == "CN=shop"
    assert curl(door, Files(ca=lab.server_ca), "/widgets").refused_at_tls
    assert curl(client.door, client.files, "/widgets").body == WIDGET, "from the first VPC"


def test_nobody_else_in_the_second_vpc_reaches_the_endpoint(
    lab: Lab, endpoint: dict[str, Any], vantage: Vantage
):
    group = lab.client("ec2").create_security_group(
        GroupName="other", Description="Anything out", VpcId=endpoint["VpcId"]
    )["GroupId"]
    answer = curl(vantage.door("api.example.com", 443, group), lab.clients()[0].files, "/widgets")
    assert answer.exit_code == 28
    vantage.leave(group)
    lab.client("ec2").delete_security_group(GroupId=group)


def test_a_second_deployment_changes_nothing(lab: Lab):
    again = lab.deploy("dev", OWN_CUSTOMER)
    assert {change.operation for change in again.changes} == {"same"}


def test_the_first_vpc_goes_on_when_the_second_is_taken_away(lab: Lab, vantage: Vantage):
    groups = lab.outputs["consumer"]["client_security_group_ids"]
    vantage.leave(groups["shop"])
    lab.deploy("dev")
    assert "consumer" not in lab.outputs
    endpoints = lab.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    assert [one["VpcEndpointId"] for one in endpoints] == [lab.outputs["vpc_endpoint_id"]]
    client = lab.clients()[0]
    assert curl(client.door, client.files, "/widgets").body == WIDGET
