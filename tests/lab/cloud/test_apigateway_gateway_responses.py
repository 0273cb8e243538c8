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
