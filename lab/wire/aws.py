"""The wire's only view of what was deployed: reads of the AWS API, remembered while they hold."""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
from botocore.config import Config

from lab.aws_sessions import aws_session


class AccessKey(Protocol):
    """An account's access key, as `Cloud.credentials` has them."""

    @property
    def access_key_id(self) -> str: ...

    @property
    def secret_access_key(self) -> str: ...


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

    @cached_property
    def account_id(self) -> str:
        return self.client("sts").get_caller_identity()["Account"]

    def call(self, service: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """The answer of one read. Raises botocore's ClientError as the API gave it."""
        return self.call_at(self.changes(service), service, operation, **arguments)

    def call_at(
        self, version: int, service: str, operation: str, **arguments: Any
    ) -> dict[str, Any]:
        """As `call`, for one who has just asked for the service's `changes`."""
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

    def tell(self, path: str, fields: Mapping[str, str]) -> None:
        """Reports something to the API's own server. Raises LookupError when it is not taken."""
        url = f"{self.endpoint_url}{path}?{urlencode(fields)}"
        answer = self._http.request("POST", url, timeout=10.0, retries=False)
        if answer.status != 200:
            raise LookupError(f"POST {url}: {answer.status} {answer.data.decode()}")

    def close(self) -> None:
        """Closes the connections to the API."""
        self._http.clear()
        for client in self._clients.values():
            client.close()


class Accounts:
    """The readers of several accounts in one region: each sees only what is its own."""

    def __init__(self, readers: Iterable[Reader]) -> None:
        self.readers = tuple(readers)
        self.region = self.readers[0].region

    @classmethod
    def of_keys(cls, endpoint_url: str, region: str, keys: Iterable[AccessKey]) -> "Accounts":
        """One reader for each account's access key."""
        return cls(
            Reader(endpoint_url, region, key.access_key_id, key.secret_access_key) for key in keys
        )

    def of(self, account_id: str) -> Reader:
        """The account's reader. Raises LookupError."""
        for reader in self.readers:
            if reader.account_id == account_id:
                return reader
        raise LookupError(f"no credentials for the account {account_id}")

    def of_arn(self, arn: str) -> Reader:
        """The reader of the account that an ARN names. Raises LookupError."""
        return self.of(arn.split(":")[4])

    def versions(self, *services: str) -> tuple[int, ...]:
        """As a reader's: the counters are of all accounts together."""
        return self.readers[0].versions(*services)

    def each(
        self, service: str, operation: str, **arguments: Any
    ) -> Iterator[tuple[Reader, dict[str, Any]]]:
        """What each account answers to the same read."""
        (version,) = self.versions(service)
        for reader in self.readers:
            yield reader, reader.call_at(version, service, operation, **arguments)

    def close(self) -> None:
        for reader in self.readers:
            reader.close()
