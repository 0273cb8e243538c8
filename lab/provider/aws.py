"""boto3 clients of one provider configuration, and waiting for AWS to finish what it has begun."""

import functools
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from lab.aws_sessions import aws_session

_CLIENTS: dict[tuple[str, ...], Any] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """Where and as whom a provider calls AWS, and the tags that it puts on every resource."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    default_tags: Mapping[str, str] = field(default_factory=dict)


class GoneError(Exception):
    """AWS no longer has the resource."""


class UnfinishedError(Exception):
    """AWS did not finish in time, or finished in a state other than the wanted one."""


class Aws:
    """The clients of one provider configuration: made once per service in this process, without
    retries.

    `patience` is how many seconds `wait_until` waits.
    """

    def __init__(self, settings: ProviderSettings, patience: float = 60.0) -> None:
        self.settings = settings
        self.patience = patience

    @property
    def region(self) -> str:
        return self.settings.region

    @property
    def partition(self) -> str:
        return _partition(self.region)

    @property
    def account_id(self) -> str:
        """The account that the credentials belong to, as STS says."""
        return _account_id(self.client("sts"))

    def client(self, service: str) -> Any:
        """The boto3 client of a service.

        Failures surface at once: what retries hide, a lab must show.
        """
        settings = self.settings
        key = (settings.endpoint_url, settings.region, settings.access_key_id, service)
        with _LOCK:
            if key not in _CLIENTS:
                session = aws_session(
                    settings.access_key_id,
                    settings.secret_access_key,
                    settings.region,
                    settings.session_token,
                )
                _CLIENTS[key] = session.client(
                    service,
                    endpoint_url=settings.endpoint_url,
                    config=Config(
                        retries={"total_max_attempts": 1},
                        s3={"addressing_style": "path"},
                        max_pool_connections=32,
                    ),
                )
            return _CLIENTS[key]

    def wait_until(self, what: str, ready: Callable[[], bool]) -> None:
        """Calls `ready` until it is true. Raises UnfinishedError after `patience` seconds."""
        deadline = time.monotonic() + self.patience
        pause = 0.05
        while not ready():
            if time.monotonic() > deadline:
                raise UnfinishedError(
                    f"timeout while waiting for {what} (timeout: {self.patience:g}s)"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)


@functools.cache
def _account_id(sts: Any) -> str:
    return sts.get_caller_identity()["Account"]


@functools.cache
def _partition(region: str) -> str:
    return aws_session("", "", region).get_partition_for_region(region)


def forget_clients(endpoint_url: str) -> None:
    """Closes and drops the clients of an endpoint that is about to stop."""
    with _LOCK:
        for key in [key for key in _CLIENTS if key[0] == endpoint_url]:
            _CLIENTS.pop(key).close()


def first(items: list[Any]) -> Any:
    """The first of what a Describe call found. Raises GoneError when it found nothing."""
    if not items:
        raise GoneError
    return items[0]


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def describe_error(error: ClientError, service_id: str) -> str:
    """A ClientError in the form in which pulumi-aws shows it, with AWS's own code and message at
    its end.
    """
    answer = error.response
    metadata = answer.get("ResponseMetadata", {})
    return (
        f"operation error {service_id}: {error.operation_name}, https response error "
        f"StatusCode: {metadata.get('HTTPStatusCode', 0)}, "
        f"RequestID: {metadata.get('RequestId', '')}, "
        f"api error {error_code(error)}: {answer.get('Error', {}).get('Message', '')}"
    )
