import json

from tests.lab.wire.private_api import (
    FORBIDDEN,
    MISSING_TOKEN,
    Lab,
    make_endpoint,
    refusal,
    with_mock,
)


def test_the_api_customises_its_own_refusals(lab: Lab) -> None:
    api = with_mock(lab)
    api.client.put_gateway_response(
        restApiId=api.api_id,
        responseType="DEFAULT_4XX",
        responseParameters={
            "gatewayresponse.header.X-Why": "'no'",
            "gatewayresponse.header.X-Agent": "method.request.header.User-Agent",
            "gatewayresponse.header.X-Query": "method.request.querystring.q",
        },
        responseTemplates={
            "application/json": '{"error":$context.error.messageString,"id":"$context.requestId"}'
        },
    )
    api.client.put_gateway_response(
        restApiId=api.api_id, responseType="MISSING_AUTHENTICATION_TOKEN", statusCode="404"
    )
    assert refusal(api.get("/nothing")) == MISSING_TOKEN
    api.deploy()
    assert api.get("/nothing").status == 404
    other, _ = make_endpoint(lab[0])
    response = api.get("/widgets", endpoint_id=other, headers=[("User-Agent", "curl")])
    body = json.loads(response.body)
    assert response.status == 403
    assert body["error"].startswith("User: anonymous is not authorized")
    assert body["id"] == response.header("x-amzn-RequestId")
    assert (response.header("X-Why"), response.header("X-Agent")) == ("no", "curl")
    assert api.get("/widgets?q=a%20b", endpoint_id=other).header("X-Query") == "a b"
    assert api.get("/widgets?q=a%0d%0ab", endpoint_id=other).header("X-Query") is None
    assert refusal(api.get("", target="/v2/")) == FORBIDDEN
