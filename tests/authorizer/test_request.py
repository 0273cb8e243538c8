"""The event: one token in one header, whatever the case of its name."""

from typing import Any

import pytest

from authorizer.certificates import LEAF_HEADER
from authorizer.errors import UnauthorizedError
from authorizer.request import MAX_TOKEN_CHARACTERS, read, request_id
from tests.authorizer.issuing import STAGE, event


def of_headers(**values: object) -> dict[str, Any]:
    found = event("token")
    del found["multiValueHeaders"]["Authorization"]
    found["multiValueHeaders"] |= values
    return found


def reason(found: object) -> str:
    with pytest.raises(UnauthorizedError) as refusal:
        read(found, LEAF_HEADER)
    return refusal.value.reason


def test_an_event_is_read():
    found = read(event("the.token", "pem", name="order"), LEAF_HEADER)
    assert (found.token, found.certificates) == ("the.token", ["pem"])
    assert found.call.method == "GET"
    assert found.call.resource == "/orders/{id}"
    assert found.call.method_arn == f"{STAGE}/GET/orders/42"
    assert found.call.stage_arn == STAGE
    assert found.request_id == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-b"])
def test_the_partition_is_that_of_the_event(partition: str):
    found = event("token")
    found["methodArn"] = found["methodArn"].replace("arn:aws:", f"arn:{partition}:")
    stage = STAGE.replace("arn:aws:", f"arn:{partition}:")
    assert read(found, LEAF_HEADER).call.stage_arn == stage


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "aUthorization"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_neither_header_name_nor_scheme_depend_on_case(name: str, scheme: str):
    found = read(of_headers(**{name: [f"{scheme} a.b"]}), LEAF_HEADER)
    assert found.token.split(".") == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "token_missing"),
        ({"Authorization": []}, "token_missing"),
        ({"Authorization": [""]}, "token_missing"),
        ({"Authorization": ["Basic dTpw"]}, "token_missing"),
        ({"Authorization": ["Bearer"]}, "token_missing"),
        ({"Authorization": ["Bearert"]}, "token_missing"),
        ({"Authorization": ["token"]}, "token_missing"),
        ({"Authorization": ["Bearer "]}, "token_malformed"),
        ({"Authorization": ["Bearer \xe9"]}, "token_malformed"),
        ({"Authorization": ["Bearer \ud800"]}, "token_malformed"),
        ({"Authorization": ["Bearer " + "a" * (MAX_TOKEN_CHARACTERS + 1)]}, "token_malformed"),
        ({"Authorization": ["Bearer a", "Bearer a"]}, "token_repeated"),
        ({"Authorization": ["Bearer a"], "authorization": ["Bearer b"]}, "token_repeated"),
        ({"Authorization": "Bearer a"}, "event_malformed"),
        ({"Authorization": [1]}, "event_malformed"),
        ({"Authorization": ["Bearer a", None]}, "event_malformed"),
        ({"Authorization": None}, "event_malformed"),
    ],
)
def test_without_just_one_token_there_is_no_request(values: dict[str, object], expected: str):
    assert reason(of_headers(**values)) == expected


def test_the_longest_token_is_read():
    longest = "a" * MAX_TOKEN_CHARACTERS
    assert read(event(longest), LEAF_HEADER).token == longest


def test_certificates_are_counted_over_all_spellings():
    found = event("t", "one")
    found["multiValueHeaders"]["x-client-cert-leaf"] = ["two", "three"]
    assert read(found, LEAF_HEADER).certificates == ["one", "two", "three"]


def test_amazons_own_header_names_are_not_read():
    found = event("t", "one", header="X-Amzn-Mtls-Clientcert-Leaf")
    assert read(found, LEAF_HEADER).certificates == []


@pytest.mark.parametrize(
    "change",
    [
        {"methodArn": None},
        {"methodArn": ""},
        {"methodArn": "arn:aws:execute-api:eu-west-1:111122223333:abc123/live"},
        {"methodArn": "arn:aws:execute-api:eu-west-1:*:abc123/live/GET/widgets"},
        {"methodArn": "arn:aws:execute-api:eu-west-1:111122223333:*/live/GET/widgets"},
        {"methodArn": "arn:aws:execute-api:eu-west-1:111122223333:abc123/*/GET/widgets"},
        {"methodArn": "arn:aws:execute-api:eu-west-1:111122223333:abc123/live/*/widgets"},
        {"methodArn": "arn:aws:execute-api:eu-west-1:111122223333:abc123/live/POST/widgets"},
        {"httpMethod": None},
        {"httpMethod": "POST"},
        {"resource": None},
        {"resource": ["/widgets"]},
        {"multiValueHeaders": None},
        {"multiValueHeaders": []},
    ],
)
def test_what_api_gateway_does_not_send_is_refused(change: dict[str, object]):
    assert reason(event("t") | change) == "event_malformed"


@pytest.mark.parametrize("found", [None, [], "event", 1])
def test_an_event_is_an_object(found: object):
    assert reason(found) == "event_malformed"


@pytest.mark.parametrize(
    "found", [None, {}, {"requestContext": []}, {"requestContext": {"requestId": 1}}]
)
def test_a_request_may_lack_its_id(found: object):
    assert request_id(found) == ""
