"""Every refusal of the configuration: the key, what was wanted with an example, what was given."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from lab.certificates import Authority
from settings import SettingError, Settings, _Reader
from tests.conftest import ROOT, stack_config


def load(root: Path = ROOT, **changes: Any) -> Settings:
    given = {f"mtls:{key}": value for key, value in changes.items()}
    if "region" in changes:
        given["aws:region"] = given.pop("mtls:region")
    pulumi.runtime.set_all_config(stack_config(given))
    try:
        return Settings.load(root)
    finally:
        pulumi.runtime.set_all_config({})


EXISTING: dict[str, Any] = {
    "vpcCidr": "",
    "subnets": {},
    "vpcId": "vpc-1",
    "subnetIds": {"euw1-az1": "subnet-1", "euw1-az2": "subnet-2"},
    "endpointIps": {"euw1-az1": "10.0.0.9", "euw1-az2": "10.0.1.9"},
}

REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"region": "eu-west-9"}, r"aws:region: want a region such as 'eu-\w+-\d'; got 'eu-west-9'"),
    ({"region": ""}, "aws:region: want a region such as .*; got ''"),
    ({"role": "consumer"}, "mtls:role: want one of producer, all-in-one; got 'consumer'"),
    ({"domain": "api.example.com."}, "mtls:domain: want .*trailing dot.*got 'api.example.com.'"),
    ({"domain": "API.example.com"}, "mtls:domain: want a lower-case"),
    ({"domain": "api.other.org"}, "mtls:domain: want a name in mtls:publicZone 'example.com'"),
    ({"domain": None}, "mtls:domain: want a value such as 'api.example.com'; got nothing"),
    ({"publicZone": "example.com."}, "mtls:publicZone: want .* no trailing dot"),
    ({"vpcCidr": "10.20.0.1/16"}, "mtls:vpcCidr: want an IPv4 CIDR block .*host bits set"),
    ({"vpcCidr": "10.0.0.0/8"}, "mtls:vpcCidr: want a block from /16 to /28"),
    ({"vpcCidr": ""}, "mtls:vpcCidr, mtls:vpcId: want one of the two.*got neither"),
    ({"vpcId": "vpc-1"}, "mtls:vpcCidr, mtls:vpcId: want one of the two.*got both"),
    (
        {"subnets": {"euw1-az1": "10.20.0.0/24", "euw1-az2": "10.20.0.128/25"}},
        "mtls:subnets: want blocks that do not overlap; got '10.20.0.0/24' for euw1-az1 and "
        "'10.20.0.128/25' for euw1-az2",
    ),
    (
        {"subnets": {"euw1-az1": "10.20.0.0/24", "euw1-az2": "10.20.1.0/27"}},
        "mtls:subnets: want /26 or larger.*got '10.20.1.0/27' for euw1-az2",
    ),
    (
        {"subnets": {"euw1-az1": "10.20.0.0/24", "euw1-az2": "10.99.1.0/24"}},
        "mtls:subnets: want blocks inside 10.20.0.0/16; got '10.99.1.0/24' for euw1-az2",
    ),
    ({"subnets": {"euw1-az1": "10.20.0.0/24"}}, "mtls:subnets: want at least two.*got euw1-az1"),
    ({"subnets": {}}, "mtls:subnets: want at least two Availability Zones.*got none"),
    ({"subnets": "10.20.0.0/24"}, "mtls:subnets: want a map, such as .*got '10.20.0.0/24'"),
    ({"subnetIds": {"euw1-az1": "subnet-1"}}, "mtls:subnetIds: want none with mtls:vpcCidr"),
    ({**EXISTING, "subnets": {"euw1-az1": "10.0.0.0/24"}}, "mtls:subnets: want none with mtls:vpc"),
    ({**EXISTING, "endpointIps": {}}, "endpoint_ips: want one free address for each of euw1-az1"),
    (
        {**EXISTING, "endpointIps": {"euw1-az1": "10.0.0.9", "euw1-az2": "here"}},
        "endpoint_ips.euw1-az2: want an IPv4 address such as '10.20.0.16'; got 'here'",
    ),
    ({"certificateAuthorities": {}}, "mtls:certificateAuthorities, mtls:trustStoreArn: .*neither"),
    ({"trustStoreArn": "arn:aws:x"}, "mtls:certificateAuthorities, mtls:trustStoreArn: .*both"),
    ({"trustStoreArn": "trust"}, "mtls:trustStoreArn: want an ARN such as .*; got 'trust'"),
    (
        {"certificateAuthorities": {"a": {"kind": "acm"}}},
        "mtls:certificateAuthorities.a: kind: want one of self-signed, bring-your-own; got 'acm'",
    ),
    (
        {"certificateAuthorities": {"a": {"kinds": "self-signed"}}},
        "mtls:certificateAuthorities.a: want the keys bundleFile, kind; got 'kinds'; did you mean",
    ),
    (
        {"certificateAuthorities": {"a": {"kind": "bring-your-own", "bundleFile": "no.pem"}}},
        "mtls:certificateAuthorities.a: want a file below this project; got 'no.pem'",
    ),
    ({"clients": {"shop": "sg-1"}}, "mtls:clients.shop: want a map, such as .*; got 'sg-1'"),
    (
        {"clients": {"shop": {"certificateAuthority": "nobody"}}},
        "mtls:clients.shop.certificateAuthority: want a self-signed authority: root-2026; got",
    ),
    ({"role": "producer"}, "mtls:clients.shop.certificateAuthority: want none with mtls:role"),
    ({"routes": {}}, "mtls:routes, mtls:openapiFile: want one of the two.*got neither"),
    ({"routes": {"GET widgets": "widgets"}}, "routes: want 'METHOD /path'.*got 'GET widgets'"),
    ({"routes": {"GET /": "gone"}}, "mtls:routes: want one of the backends widgets; got 'gone'"),
    ({"routes": {"GET /": 7}}, "mtls:routes.GET /: want text, such as 'widgets'; got 7"),
    ({"openapiFile": "no.yaml"}, "mtls:openapiFile: want a file below this project; got 'no.yaml'"),
    ({"pathRoutes": {"old": {"paths": ["/old/*"]}}}, "mtls:pathRoutes.old: want .*got no priority"),
    (
        {"pathRoutes": {"old": {"paths": "/old/*", "targetGroupArn": "arn:x", "priority": 100}}},
        r"mtls:pathRoutes.old.paths: want a list, such as \[/reports/\*\]; got '/old/\*'",
    ),
    (
        {"pathRoutes": {"old": {"paths": ["/o"], "targetGroupArn": "arn:x", "priority": "1st"}}},
        "mtls:pathRoutes.old.priority: want a whole number, such as 443; got '1st'",
    ),
    ({"alb": {"arn": "arn:aws:x"}}, "mtls:alb: want both keys.*; got arn"),
    ({"throttlingRateLimit": "fast"}, "mtls:throttlingRateLimit: want a number from 1"),
    ({"throttlingBurstLimit": 0}, "mtls:throttlingBurstLimit: want a number from 1.*got '0'"),
    ({"logRetentionDays": 8}, "mtls:logRetentionDays: want one of 1, 3, 5, 7, .*; got 8"),
    ({"deletionProtection": "maybe"}, "mtls:deletionProtection: want one of true, false; got"),
    ({"webAclArn": "acl"}, "mtls:webAclArn: want an ARN such as"),
    ({"domian": "x"}, "mtls:domian: want a setting that Pulumi.yaml lists; did you mean mtls:dom"),
    ({"zzz": "x"}, "mtls:zzz: want a setting that Pulumi.yaml lists$"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSALS, ids=lambda v: str(v)[:60])
def test_a_setting_that_cannot_be_used_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(SettingError, match=message):
        load(**changes)


def test_the_dev_stack_loads_as_it_is():
    settings = load()
    assert settings.role == "all-in-one"
    assert settings.test_certificates == {"shop": "root-2026"}
    assert settings.api["routes"] == {"GET /widgets": "widgets", "GET /whoami": "widgets"}


def test_every_setting_read_is_declared_with_type_and_description_and_the_reverse():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    for key, entry in declared.items():
        assert entry["type"] in {"string", "integer", "boolean", "object"}, key
        assert len(entry["description"]) > 10, key
    pulumi.runtime.set_all_config(stack_config({}))
    reader = _Reader(ROOT)
    reader.settings()
    assert {f"mtls:{key}" for key in reader.read} == set(declared)


def test_a_bundle_of_ones_own_is_read_from_its_file(tmp_path: Path):
    (tmp_path / "ca.pem").write_text(Authority.create("Corp").certificate_pem)
    own = {"corp": {"kind": "bring-your-own", "bundleFile": "ca.pem"}}
    settings = load(tmp_path, role="producer", clients={"shop": None}, certificateAuthorities=own)
    assert settings.certificate_authorities["corp"].bundle.startswith("-----BEGIN CERTIFICATE")
    assert settings.front["clients"]["shop"].security_group_id is None


def test_a_bundle_that_a_load_balancer_refuses_is_refused_with_its_subject(tmp_path: Path):
    weak = Authority.create("Weak", key="rsa-1024")
    (tmp_path / "ca.pem").write_text(weak.certificate_pem)
    own = {"corp": {"kind": "bring-your-own", "bundleFile": "ca.pem"}}
    message = (
        "certificateAuthorities.corp: CA bundle, certificate 'CN=Weak': want an RSA key of 2048"
    )
    with pytest.raises(SettingError, match=message):
        load(tmp_path, clients={}, certificateAuthorities=own)


def test_an_openapi_document_is_read_from_yaml_or_json(tmp_path: Path):
    document = {
        "openapi": "3.0.1",
        "paths": {"/w": {"get": {"x-amazon-apigateway-integration": {"uri": "${widgets}"}}}},
    }
    (tmp_path / "api.yaml").write_text(yaml.safe_dump(document))
    assert load(tmp_path, routes={}, openapiFile="api.yaml").api["openapi"] == document


def test_an_openapi_document_without_an_integration_is_refused(tmp_path: Path):
    (tmp_path / "api.yaml").write_text("openapi: 3.0.1\npaths: {/w: {get: {}}}")
    with pytest.raises(SettingError, match="want an x-amazon-apigateway-integration for GET /w"):
        load(tmp_path, routes={}, openapiFile="api.yaml")
