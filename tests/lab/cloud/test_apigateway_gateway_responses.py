import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def gateway(client):
    return client("apigateway")


@pytest.fixture
def api(gateway):
    return {"restApiId": gateway.create_rest_api(name="widgets")["id"]}


def test_every_type_has_a_default_response(gateway, api):
    got = gateway.get_gateway_responses(**api)["items"]
    assert len(got) == 21
    assert all(response["defaultResponse"] for response in got)
    denied = gateway.get_gateway_response(**api, responseType="ACCESS_DENIED")
    assert denied["statusCode"] == "403"
    assert denied["responseTemplates"] == {
        "application/json": '{"message":$context.error.messageString}'
    }


def test_a_response_is_customised_patched_and_reset(gateway, api):
    which = {**api, "responseType": "THROTTLED"}
    gateway.put_gateway_response(**which, statusCode="503")
    operation = {
        "op": "add",
        "path": "/responseParameters/gatewayresponse.header.Retry-After",
        "value": "'5'",
    }
    gateway.update_gateway_response(**which, patchOperations=[operation])
    got = gateway.get_gateway_response(**which)
    assert (got["statusCode"], got["defaultResponse"]) == ("503", False)
    assert got["responseParameters"] == {"gatewayresponse.header.Retry-After": "'5'"}
    gateway.delete_gateway_response(**which)
    assert gateway.get_gateway_response(**which)["statusCode"] == "429"
    with pytest.raises(ClientError, match="Gateway response type not defined on api"):
        gateway.delete_gateway_response(**which)


def test_an_unknown_type_is_refused(gateway, api):
    with pytest.raises(ClientError, match="Invalid gateway response type specified: TEAPOT"):
        gateway.put_gateway_response(**api, responseType="TEAPOT")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"statusCode": "600"}, "Invalid status code specified: 600"),
        ({"responseParameters": {"WWW-Authenticate": "'Bearer'"}}, "specified: WWW-Authenticate]"),
        ({"responseParameters": {"gatewayresponse.header.X": "Bearer"}}, "specified: Bearer]"),
        ({"responseParameters": {"gatewayresponse.header.X": "'a\nb'"}}, "Invalid mapping"),
        ({"responseParameters": {"gatewayresponse.header.X": "method.request.body"}}, "Invalid"),
    ],
)
def test_a_status_or_mapping_that_is_none_is_refused(gateway, api, settings, words):
    which = {**api, "responseType": "UNAUTHORIZED"}
    with pytest.raises(ClientError) as refused:
        gateway.put_gateway_response(**which, **settings)
    assert words in refused.value.response["Error"]["Message"]
    assert gateway.get_gateway_response(**which)["defaultResponse"] is True


def test_a_patch_with_a_bad_mapping_changes_nothing(gateway, api):
    which = {**api, "responseType": "UNAUTHORIZED"}
    gateway.put_gateway_response(**which, statusCode="401")
    path = "/responseParameters/gatewayresponse.header.X"
    patch = {"op": "add", "path": path, "value": "unquoted"}
    with pytest.raises(ClientError, match="Invalid mapping expression specified"):
        gateway.update_gateway_response(**which, patchOperations=[patch])
    assert not gateway.get_gateway_response(**which).get("responseParameters")
