import json
from typing import Any

import pytest

from tests.lab.wire.private_api import (
    Lab,
    PrivateApi,
)


def last_line(api: PrivateApi) -> Any:
    logs = api.reader.client("logs")
    events = logs.filter_log_events(logGroupName="/api/access")["events"]
    return json.loads(events[-1]["message"])


def test_every_request_leaves_a_line_in_the_stages_format(api: PrivateApi) -> None:
    response = api.get("/widgets/7", headers=[("User-Agent", 'a"},{"status": "200')])
    assert last_line(api) == {
        "id": response.header("x-amzn-RequestId"),
        "status": "200",
        "ip": "10.0.1.99",
        "vpce": api.endpoint_id,
        "agent": 'a"},{"status": "200',
        "error": "-",
        "path": "/widgets/{id}",
        "why": "-",
        "nothing": "-",
    }


def test_a_refusal_is_logged_with_its_reason(api: PrivateApi) -> None:
    api.get("/nothing")
    line = last_line(api)
    assert (line["status"], line["error"]) == ("403", "Missing Authentication Token")


def test_an_error_of_the_function_is_logged_as_such(api: PrivateApi) -> None:
    assert api.get("/fails").status == 502
    assert last_line(api)["why"] == "Lambda execution failed due to customer function error"


def test_a_log_group_that_is_gone_does_not_fail_the_request(
    lab: Lab, api: PrivateApi, caplog: pytest.LogCaptureFixture
) -> None:
    logs = lab[0].client("logs")
    logs.delete_log_group(logGroupName="/api/access")
    try:
        assert api.get("/widgets").status == 200
        assert "access log of v1 not written" in caplog.text
    finally:
        logs.create_log_group(logGroupName="/api/access")
