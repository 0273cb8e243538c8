"""The load balancer's connection log, read where it was delivered: the S3 bucket."""

import gzip
import shlex
import time
from dataclasses import dataclass
from typing import Any

FIELDS = (
    "timestamp",
    "client_ip",
    "client_port",
    "listener_port",
    "tls_protocol",
    "tls_cipher",
    "tls_handshake_latency",
    "leaf_client_cert_subject",
    "leaf_client_cert_validity",
    "leaf_client_cert_serial_number",
    "tls_verify_status",
    "conn_trace_id",
    "tls_keyexchange",
)
"""ELB user guide, "Connection logs for your Application Load Balancer"."""

DELIVERY_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class ConnectionLog:
    """`s3` is a boto3 client, `bucket` the one the load balancer delivers to.

    Of the connections to `port` only: health checks leave lines too, at a port of their own.
    """

    s3: Any
    bucket: str
    port: int = 443

    def entries(self) -> list[dict[str, str]]:
        """Every line so far, oldest first, by field."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        lines = [line for key in keys if "/conn_log." in key for line in self._lines(key)]
        # AWS adds fields at the end of a line, which readers are to ignore.
        entries: list[dict[str, str]] = [
            dict(zip(FIELDS, shlex.split(line), strict=False)) for line in lines
        ]
        ours = [entry for entry in entries if entry["listener_port"] == str(self.port)]
        return sorted(ours, key=lambda entry: entry["timestamp"])

    def next_entry(self, seen: int) -> dict[str, str]:
        """The newest line once there are more than `seen`.

        Raises TimeoutError when none is delivered within `DELIVERY_SECONDS`.
        """
        deadline = time.monotonic() + DELIVERY_SECONDS
        while time.monotonic() < deadline:
            entries = self.entries()
            if len(entries) > seen:
                return entries[-1]
            time.sleep(0.1)
        raise TimeoutError(f"no new line in the connection log in s3://{self.bucket}")

    def _lines(self, key: str) -> list[str]:
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return gzip.decompress(body).decode().splitlines()
