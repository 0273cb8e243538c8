"""The stage's access log, read where API Gateway delivered it: the log group."""

import json
import time
from dataclasses import dataclass
from typing import Any

from lab.attempt import Answer

DELIVERY_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class AccessLog:
    """`apigateway` and `logs` are boto3 clients; of the API's one stage."""

    apigateway: Any
    logs: Any
    api_id: str

    def entry(self, answer: Answer) -> dict[str, str]:
        """The line about the request that was answered so, by field.

        Raises TimeoutError when none is delivered within `DELIVERY_SECONDS`.
        """
        request_id = answer.header("x-amzn-RequestId")
        deadline = time.monotonic() + DELIVERY_SECONDS
        while time.monotonic() < deadline:
            for entry in self._entries():
                if entry["requestId"] == request_id:
                    return entry
            time.sleep(0.1)
        raise TimeoutError(f"no line about request {request_id} in {self._group}")

    def _entries(self) -> list[dict[str, str]]:
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self._group)
        return [json.loads(event["message"]) for page in pages for event in page["events"]]

    @property
    def _group(self) -> str:
        (stage,) = self.apigateway.get_stages(restApiId=self.api_id)["item"]
        arn: str = stage["accessLogSettings"]["destinationArn"]
        return arn.partition(":log-group:")[2].removesuffix(":*")
