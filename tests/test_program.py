"""The real program, run as a whole: what must hold across components."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from zipfile import ZipFile

import pytest

from settings import SettingError
from tests.conftest import ROOT, Deployed, Recorded

Program = Callable[..., Deployed]


def test_every_resource_belongs_to_a_component(program: Program):
    for resource in program().resources:
        if not resource.type.startswith("mtls:"):
            assert resource.parents[-1].startswith("mtls:index:"), resource.urn


def test_component_types_are_the_projects_own(program: Program):
    types = {r.type for r in program().resources if r.type.startswith("mtls:")}
    for component in ("Network", "TrustStore", "CertificateAuthority", "ClientIdentity"):
        assert f"mtls:index:{component}" in types
    assert {"mtls:index:PrivateApi", "mtls:index:MtlsAlbFront"} <= types


def test_nothing_is_open_to_a_range_of_addresses(program: Program):
    deployed = program()
    assert "0.0.0.0/0" not in json.dumps([str(r.inputs) for r in deployed.resources])
    rules = deployed.of("SecurityGroupIngressRule") + deployed.of("SecurityGroupEgressRule")
    assert rules
    for rule in rules:
        assert set(rule.inputs) & {"cidrIpv4", "cidrIpv6", "prefixListId"} == set(), rule.name
        assert rule.inputs["referencedSecurityGroupId"]
    for group in deployed.of("aws:ec2/securityGroup:SecurityGroup"):
        assert set(group.inputs) & {"ingress", "egress"} == set(), group.name


def test_the_security_groups_let_through_the_one_path_and_nothing_else(program: Program):
    deployed = program()
    into = {_edge(r.inputs, into=True) for r in deployed.of("SecurityGroupIngressRule")}
    out = {_edge(r.inputs, into=False) for r in deployed.of("SecurityGroupEgressRule")}
    path = {
        ("front-client-shop-id", "front-alb-group-id", "tcp", 443, 443),
        ("front-alb-group-id", "api-endpoint-group-id", "tcp", 443, 443),
        ("privatelink-nlb-group-id", "front-alb-group-id", "tcp", 443, 443),
        ("privatelink-nlb-group-id", "front-alb-group-id", "tcp", 8443, 8443),
    }
    assert into == path
    assert out == path


def test_customers_come_in_by_the_network_load_balancer_and_no_other_way(program: Program):
    deployed = program()
    (nlb,) = [r for r in deployed.of("LoadBalancer") if r.inputs["loadBalancerType"] == "network"]
    assert nlb.inputs["securityGroups"] == ["privatelink-nlb-group-id"]
    assert deployed.one("VpcEndpointService").inputs["acceptanceRequired"] is True
    allowed = deployed.one("VpcEndpointServiceAllowedPrinciple").inputs["principalArn"]
    assert allowed == "arn:aws:iam::444455556666:root"
    (health,) = [r for r in deployed.of("Listener") if r.inputs["port"] == 8443]
    (action,) = health.inputs["defaultActions"]
    assert action["type"] == "fixed-response"
    assert [r for r in deployed.of("ListenerRule") if "health" in str(r.inputs)] == []


def test_without_private_link_there_is_none_of_it(program: Program):
    deployed = program({"mtls:privateLink": False, "mtls:customers": {}})
    for absent in ("VpcEndpointService", "mtls:index:Nlb", "aws:sns/topic:Topic"):
        assert deployed.of(absent) == []
    assert [r.inputs["port"] for r in deployed.of("Listener")] == [443]
    assert "service_name" not in deployed.outputs


def test_a_customer_more_is_its_own_resources_and_no_other(program: Program):
    acme = {
        "principals": ["444455556666"],
        "certificateAuthority": "root-2026",
        "tokens": {"clientIds": ["acme"]},
    }
    globex = {"principals": ["777788889999"], "endpoints": ["vpce-0123456789abcdef0"]}
    before = program()
    after = program({"mtls:customers": {"acme": acme, "globex": globex}})
    unchanged = {r.urn: _without_code(r) for r in before.resources}
    assert {r.name for r in after.resources if unchanged.get(r.urn) != _without_code(r)} == {
        "privatelink-allow-globex-777788889999",
        "privatelink-accept-globex-vpce-0123456789abcdef0",
    }
    assert unchanged.keys() <= {r.urn for r in after.resources}


def _without_code(resource: Recorded) -> dict[str, Any]:
    """Two archives of the same folder are not equal."""
    return {key: value for key, value in resource.inputs.items() if key != "code"}


def test_a_consumer_deploys_an_endpoint_to_the_producers_service(program: Program):
    deployed = program(stack="acme")
    assert deployed.outputs["url"] == "https://api.example.com"
    endpoint = deployed.one("VpcEndpoint").inputs
    assert endpoint["serviceName"] == "com.amazonaws.vpce.eu-west-1.vpce-svc-0earlier"
    assert deployed.of("LoadBalancer") == deployed.of("RestApi") == []


def test_a_consumer_outside_the_services_zones_is_refused_before_anything_is_made(
    program: Program,
):
    with pytest.raises(SettingError, match="mtls:subnets: want zones of the service"):
        program(
            {
                "mtls:producerStack": "",
                "mtls:serviceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-0abc",
                "mtls:serviceZones": ["euw1-az2", "euw1-az3"],
            },
            stack="acme",
        )


def test_a_producer_that_is_its_own_customer_has_both_sides(program: Program):
    deployed = program(
        {
            "mtls:acceptanceRequired": False,
            "mtls:consumerVpcCidr": "10.40.0.0/16",
            "mtls:consumerSubnets": {"euw1-az1": "10.40.0.0/24", "euw1-az2": "10.40.1.0/24"},
        }
    )
    endpoint = deployed.one("VpcEndpoint", "consumer-vpce").inputs
    assert endpoint["vpcId"] == "consumer-network-vpc-id"
    assert endpoint["serviceName"] == deployed.outputs["service_name"]
    assert deployed.outputs["consumer"]["url"] == deployed.outputs["url"]


@pytest.mark.parametrize("kind", ["private-domain", "regional-domain"])
def test_the_api_may_be_picked_by_a_domain_of_its_own(program: Program, kind: str):
    deployed = program({"mtls:apiSelection": kind})
    rule = deployed.one("ListenerRule", "front-api").inputs
    assert "transforms" not in rule
    assert deployed.one("BasePathMapping").inputs["restApi"] == "api-rest-api-id"
    policy = deployed.one("VpcEndpoint").inputs["policy"]
    assert ("/domainnames/api.example.com+*" in policy) is (kind == "private-domain")


def _edge(inputs: Any, *, into: bool) -> tuple[Any, ...]:
    here, there = inputs["securityGroupId"], inputs["referencedSecurityGroupId"]
    source, target = (there, here) if into else (here, there)
    return source, target, inputs["ipProtocol"], inputs["fromPort"], inputs["toPort"]


def test_no_private_key_is_in_plain(program: Program):
    deployed = program()
    assert "clients" in deployed.secret_outputs
    carriers = 0
    for resource in deployed.resources:
        for key, value in resource.inputs.items():
            if "KEY" in str(value):
                carriers += 1
                assert key in resource.secret, f"{resource.name}.{key}"
    assert carriers == 5, "the root, two requests and two certificates are made from keys"


def test_policies_name_everyone_only_under_a_condition_or_for_one_api(program: Program):
    for resource in program().resources:
        if resource.type == "aws:ec2/vpcEndpoint:VpcEndpoint":
            continue
        for statement in _statements(resource.inputs):
            if statement["Effect"] == "Allow" and statement.get("Principal") == "*":
                assert statement["Condition"], resource.name


def _statements(inputs: Any) -> Iterator[Any]:
    for key in ("policy", "assumeRolePolicy"):
        if key in inputs:
            yield from json.loads(inputs[key])["Statement"]


def test_the_dev_stack_asks_for_a_token_and_the_verified_certificate(program: Program):
    deployed = program()
    body = json.loads(deployed.one("RestApi").inputs["body"])
    (scheme,) = body["components"]["securitySchemes"].values()
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["identitySource"] == (
        "method.request.header.Authorization, method.request.header.X-Client-Cert-Leaf"
    )
    config = _config(deployed)
    assert config["mode"] == "verify"
    assert {name: one["tokens"]["clientIds"] for name, one in config["tenants"].items()} == {
        "shop": ["shop"],
        "acme": ["acme"],
    }
    assert config["routes"] == ["GET /widgets", "GET /whoami"]


def test_one_setting_leaves_certificates_to_the_authorizer(program: Program):
    deployed = program({"mtls:mutualAuthentication": "passthrough"})
    assert deployed.one("Listener", "front-https").inputs["mutualAuthentication"] == {
        "mode": "passthrough"
    }
    listener = deployed.one("Listener", "front-https")
    assert deployed.one("apigateway/stage:Stage").urn in listener.depends_on, "who verifies first"
    assert deployed.of("aws:lb/trustStore:TrustStore") == []
    assert _config(deployed)["mode"] == "passthrough"
    body = deployed.one("RestApi").inputs["body"]
    assert 'method.request.header.Authorization, method.request.header.X-Client-Cert"' in body


@pytest.mark.parametrize("mode", ["verify", "passthrough"])
def test_a_function_of_ones_own_may_say_who_calls(program: Program, mode: str):
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:own"
    deployed = program(
        {
            "mtls:mutualAuthentication": mode,
            "mtls:authorizer": {"kind": "bring-your-own", "functionArn": arn},
        }
    )
    assert f"{arn}/invocations" in deployed.one("RestApi").inputs["body"]
    assert deployed.of("JwtAuthorizer") == []


def test_the_certificate_alone_may_say_who_calls(program: Program):
    deployed = program({"mtls:authorizer": {"kind": "none"}})
    assert "security" not in deployed.one("RestApi").inputs["body"]
    assert deployed.of("JwtAuthorizer") == []


def _config(deployed: Deployed) -> dict[str, Any]:
    """What the authorizer goes by."""
    code = deployed.one("aws:lambda/function:Function", "api-authorizer-jwt-function").inputs[
        "code"
    ]
    with ZipFile(code.path) as archive:
        return json.loads(archive.read("config.json"))


def test_every_bucket_is_versioned_encrypted_private_and_without_acls(program: Program):
    deployed = program()
    buckets = {b.name.removesuffix("-bucket") for b in deployed.of("aws:s3/bucket:Bucket")}
    assert buckets == {"trust-bundles", "front-alb-logs"}
    for kind in ("versioning", "encryption", "public-access", "ownership", "policy"):
        assert {f"{bucket}-{kind}" for bucket in buckets} <= {r.name for r in deployed.resources}


def test_the_outputs_are_those_the_readme_documents(program: Program):
    readme = (ROOT / "README.md").read_text()
    for output in {*program().outputs, *program(stack="acme").outputs}:
        assert f"`{output}`" in readme, output


def test_protection_is_on_unless_a_stack_turns_it_off(program: Program):
    on = program({"mtls:deletionProtection": None} | {"mtls:deletionProtection": True})
    off = program()
    for deployed, wanted in ((on, True), (off, False)):
        for balancer in deployed.of("LoadBalancer"):
            assert balancer.inputs["enableDeletionProtection"] is wanted
        for bucket in deployed.of("aws:s3/bucket:Bucket"):
            assert bucket.inputs["forceDestroy"] is not wanted


def test_an_existing_network_trust_store_and_load_balancer_are_used_as_they_are(program: Program):
    deployed = program(
        {
            "mtls:role": "producer",
            "mtls:vpcCidr": "",
            "mtls:subnets": {},
            "mtls:vpcId": "vpc-there",
            "mtls:subnetIds": {"euw1-az1": "subnet-1", "euw1-az2": "subnet-2"},
            "mtls:endpointIps": {"euw1-az1": "10.9.0.9", "euw1-az2": "10.9.1.9"},
            "mtls:certificateAuthorities": {},
            "mtls:trustStoreArn": "arn:aws:elasticloadbalancing:eu-west-1:1:truststore/t/1",
            "mtls:clients": {"shop": {"securityGroupId": "sg-shop"}},
            "mtls:privateLink": False,
            "mtls:customers": {},
            "mtls:alb": {"arn": "arn:aws:elasticloadbalancing:x", "securityGroupId": "sg-alb"},
        }
    )
    for absent in ("Vpc", "Subnet", "LoadBalancer", "aws:lb/trustStore:TrustStore", "Bucket"):
        assert deployed.of(absent) == [], absent
    assert [r.name for r in deployed.of("aws:ec2/securityGroup:SecurityGroup")] == [
        "api-endpoint-group"
    ]
    targets = {r.inputs["targetId"] for r in deployed.of("TargetGroupAttachment")}
    assert targets == {"10.9.0.9", "10.9.1.9"}
    listener = deployed.one("Listener").inputs
    assert listener["mutualAuthentication"]["trustStoreArn"].endswith("truststore/t/1")
    assert deployed.one("SecurityGroupIngressRule", "front-from-shop-in").inputs == {
        "securityGroupId": "sg-alb",
        "referencedSecurityGroupId": "sg-shop",
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
    }
    assert deployed.outputs["log_bucket"] is None


def test_a_refused_setting_stops_the_program_before_any_resource(program: Program):
    with pytest.raises(SettingError, match="mtls:domain"):
        program({"mtls:domain": "api.example.com."})
