"""Real attempts to get in: unmodified curl and openssl, and what came of them."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TLS_FAILURES = (35, 56)
"""curl's exits when the other side ends the connection during or right after the handshake. With
TLS 1.3 the client has finished by then, so the reset shows at its first read (56)."""

HANDSHAKE_FAILURE = "handshake failure"

SECONDS = 3


class MissingToolError(RuntimeError):
    """A command that the lab calls with is not on this machine; the message says how to get it."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """A local port that is a place in the VPC: connecting to it is connecting from there."""

    host: str
    port: int
    local_port: int

    @property
    def connect_to(self) -> str:
        return f"{self.host}:{self.port}:127.0.0.1:{self.local_port}"


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a client calls with; `cert` and `key` are None for one without a certificate, `token`
    for one without an access token.
    """

    ca: Path
    cert: Path | None = None
    key: Path | None = None
    token: Path | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the token adds to a request (RFC 6750 §2.1)."""
        if self.token is None:
            return {}
        return {"Authorization": f"Bearer {self.token.read_text().strip()}"}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What curl saw: its exit code, and the response if there was one (`status` 0 if not)."""

    exit_code: int
    status: int = 0
    body: str = ""
    headers: str = ""
    error: str = ""

    def __str__(self) -> str:
        if self.exit_code in TLS_FAILURES:
            return f"refused at TLS (curl {self.exit_code})"
        if self.exit_code == 28:
            return "no answer (curl 28)"
        if self.exit_code == 7:
            return "connection refused (curl 7)"
        if self.exit_code:
            return f"curl {self.exit_code}: {self.error}"
        return f"{self.status} {self.body.strip()}".strip()

    @property
    def refused_at_tls(self) -> bool:
        return self.exit_code in TLS_FAILURES and self.status == 0

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header, whatever the case of its name; None if there is none."""
        for line in self.headers.splitlines():
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


def curl(door: Door, files: Files, path: str, *options: str) -> Answer:
    """GET `path` through `door` with the client's files; curl's own `options` follow."""
    with tempfile.NamedTemporaryFile("r") as headers:
        ran = _run(
            *curl_command(door, files, path),
            *("--silent", "--show-error", "--max-time", str(SECONDS)),
            *("--dump-header", headers.name, "--write-out", "\n%{http_code}"),
            *options,
        )
        body, _, status = ran.stdout.rpartition("\n")
        return Answer(
            exit_code=ran.returncode,
            status=int(status or 0),
            body=body,
            headers=headers.read(),
            error=ran.stderr.strip(),
        )


def curl_command(door: Door, files: Files, path: str) -> list[str]:
    """The command, with the token as it is now."""
    command = ["curl", "--connect-to", door.connect_to, "--cacert", str(files.ca)]
    if files.cert and files.key:
        command += ["--cert", str(files.cert), "--key", str(files.key)]
    for name, value in files.headers.items():
        command += ["--header", f"{name}: {value}"]
    scheme = "http" if door.port == 80 else "https"
    port = "" if door.port in (80, 443) else f":{door.port}"
    return [*command, f"{scheme}://{door.host}{port}{path}"]


def handshake(door: Door, files: Files, *options: str) -> str:
    """The protocol and cipher that `openssl s_client` agrees on, or how the handshake failed."""
    ran = _run(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{door.local_port}"),
        *("-servername", door.host, "-CAfile", str(files.ca)),
        *("-cert", str(files.cert), "-cert_chain", str(files.cert), "-key", str(files.key)),
        *options,
    )
    agreed = re.search(r"New, (TLSv[\d.]+), Cipher is (\S+)", ran.stdout)
    if ran.returncode == 0 and agreed and agreed[2] != "(NONE)":
        return f"{agreed[1]} {agreed[2]}"
    error = re.search(r":SSL routines:[^:]*:([^:]+):", ran.stderr)
    return f"{HANDSHAKE_FAILURE} ({error[1] if error else 'connection reset'})"


def _run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which(tool)
    if not found:
        raise MissingToolError(f"{tool}: not on this machine; on Debian, `apt-get install {tool}`")
    return subprocess.run(  # noqa: S603 (the command line is made here)
        [found, *arguments], input="", capture_output=True, text=True, check=False, timeout=30
    )
