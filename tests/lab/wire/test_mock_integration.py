import json
from typing import Any

import pytest

from lab.wire.exchange import Refused
from lab.wire.functions import NotModelledError
from lab.wire.messages import Request
from lab.wire.mock_integration import response_of

REQUEST = Request(method="OPTIONS", target="/v1/widgets", headers=())


def integration(status: Any = 200, **responses: Any) -> dict[str, Any]:
    template = json.dumps({"statusCode": status})
    return {"requestTemplates": {"application/json": template}, "responses": responses}


def test_the_request_template_chooses_the_response_by_its_pattern() -> None:
    responses = {"default": {"statusCode": "200"}, "4\\d\\d": {"statusCode": "404"}}
    assert response_of(integration(422, **responses), REQUEST).status == 404
    assert response_of(integration(200, **responses), REQUEST).status == 200


def test_headers_and_body_are_constants() -> None:
    response = response_of(
        integration(
            default={
                "statusCode": "200",
                "responseTemplates": {"text/plain": "hello"},
                "responseParameters": {"method.response.header.X-Allow": "'GET'"},
            }
        ),
        REQUEST,
    )
    assert response.body == b"hello"
    assert response.headers == (("Content-Type", "text/plain"), ("X-Allow", "GET"))


@pytest.mark.parametrize(
    "broken",
    [{}, {"requestTemplates": {"application/json": "{}"}}, integration(200)],
)
def test_no_status_or_no_response_is_a_configuration_error(broken: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        response_of(broken, REQUEST)
    assert refused.value.refusal.status == 500
    assert refused.value.refusal.response_type == "API_CONFIGURATION_ERROR"


@pytest.mark.parametrize(
    "response",
    [
        {"statusCode": "200", "responseTemplates": {"application/json": "$input.body"}},
        {"statusCode": "200", "responseParameters": {"method.response.header.X": "context.x"}},
    ],
)
def test_templates_and_mappings_are_not_modelled(response: dict[str, Any]) -> None:
    with pytest.raises(NotModelledError):
        response_of(integration(default=response), REQUEST)
