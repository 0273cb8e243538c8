"""Access and connection logs of load balancers, delivered to the bucket that was configured.

Sources (Elastic Load Balancing, Application Load Balancers): "Access logs", "Connection logs" (the
fields and their order, the object keys). AWS delivers about every five minutes; here it is about
once a second and when the wire stops. Delivery is best effort there and here: a line that the
bucket does not take is lost, with a warning. Health check logs are not modelled.
"""

import gzip
import logging
import secrets
import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509

from lab.wire.aws import Accounts
from lab.wire.forwarding import dates, serial_number
from lab.wire.listener import Listener
from lab.wire.messages import Request
from lab.wire.tls import Session

_LOG = logging.getLogger(__name__)
_INTERVAL_SECONDS = 1.0
_FILE_PREFIX = {"access_logs": "", "connection_logs": "conn_log."}


def timestamp(moment: datetime) -> str:
    """ISO 8601 with microseconds, UTC."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def quoted(text: str) -> str:
    """In double quotes, those inside escaped as the access log does."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(kw_only=True)
class AccessEntry:
    """One request as the access log tells it; filled while the request is dealt with.

    `url` is the whole URL that was asked for, times are in seconds, and -1 means that the request
    went to no target.
    """

    listener: Listener
    session: Session | None
    client: tuple[str, int]
    node_ip: str
    connection_trace_id: str
    created: datetime
    request: Request | None = None
    url: str = "-"
    target: str = "-"
    target_group_arn: str = "-"
    target_status: str = "-"
    target_seconds: float = -1.0
    trace_id: str = "-"
    rule_priority: str = "-"
    action: str = "-"
    redirect_url: str = "-"
    error_reason: str = "-"
    transformed_host: str = "-"
    transformed_uri: str = "-"
    transform_status: str = "-"

    def line(self, status: int, received_bytes: int, sent_bytes: int) -> str:
        forwarded = self.target_seconds >= 0
        session = self.session or Session()
        agent = self.request.header("User-Agent") if self.request else None
        method = self.request.method if self.request else "-"
        version = "HTTP/1.1" if self.request else "-"
        values = [
            self.listener.protocol.lower(),
            timestamp(datetime.now(UTC)),
            self.listener.balancer_id,
            f"{self.client[0]}:{self.client[1]}",
            self.target,
            "0.000" if forwarded else "-1",
            f"{self.target_seconds:.3f}" if forwarded else "-1",
            "0.000" if forwarded else "-1",
            str(status),
            self.target_status,
            str(received_bytes),
            str(sent_bytes),
            quoted(f"{method} {self.url} {version}"),
            quoted(agent or "-"),
            session.cipher,
            session.protocol,
            self.target_group_arn,
            quoted(self.trace_id),
            quoted(session.server_name or "-"),
            quoted(session.certificate_arn),
            self.rule_priority,
            timestamp(self.created),
            quoted(self.action),
            quoted(self.redirect_url),
            quoted(self.error_reason),
            quoted(self.target),
            quoted(self.target_status),
            quoted("-"),  # classification and its reason: desync mitigation
            quoted("-"),
            self.connection_trace_id,
            quoted(self.transformed_host),
            quoted(self.transformed_uri),
            quoted(self.transform_status),
            self.node_ip,
        ]
        return " ".join(values)


@dataclass(frozen=True, kw_only=True)
class ConnectionEntry:
    """One connection attempt. `status` is `Success` or `Failed:<code>`."""

    listener: Listener
    session: Session
    client: tuple[str, int]
    node_ip: str
    status: str
    trace_id: str

    def line(self) -> str:
        session = self.session
        latency = f"{session.seconds:.3f}" if self.status == "Success" else "-"
        fields = [
            timestamp(datetime.now(UTC)),
            self.client[0],
            str(self.client[1]),
            str(self.listener.port),
            session.protocol,
            session.cipher,
            latency,
            *_certificate_fields(session.client_certificate),
            self.status,
            self.trace_id,
            session.key_exchange,
            self.listener.balancer_id,
            self.node_ip,
        ]
        return " ".join(fields)


def _certificate_fields(certificate: x509.Certificate | None) -> list[str]:
    """Subject, validity and serial number of the leaf; `-` where there is none."""
    if certificate is None:
        return ["-", "-", "-"]
    subject = quoted(certificate.subject.rfc4514_string())
    return [subject, dates(certificate), serial_number(certificate)]


def fields(line: str) -> list[str]:
    """The fields of a line of either log, unquoted."""
    return shlex.split(line)


@dataclass(frozen=True)
class _Destination:
    log: str
    bucket: str
    prefix: str
    account_id: str
    balancer_id: str
    node_ip: str

    def key(self, region: str, now: datetime) -> str:
        start = f"{self.prefix.strip('/')}/" if self.prefix else ""
        balancer = self.balancer_id.replace("/", ".")
        name = (
            f"{_FILE_PREFIX[self.log]}{self.account_id}_elasticloadbalancing_{region}_{balancer}_"
            f"{now.strftime('%Y%m%dT%H%MZ')}_{self.node_ip}_{secrets.token_hex(4)}.log.gz"
        )
        day = now.strftime("%Y/%m/%d")
        folder = f"AWSLogs/{self.account_id}/elasticloadbalancing/{region}/{day}"
        return f"{start}{folder}/{name}"


class Logs:
    """Collects lines and delivers them; `start` and `stop` once each."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lines: dict[_Destination, list[str]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log delivery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Delivers what is left and ends."""
        self._stopping.set()
        self._thread.join()

    def add(self, log: str, listener: Listener, node_ip: str, line: str) -> None:
        """A line of `access_logs` or `connection_logs`, if the load balancer has that log on."""
        attributes = listener.balancer_attributes
        if attributes.get(f"{log}.s3.enabled") != "true":
            return
        destination = _Destination(
            log,
            attributes[f"{log}.s3.bucket"],
            attributes.get(f"{log}.s3.prefix", ""),
            listener.account_id,
            listener.balancer_id,
            node_ip,
        )
        with self._lock:
            self._lines.setdefault(destination, []).append(line)

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_SECONDS):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Delivers what was collected so far."""
        with self._lock:
            collected, self._lines = self._lines, {}
        for destination, lines in collected.items():
            self._deliver(destination, lines)

    def _deliver(self, destination: _Destination, lines: Sequence[str]) -> None:
        body = gzip.compress("".join(f"{line}\n" for line in lines).encode())
        key = destination.key(self._accounts.region, datetime.now(UTC))
        s3 = self._accounts.of(destination.account_id).client("s3")
        try:
            s3.put_object(Bucket=destination.bucket, Key=key, Body=body)
        except (ClientError, BotoCoreError) as error:
            _LOG.warning("%d lines were not delivered to %s: %s", len(lines), key, error)
