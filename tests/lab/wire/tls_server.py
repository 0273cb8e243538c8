"""A TLS server on 127.0.0.1 for tests, and unmodified clients against it."""

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lab.certificates import Authority, Issued
from lab.wire.tls import HandshakeError, PlainHttpError, Policy, Server, ServerCertificate, Session

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
POLICY = Policy(
    protocols=("TLSv1.2", "TLSv1.3"),
    ciphers=("TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
)
HOST = "api.example.com"


def served(authority: Authority, *names: str) -> ServerCertificate:
    issued = authority.issue(names[0], "p-256", usages=("server_auth",), names=names)
    return ServerCertificate(certificate=issued.certificate, key=issued.key, arn=names[0])


@dataclass
class Running:
    """The server's port, and what came of each connection."""

    port: int
    sessions: list[Session] = field(default_factory=list)
    failures: list[HandshakeError] = field(default_factory=list)

    def outcome(self) -> Session | HandshakeError:
        """What came of the connection since the last call."""
        for _ in range(500):
            if self.sessions or self.failures:
                return (self.sessions or self.failures).pop()
            time.sleep(0.01)
        raise AssertionError("no connection arrived in 5 s")


@contextlib.contextmanager
def running(server: Server) -> Iterator[Running]:
    """Answers each accepted session's first bytes with a 200."""
    listening = socket.create_server(("127.0.0.1", 0))
    result = Running(listening.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            with sock:
                _converse(server, sock, result)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield result
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)
        assert not thread.is_alive()


def _converse(server: Server, sock: socket.socket, result: Running) -> None:
    sock.settimeout(5)
    try:
        stream, session = server.accept(sock)
    except HandshakeError as error:
        if isinstance(error, PlainHttpError):
            sock.sendall(ANSWER)
        result.failures.append(error)
        return
    result.sessions.append(session)
    with contextlib.suppress(OSError):
        if stream.recv(65536):
            stream.sendall(ANSWER)
    stream.close()


def write(folder: Path, issued: Issued) -> tuple[str, str]:
    """The client certificate's and the key's files."""
    certificate, key = folder / "client.pem", folder / "client.key"
    certificate.write_text(issued.chain_pem)
    key.write_text(issued.key_pem)
    (folder / "client.pem.above").write_text(issued.chain_pem.removeprefix(issued.certificate_pem))
    return str(certificate), str(key)


def run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    """A client program with `text` as its input."""
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=30)


def curl(
    port: int, *arguments: str, client: tuple[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sk", "--max-time", "5", "--connect-to", f"{HOST}:443:127.0.0.1:{port}"]
    if client:
        command += ["--cert", client[0], "--key", client[1]]
    return run([*command, *arguments, f"https://{HOST}/"])


def s_client(
    port: int, *arguments: str, client: tuple[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`openssl s_client` that sends a request, and takes keys and hashes of any strength."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *arguments]
    if client:
        command += ["-cert", client[0], "-key", client[1]]
        above = Path(f"{client[0]}.above")  # s_client takes only the first certificate of -cert
        command += ["-cert_chain", str(above)] if above.read_text() else []
    return run(command, "GET / HTTP/1.0\r\n\r\n")
