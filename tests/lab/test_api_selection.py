"""The three ways in which API Gateway is told which API is meant, one after the other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.attempt import Answer, Door, Files, curl
from lab.cases.guards import ways_round
from lab.clients import Client
from lab.session import Lab
from lab.wire.messages import Request, Response
from tests.conftest import ROOT
from tests.lab.echo import headers_of, make_echo

pytestmark = pytest.mark.lab

WIDGET = '{"id":"1","value":"4.99"}'
FORBIDDEN = '{"message":"Forbidden"}'
DOMAIN = "api.example.com"
KINDS = ("rewrite", "private-domain", "regional-domain")
by_kind = pytest.mark.parametrize("selection", KINDS, indirect=True)
private = pytest.mark.parametrize("selection", ["private-domain"], indirect=True)
regional = pytest.mark.parametrize("selection", ["regional-domain"], indirect=True)
domains = pytest.mark.parametrize("selection", KINDS[1:], indirect=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev", "acme"], tmp_path_factory.mktemp("lab")) as lab:
        backends = {"widgets": "sample", "echo": make_echo(lab)}
        routes = {"GET /widgets": "widgets", "GET /echo": "echo"}
        lab.configure(
            "dev", {"mtls:backends": json.dumps(backends), "mtls:routes": json.dumps(routes)}
        )
        yield lab


@pytest.fixture(scope="module")
def selection(lab: Lab, request: pytest.FixtureRequest) -> str:
    """The dev stack, switched to this way; through rewrite, as docs/components.md says."""
    for kind in ("rewrite", request.param):
        switch(lab, kind)
    return request.param


def get(client: Client, path: str = "/widgets", *options: str) -> Answer:
    return curl(client.door, client.files, path, *options)


def shop(lab: Lab) -> Client:
    return lab.clients()[0]


@by_kind
def test_own_clients_and_customers_get_an_answer_and_the_backend_sees_the_host(
    lab: Lab, selection: str
):
    api_host = f"{lab.outputs['api_id']}.execute-api.{lab.region}.amazonaws.com"
    seen = {"rewrite": api_host}.get(selection, DOMAIN)
    callers = {client.name: client for client in lab.clients()}
    assert set(callers) == {"shop", "acme-shop"}
    for name, client in callers.items():
        assert get(client).body == WIDGET
        event = get(client, "/echo").json
        assert headers_of(event)["host"] == seen
        assert event["requestContext"]["domainName"] == seen
        assert headers_of(event)["x-client-cert-subject"] == f"CN={name.removesuffix('-shop')}"
        assert get(client, "/widgets", "--header", "Host: other.example.com").status == 404


@by_kind
def test_a_second_deployment_changes_nothing(lab: Lab, selection: str):
    assert switch(lab, selection) == []


@domains
@pytest.mark.usefixtures("selection")
def test_no_way_leads_round_mutual_tls(lab: Lab):
    assert {one.tried: one.got for one in ways_round(lab) if not one.passed} == {}


@regional
@pytest.mark.usefixtures("selection")
def test_by_another_endpoint_a_regional_domain_is_closed_by_the_apis_policy(lab: Lab):
    with own_endpoint(lab) as own:
        answer = own.get()
    assert answer.status == 403
    assert f":{lab.outputs['api_id']}/live/GET/widgets with an explicit deny" in answer.body


@private
@pytest.mark.usefixtures("selection")
def test_by_another_endpoint_a_private_domain_is_closed_by_its_policy_once_associated(lab: Lab):
    gateway = lab.client("apigateway")
    arn = gateway.get_domain_name(**private_domain(lab))["domainNameArn"]
    with own_endpoint(lab) as own:
        answer = own.get()
        assert (answer.status, answer.body) == (403, FORBIDDEN)
        association = gateway.create_domain_name_access_association(
            domainNameArn=arn,
            accessAssociationSourceType="VPCE",
            accessAssociationSource=own.endpoint_id,
        )["domainNameAccessAssociationArn"]
        answer = own.get()
        gateway.delete_domain_name_access_association(domainNameAccessAssociationArn=association)
    assert answer.status == 403
    domain = arn.rpartition(":")[2]
    assert f"{domain}/widgets with an explicit deny in a resource-based policy" in answer.body


@by_kind
def test_in_public_nothing_answers(lab: Lab, selection: str):
    assert get(shop(lab)).status == 200
    answer = in_public(lab)
    assert answer.status == 403
    if selection == "regional-domain":
        assert b"with an explicit deny in a resource-based policy" in answer.body
    else:
        assert answer.body.decode() == FORBIDDEN


@regional
@pytest.mark.usefixtures("selection")
def test_in_public_a_regional_domain_is_closed_by_the_apis_policy_and_then_by_its_authorizer(
    lab: Lab,
):
    with open_to_all(lab):
        answer = in_public(lab)
        assert (answer.status, answer.body.decode()) == (401, '{"message":"Unauthorized"}')
    assert in_public(lab).status == 403
    assert get(shop(lab)).body == WIDGET


@private
@pytest.mark.usefixtures("selection")
def test_a_private_domain_answers_where_its_own_policy_says(lab: Lab):
    gateway = lab.client("apigateway")
    name = private_domain(lab)
    policy = gateway.get_domain_name(**name)["policy"]
    elsewhere = policy.replace(lab.outputs["vpc_endpoint_id"], "vpce-0123456789abcdef0")
    refusals = {"": "no resource-based policy allows", elsewhere: "an explicit deny in a resource"}
    for changed, words in refusals.items():
        with patched_policy(gateway.update_domain_name, name, changed, policy):
            answer = get(shop(lab))
            assert answer.status == 403
            assert words in answer.body
        assert get(shop(lab)).body == WIDGET


@private
@pytest.mark.usefixtures("selection")
def test_a_private_domain_is_found_from_associated_endpoints_only(lab: Lab):
    gateway = lab.client("apigateway")
    (association,) = gateway.get_domain_name_access_associations(resourceOwner="SELF")["items"]
    gateway.delete_domain_name_access_association(
        domainNameAccessAssociationArn=association["domainNameAccessAssociationArn"]
    )
    answer = get(shop(lab))
    assert (answer.status, answer.body) == (403, FORBIDDEN)
    asked = ("domainNameArn", "accessAssociationSourceType", "accessAssociationSource")
    gateway.create_domain_name_access_association(**{key: association[key] for key in asked})
    assert get(shop(lab)).body == WIDGET


@private
def test_on_the_way_back_the_domain_may_be_asked_until_the_rule_is_rewritten(
    lab: Lab, selection: str
):
    first, *others = switch(lab, "rewrite")
    assert first == "update front-api"
    assert sorted(others) == [
        f"delete front-api-domain-{part}" for part in ("association", "mapping", "private")
    ]
    assert get(shop(lab)).body == WIDGET
    assert switch(lab, "rewrite") == ["update api-endpoint-vpce"]
    assert switch(lab, "rewrite") == []
    assert get(shop(lab)).body == WIDGET
    switch(lab, selection)


def switch(lab: Lab, kind: str) -> list[str]:
    """Deploys, and says what changed, in that order."""
    lab.configure("dev", {"mtls:apiSelection": kind})
    changes = [one for one in lab.deploy("dev").changes if one.operation != "same"]
    return [f"{one.operation} {one.urn.rpartition('::')[2]}" for one in changes]


def in_public(lab: Lab) -> Response:
    """What somebody on the internet is answered who calls API Gateway by the stack's domain."""
    headers = (("Host", DOMAIN),)
    request = Request(method="GET", target="/widgets", headers=headers)
    return lab.wire.in_public(request, "198.51.100.7")


@dataclass(frozen=True, kw_only=True)
class Own:
    """An execute-api endpoint beside the stack's, and a way to it that nobody closed."""

    endpoint_id: str
    door: Door
    files: Files

    def get(self) -> Answer:
        return curl(self.door, self.files, "/widgets", "--insecure")


@contextmanager
def own_endpoint(lab: Lab) -> Iterator[Own]:
    ec2, subnet_id = lab.client("ec2"), lab.vantage.subnet_id
    vpc_id = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="own", Description="own", VpcId=vpc_id)
    group = made["GroupId"]
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everything])
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{lab.region}.execute-api",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=False,
        SubnetIds=[subnet_id],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]
    interfaces = ec2.describe_network_interfaces(
        NetworkInterfaceIds=endpoint["NetworkInterfaceIds"]
    )["NetworkInterfaces"]
    door = lab.vantage.door_to(interfaces[0]["PrivateIpAddress"], DOMAIN, group)
    try:
        yield Own(endpoint_id=endpoint["VpcEndpointId"], door=door, files=Files(ca=lab.server_ca))
    finally:
        lab.vantage.leave(group)
        ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
        ec2.delete_security_group(GroupId=group)


def private_domain(lab: Lab) -> dict[str, str]:
    """How API Gateway's operations name it."""
    (domain,) = lab.client("apigateway").get_domain_names()["items"]
    return {key: domain[key] for key in ("domainName", "domainNameId")}


@contextmanager
def patched_policy(update: Any, which: dict[str, str], policy: str, before: str) -> Iterator[None]:
    """Another policy for a while."""

    def put(document: str) -> None:
        update(**which, patchOperations=[{"op": "replace", "path": "/policy", "value": document}])

    put(policy)
    try:
        yield
    finally:
        put(before)


@contextmanager
def open_to_all(lab: Lab) -> Iterator[None]:
    """The API, deployed with a policy that lets everyone in, for a while."""
    gateway, api = lab.client("apigateway"), {"restApiId": lab.outputs["api_id"]}
    stage = {**api, "stageName": "live"}
    before = gateway.get_rest_api(**api)["policy"].replace("\\", "")
    deployed = gateway.get_stage(**stage)["deploymentId"]
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"}
    statement = {**everyone, "Resource": "execute-api:/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with patched_policy(gateway.update_rest_api, api, policy, before):
        open_deployment = gateway.create_deployment(**stage)["id"]
        try:
            yield
        finally:
            back = {"op": "replace", "path": "/deploymentId", "value": deployed}
            gateway.update_stage(**stage, patchOperations=[back])
            gateway.delete_deployment(**api, deploymentId=open_deployment)
