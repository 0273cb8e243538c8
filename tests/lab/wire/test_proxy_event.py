import base64
import json

import pytest

from tests.lab.wire.private_api import (
    ACCOUNT,
    ECHO,
    INTERNAL,
    Lab,
    PrivateApi,
    answering,
    event_of,
    make_api,
    make_function,
    refusal,
    with_function,
)


def test_the_event_is_the_documented_one(api: PrivateApi) -> None:
    response = api.get("/widgets?a=1&a=2&b=", headers=[("User-Agent", "curl/8")])
    assert response.status == 200
    event = json.loads(response.body)
    context = event.pop("requestContext")
    headers, trace = event.pop("headers"), response.header("X-Amzn-Trace-Id")
    assert headers == {
        "Host": api.host,
        "User-Agent": "curl/8",
        "X-Amzn-Trace-Id": trace,
        "X-Forwarded-For": "10.0.1.99",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    assert event.pop("multiValueHeaders") == {name: [value] for name, value in headers.items()}
    assert event == {
        "resource": "/widgets",
        "path": "/widgets",
        "httpMethod": "GET",
        "queryStringParameters": {"a": "2", "b": ""},
        "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [""]},
        "pathParameters": None,
        "stageVariables": {"colour": "red"},
        "body": None,
        "isBase64Encoded": False,
    }
    identity = {name: value for name, value in context.pop("identity").items() if value}
    assert identity == {
        "sourceIp": "10.0.1.99",
        "userAgent": "curl/8",
        "vpcId": api.vpc_id,
        "vpceId": api.endpoint_id,
    }
    assert context.pop("requestId") == response.header("x-amzn-RequestId")
    assert context.pop("extendedRequestId") == response.header("x-amz-apigw-id")
    assert context.pop("requestTime")
    assert context.pop("requestTimeEpoch")
    stage = api.client.get_stage(restApiId=api.api_id, stageName="v1")
    assert context == {
        "accountId": ACCOUNT,
        "apiId": api.api_id,
        "deploymentId": stage["deploymentId"],
        "domainName": api.host,
        "domainPrefix": api.api_id,
        "httpMethod": "GET",
        "operationName": None,
        "path": "/v1/widgets",
        "protocol": "HTTP/1.1",
        "resourceId": api.resource("/widgets"),
        "resourcePath": "/widgets",
        "stage": "v1",
    }


def test_headers_keep_their_case_and_the_last_of_a_name_wins(api: PrivateApi) -> None:
    sent = [("X-One", "a"), ("X-One", "b"), ("x-one", "c"), ("X-Forwarded-For", "10.9.9.9")]
    event = event_of(api.get("/widgets", headers=sent))
    assert event["headers"]["X-One"] == "b"
    assert event["headers"]["x-one"] == "c"
    assert event["multiValueHeaders"]["X-One"] == ["a", "b"]
    assert event["headers"]["X-Forwarded-For"] == "10.9.9.9, 10.0.1.99"


def test_the_senders_trace_goes_on(api: PrivateApi) -> None:
    root = "Root=1-67891233-abcdef012345678912345678"
    event = event_of(api.get("/widgets", headers=[("X-Amzn-Trace-Id", f"{root};Sampled=1")]))
    assert event["headers"]["X-Amzn-Trace-Id"] == root


def test_a_body_is_text_unless_its_type_is_binary(lab: Lab) -> None:
    echo = make_function(lab[0], "echobody", ECHO)
    api = make_api(*lab)
    api.lambda_method("/widgets", "POST", echo)
    api.allow(echo)
    patch = {"op": "add", "path": "/binaryMediaTypes/image~1*"}
    api.client.update_rest_api(restApiId=api.api_id, patchOperations=[patch])
    api.deploy()
    text = event_of(api.get("/widgets", method="POST", body="é".encode()))
    assert (text["body"], text["isBase64Encoded"]) == ("é", False)
    image = [("Content-Type", "image/png")]
    binary = event_of(api.get("/widgets", method="POST", body=b"\xff", headers=image))
    assert (binary["body"], binary["isBase64Encoded"]) == (base64.b64encode(b"\xff").decode(), True)


def test_both_header_maps_and_the_status_reach_the_client(lab: Lab) -> None:
    answer = """{"statusCode": "201", "body": "made", "headers": {"X-A": "1", "x-b": "lost"},
        "multiValueHeaders": {"X-B": ["2", 3]}}"""
    response = answering(lab, "both", answer)
    assert (response.status, response.body) == (201, b"made")
    assert response.headers[:3] == (("X-A", "1"), ("X-B", "2"), ("X-B", "3"))
    assert response.header("Content-Type") == "application/json"
    assert response.header("x-amzn-RequestId")
    assert response.header("x-amz-apigw-id")


def test_some_headers_of_a_function_are_renamed_or_dropped(lab: Lab) -> None:
    headers = {"Server": "mine", "WWW-Authenticate": "Bearer", "Transfer-Encoding": "chunked"}
    response = answering(lab, "remapped", f'{{"statusCode": 200, "headers": {headers}}}')
    assert response.header("x-amzn-Remapped-Server") == "mine"
    assert response.header("x-amzn-Remapped-WWW-Authenticate") == "Bearer"
    assert response.header("Server") is None
    assert response.header("Transfer-Encoding") is None


def test_base64_is_decoded_only_for_binary_types_that_the_client_accepts(lab: Lab) -> None:
    source = """def handler(event, context):
        return {"statusCode": 200, "isBase64Encoded": True, "body": "AAE="}"""
    api = with_function(lab, "binary", source)
    accept = [("Accept", "image/png")]
    assert api.get("/widgets", headers=accept).body == b"AAE="
    patch = {"op": "add", "path": "/binaryMediaTypes/image~1png"}
    api.client.update_rest_api(restApiId=api.api_id, patchOperations=[patch])
    api.deploy()
    assert api.get("/widgets", headers=accept).body == b"\x00\x01"
    assert api.get("/widgets").body == b"AAE="


@pytest.mark.parametrize(
    ("number", "answer"),
    list(
        enumerate(
            [
                "'text'",
                "None",
                "{}",
                "{'statusCode': 'OK'}",
                "{'statusCode': 99}",
                "{'statusCode': True}",
                "{'statusCode': 200, 'body': {'a': 1}}",
                "{'statusCode': 200, 'headers': []}",
                "{'statusCode': 200, 'headers': {'a': []}}",
                "{'statusCode': 200, 'headers': {'a': 'b\\r\\nSet-Cookie: c'}}",
                "{'statusCode': 200, 'multiValueHeaders': {'a': 'b'}}",
                "{'statusCode': 200, 'cookies': []}",
                "1 / 0",
            ]
        )
    ),
)
def test_a_malformed_answer_or_an_error_is_a_502(lab: Lab, number: int, answer: str) -> None:
    response = answering(lab, f"malformed{number}", answer)
    assert refusal(response) == (502, "InternalServerErrorException", INTERNAL)
