"""The event and the response of a function behind a load balancer, with multi-value headers."""

from typing import Any

import pytest

from lab.wire.lambda_target import LambdaError, event_of, response_of
from lab.wire.messages import Request

GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/f/1"
SEVERAL = Request(
    method="GET", target="/a?b=1&c=%20&b=2", headers=(("X-A", "1"), ("Host", "h"), ("x-a", "2"))
)


def test_with_multi_value_headers_every_value_is_told() -> None:
    event = event_of(SEVERAL, GROUP, several=True)
    assert event["multiValueHeaders"] == {"x-a": ["1", "2"], "host": ["h"]}
    assert event["multiValueQueryStringParameters"] == {"b": ["1", "2"], "c": ["%20"]}
    assert not {"headers", "queryStringParameters"} & set(event)


def test_without_them_the_last_value_is_told() -> None:
    event = event_of(SEVERAL, GROUP, several=False)
    assert event["headers"] == {"x-a": "2", "host": "h"}
    assert event["queryStringParameters"] == {"b": "2", "c": "%20"}
    assert not {"multiValueHeaders", "multiValueQueryStringParameters"} & set(event)


def test_an_encoded_body_is_not_text_whatever_its_type() -> None:
    headers = (("Content-Type", "text/plain"), ("Content-Encoding", "gzip"))
    request = Request(method="POST", target="/", headers=headers, body=b"bolt")
    event = event_of(request, GROUP, several=False)
    assert (event["body"], event["isBase64Encoded"]) == ("Ym9sdA==", True)


def test_every_value_of_the_response_is_passed_on() -> None:
    answer = {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}}
    headers = response_of(answer, several=True).headers
    assert headers == (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))


@pytest.mark.parametrize(
    ("several", "headers"),
    [
        (True, {"headers": {"A": "b"}}),
        (False, {"multiValueHeaders": {"A": ["b"]}}),
        (True, {"multiValueHeaders": {"A": "b"}}),
        (False, {"headers": {"A": ["b"]}}),
        (False, {"headers": ["A"]}),
    ],
)
def test_headers_of_the_other_form_are_malformed(several: bool, headers: dict[str, Any]) -> None:
    with pytest.raises(LambdaError) as refused:
        response_of({"statusCode": 200, **headers}, several=several)
    assert (refused.value.reason, refused.value.status) == ("LambdaInvalidResponse", 502)
