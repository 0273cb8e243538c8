import json
from typing import Any

import pytest

from tests.lab.wire.private_api import (
    ACCOUNT,
    BEARER,
    ECHO,
    FORBIDDEN,
    INTERNAL,
    MISSING_TOKEN,
    MOCK,
    REGION,
    Lab,
    PrivateApi,
    event_of,
    make_api,
    make_function,
    refusal,
    with_function,
    with_mock,
)


def test_ping_answers_whatever_the_host(api: PrivateApi) -> None:
    for path in ("/ping", "/sping"):
        response = api.get("", target=path, host="10.0.1.10")
        assert (response.status, response.body) == (200, b"healthy")


@pytest.mark.parametrize("form", ["{api}", "{api}:443", "{API}", "{alias}"])
def test_the_host_chooses_the_api(api: PrivateApi, form: str) -> None:
    alias = f"{api.api_id}-{api.endpoint_id}.execute-api.{REGION}.amazonaws.com"
    host = form.format(api=api.host, API=api.host.upper(), alias=alias)
    assert api.get("/widgets", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "10.0.1.10",
        "api.example.com",
        "nosuchapi1.execute-api.eu-west-1.amazonaws.com",
        "{api}.execute-api.us-east-1.amazonaws.com",
    ],
)
def test_a_host_that_names_no_api_here_is_forbidden(api: PrivateApi, host: str) -> None:
    name = host.format(api=api.api_id)
    assert refusal(api.get("/widgets", host=name)) == FORBIDDEN


def test_the_api_id_header_wins_over_the_host(api: PrivateApi) -> None:
    header = [("X-Apigw-Api-Id", api.api_id)]
    assert api.get("/widgets", host="10.0.1.10", headers=header).status == 200
    other = [("x-apigw-api-id", "nosuchapi1")]
    assert refusal(api.get("/widgets", headers=other)) == FORBIDDEN


def test_an_unknown_stage_is_forbidden(api: PrivateApi) -> None:
    assert refusal(api.get("", target="/v2/widgets")) == FORBIDDEN
    assert refusal(api.get("", target="/")) == FORBIDDEN


def test_a_regional_api_does_not_answer_at_an_endpoint(lab: Lab) -> None:
    api = make_api(*lab, kind="REGIONAL")
    api.method("/", "GET", MOCK)
    api.deploy()
    assert refusal(api.get("/")) == FORBIDDEN


def test_a_disabled_default_endpoint_is_forbidden_from_the_next_deployment_on(lab: Lab) -> None:
    api = with_mock(lab)
    patch = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}
    api.client.update_rest_api(restApiId=api.api_id, patchOperations=[patch])
    assert api.get("/widgets").status == 204
    api.deploy()
    assert refusal(api.get("/widgets")) == FORBIDDEN


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/widgets/new", "/widgets/new", None),
        ("/widgets/7%2F8", "/widgets/{id}", {"id": "7/8"}),
        ("/files/a/b.txt", "/files/{proxy+}", {"proxy": "a/b.txt"}),
        ("/", "/", None),
        ("", "/", None),
    ],
)
def test_a_literal_path_wins_over_a_parameter_and_that_over_a_greedy_one(
    api: PrivateApi, path: str, resource: str, parameters: Any
) -> None:
    event = event_of(api.get(path))
    assert event["resource"] == resource
    assert event["pathParameters"] == parameters


def test_any_is_every_method(api: PrivateApi) -> None:
    assert event_of(api.get("/", method="DELETE"))["httpMethod"] == "DELETE"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(
            ("GET", path)
            for path in ("/nothing", "/widgets/1/2", "/widgets/", "/files", "/Widgets")
        ),
        *((method, "/widgets") for method in ("POST", "HEAD")),
    ],
)
def test_an_unknown_path_or_method_is_a_missing_token(
    api: PrivateApi, method: str, path: str
) -> None:
    assert refusal(api.get(path, method=method)) == MISSING_TOKEN


def test_an_authorization_header_at_an_unknown_path_is_read_as_a_signature(
    api: PrivateApi,
) -> None:
    status, kind, body = refusal(api.get("/nothing", headers=[BEARER]))
    assert (status, kind) == (403, "IncompleteSignatureException")
    assert body["message"] == (
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256"
        " and encoded with Base64): 'w1Xc6WwWEogNEZQP/dkBTThsJT4MNlKmzQanIm970rY='."
    )


def test_an_integration_that_takes_too_long_is_a_504(lab: Lab) -> None:
    api = with_function(lab, "late", "import time\ndef handler(e, c): time.sleep(1)")
    where = {"restApiId": api.api_id, "resourceId": api.resource("/widgets"), "httpMethod": "GET"}
    patch = {"op": "replace", "path": "/timeoutInMillis", "value": "100"}
    api.client.update_integration(**where, patchOperations=[patch])
    api.deploy()
    assert refusal(api.get("/widgets")) == (
        504,
        "InternalServerErrorException",
        {"message": "Endpoint request timed out"},
    )


def test_a_function_that_does_not_admit_this_api_is_a_500(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    arn = make_function(lab[0], "closed", ECHO)
    api = make_api(*lab)
    api.lambda_method("/widgets", "GET", arn)
    api.deploy()
    expected = (500, "InternalServerErrorException", INTERNAL)
    assert refusal(api.get("/widgets")) == expected
    permission = {
        "FunctionName": "closed",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    }
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.api_id}/*/POST/widgets"
    client = lab[0].client("lambda")
    client.add_permission(**permission, StatementId="other", SourceArn=source)
    assert refusal(api.get("/widgets")) == expected
    assert "Invalid permissions on Lambda function" in caplog.text
    api.allow(arn)
    assert api.get("/widgets").status == 200


def test_a_throttled_function_is_a_500(lab: Lab) -> None:
    api = with_function(lab, "throttled", ECHO)
    lab[0].client("lambda").put_function_concurrency(
        FunctionName="throttled", ReservedConcurrentExecutions=0
    )
    assert refusal(api.get("/widgets")) == (500, "InternalServerErrorException", INTERNAL)


def test_an_integration_that_is_not_modelled_says_so(lab: Lab) -> None:
    api = make_api(*lab)
    proxy = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "https://example.com"}
    api.method("/widgets", "GET", proxy)
    api.client.put_gateway_response(
        restApiId=api.api_id, responseType="DEFAULT_5XX", statusCode="503"
    )
    api.deploy()
    response = api.get("/widgets")
    assert response.status == 501
    assert json.loads(response.body) == {
        "message": "The lab does not model this: HTTP_PROXY integration of /widgets"
    }
