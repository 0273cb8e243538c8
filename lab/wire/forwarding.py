"""The headers that an Application Load Balancer changes between client and target.

Sources (Elastic Load Balancing, Application Load Balancers): "HTTP headers and Application Load
Balancers", "Mutual authentication with TLS" (HTTP headers and mutual TLS), "HTTP header
modification for your Application Load Balancer", "Request tracing for your Application Load
Balancer".

What a connection's requests tell of the client's certificate is as its handshake found it, whatever
mode the listener has been given since: verified, or in passthrough the chain as it was presented.

AWS does not say what happens to a header that a client sends under the name of one that the load
balancer adds. The stricter reading is taken: the client's copy is kept, the measured one follows it
as a second value, and a header under a default name passes untouched where the listener renames.
"""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lab.wire.http import end_to_end
from lab.wire.listener import Listener
from lab.wire.messages import Request, Response
from lab.wire.tls import Session

SERVER = "awselb/2.0"
MAX_FORWARDED_FOR = 30

_MTLS = "X-Amzn-Mtls-Clientcert"
_VALID_NAME = re.compile(r"[A-Za-z0-9-]+")
_REPLACED = frozenset({"x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"})
_RESPONSE_HEADER = re.compile(r"routing\.http\.response\.([a-z_]+)\.header_value")


def dates(certificate: x509.Certificate) -> str:
    """`NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z`."""
    form = "%Y-%m-%dT%H:%M:%SZ"
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return f"NotBefore={start.strftime(form)};NotAfter={end.strftime(form)}"


def serial_number(certificate: x509.Certificate) -> str:
    """In hexadecimal, whole bytes: `03A5B1`."""
    digits = f"{certificate.serial_number:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def certificate_headers(listener: Listener, session: Session) -> list[tuple[str, str]]:
    """What a target learns of the client's certificate, under this listener's names: nothing of
    one that was not presented, and in passthrough the chain and nothing else.
    """
    certificate = session.client_certificate
    if certificate is None:
        return []
    if session.unverified_chain:
        return [(listener.header_name(_MTLS), _url_encoded(*session.unverified_chain))]
    values = {
        "Serial-Number": serial_number(certificate),
        "Issuer": certificate.issuer.rfc4514_string(),
        "Subject": certificate.subject.rfc4514_string(),
        "Validity": dates(certificate),
        "Leaf": _url_encoded(certificate),
    }
    return [(listener.header_name(f"{_MTLS}-{part}"), value) for part, value in values.items()]


def _url_encoded(*certificates: x509.Certificate) -> str:
    """Their PEM, one after the other."""
    encoded = [one.public_bytes(serialization.Encoding.PEM) for one in certificates]
    return quote(b"".join(encoded), safe="+=/")


def to_target(
    request: Request,
    listener: Listener,
    session: Session | None,
    client: tuple[str, int],
    trace_id: str,
) -> Request:
    """The request with the load balancer's headers; `client` is the address it came from."""
    headers = [
        (name, value)
        for name, value in end_to_end(request.headers)
        if name.lower() not in _REPLACED
    ]
    if listener.enabled("routing.http.drop_invalid_header_fields.enabled"):
        headers = [(name, value) for name, value in headers if _VALID_NAME.fullmatch(name)]
    headers = _forwarded_for(headers, listener, client)
    headers += [
        ("X-Forwarded-Proto", listener.protocol.lower()),
        ("X-Forwarded-Port", str(listener.port)),
        ("X-Amzn-Trace-Id", trace_id),
    ]
    if session and listener.enabled("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"):
        headers.append((listener.header_name("X-Amzn-Tls-Version"), session.protocol))
        headers.append((listener.header_name("X-Amzn-Tls-Cipher-Suite"), session.cipher))
    if session:
        headers += certificate_headers(listener, session)
    return replace(request, headers=tuple(headers))


def _forwarded_for(
    headers: list[tuple[str, str]], listener: Listener, client: tuple[str, int]
) -> list[tuple[str, str]]:
    mode = listener.balancer_attributes.get("routing.http.xff_header_processing.mode", "append")
    if mode == "preserve":
        return headers
    sent = [value for name, value in headers if name.lower() == "x-forwarded-for"]
    others = [(name, value) for name, value in headers if name.lower() != "x-forwarded-for"]
    if mode == "remove":
        return others
    with_port = listener.enabled("routing.http.xff_client_port.enabled")
    address = f"{client[0]}:{client[1]}" if with_port else client[0]
    return [*others, ("X-Forwarded-For", ", ".join([*sent, address]))]


def forwarded_for_count(request: Request) -> int:
    """How many addresses X-Forwarded-For already has; above 30 the answer is 463."""
    sent = [value for name, value in request.headers if name.lower() == "x-forwarded-for"]
    return sum(len(value.split(",")) for value in sent)


def trace_id(request: Request) -> str:
    """The trace header: a new Root, or what was sent with this hop as its Self."""
    own = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    sent = request.header("X-Amzn-Trace-Id")
    if not sent:
        return f"Root={own}"
    fields = [part for part in sent.split(";") if part and not part.startswith("Self=")]
    return ";".join([f"Self={own}", *fields])


def to_client(response: Response, listener: Listener) -> Response:
    """The response with the headers that the listener sets on all of them, or takes away."""
    set_here: dict[str, str] = {}
    for attribute, value in listener.attributes.items():
        found = _RESPONSE_HEADER.fullmatch(attribute)
        if found and value:
            set_here[found[1].replace("_", "-").title()] = value
    gone = {name.lower() for name in set_here}
    if not listener.enabled("routing.http.response.server.enabled"):
        gone.add("server")
    kept = [(name, value) for name, value in response.headers if name.lower() not in gone]
    return replace(response, headers=(*kept, *set_here.items()))


def from_target(response: Response) -> Response:
    """The target's response without what concerned the connection to the target only.

    Content-Length stays: to a HEAD request it says what a GET would have got.
    """
    length = [(n, v) for n, v in response.headers if n.lower() == "content-length"]
    return replace(response, headers=(*end_to_end(response.headers), *length))


def described(request: Request, listener: Listener) -> Mapping[str, str]:
    """The parts of the request's URL as redirects and logs name them."""
    host = (request.header("Host") or "").rpartition(":")[0] or request.header("Host") or ""
    return {
        "protocol": listener.protocol.lower(),
        "host": host,
        "port": str(listener.port),
        "path": request.path.removeprefix("/"),
        "query": request.query,
    }
