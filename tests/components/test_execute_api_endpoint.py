"""The endpoint to API Gateway: fixed addresses, one API, closed."""

import json
from typing import Any

import pulumi

from components.execute_api_endpoint import ExecuteApiEndpoint, ExecuteApiEndpointArgs
from components.policies import endpoint
from tests.components.checks import check_family
from tests.conftest import Deploy, Deployed

ARGS = ExecuteApiEndpointArgs(
    vpc_id="vpc-1",
    subnet_ids={"az1": "subnet-1", "az2": pulumi.Output.from_input("subnet-2")},
    endpoint_ips={"az2": "10.0.1.16", "az1": "10.0.0.16"},
    policy=pulumi.Output.from_input("arn:api").apply(endpoint),
)


def made(deploy: Deploy) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        it = ExecuteApiEndpoint("e", ARGS, opts)
        return {"endpoint_id": it.endpoint_id, "security_group_id": it.security_group_id}

    return deploy(build)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: ExecuteApiEndpoint(name, ARGS, opts))


def test_the_endpoint_has_a_fixed_address_in_each_subnet(deploy: Deploy):
    inputs = made(deploy).one("VpcEndpoint").inputs
    assert inputs["subnetIds"] == ["subnet-1", "subnet-2"]
    assert inputs["subnetConfigurations"] == [
        {"subnetId": "subnet-1", "ipv4": "10.0.0.16"},
        {"subnetId": "subnet-2", "ipv4": "10.0.1.16"},
    ]


def test_the_endpoint_leads_to_api_gateway_of_its_region_without_taking_over_names(deploy: Deploy):
    inputs = made(deploy).one("VpcEndpoint").inputs
    assert inputs["vpcId"] == "vpc-1"
    assert inputs["serviceName"] == "com.amazonaws.eu-west-1.execute-api"
    assert inputs["vpcEndpointType"] == "Interface"
    assert inputs["privateDnsEnabled"] is False


def test_the_endpoint_lets_one_api_pass(deploy: Deploy):
    policy = json.loads(made(deploy).one("VpcEndpoint").inputs["policy"])
    assert policy == endpoint("arn:api")
    assert [s["Resource"] for s in policy["Statement"]] == ["arn:api/*"]


def test_the_endpoint_admits_nobody_until_its_group_is_opened(deploy: Deploy):
    deployed = made(deploy)
    assert deployed.one("VpcEndpoint").inputs["securityGroupIds"] == ["e-group-id"]
    group = deployed.one("SecurityGroup").inputs
    assert group["vpcId"] == "vpc-1"
    assert set(group) & {"ingress", "egress"} == set()
    assert [r.name for r in deployed.resources if "Rule" in r.type] == []
    assert deployed.outputs == {"endpoint_id": "e-vpce-id", "security_group_id": "e-group-id"}
