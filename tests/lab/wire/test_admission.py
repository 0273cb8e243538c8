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
    TOO_LONG,
    Lab,
    PrivateApi,
    invocation_uri,
    make_api,
    make_endpoint,
    make_function,
    refusal,
    this_endpoint_only,
    with_mock,
)


def test_another_endpoint_is_denied_explicitly_in_awss_words(api: PrivateApi, lab: Lab) -> None:
    other, _ = make_endpoint(lab[0])
    arn = f"arn:aws:execute-api:{REGION}:********1111:{api.api_id}/v1/GET/widgets"
    assert refusal(api.get("/widgets", endpoint_id=other)) == (
        403,
        "AccessDeniedException",
        {
            "Message": "User: anonymous is not authorized to perform: execute-api:Invoke on"
            f" resource: {arn} with an explicit deny in a resource-based policy"
        },
    )


def test_what_no_policy_allows_is_denied_implicitly_and_only_once_deployed(lab: Lab) -> None:
    api = with_mock(lab)
    policy = this_endpoint_only(api.endpoint_id)
    policy["Statement"][0]["Resource"] = "execute-api:/v1/POST/*"
    api.set_policy(policy)
    assert api.get("/widgets").status == 204
    api.deploy()
    status, kind, body = refusal(api.get("/widgets"))
    assert (status, kind) == (403, "AccessDeniedException")
    assert body["Message"].endswith(
        "/v1/GET/widgets because no resource-based policy allows the execute-api:Invoke action"
    )


def test_a_policy_that_is_not_understood_denies(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    api = with_mock(lab)
    policy = this_endpoint_only(api.endpoint_id)
    policy["Statement"][1]["Condition"] = {"DateGreaterThan": {"aws:CurrentTime": "2000-01-01"}}
    api.set_policy(policy)
    api.deploy()
    assert refusal(api.get("/widgets")) == (500, "InternalServerErrorException", INTERNAL)
    assert "'DateGreaterThan' is not known" in caplog.text


def only(resource: str) -> dict[str, Any]:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"}
    return {"Statement": [allow | {"Resource": resource}]}


def test_the_endpoint_policy_closes_the_way_to_other_apis(lab: Lab) -> None:
    api = with_mock(lab, only(f"arn:aws:execute-api:{REGION}:{ACCOUNT}:another/*"))
    status, kind, body = refusal(api.get("/widgets"))
    assert (status, kind) == (403, "AccessDeniedException")
    assert body["Message"].endswith(
        "/v1/GET/widgets because no VPC endpoint policy allows the execute-api:Invoke action"
    )


def test_an_authorization_header_passes_the_default_endpoint_policy(lab: Lab) -> None:
    assert with_mock(lab).get("/widgets", headers=[BEARER]).status == 204


@pytest.mark.parametrize(
    ("header", "kind", "message"),
    [
        ("Bearer abc", "IncompleteSignatureException", "Invalid key=value pair (missing equal-"),
        ("Bearer", "IncompleteSignatureException", "Authorization header requires 'Credential' p"),
        ("a=b", "IncompleteSignatureException", "Authorization header must begin with the algor"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00",
            "IncompleteSignatureException",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ),
    ],
)
def test_under_an_own_endpoint_policy_an_authorization_header_is_a_signature(
    lab: Lab, header: str, kind: str, message: str
) -> None:
    api = with_mock(lab, only(f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*"))
    assert api.get("/widgets").status == 204
    status, error_type, body = refusal(api.get("/widgets", headers=[("Authorization", header)]))
    assert (status, error_type) == (403, kind)
    assert body["message"].startswith(message)


def test_a_complete_signature_is_of_a_key_that_nobody_knows(lab: Lab) -> None:
    api = with_mock(lab, authorizationType="AWS_IAM")
    assert refusal(api.get("/widgets")) == MISSING_TOKEN
    signed = "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00"
    headers = [("Authorization", signed), ("X-Amz-Date", "20260101T000000Z")]
    assert refusal(api.get("/widgets", headers=headers)) == (
        403,
        "UnrecognizedClientException",
        {"message": "The security token included in the request is invalid."},
    )


def test_an_authorizer_of_another_kind_closes_the_method(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api(*lab)
    arn = make_function(lab[0], "authorizer", ECHO)
    authorizer = api.client.create_authorizer(
        restApiId=api.api_id,
        name="jwt",
        type="TOKEN",
        authorizerUri=invocation_uri(arn),
        identitySource="method.request.header.Authorization",
    )["id"]
    api.method("/widgets", "GET", MOCK, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    assert refusal(api.get("/widgets", headers=[BEARER])) == (
        500,
        "AuthorizerConfigurationException",
        {"message": None},
    )
    assert "authorizer 'jwt' is not modelled" in caplog.text


def test_a_method_with_an_api_key_is_closed(lab: Lab) -> None:
    api = with_mock(lab, apiKeyRequired=True)
    assert refusal(api.get("/widgets", headers=[("x-api-key", "any")])) == FORBIDDEN


def test_headers_of_more_than_8000_bytes_are_refused(api: PrivateApi) -> None:
    room = 8_000 - len("Host") - len(api.host) - len("X-Big")
    assert api.get("/widgets", headers=[("X-Big", "x" * room)]).status == 200
    response = api.get("/widgets", headers=[("X-Big", "x" * (room + 1))])
    assert response.status == 431


def test_a_long_url_and_a_large_payload_are_refused(lab: Lab) -> None:
    api = with_mock(lab)
    room = 8_192 - len("/v1/widgets?")
    assert api.get("/widgets?" + "x" * room).status == 204
    assert api.get("/widgets?" + "x" * (room + 1)).status == 414
    assert api.get("/widgets", body=b"x" * 10 * 1024 * 1024).status == 204
    assert refusal(api.get("/widgets", body=b"x" * (10 * 1024 * 1024 + 1))) == TOO_LONG


def test_a_payload_that_lambda_does_not_take_is_refused(api: PrivateApi) -> None:
    assert refusal(api.get("/", method="POST", body=b"x" * 6_291_456)) == TOO_LONG


def test_throttling_follows_the_stages_method_settings(lab: Lab) -> None:
    api = with_mock(lab)
    api.patch_stage(("/*/*/throttling/burstLimit", "2"), ("/*/*/throttling/rateLimit", "0.001"))
    assert [api.get("/widgets").status for _ in range(2)] == [204, 204]
    assert refusal(api.get("/widgets")) == (
        429,
        "TooManyRequestsException",
        {"message": "Too Many Requests"},
    )
    api.patch_stage(("/~1widgets/GET/throttling/burstLimit", "5"))
    assert api.get("/widgets").status == 204
