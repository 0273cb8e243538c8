"""Every refusal of the configuration: the key, what was wanted with an example, what was given."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from lab.certificates import Authority
from settings import ConsumerSettings, ProducerSettings, SettingError, Settings, _load
from settings.quotas import exceeded
from settings.reader import Reader
from settings.tenants import described
from tests.conftest import ROOT, stack_config


def load(root: Path = ROOT, stack: str = "dev", **changes: Any) -> Settings:
    given = {f"mtls:{key}": value for key, value in changes.items()}
    if "region" in changes:
        given["aws:region"] = given.pop("mtls:region")
    pulumi.runtime.set_all_config(stack_config(given, stack))
    try:
        return Settings.load(root)
    finally:
        pulumi.runtime.set_all_config({})


def produced(root: Path = ROOT, **changes: Any) -> ProducerSettings:
    producer = load(root, **changes).producer
    assert producer is not None
    return producer


def consumed(**changes: Any) -> ConsumerSettings:
    consumer = load(stack="acme", **changes).consumer
    assert consumer is not None
    return consumer


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
    ({"role": "buyer"}, "mtls:role: want one of producer, consumer, all-in-one; got 'buyer'"),
    ({"role": "consumer"}, "mtls:publicZone: want none with mtls:role 'consumer'; got 'example.co"),
    ({"serviceName": "x"}, "mtls:serviceName: want none with mtls:role 'all-in-one'; got 'x'"),
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
    ({**EXISTING, "endpointIps": {}}, "mtls:endpointIps: want one free address for each of euw1"),
    (
        {**EXISTING, "endpointIps": {"euw1-az1": "10.0.0.9", "euw1-az2": "here"}},
        "mtls:endpointIps.euw1-az2: want an IPv4 address such as '10.20.0.16'; got 'here'",
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
    (
        {"pathRoutes": {"o": {"paths": ["/o"], "apiId": "abc123", "priority": 100}}},
        "mtls:pathRoutes.o: want both apiId and stage",
    ),
    ({"apiSelection": "host"}, "mtls:apiSelection: want one of rewrite, private-domain, regional"),
    ({"privateLink": False}, "mtls:customers: want none without mtls:privateLink; got acme"),
    ({"customers": {"acme": "4444"}}, "mtls:customers.acme: want a map, such as"),
    (
        {"customers": {"acme": {"principals": "444455556666"}}},
        r"mtls:customers.acme.principals: want a list, such as .*; got '444455556666'",
    ),
    (
        {"customers": {"acme": {"principals": ["44445555"]}}},
        "mtls:customers.acme.principals: want values such as 'arn:aws:iam::.*; got '44445555'",
    ),
    (
        {
            "customers": {
                "a": {"principals": ["444455556666"]},
                "b": {"principals": ["444455556666"]},
            }
        },
        "mtls:customers.b.principals: want values of its own; got '.*', which a has",
    ),
    (
        {"customers": {"a": {"principals": ["444455556666"], "certificates": {"cn": []}}}},
        "mtls:customers.a.certificates: want the keys blocked, issuers, sanDns, sanUri, subjects, "
        "thumbprints; got 'cn'",
    ),
    (
        {
            "customers": {
                "shop": {"principals": ["444455556666"], "certificateAuthority": "root-2026"}
            }
        },
        "mtls:customers.shop: want a name of its own; got one that mtls:clients has",
    ),
    ({"supportedRegions": ["here"]}, "mtls:supportedRegions: want a region such as .*; got 'here'"),
    ({"consumerVpcCidr": "10.40.0.0/16"}, "mtls:consumerSubnets: want at least two"),
    (
        {
            "consumerVpcCidr": "10.40.0.0/16",
            "consumerSubnets": {"euw1-az1": "10.40.0.0/24", "euw1-az2": "10.40.1.0/24"},
        },
        "mtls:consumerVpcCidr: want mtls:privateLink true and mtls:acceptanceRequired false",
    ),
    ({"consumerSubnets": {"euw1-az1": "10.40.0.0/24"}}, "mtls:consumerSubnets: want none with"),
    ({"alb": {"arn": "arn:aws:x"}}, "mtls:alb: want both keys.*; got arn"),
    ({"throttlingRateLimit": "fast"}, "mtls:throttlingRateLimit: want a number from 1"),
    ({"throttlingBurstLimit": 0}, "mtls:throttlingBurstLimit: want a number from 1.*got '0'"),
    ({"logRetentionDays": 8}, "mtls:logRetentionDays: want one of 1, 3, 5, 7, .*; got 8"),
    ({"deletionProtection": "maybe"}, "mtls:deletionProtection: want one of true, false; got"),
    ({"webAclArn": "acl"}, "mtls:webAclArn: want an ARN such as"),
    ({"domian": "x"}, "mtls:domian: want a setting that Pulumi.yaml lists; did you mean mtls:dom"),
    ({"zzz": "x"}, "mtls:zzz: want a setting that Pulumi.yaml lists$"),
]


CONSUMER_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"producerStack": ""}, "mtls:serviceName, mtls:producerStack: want one of the two.*neither"),
    ({"producerStack": "dev/prod"}, "mtls:producerStack: want 'organization/project/stack'"),
    ({"serviceName": "com.amazonaws.vpce.x"}, "mtls:serviceName, mtls:producerStack: .*got both"),
    ({"serviceZones": ["euw1-az1"]}, "mtls:serviceZones: want the zone ids of the service beside"),
    (
        {"producerStack": "", "serviceName": "s", "serviceZones": ["euw1-az3", "euw1-az2"]},
        "mtls:subnets: want zones of the service, which is in euw1-az2, euw1-az3; "
        "got euw1-az1, euw1-az2, where euw1-az1 is none of them",
    ),
    ({"serviceZones": "euw1-az1"}, "mtls:serviceZones: want a list, such as .*; got 'euw1-az1'"),
    ({"dns": "hosts"}, "mtls:dns: want one of private-dns-name, private-hosted-zone; got 'hosts'"),
    ({"routes": {"GET /": "w"}}, "mtls:routes: want none with mtls:role 'consumer'"),
    ({"authorizer": {"kind": "none"}}, "mtls:authorizer: want none with mtls:role 'consumer'"),
    ({"clients": {"shop": {"tokens": {}}}}, "mtls:clients.shop: want the keys securityGroupId"),
    (
        {"clients": {"shop": {"certificateAuthority": "r"}}},
        "mtls:clients.shop: want the keys secur",
    ),
    ({"vpcCidr": ""}, "mtls:vpcCidr, mtls:vpcId: want one of the two"),
]


@pytest.mark.parametrize(("changes", "message"), CONSUMER_REFUSALS, ids=lambda v: str(v)[:60])
def test_a_consumers_setting_that_cannot_be_used_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(SettingError, match=message):
        load(stack="acme", **changes)


def test_a_consumer_needs_no_free_addresses_in_its_own_vpc():
    settings = consumed(**{**EXISTING, "endpointIps": {}})
    assert settings.zones == ("euw1-az1", "euw1-az2")


def test_an_account_id_stands_for_the_whole_account_in_its_partition():
    def principals(region: str) -> tuple[str, ...]:
        return produced(region=region).customers["acme"].admitted.principals

    assert principals("eu-west-1") == ("arn:aws:iam::444455556666:root",)
    assert principals("cn-north-1") == ("arn:aws-cn:iam::444455556666:root",)
    assert principals("us-gov-west-1") == ("arn:aws-us-gov:iam::444455556666:root",)


def test_a_role_may_be_a_principal_and_the_rest_of_a_customer_is_kept():
    role = "arn:aws:iam::444455556666:role/network"
    given = {
        "principals": [role],
        "endpoints": ["vpce-0123456789abcdef0"],
        "contact": "api@acme.example",
        "certificates": {"subjects": ["CN=acme"], "thumbprints": ["ab" * 32]},
        "tokens": {"clientIds": ["acme"]},
    }
    settings = produced(customers={"acme": given})
    acme = settings.customers["acme"]
    assert acme.admitted.principals == (role,)
    assert acme.admitted.endpoint_ids == ("vpce-0123456789abcdef0",)
    assert acme.contact == "api@acme.example"
    assert described(settings.tenants["acme"].certificates) == given["certificates"]


def test_a_path_may_lead_to_a_further_private_api():
    orders = {"paths": ["/orders/*"], "apiId": "abc123", "stage": "live", "priority": 100}
    settings = produced(pathRoutes={"orders": orders})
    target = settings.front["path_routes"]["orders"].api
    assert target is not None
    assert target.host == "abc123.execute-api.eu-west-1.amazonaws.com"
    assert settings.routed_api_ids == ("abc123",)


def test_a_quota_that_is_too_small_is_told_of_before_anything_is_made():
    clients = {f"c{n}": {} for n in range(59)}
    routes = {
        f"r{n}": {"paths": ["/r"], "targetGroupArn": "arn:aws:x", "priority": 100 + n}
        for n in range(88)
    }
    assert [(one.setting, one.wanted) for one in exceeded(produced())] == []
    told = list(exceeded(produced(clients=clients, pathRoutes=routes)))
    assert [(one.setting, one.wanted) for one in told] == [("pathRoutes", 101), ("clients", 61)]
    assert "mtls:clients: makes 61 of what AWS allows 60 by default" in str(told[1])
    assert list(exceeded(consumed(clients={**clients, "x": {}}))) == []
    blocks = [f"10.9.{n}.0/24" for n in range(2)]
    assert len(list(exceeded(consumed(clients=clients, clientCidrs=blocks)))) == 1


def test_a_producer_may_be_its_own_customer():
    own = load(
        acceptanceRequired=False,
        consumerVpcCidr="10.40.0.0/16",
        consumerSubnets={"euw1-az1": "10.40.0.0/24", "euw1-az2": "10.40.1.0/24"},
    ).consumer
    assert own is not None
    assert own.dns == "private-hosted-zone"
    assert own.zones == ("euw1-az1", "euw1-az2")


@pytest.mark.parametrize(("changes", "message"), REFUSALS, ids=lambda v: str(v)[:60])
def test_a_setting_that_cannot_be_used_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(SettingError, match=message):
        load(**changes)


def test_the_dev_stack_loads_as_it_is():
    assert load().role == "all-in-one"
    settings = produced()
    assert settings.test_certificates == {"shop": "root-2026", "acme": "root-2026"}
    assert settings.api["routes"] == {"GET /widgets": "widgets", "GET /whoami": "widgets"}


def test_every_setting_read_is_declared_with_type_and_description_and_the_reverse():
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    for key, entry in declared.items():
        assert entry["type"] in {"string", "integer", "boolean", "object"}, key
        assert len(entry["description"]) > 10, key
    assert {f"mtls:{key}" for key in read_by("dev") | read_by("acme")} == set(declared)


def read_by(stack: str) -> set[str]:
    """The keys that a stack of its role looks at."""
    pulumi.runtime.set_all_config(stack_config({}, stack))
    reader = Reader(ROOT)
    _load(reader)
    pulumi.runtime.set_all_config({})
    return reader.read


def test_a_bundle_of_ones_own_is_read_from_its_file(tmp_path: Path):
    (tmp_path / "ca.pem").write_text(Authority.create("Corp").certificate_pem)
    own = {"corp": {"kind": "bring-your-own", "bundleFile": "ca.pem"}}
    settings = produced(
        tmp_path,
        role="producer",
        clients={"shop": None},
        customers={},
        certificateAuthorities=own,
    )
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
        load(tmp_path, clients={}, customers={}, certificateAuthorities=own)


def test_an_openapi_document_is_read_from_yaml_or_json(tmp_path: Path):
    document = {
        "openapi": "3.0.1",
        "paths": {"/w": {"get": {"x-amazon-apigateway-integration": {"uri": "${widgets}"}}}},
    }
    (tmp_path / "api.yaml").write_text(yaml.safe_dump(document))
    assert produced(tmp_path, routes={}, openapiFile="api.yaml").api["openapi"] == document


def test_an_openapi_document_without_an_integration_is_refused(tmp_path: Path):
    (tmp_path / "api.yaml").write_text("openapi: 3.0.1\npaths: {/w: {get: {}}}")
    with pytest.raises(SettingError, match="want an x-amazon-apigateway-integration for GET /w"):
        load(tmp_path, routes={}, openapiFile="api.yaml")
