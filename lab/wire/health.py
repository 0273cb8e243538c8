"""Health checks of load balancers' targets, really made, and reported to the AWS API.

Sources (Elastic Load Balancing): "Health checks for Application Load Balancer target groups" (Host
is the target's address), "Health checks for Network Load Balancer target groups" (Host is the
node's address with the listener's port; TLS 1.3 is not spoken), "Target health status" and its
reason codes. Each node checks the targets that it sends to, in its own security groups, without a
client certificate; a target is healthy when it is so for every node. A new target is healthy after
one check ("Health check settings"), any other change wants as many results in a row as the
thresholds say.

Compressed: the checks in a row follow each other at once and not after an interval, all are made
again when the API changes what they depend on, as well as at the group's interval, and a check
waits for no more than two seconds, AWS's smallest time-out. Not modelled: checks of functions and
instances, health check logs.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.wire.aws import Accounts, Reader
from lab.wire.http import Client
from lab.wire.messages import Request
from lab.wire.network import Interface, Network
from lab.wire.nlb import Connect, reached
from lab.wire.tls import connect as connect_tls

_LOG = logging.getLogger(__name__)
_TICK_SECONDS = 1.0
_MAX_SECONDS = 2.0
_AGENT = "ELB-HealthChecker/2.0"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a check found: `reason` is None for a healthy target, `codes` HTTP's answer."""

    reason: str | None = None
    codes: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Check:
    """One request from a node to an address of a target, in at most that protocol of TLS."""

    node: Interface
    ip: str
    port: int
    host: str
    highest: str


class HealthChecks:
    """Checks every target in use, in one thread of its own; `start` and `stop` once each."""

    def __init__(self, accounts: Accounts, network: Network, connect: Connect) -> None:
        self._accounts = accounts
        self._network = network
        self._connect = connect
        self._due: dict[str, float] = {}
        self._socket: socket.socket | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health checks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Breaks off a check under way and ends."""
        self._stopping.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):  # it ended meanwhile
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _run(self) -> None:
        seen: tuple[int, ...] = ()
        while not self._stopping.wait(_TICK_SECONDS):
            versions = self._accounts.versions("elbv2", "ec2", "acm")
            if versions != seen:
                self._due.clear()
            seen = versions
            self.check_due()

    def check_due(self) -> None:
        """Checks the targets of the groups whose turn it is, and reports what changed."""
        for reader, answer in self._accounts.each("elbv2", "describe_target_groups"):
            for group in answer["TargetGroups"]:
                arn, now = group["TargetGroupArn"], time.monotonic()
                if not _is_checked(group) or self._due.get(arn, 0.0) > now:
                    continue
                self._due[arn] = now + group["HealthCheckIntervalSeconds"]
                try:
                    self._check_group(reader, group)
                except (ClientError, LookupError) as error:  # deleted while it was looked at
                    _LOG.info("%s is not checked: %s", arn, error)

    def _check_group(self, reader: Reader, group: Mapping[str, Any]) -> None:
        arn = group["TargetGroupArn"]
        health = reader.call("elbv2", "describe_target_health", TargetGroupArn=arn)
        for described in health["TargetHealthDescriptions"]:
            state = described["TargetHealth"]["State"]
            if state not in ("initial", "healthy", "unhealthy") or self._stopping.is_set():
                continue
            checks = list(self._checks(reader, group, described))
            outcome = self._decide(group, checks, state) if checks else None
            if outcome is not None and not self._stopping.is_set():
                _report(reader, arn, described, outcome)

    def _checks(
        self, reader: Reader, group: Mapping[str, Any], described: Mapping[str, Any]
    ) -> Iterator[_Check]:
        target, port = described["Target"], int(described["HealthCheckPort"])
        for balancer_arn in group["LoadBalancerArns"]:
            nodes = self._network.nodes(balancer_arn)
            if group["TargetType"] == "ip":
                host = f"{target['Id']}:{port}"
                for node in nodes:
                    yield _Check(
                        node=node, ip=target["Id"], port=port, host=host, highest="TLSv1.3"
                    )
                continue
            crosses = _crosses_zones(reader, balancer_arn)
            listener_port = _listener_port(reader, balancer_arn, group["TargetGroupArn"])
            for node in nodes:
                host = f"{node.ip}:{listener_port}"
                for one in reached(self._network, node, target["Id"], cross_zone=crosses):
                    yield _Check(node=node, ip=one.ip, port=port, host=host, highest="TLSv1.2")

    def _decide(self, group: Mapping[str, Any], checks: list[_Check], state: str) -> Outcome | None:
        """What is to be reported; None when the results in a row do not suffice for a change."""
        first = outcome = self._outcome(group, checks)
        healthy = first.reason is None
        if healthy and state == "healthy":
            return None
        wanted = 1
        if healthy and state == "unhealthy":
            wanted = group["HealthyThresholdCount"]
        if not healthy and state != "unhealthy":
            wanted = group["UnhealthyThresholdCount"]
        for _ in range(wanted - 1):
            outcome = self._outcome(group, checks)
            if (outcome.reason is None) != healthy:
                return None
        return outcome

    def _outcome(self, group: Mapping[str, Any], checks: list[_Check]) -> Outcome:
        """The first failure of all nodes' checks."""
        for check in checks:
            outcome = self._perform(group, check)
            if outcome.reason is not None:
                return outcome
        return Outcome()

    def _perform(self, group: Mapping[str, Any], check: _Check) -> Outcome:
        seconds = min(group["HealthCheckTimeoutSeconds"], _MAX_SECONDS)
        request = Request(
            method="GET",
            target=group["HealthCheckPath"],
            headers=(("Host", check.host), ("User-Agent", _AGENT)),
        )
        try:
            with self._connect(check.node, check.ip, check.port, seconds) as sock:
                self._socket = sock
                secure = group["HealthCheckProtocol"] == "HTTPS"
                stream = connect_tls(sock, check.highest) if secure else sock
                status = Client(stream).send(request).status
        except TimeoutError:
            return Outcome(reason="Target.Timeout")
        except OSError:
            return Outcome(reason="Target.FailedHealthChecks")
        finally:
            self._socket = None
        if _matches(group["Matcher"]["HttpCode"], status):
            return Outcome()
        return Outcome(reason="Target.ResponseCodeMismatch", codes=f"[{status}]")


def _is_checked(group: Mapping[str, Any]) -> bool:
    wanted = group["TargetType"] in ("ip", "alb") and group["HealthCheckEnabled"]
    return bool(wanted and group["LoadBalancerArns"])


def _crosses_zones(reader: Reader, balancer_arn: str) -> bool:
    answer = reader.call("elbv2", "describe_load_balancer_attributes", LoadBalancerArn=balancer_arn)
    values = {one["Key"]: one["Value"] for one in answer["Attributes"]}
    return values.get("load_balancing.cross_zone.enabled") == "true"


def _listener_port(reader: Reader, balancer_arn: str, group_arn: str) -> int:
    """The port of the first listener of a Network Load Balancer that forwards to the group."""
    answer = reader.call("elbv2", "describe_listeners", LoadBalancerArn=balancer_arn)
    return next(
        listener["Port"]
        for listener in answer["Listeners"]
        if listener["DefaultActions"][0]["TargetGroupArn"] == group_arn
    )


def _matches(codes: str, status: int) -> bool:
    """Whether a matcher such as `200`, `200,202` or `200-399` has the status."""
    ranges = (part.partition("-") for part in codes.split(","))
    return any(int(low) <= status <= int(high or low) for low, _, high in ranges)


def _report(reader: Reader, arn: str, described: Mapping[str, Any], outcome: Outcome) -> None:
    target = described["Target"]
    fields = {
        "target_group_arn": arn,
        "id": target["Id"],
        "port": str(target["Port"]),
        "state": "unhealthy" if outcome.reason else "healthy",
        "reason": outcome.reason,
        "codes": outcome.codes,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    reader.tell("/_lab/elbv2/target-health", given)
