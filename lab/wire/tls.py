"""TLS by OpenSSL over memory BIOs, so that what is sent, and when, is decided here.

A server session needs this twice: a refused client certificate must end in a TCP reset with no
alert and no HTTP status, and a socket time-out must not be mistaken for a TLS state.
"""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from OpenSSL import SSL, crypto

from lab.certificates import PrivateKey
from lab.wire.chain import TOO_BIG, UNMAPPED, ChainCheck, TrustStore, too_big

_RECEIVE = 65536
_REQUEST_UNDER_WAY_SECONDS = 0.1
_VERSIONS = {
    "TLSv1": SSL.TLS1_VERSION,
    "TLSv1.1": SSL.TLS1_1_VERSION,
    "TLSv1.2": SSL.TLS1_2_VERSION,
    "TLSv1.3": SSL.TLS1_3_VERSION,
}
# OpenSSL's security level would refuse keys and hashes on its own terms; policy and `chain` decide.
_LEVEL = "@SECLEVEL=0"


class HandshakeError(Exception):
    """No TLS session came about. `reason` is the connection log's code."""

    def __init__(self, reason: str, detail: str, session: "Session") -> None:
        super().__init__(detail)
        self.reason = reason
        self.session = session


class PlainHttpError(HandshakeError):
    """The client spoke HTTP where TLS was expected; the socket is still open for an answer."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A security policy: protocols as `DescribeSSLPolicies` names them, ciphers as OpenSSL does."""

    protocols: tuple[str, ...]
    ciphers: tuple[str, ...]

    def apply(self, context: SSL.Context) -> None:
        versions = sorted(_VERSIONS[protocol] for protocol in self.protocols)
        context.set_min_proto_version(versions[0])
        context.set_max_proto_version(versions[-1])
        modern = [name for name in self.ciphers if name.startswith("TLS_")]
        older = [name for name in self.ciphers if not name.startswith("TLS_")]
        # With TLS 1.3 alone OpenSSL still wants a list of older ciphers; none of it is reachable.
        context.set_cipher_list(":".join([*(older or ["DEFAULT"]), _LEVEL]).encode())
        if modern:
            context.set_tls13_ciphersuites(":".join(modern).encode())


@dataclass(frozen=True, kw_only=True)
class ServerCertificate:
    """A certificate with its key, and the names that choose it by SNI."""

    certificate: x509.Certificate
    key: PrivateKey
    chain: tuple[x509.Certificate, ...] = ()
    arn: str = "-"

    def names(self) -> list[str]:
        """The DNS names it is for, lower case."""
        try:
            extension = self.certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            )
        except x509.ExtensionNotFound:
            return []
        return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]

    def serves(self, host: str) -> bool:
        """Whether `host` is one of its names; `*` stands for one label (RFC 9525 §6.3)."""
        host = host.lower()
        parent = f"*.{host.partition('.')[2]}"
        return any(name in (host, parent) for name in self.names())


@dataclass(kw_only=True)
class Session:
    """What became known of a TLS session, as far as it came.

    `unverified_chain` is all that the client presented, leaf first, where nobody verified it.
    """

    protocol: str = "-"
    cipher: str = "-"
    key_exchange: str = "-"
    certificate_arn: str = "-"
    server_name: str | None = None
    seconds: float = 0.0
    client_certificate: x509.Certificate | None = None
    unverified_chain: tuple[x509.Certificate, ...] = ()
    alpn: bytes = b""


class Stream:
    """A connection's bytes, TLS removed. Not for use by two threads at once."""

    def __init__(self, sock: socket.socket, tls: SSL.Connection) -> None:
        self.socket = sock
        self._tls = tls

    def recv(self, size: int) -> bytes:
        """The next bytes; empty at the end. Raises TimeoutError, OSError."""
        while True:
            try:
                return self._tls.recv(size)
            except SSL.WantReadError:
                self.flush()
                data = self.socket.recv(_RECEIVE)
                if not data:
                    return b""
                self._tls.bio_write(data)
            except SSL.ZeroReturnError:
                return b""
            except SSL.Error as error:
                raise ConnectionError(f"TLS: {_text(error)}") from error

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            sent = self._tls.send(view[:16384])
            view = view[sent:]
            self.flush()

    def flush(self) -> None:
        while True:
            try:
                data = self._tls.bio_read(_RECEIVE)
            except SSL.WantReadError:
                return
            self.socket.sendall(data)

    def handshake(self) -> None:
        """Runs it to its end; what the last step produced is not sent before `flush`."""
        while True:
            try:
                self._tls.do_handshake()
                return
            except SSL.WantReadError:
                self.flush()
                data = self.socket.recv(_RECEIVE)
                if not data:
                    raise ConnectionError("TLS: closed during the handshake") from None
                self._tls.bio_write(data)

    def close(self) -> None:
        """Says goodbye and closes."""
        # The other side may be gone; then there is nobody to say goodbye to.
        with contextlib.suppress(SSL.Error, OSError):
            self._tls.shutdown()
            self.flush()
        self.socket.close()


class Server:
    """The TLS side of a listener.

    Sessions are never resumed: no tickets, no cache ("Mutual authentication with TLS", "Session
    resumption"). ALPN answers http/1.1 only. The certificate is chosen by SNI among `certificates`,
    the first being the default one. With `trust`, a client certificate is required and verified.
    With `passthrough` one is asked for, and whatever comes is taken: that the client has the key is
    all that is known of it, and who presents none is let in too. AWS's pages do not say what
    happens without one; no refusal is the reading that leaves the most to whoever verifies.
    """

    def __init__(
        self,
        certificates: Sequence[ServerCertificate],
        policy: Policy,
        trust: TrustStore | None = None,
        *,
        advertise: bool = False,
        passthrough: bool = False,
    ) -> None:
        self._trust = trust
        self._passthrough = passthrough
        self._certificates = list(certificates)
        self._contexts = [self._context(one, policy, advertise) for one in certificates]

    def _context(self, served: ServerCertificate, policy: Policy, advertise: bool) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        policy.apply(context)
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE)
        context.set_options(SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.use_certificate(served.certificate)
        context.use_privatekey(served.key)
        for certificate in served.chain:
            context.add_extra_chain_cert(certificate)
        context.set_alpn_select_callback(_choose_http)
        context.set_tlsext_servername_callback(self._choose_certificate)
        if self._trust:
            required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
            context.set_verify(required, _observe)
            store = context.get_cert_store()
            if store is None:
                raise RuntimeError("OpenSSL gave the context no certificate store")
            self._trust.fill(store)
            for certificate in self._trust.certificates if advertise else ():
                context.add_client_ca(certificate)
        elif self._passthrough:
            context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        return context

    def _choose_certificate(self, tls: SSL.Connection) -> None:
        name = (tls.get_servername() or b"").decode("latin-1")
        for served, context in zip(self._certificates, self._contexts, strict=True):
            if served.serves(name):
                tls.set_context(context)
                return

    def accept(self, sock: socket.socket) -> tuple[Stream, Session]:
        """A session with whoever connected.

        Raises HandshakeError. By then a client whose certificate was refused has got a TCP reset,
        any other one the TLS alert.
        """
        tls = SSL.Connection(self._contexts[0], None)
        tls.set_accept_state()
        check = ChainCheck(self._trust) if self._trust else None
        tls.set_app_data(check)
        stream, started = Stream(sock, tls), time.monotonic()
        try:
            stream.handshake()
        except (SSL.Error, OSError) as error:
            session = self._describe(tls, started)
            if session.client_certificate:
                # OpenSSL gave up over a certificate that is to be refused by its own name.
                self._judge(check, tls, sock, session)
            raise self._failed(stream, session, error) from error
        session = self._describe(tls, started)
        self._judge(check, tls, sock, session)
        stream.flush()
        return stream, session

    @staticmethod
    def _judge(
        check: ChainCheck | None, tls: SSL.Connection, sock: socket.socket, session: Session
    ) -> None:
        presented = _presented(tls)
        reason = check.reason(presented) if check else too_big(presented)
        if reason:
            _refuse(sock, session.protocol)
            raise HandshakeError(reason, "the client certificate was refused", session)

    def _failed(
        self, stream: Stream, session: Session, error: SSL.Error | OSError
    ) -> HandshakeError:
        text = _text(error)
        if "http request" in text:
            return PlainHttpError(UNMAPPED, text, session)
        if "did not return a certificate" in text:
            _refuse(stream.socket, session.protocol)
            return HandshakeError(UNMAPPED, text, session)
        if "excessive message size" in text:
            _refuse(stream.socket, session.protocol)
            return HandshakeError(TOO_BIG, text, session)
        with contextlib.suppress(OSError):  # The client may have closed before it could read why.
            stream.flush()
        stream.socket.close()
        return HandshakeError(UNMAPPED, text, session)

    def _describe(self, tls: SSL.Connection, started: float) -> Session:
        used = self._contexts.index(tls.get_context())
        name = tls.get_servername()
        cipher = tls.get_cipher_name()
        return Session(
            protocol=tls.get_protocol_version_name() if cipher else "-",
            cipher=cipher or "-",
            key_exchange=(tls.get_group_name() or "-") if cipher else "-",
            certificate_arn=self._certificates[used].arn,
            server_name=name.decode("latin-1") if name else None,
            seconds=time.monotonic() - started,
            client_certificate=tls.get_peer_certificate(as_cryptography=True),
            unverified_chain=tuple(_presented(tls)) if self._passthrough else (),
            alpn=tls.get_alpn_proto_negotiated(),
        )


def _client(highest: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_max_proto_version(_VERSIONS[highest])
    context.set_cipher_list(f"DEFAULT:{_LEVEL}".encode())
    return context


_CLIENTS = {highest: _client(highest) for highest in ("TLSv1.2", "TLSv1.3")}


def connect(sock: socket.socket, highest: str = "TLSv1.3") -> Stream:
    """A session with a target, whose certificate is not validated, in at most that protocol.

    Source: "Target groups for your Application Load Balancers", "Routing configuration". No server
    name is sent, as none is documented. Raises ConnectionError, TimeoutError.
    """
    tls = SSL.Connection(_CLIENTS[highest], None)
    tls.set_connect_state()
    stream = Stream(sock, tls)
    try:
        stream.handshake()
    except SSL.Error as error:
        raise ConnectionError(f"TLS: {_text(error)}") from error
    stream.flush()
    return stream


def reset(sock: socket.socket) -> None:
    """Ends a TCP connection with RST, as when nothing listens or a client is refused."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _refuse(sock: socket.socket, protocol: str) -> None:
    """Resets a client whose certificate was refused.

    In TLS 1.3 a client is done before its certificate is judged and sends its request at once. On
    a network that request is under way when the reset arrives, so the client fails reading (curl
    56); here the request is waited for, or the client would fail writing it (curl 55).
    """
    if protocol == "TLSv1.3":
        select.select([sock], [], [], _REQUEST_UNDER_WAY_SECONDS)
    reset(sock)


def _choose_http(_: SSL.Connection, offered: list[bytes]) -> Any:
    return b"http/1.1" if b"http/1.1" in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _observe(
    tls: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int
) -> bool:
    """Goes on whatever was found, so that `ChainCheck` sees it all and has the only say."""
    tls.get_app_data().observe(certificate.to_cryptography(), 0 if ok else error, depth)
    return True


def _presented(tls: SSL.Connection) -> list[x509.Certificate]:
    """All that the client sent; at a server OpenSSL keeps the leaf apart from the others."""
    leaf = tls.get_peer_certificate(as_cryptography=True)
    others = tls.get_peer_cert_chain(as_cryptography=True) or []
    return [leaf, *others] if leaf else others


def _text(error: Exception) -> str:
    """OpenSSL's own words: the reasons on its error stack."""
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else None
    return ", ".join(entry[-1] for entry in stack) if stack else str(error) or type(error).__name__
