import json

import pytest
from botocore.exceptions import ClientError

STATEMENT = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "execute-api:Invoke",
    "Resource": ["execute-api:/*", "execute-api:/dev/GET/a"],
}
POLICY = {"Version": "2012-10-17", "Statement": [STATEMENT]}


@pytest.fixture
def gateway(client):
    gateway = client("apigateway")
    yield gateway
    for api in gateway.get_rest_apis(limit=500)["items"]:
        gateway.delete_rest_api(restApiId=api["id"])


def patch(gateway, api, op, path, value=None):
    operation = {"op": op, "path": path} | ({} if value is None else {"value": value})
    return gateway.update_rest_api(restApiId=api["id"], patchOperations=[operation])


def test_an_api_comes_back_as_it_was_sent(gateway):
    sent = {
        "name": "widgets",
        "description": "of all kinds",
        "endpointConfiguration": {
            "types": ["PRIVATE"],
            "ipAddressType": "dualstack",
            "vpcEndpointIds": ["vpce-1"],
        },
        "apiKeySource": "AUTHORIZER",
        "minimumCompressionSize": 1024,
        "disableExecuteApiEndpoint": True,
        "binaryMediaTypes": ["image/png"],
        "tags": {"a": "b"},
        "securityPolicy": "TLS_1_2",
        "endpointAccessMode": "BASIC",
    }
    made = gateway.create_rest_api(**sent)
    got = gateway.get_rest_api(restApiId=made["id"])
    assert {name: got[name] for name in sent} == sent
    assert got["rootResourceId"]


def test_a_policy_comes_back_with_full_arns_and_its_quotes_escaped(gateway):
    api = gateway.create_rest_api(name="widgets", policy=json.dumps(POLICY))
    returned = gateway.get_rest_api(restApiId=api["id"])["policy"]
    assert returned.startswith('{\\"Version\\":')
    policy = json.loads(json.loads(f'"{returned}"'))
    prefix = f"arn:aws:execute-api:eu-west-1:111111111111:{api['id']}"
    assert policy["Statement"][0]["Resource"] == [f"{prefix}/*", f"{prefix}/dev/GET/a"]


def test_a_policy_is_set_and_taken_away_by_patches(gateway):
    api = gateway.create_rest_api(name="widgets")
    assert "policy" not in api
    assert "policy" in patch(gateway, api, "replace", "/policy", json.dumps(POLICY))
    assert "policy" not in patch(gateway, api, "replace", "/policy", "")


@pytest.mark.parametrize(
    "document", ["no", "{}", json.dumps(POLICY).replace('"Effect": "Allow", ', "")]
)
def test_a_document_that_is_no_policy_is_refused(gateway, document):
    with pytest.raises(ClientError, match="Please check the policy syntax"):
        gateway.create_rest_api(name="widgets", policy=document)
    api = gateway.create_rest_api(name="widgets")
    with pytest.raises(ClientError, match="Please check the policy syntax"):
        patch(gateway, api, "replace", "/policy", document)


def test_a_policy_has_at_most_8192_characters(gateway):
    statement = STATEMENT | {"Resource": ""}
    empty = len(json.dumps({"Statement": [statement]}, separators=(",", ":")))
    longest = STATEMENT | {"Resource": "x" * (8192 - empty)}
    gateway.create_rest_api(name="widgets", policy=json.dumps({"Statement": [longest]}))
    longer = STATEMENT | {"Resource": "x" * (8193 - empty)}
    with pytest.raises(ClientError, match="the limit is 8192"):
        gateway.create_rest_api(name="widgets", policy=json.dumps({"Statement": [longer]}))


def test_a_private_api_is_dual_stack_and_an_edge_api_is_not(gateway):
    private = gateway.create_rest_api(name="p", endpointConfiguration={"types": ["PRIVATE"]})
    edge = gateway.create_rest_api(name="e")
    assert private["endpointConfiguration"]["ipAddressType"] == "dualstack"
    assert edge["endpointConfiguration"] == {"types": ["EDGE"], "ipAddressType": "ipv4"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}},
            "Only dualstack ipAddressType is supported for Private APIs",
        ),
        (
            {"endpointConfiguration": {"types": ["REGIONAL"], "vpcEndpointIds": ["vpce-1"]}},
            "supported only for APIs with the PRIVATE endpoint type",
        ),
        ({"endpointConfiguration": {"types": ["LOCAL"]}}, "Invalid endpoint type specified"),
        ({"apiKeySource": "COOKIE"}, "Invalid API key source specified"),
        ({"minimumCompressionSize": 10485761}, "Invalid minimum compression size"),
        ({"cloneFrom": "abc"}, "the lab does not model it"),
        ({"name": ""}, "API name cannot be empty"),
    ],
)
def test_an_api_is_refused_for(gateway, settings, words):
    with pytest.raises(ClientError, match=words):
        gateway.create_rest_api(**{"name": "widgets"} | settings)
    assert gateway.get_rest_apis()["items"] == []


def test_every_setting_is_patched(gateway):
    api = gateway.create_rest_api(name="widgets", endpointConfiguration={"types": ["REGIONAL"]})
    patch(gateway, api, "replace", "/endpointConfiguration/types/0", "PRIVATE")
    patch(gateway, api, "add", "/endpointConfiguration/vpcEndpointIds", "vpce-1")
    patch(gateway, api, "add", "/endpointConfiguration/vpcEndpointIds", "vpce-2")
    patch(gateway, api, "remove", "/endpointConfiguration/vpcEndpointIds", "vpce-1")
    patch(gateway, api, "replace", "/disableExecuteApiEndpoint", "true")
    patch(gateway, api, "replace", "/disableExecuteApiEndpoint", "false")
    patch(gateway, api, "add", "/binaryMediaTypes/image~1png")
    patch(gateway, api, "replace", "/minimumCompressionSize", "7")
    got = patch(gateway, api, "replace", "/description", "d")
    assert got["endpointConfiguration"] == {
        "types": ["PRIVATE"],
        "ipAddressType": "dualstack",
        "vpcEndpointIds": ["vpce-2"],
    }
    assert got["disableExecuteApiEndpoint"] is False
    assert got["binaryMediaTypes"] == ["image/png"]
    assert (got["minimumCompressionSize"], got["description"]) == (7, "d")
    assert "minimumCompressionSize" not in patch(gateway, api, "replace", "/minimumCompressionSize")


@pytest.mark.parametrize(
    ("op", "path", "value", "words"),
    [
        ("replace", "/nonsense", "1", "Invalid patch path '/nonsense' specified for op 'replace'"),
        ("replace", "/disableExecuteApiEndpoint", "1", "Invalid boolean value"),
        ("replace", "/minimumCompressionSize", "-1", "Invalid number value"),
        ("add", "/endpointConfiguration/vpcEndpointIds", "vpce-1", "PRIVATE endpoint type"),
        ("add", "/endpointConfiguration/colour", "blue", "Invalid patch path"),
    ],
)
def test_a_patch_is_refused_for(gateway, op, path, value, words):
    api = gateway.create_rest_api(name="widgets")
    with pytest.raises(ClientError, match=words):
        patch(gateway, api, op, path, value)


def test_a_refused_patch_takes_the_ones_before_it_with_it(gateway):
    api = gateway.create_rest_api(name="widgets")
    operations = [
        {"op": "replace", "path": "/name", "value": "gadgets"},
        {"op": "replace", "path": "/policy", "value": "no"},
    ]
    with pytest.raises(ClientError, match="Invalid policy document"):
        gateway.update_rest_api(restApiId=api["id"], patchOperations=operations)
    assert gateway.get_rest_api(restApiId=api["id"])["name"] == "widgets"


def test_apis_are_listed_by_pages(gateway):
    names = [f"api-{number}" for number in range(5)]
    for name in names:
        gateway.create_rest_api(name=name)
    pages = list(gateway.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert [api["name"] for page in pages for api in page["items"]] == names


def test_a_page_has_500_apis_at_most(gateway):
    with pytest.raises(ClientError, match="Invalid limit specified"):
        gateway.get_rest_apis(limit=501)


def test_an_api_is_tagged_by_its_arn(gateway):
    api = gateway.create_rest_api(name="widgets", tags={"a": "1"})
    arn = f"arn:aws:apigateway:eu-west-1::/restapis/{api['id']}"
    gateway.tag_resource(resourceArn=arn, tags={"b": "2"})
    gateway.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert gateway.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    assert gateway.get_rest_api(restApiId=api["id"])["tags"] == {"b": "2"}


def test_an_api_that_is_gone_is_not_found(gateway):
    api = gateway.create_rest_api(name="widgets")
    gateway.delete_rest_api(restApiId=api["id"])
    for call in (gateway.get_rest_api, gateway.delete_rest_api, gateway.get_resources):
        with pytest.raises(ClientError) as refusal:
            call(restApiId=api["id"])
        assert refusal.value.response["Error"] == {
            "Code": "NotFoundException",
            "Message": f"Invalid API identifier specified 111111111111:{api['id']}",
        }
