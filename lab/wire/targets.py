"""From a load balancer to its targets.

Sources (Elastic Load Balancing, Application Load Balancers): "Target groups", "Health checks for
target groups" (fail open), "Troubleshoot your Application Load Balancers" (502, 503, 504; 10
seconds to connect).

A target's health is what `DescribeTargetHealth` says, which `health` finds out.

Not modelled: targets of type instance, HTTP/2 and gRPC targets, stickiness, slow start, target
weights and algorithms other than round robin.
"""

import contextlib
import itertools
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab.wire.aws import Accounts
from lab.wire.http import Client
from lab.wire.lambda_target import LambdaError, LambdaTargets
from lab.wire.messages import Request, Response
from lab.wire.network import Interface
from lab.wire.rules import NotModelledError
from lab.wire.tls import Stream, connect

CONNECT_SECONDS = 10.0
MAX_IDLE_PER_TARGET = 8

Connect = Callable[[Interface, str, int, float], socket.socket]


class TargetError(Exception):
    """No response came from a target. `status` is what the load balancer answers instead, and
    `reason` what the access log has of a function's failure.
    """

    def __init__(
        self, status: int, target: str | None, detail: str, reason: str | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.target = target
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A target's response, and which one gave it: `ip:port`, or None for a function."""

    response: Response
    target: str | None


@dataclass(kw_only=True)
class _Backend:
    """One open connection to a target."""

    socket: socket.socket
    client: Client
    version: int


_Key = tuple[str, str, int, str]


class Targets:
    """Sends requests to the targets of target groups, over connections that are kept for reuse.

    A kept connection is used again only while nothing in EC2 changed, so that a request never
    passes by an interface that is gone.
    """

    def __init__(
        self,
        accounts: Accounts,
        connect_to: Connect,
        functions: LambdaTargets,
        connect_seconds: float = CONNECT_SECONDS,
    ) -> None:
        self._accounts = accounts
        self._connect_to = connect_to
        self._functions = functions
        self._connect_seconds = connect_seconds
        self._idle: dict[_Key, list[_Backend]] = {}
        self._turn = itertools.count()
        self._lock = threading.Lock()

    def send(
        self, target_group_arn: str, source: Interface, request: Request, idle_seconds: float
    ) -> Answered:
        """The response of the next target in turn. Raises TargetError, NotModelledError."""
        group = self._group(target_group_arn)
        chosen, port = self._choose(target_group_arn)
        if group["TargetType"] == "lambda":
            return self._invoke(target_group_arn, chosen, request)
        target = f"{chosen}:{port}"
        try:
            with self._backend(source, chosen, port, group["Protocol"]) as backend:
                backend.socket.settimeout(idle_seconds)
                return Answered(response=backend.client.send(request), target=target)
        except TimeoutError as error:
            raise TargetError(504, target, f"{target} did not answer in time") from error
        except OSError as error:
            raise TargetError(502, target, f"{target}: {error}") from error

    def close(self) -> None:
        """Closes the kept connections."""
        with self._lock:
            for backend in itertools.chain.from_iterable(self._idle.values()):
                backend.socket.close()
            self._idle.clear()

    def _invoke(self, target_group_arn: str, function_arn: str, request: Request) -> Answered:
        try:
            response = self._functions.send(target_group_arn, function_arn, request)
        except LambdaError as error:
            detail = f"{function_arn}: {error}"
            raise TargetError(error.status, None, detail, error.reason) from error
        return Answered(response=response, target=None)

    def _group(self, arn: str) -> Mapping[str, Any]:
        reader = self._accounts.of_arn(arn)
        answer = reader.call("elbv2", "describe_target_groups", TargetGroupArns=[arn])
        group = answer["TargetGroups"][0]
        if group["TargetType"] not in ("ip", "lambda"):
            raise NotModelledError(f"target type {group['TargetType']!r} of {arn}")
        if group.get("ProtocolVersion", "HTTP1") != "HTTP1":
            raise NotModelledError(f"protocol version {group['ProtocolVersion']!r} of {arn}")
        return group

    def _choose(self, arn: str) -> tuple[str, int]:
        """The next healthy target; when none is, the next of all that are in use ("fail open").

        A function has no port, and is answered with 0.
        """
        reader = self._accounts.of_arn(arn)
        answer = reader.call("elbv2", "describe_target_health", TargetGroupArn=arn)
        states: dict[tuple[str, int], str] = {
            (one["Target"]["Id"], one["Target"].get("Port", 0)): one["TargetHealth"]["State"]
            for one in answer["TargetHealthDescriptions"]
        }
        healthy = [target for target, state in states.items() if state == "healthy"]
        in_use = [target for target, state in states.items() if state not in ("unused", "draining")]
        candidates = healthy or in_use
        if not candidates:
            raise TargetError(503, None, f"{arn} has no target in use")
        return candidates[next(self._turn) % len(candidates)]

    @contextlib.contextmanager
    def _backend(self, source: Interface, ip: str, port: int, protocol: str) -> Iterator[_Backend]:
        key = (source.network_interface_id, ip, port, protocol)
        (version,) = self._accounts.versions("ec2")
        backend = self._kept(key, version) or self._opened(source, ip, port, protocol, version)
        try:
            yield backend
        except BaseException:
            backend.socket.close()
            raise
        with self._lock:
            kept = self._idle.setdefault(key, [])
            if backend.client.reusable and len(kept) < MAX_IDLE_PER_TARGET:
                kept.append(backend)
                return
        backend.socket.close()

    def _kept(self, key: _Key, version: int) -> _Backend | None:
        while True:
            with self._lock:
                kept = self._idle.get(key)
                if not kept:
                    return None
                backend = kept.pop()
            # Readable without a request outstanding means that the target closed it.
            readable = select.select([backend.socket], [], [], 0)[0]
            if backend.version == version and not readable:
                return backend
            backend.socket.close()

    def _opened(
        self, source: Interface, ip: str, port: int, protocol: str, version: int
    ) -> _Backend:
        sock = self._connect_to(source, ip, port, self._connect_seconds)
        try:
            stream: Stream | socket.socket = connect(sock) if protocol == "HTTPS" else sock
        except BaseException:
            sock.close()
            raise
        return _Backend(socket=sock, client=Client(stream), version=version)
