"""A custom domain name that picks the API: private for one endpoint, or regional."""

import json
from typing import Any

import pulumi
import pytest

from components.alb import AlbArgs
from components.api_domain import ApiDomain, ApiDomainArgs, ApiDomainTarget
from components.mtls_alb_front import MtlsAlbFront, MtlsAlbFrontArgs
from components.policies import private_domain
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed

KINDS = ("private-domain", "regional-domain")


def target(kind: Any) -> ApiDomainTarget:
    return ApiDomainTarget(kind=kind, rest_api_id="api-1", stage_name="live", endpoint_id="vpce-1")


def args(kind: Any) -> ApiDomainArgs:
    return ApiDomainArgs(
        domain="api.example.com", certificate_arn="arn:certificate", api=target(kind)
    )


def made(deploy: Deploy, kind: str) -> Deployed:
    return deploy(lambda opts: {"arn": ApiDomain("d", args(kind), opts).arn})


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_makes_is_its_own(deploy: Deploy, kind: str):
    check_family(deploy, lambda name, opts: ApiDomain(name, args(kind), opts))


def test_another_kind_of_domain_is_refused():
    with refused("kind: want 'private-domain' or 'regional-domain'; got 'edge'"):
        target("edge")


def test_a_private_domain_answers_to_the_endpoint_alone(deploy: Deploy):
    deployed = made(deploy, "private-domain")
    inputs = dict(deployed.one("DomainName").inputs)
    assert json.loads(inputs.pop("policy")) == private_domain("vpce-1")
    assert inputs == {
        "domainName": "api.example.com",
        "certificateArn": "arn:certificate",
        "endpointConfiguration": {"types": "PRIVATE"},
        "securityPolicy": "TLS_1_2",
    }
    assert deployed.one("DomainNameAccessAssociation").inputs == {
        "domainNameArn": deployed.outputs["arn"],
        "accessAssociationSource": "vpce-1",
        "accessAssociationSourceType": "VPCE",
    }


def test_a_private_domain_leads_to_the_stage_by_its_id(deploy: Deploy):
    assert made(deploy, "private-domain").one("BasePathMapping").inputs == {
        "domainName": "api.example.com",
        "domainNameId": "d0m41n",
        "restApi": "api-1",
        "stageName": "live",
    }


def test_a_regional_domain_leads_to_the_stage_by_its_name(deploy: Deploy):
    deployed = made(deploy, "regional-domain")
    assert deployed.one("DomainName").inputs == {
        "domainName": "api.example.com",
        "regionalCertificateArn": "arn:certificate",
        "endpointConfiguration": {"types": "REGIONAL"},
        "securityPolicy": "TLS_1_2",
    }
    assert deployed.one("BasePathMapping").inputs == {
        "domainName": "api.example.com",
        "restApi": "api-1",
        "stageName": "live",
    }
    assert deployed.of("DomainNameAccessAssociation") == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_front_hands_requests_on_as_they_are_once_the_domain_is_there(
    deploy: Deploy, kind: str
):
    def build(opts: pulumi.ResourceOptions) -> None:
        front = MtlsAlbFrontArgs(
            domain="api.example.com",
            vpc_id="vpc-1",
            alb=AlbArgs(vpc_id="vpc-1", subnet_ids={"az1": "subnet-1", "az2": "subnet-2"}),
            trust_store_arn="arn:trust",
            validation_zone_id="Z-PUBLIC",
            api=target(kind),
            endpoint_ips={"az1": "10.0.0.16", "az2": "10.0.1.16"},
            endpoint_security_group_id="sg-endpoint",
        )
        MtlsAlbFront("f", front, opts)

    deployed = deploy(build)
    rule = deployed.one("ListenerRule", "f-api")
    assert "transforms" not in rule.inputs
    assert rule.inputs["conditions"] == [{"hostHeader": {"values": ["api.example.com"]}}]
    assert rule.inputs["actions"] == [{"type": "forward", "targetGroupArn": "arn:f-api"}]
    parts = [r for r in deployed.resources if r.name.startswith("f-api-domain-")]
    assert len(parts) == (3 if kind == "private-domain" else 2)
    assert {r.urn for r in parts} <= rule.depends_on
    domain = deployed.one("aws:apigateway/domainName:DomainName")
    shown = domain.inputs.get("certificateArn") or domain.inputs.get("regionalCertificateArn")
    assert shown == deployed.one("aws:lb/listener:Listener").inputs["certificateArn"]
    assert deployed.one("CertificateValidation").urn in domain.depends_on
