"""Every way round mutual TLS that somebody inside the VPC might try: case 10."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from lab.attempt import Files, curl
from lab.cases.result import Result, row
from lab.session import Lab


@dataclass(frozen=True, kw_only=True)
class Intruder:
    """What an insider can bring along without touching the stack: a group that lets anything out,
    an endpoint of their own, and another private API of the account."""

    group: str
    endpoint_ip: str
    other_api: str


def ways_round(lab: Lab) -> Iterator[Result]:
    """10: straight to the endpoint; through another endpoint; through ours to another API."""
    client = lab.clients()[0]
    client_group = lab.outputs["client_security_group_ids"][client.name]
    api_host = f"{lab.outputs['api_id']}.execute-api.{lab.region}.amazonaws.com"
    nobody = Files(ca=lab.server_ca)
    with _intruder(lab) as intruder:
        own_ip = _endpoint_ip(lab, lab.outputs["vpc_endpoint_id"])
        door = lab.vantage.door_to(own_ip, api_host, client_group, intruder.group)
        answer = curl(door, nobody, "/live/widgets", "--insecure")
        yield row(
            "10", "insider", "straight to the endpoint", "no answer", answer,
            "the endpoint's security group", passed=answer.exit_code == 28,
        )  # fmt: skip
        door = lab.vantage.door_to(intruder.endpoint_ip, api_host, client_group, intruder.group)
        answer = curl(door, nobody, "/live/widgets", "--insecure")
        yield row(
            "10", "insider", "through another endpoint", "403 by the API's policy", answer,
            "the API's resource policy",
            passed=answer.status == 403 and "explicit deny" in answer.body,
        )  # fmt: skip
        header = f"x-apigw-api-id: {intruder.other_api}"
        # That API has no authorizer, so a token would be taken for a malformed AWS signature.
        files = replace(client.files, token=None)
        answer = curl(client.door, files, "/widgets", "--header", header)
        yield row(
            "10", "insider", "another API, by x-apigw-api-id", "403 by the endpoint's policy",
            answer, "the endpoint's policy",
            passed=answer.status == 403 and "no VPC endpoint policy allows" in answer.body,
        )  # fmt: skip
        other_host = f"{intruder.other_api}.execute-api.{lab.region}.amazonaws.com"
        answer = curl(client.door, client.files, "/widgets", "--header", f"Host: {other_host}")
        yield row(
            "10", "insider", "another API, by its Host", "404 from the load balancer", answer,
            "no rule but the default one", passed=answer.status == 404,
        )  # fmt: skip


@contextmanager
def _intruder(lab: Lab) -> Iterator[Intruder]:
    """Makes the intruder's things through the AWS API, and takes them away again."""
    ec2 = lab.client("ec2")
    own = ec2.describe_vpc_endpoints(VpcEndpointIds=[lab.outputs["vpc_endpoint_id"]])
    vpc_id = own["VpcEndpoints"][0]["VpcId"]
    subnet_id = own["VpcEndpoints"][0]["SubnetIds"][0]
    group = ec2.create_security_group(
        GroupName="intruder", Description="Anything in and out", VpcId=vpc_id
    )["GroupId"]
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=everything)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{lab.region}.execute-api",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=False,
        SubnetIds=[subnet_id],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]["VpcEndpointId"]
    other_api = _other_api(lab)
    try:
        yield Intruder(group=group, endpoint_ip=_endpoint_ip(lab, endpoint), other_api=other_api)
    finally:
        lab.client("apigateway").delete_rest_api(restApiId=other_api)
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        lab.vantage.leave(group)
        ec2.delete_security_group(GroupId=group)


def _other_api(lab: Lab) -> str:
    """Another private API with a stage of the same name, open to every endpoint."""
    api = lab.client("apigateway")
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"}
    policy = {"Version": "2012-10-17", "Statement": [{**everyone, "Resource": "execute-api:/*"}]}
    made = api.create_rest_api(
        name="other", endpointConfiguration={"types": ["PRIVATE"]}, policy=json.dumps(policy)
    )
    root = api.get_resources(restApiId=made["id"])["items"][0]["id"]
    resource = api.create_resource(restApiId=made["id"], parentId=root, pathPart="widgets")["id"]
    where = {"restApiId": made["id"], "resourceId": resource, "httpMethod": "GET"}
    api.put_method(**where, authorizationType="NONE")
    api.put_integration(
        **where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    api.put_method_response(**where, statusCode="200")
    api.put_integration_response(
        **where, statusCode="200", responseTemplates={"application/json": "other"}
    )
    api.create_deployment(restApiId=made["id"], stageName="live")
    return made["id"]


def _endpoint_ip(lab: Lab, endpoint_id: str) -> str:
    ec2 = lab.client("ec2")
    endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]
    interfaces = ec2.describe_network_interfaces(
        NetworkInterfaceIds=endpoint["NetworkInterfaceIds"]
    )["NetworkInterfaces"]
    return interfaces[0]["PrivateIpAddress"]
