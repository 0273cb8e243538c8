"""The wire's only view of what was deployed: reads of the AWS API, remembered while they hold."""

import json
import threading
from typing import Any

import urllib3
from botocore.config import Config

from lab.aws_sessions import aws_session


class Reader:
    """Cached boto3 reads of one account in one region.

    `call("ec2", "describe_subnets", SubnetIds=[…])` answers what boto3 would, all pages joined. An
    answer is reused until the API's change counter of that service moves, so what is served is
    always what is deployed.
    """

    def __init__(
        self, endpoint_url: str, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        self.endpoint_url = endpoint_url
        self.region = region
        self._session = aws_session(access_key_id, secret_access_key, region)
        self._clients: dict[str, Any] = {}
        self._answers: dict[str, dict[str, tuple[int, dict[str, Any]]]] = {}
        self._http = urllib3.PoolManager(maxsize=16)
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """A boto3 client for `service`, for what must not be cached (writes, S3 objects)."""
        with self._lock:
            if service not in self._clients:
                config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.endpoint_url, config=config
                )
            return self._clients[service]

    def changes(self, service: str) -> int:
        """How many calls have changed `service` so far."""
        return self.versions(service)[0]

    def versions(self, *services: str) -> tuple[int, ...]:
        """`changes` of several services at one moment, to key what was made of several reads."""
        counters = json.loads(self.fetch("/_lab/changes"))
        return tuple(int(counters.get(service, 0)) for service in services)

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """The answer of one read. Raises botocore's ClientError as the API gave it."""
        version = self.changes(service)
        key = f"{operation} {json.dumps(arguments, sort_keys=True)}"
        known = self._answers.setdefault(service, {}).get(key)
        if known and known[0] == version:
            return known[1]
        client = self.client(service)
        if client.can_paginate(operation):
            answer = client.get_paginator(operation).paginate(**arguments).build_full_result()
        else:
            answer = getattr(client, operation)(**arguments)
        self._answers[service][key] = (version, answer)
        return answer

    def fetch(self, location: str) -> bytes:
        """The bytes at a path of the API's own server, or at a URL that it handed out.

        Raises LookupError when there is nothing.
        """
        url = location if location.startswith("http") else f"{self.endpoint_url}{location}"
        answer = self._http.request("GET", url, timeout=10.0, retries=False)
        if answer.status != 200:
            raise LookupError(f"GET {url}: {answer.status} {answer.data.decode()}")
        return answer.data

    def close(self) -> None:
        """Closes the connections to the API."""
        self._http.clear()
        for client in self._clients.values():
            client.close()
