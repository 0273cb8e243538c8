"""Stacks other than the dev stack as it is, deployed next to it and called."""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from lab.attempt import Answer, Files, curl
from lab.certificates import Authority, Issued
from lab.session import Lab
from tests.conftest import ROOT
from tests.lab.echo import make_beside

pytestmark = pytest.mark.lab

NO_CUSTOMERS = {"mtls:privateLink": "false", "mtls:customers": "{}"}
CERTIFICATE_ALONE = {"mtls:authorizer": json.dumps({"kind": "none"})}
WIDGET = '{"id":"1","value":"4.99"}'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory):
    with Lab(ROOT, ["dev"], tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def corp(lab: Lab) -> tuple[Authority, Files]:
    """An authority of one's own, and a client's files of it."""
    authority = Authority.create("Corp root")
    return authority, files_of(lab, authority.issue("till"))


def files_of(lab: Lab, issued: Issued) -> Files:
    return lab.write_files("corp-till", issued.chain_pem, issued.key_pem)


def call(lab: Lab, given: Files, path: str, group: str) -> Answer:
    return curl(lab.vantage.door(lab.domain, 443, group), given, path)


def test_a_bundle_of_ones_own_lets_its_clients_in_and_nobody_else(lab: Lab, corp: Any):
    authority, given = corp
    bundle = ROOT / "corp-ca.pem"
    bundle.write_text(f"# Corp\n\n{authority.certificate_pem}")
    try:
        lab.deploy(
            "dev",
            {
                "mtls:certificateAuthorities": json.dumps(
                    {"corp": {"kind": "bring-your-own", "bundleFile": bundle.name}}
                ),
                "mtls:clients": json.dumps({"shop": {}}),
                **NO_CUSTOMERS,
                **CERTIFICATE_ALONE,
            },
        )
    finally:
        bundle.unlink()
    group = lab.outputs["client_security_group_ids"]["shop"]
    assert call(lab, given, "/widgets", group).body == WIDGET
    stranger = Authority.create("Corp root").issue("till")
    assert call(lab, files_of(lab, stranger), "/widgets", group).refused_at_tls
    assert lab.outputs["clients"] == {}


OWN_AUTHORIZER = """
def handler(event, context):
    if event["headers"]["Authorization"] != "knock knock":
        raise Exception("Unauthorized")
    statement = {
        "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "somebody", "policyDocument": policy}
"""


def test_an_authorizer_of_ones_own_decides_and_the_lab_has_no_tokens_for_it(lab: Lab):
    arn = make_beside(lab, "own-authorizer", OWN_AUTHORIZER)
    own = {"kind": "bring-your-own", "functionArn": arn, "cacheTtlSeconds": 0}
    lab.deploy("dev", {"mtls:authorizer": json.dumps(own)})
    client = lab.clients()[0]
    assert (lab.tokens.issuer, client.files.token) == (None, None)
    for said, status in (("knock knock", 200), ("Bearer x", 401)):
        header = ("--header", f"Authorization: {said}")
        assert curl(client.door, client.files, "/widgets", *header).status == status
    assert curl(client.door, Files(ca=lab.server_ca), "/widgets").refused_at_tls


def test_an_openapi_document_is_served_and_a_route_taken_out_of_it_is_gone(lab: Lab):
    lab.deploy("dev")
    client = lab.clients()[0]
    both = {"/widgets": "get", "/things/{id}": "get"}
    for routes in (both, {"/widgets": "get"}):
        document = ROOT / "variant-openapi.yaml"
        document.write_text(yaml.safe_dump(openapi(routes)))
        try:
            lab.deploy("dev", {"mtls:routes": "{}", "mtls:openapiFile": document.name})
        finally:
            document.unlink()
        assert curl(client.door, client.files, "/widgets").body == WIDGET
        # Where there is no method, a token would be taken for a malformed AWS signature.
        files = client.files if routes is both else replace(client.files, token=None)
        thing = curl(client.door, files, "/things/7")
        assert (thing.status, thing.body) == (
            (200, WIDGET) if routes is both else (403, '{"message":"Missing Authentication Token"}')
        )


def openapi(routes: dict[str, str]) -> dict[str, Any]:
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": "${widgets}"}
    operation = {"responses": {}, "x-amazon-apigateway-integration": integration}
    return {
        "openapi": "3.0.1",
        "info": {"title": "variant", "version": "1"},
        "paths": {path: {verb: operation} for path, verb in routes.items()},
    }


def test_a_route_is_served_once_added_and_gone_once_taken_out(lab: Lab):
    lab.deploy("dev")
    client = lab.clients()[0]
    statuses: list[int] = []
    for routes in ({"GET /gadgets": "widgets"}, {}):
        given = {"mtls:routes": json.dumps({"GET /widgets": "widgets", **routes})}
        lab.deploy("dev", given)
        statuses.append(curl(client.door, client.files, "/gadgets").status)
        again = lab.deploy("dev", given)
        assert {change.operation for change in again.changes} == {"same"}
    assert statuses == [200, 403]


def test_an_existing_network_trust_store_and_load_balancer_are_adopted(lab: Lab, corp: Any):
    authority, given = corp
    there = existing(lab, authority)
    lab.configs["adopted"] = {
        **lab.configs["dev"],
        "mtls:role": "producer",
        "mtls:domain": "there.example.com",
        "mtls:vpcCidr": "",
        "mtls:subnets": "{}",
        "mtls:vpcId": there["vpc"],
        "mtls:subnetIds": json.dumps(there["subnets"]),
        "mtls:endpointIps": json.dumps({"euw1-az1": "10.9.0.200", "euw1-az2": "10.9.1.200"}),
        "mtls:certificateAuthorities": "{}",
        "mtls:trustStoreArn": there["trust_store"],
        "mtls:alb": json.dumps({"arn": there["alb"], "securityGroupId": there["alb_group"]}),
        "mtls:clients": json.dumps({"till": {"securityGroupId": there["client_group"]}}),
        "mtls:manageApiGatewayLogRole": "false",
        **NO_CUSTOMERS,
        **CERTIFICATE_ALONE,
    }
    outputs = lab.deploy("adopted").outputs
    assert outputs["alb_arn"] == there["alb"]
    assert "log_bucket" not in outputs
    vantage = type(lab.vantage)(
        ec2=lab.client("ec2"), wire=lab.wire, subnet_id=there["subnets"]["euw1-az1"]
    )
    door = vantage.door("there.example.com", 443, there["client_group"])
    assert curl(door, given, "/widgets").body == WIDGET
    nobody = Files(ca=given.ca)
    assert curl(door, nobody, "/widgets").refused_at_tls


def existing(lab: Lab, authority: Authority) -> dict[str, Any]:
    """A VPC, a trust store and a load balancer, made by somebody else."""
    ec2, elbv2, s3 = (lab.client(name) for name in ("ec2", "elbv2", "s3"))
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = {
        zone: ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZoneId=zone)["Subnet"][
            "SubnetId"
        ]
        for zone, block in (("euw1-az1", "10.9.0.0/24"), ("euw1-az2", "10.9.1.0/24"))
    }
    groups = {
        name: ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("alb", "client")
    }
    where = {"LocationConstraint": lab.region}
    s3.create_bucket(Bucket="somebodys-bundles", CreateBucketConfiguration=where)
    s3.put_object(Bucket="somebodys-bundles", Key="ca", Body=authority.certificate_pem)
    store = elbv2.create_trust_store(
        Name="there",
        CaCertificatesBundleS3Bucket="somebodys-bundles",
        CaCertificatesBundleS3Key="ca",
    )["TrustStores"][0]["TrustStoreArn"]
    elbv2.describe_trust_stores(TrustStoreArns=[store])
    alb = elbv2.create_load_balancer(
        Name="there",
        Scheme="internal",
        Subnets=list(subnets.values()),
        SecurityGroups=[groups["alb"]],
    )["LoadBalancers"][0]["LoadBalancerArn"]
    return {
        "vpc": vpc,
        "subnets": subnets,
        "trust_store": store,
        "alb": alb,
        "alb_group": groups["alb"],
        "client_group": groups["client"],
    }
