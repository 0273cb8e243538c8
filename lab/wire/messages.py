"""What travels on the wire: HTTP messages as they were sent, and who sent them."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Peer:
    """The network interface a connection comes from: its address, VPC and security groups."""

    ip: str
    vpc_id: str
    network_interface_id: str
    security_group_ids: frozenset[str]


def first_header(headers: Iterable[tuple[str, str]], name: str) -> str | None:
    """The first value sent under `name`, whatever its case (RFC 9110 §5.1), or None."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), None)


@dataclass(frozen=True, kw_only=True)
class Request:
    """An HTTP request. `target` is the raw path and query; headers keep their order and case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        return first_header(self.headers, name)


@dataclass(frozen=True, kw_only=True)
class Response:
    """An HTTP response, without the framing headers, which the connection adds."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=())
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return first_header(self.headers, name)
