"""The producer's endpoint service and its connections, in AWS."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Self

import boto3
from botocore.config import Config

from ops.customers import AVAILABLE, CONNECTED, Connection, EndpointService
from ops.errors import RefusedError

WAIT_SECONDS = 600
POLL_SECONDS = 2.0
GONE = ("Deleting", "Deleted", "Failed")
"""States of an endpoint service that no endpoint can be connected to."""


class Producer:
    """Calls to EC2 in the producer's account; a context manager.

    Raises what botocore raises, and RefusedError where an answer says that nothing was done.
    """

    def __init__(self, profile: str | None, region: str, endpoint_url: str | None) -> None:
        session = boto3.Session(profile_name=profile, region_name=region)
        config = Config(retries={"mode": "standard"}, connect_timeout=10, read_timeout=60)
        # boto3 has no types.
        self._client: Any = partial(session.client, endpoint_url=endpoint_url, config=config)  # pyright: ignore[reportUnknownMemberType]
        self._ec2: Any = self._client("ec2")
        self.region = region

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ec2.close()

    def place(self) -> str:
        """Where these calls go, for messages: account and region."""
        with closing(self._client("sts")) as sts:
            return f"account {sts.get_caller_identity()['Account']}, {self.region}"

    def find(self, private_dns_name: str) -> EndpointService | None:
        """The service of this private DNS name (AWS cannot filter by it), None if there is none."""
        found = [
            one
            for one in self._all("describe_vpc_endpoint_service_configurations")
            if one.get("PrivateDnsName") == private_dns_name and one["ServiceState"] not in GONE
        ]
        if len(found) > 1:
            ids = ", ".join(sorted(one["ServiceId"] for one in found))
            raise RefusedError(
                f"several endpoint services have the private DNS name {private_dns_name}: {ids}; "
                "delete those that no stack uses"
            )
        if not found:
            return None
        state = found[0].get("PrivateDnsNameConfiguration", {}).get("State")
        return EndpointService(
            service_id=found[0]["ServiceId"],
            service_name=found[0]["ServiceName"],
            zone_ids=self._zone_ids(found[0]["AvailabilityZones"]),
            verified=state == "verified",
        )

    def connections(self, service_id: str) -> list[Connection]:
        """Every endpoint connected to the service, or asking to be, sorted by owner and id."""
        filters = [{"Name": "service-id", "Values": [service_id]}]
        found = [
            Connection(
                endpoint_id=one["VpcEndpointId"],
                owner=one["VpcEndpointOwner"],
                # The model writes PendingAcceptance, the service pendingAcceptance.
                state=one["VpcEndpointState"][:1].lower() + one["VpcEndpointState"][1:],
            )
            for one in self._all("describe_vpc_endpoint_connections", Filters=filters)
        ]
        return sorted(found, key=lambda one: (one.owner, one.endpoint_id))

    def accept(self, service_id: str, endpoint_ids: Sequence[str]) -> None:
        ids = list(endpoint_ids)
        answer = self._ec2.accept_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=ids)
        _check(answer, "accepted")

    def reject(self, service_id: str, endpoint_ids: Sequence[str]) -> None:
        ids = list(endpoint_ids)
        answer = self._ec2.reject_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=ids)
        _check(answer, "rejected")

    def await_available(
        self, service_id: str, endpoint_ids: Sequence[str], say: Callable[[str], None]
    ) -> None:
        """Returns when all of them are available; says each change of state.

        Raises RefusedError when one can no longer become so, and after WAIT_SECONDS.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        said: dict[str, str] = {}
        while True:
            states = {one.endpoint_id: one.state for one in self.connections(service_id)}
            for endpoint_id in endpoint_ids:
                state = states.get(endpoint_id, "deleted")
                if said.get(endpoint_id) != state:
                    said[endpoint_id] = state
                    say(f"{endpoint_id} is {state}")
                if state not in CONNECTED:
                    raise RefusedError(f"{endpoint_id} is {state}; the customer makes a new one")
            if all(said[endpoint_id] == AVAILABLE for endpoint_id in endpoint_ids):
                return
            if time.monotonic() > deadline:
                raise RefusedError(
                    f"not yet available after {WAIT_SECONDS} s; see `python -m ops customer list`"
                )
            time.sleep(POLL_SECONDS)

    def _zone_ids(self, names: Sequence[str]) -> tuple[str, ...]:
        """What other accounts call these zones: a name means another zone in each account."""
        zones = self._ec2.describe_availability_zones()["AvailabilityZones"]
        return tuple(sorted(zone["ZoneId"] for zone in zones if zone["ZoneName"] in names))

    def _all(self, operation: str, **request: Any) -> list[dict[str, Any]]:
        pages = self._ec2.get_paginator(operation)
        key = pages.result_keys[0].expression
        return [one for page in pages.paginate(**request) for one in page.get(key, [])]


def _check(answer: dict[str, Any], done: str) -> None:
    if failed := answer.get("Unsuccessful"):
        reasons = "; ".join(
            f"{one['ResourceId']}: {one['Error']['Code']}: {one['Error']['Message']}"
            for one in failed
        )
        raise RefusedError(f"not {done}: {reasons}")
