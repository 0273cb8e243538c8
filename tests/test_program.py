"""The real program, run as a whole: what must hold across components."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from settings import SettingError
from tests.conftest import ROOT, Deployed

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
    }
    assert into == path
    assert out == path


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
    assert carriers == 3, "the root, the request, and the certificate are made from keys"


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


def test_every_bucket_is_versioned_encrypted_private_and_without_acls(program: Program):
    deployed = program()
    buckets = {b.name.removesuffix("-bucket") for b in deployed.of("aws:s3/bucket:Bucket")}
    assert buckets == {"trust-bundles", "front-alb-logs"}
    for kind in ("versioning", "encryption", "public-access", "ownership", "policy"):
        assert {f"{bucket}-{kind}" for bucket in buckets} <= {r.name for r in deployed.resources}


def test_the_outputs_are_those_the_readme_documents(program: Program):
    readme = (ROOT / "README.md").read_text()
    for output in program().outputs:
        assert f"`{output}`" in readme, output


def test_protection_is_on_unless_a_stack_turns_it_off(program: Program):
    on = program({"mtls:deletionProtection": None} | {"mtls:deletionProtection": True})
    off = program()
    for deployed, wanted in ((on, True), (off, False)):
        assert deployed.one("LoadBalancer").inputs["enableDeletionProtection"] is wanted
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
