"""What a client with a valid certificate may ask for, and how: cases 9, 11 and 12."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from lab.attempt import HANDSHAKE_FAILURE, Answer, Files, curl, handshake
from lab.cases.certificates import FIRST_AUTHORITY, as_issued
from lab.cases.mode import passes_through
from lab.cases.result import Result, row
from lab.session import Client, Lab

FORGED = "CN=admin"


def misdirected(lab: Lab) -> Iterator[Result]:
    """9: a path nobody serves, a host nobody has, and a port nobody listens on."""
    client = lab.clients()[0]
    # Where there is no method, a token would be taken for a malformed AWS signature.
    answer = curl(client.door, replace(client.files, token=None), "/nothing")
    yield row(
        "9", client.name, "a path the API does not have", "403 from the API", answer,
        "API Gateway: " + _error_type(answer),
        passed=answer.status == 403 and _error_type(answer) == "MissingAuthenticationToken",
    )  # fmt: skip
    answer = curl(client.door, client.files, "/widgets", "--header", "Host: other.example.com")
    yield row(
        "9", client.name, "another host name", "404 from the load balancer", answer,
        "no rule but the default one", passed=answer.status == 404 and answer.body == "",
    )  # fmt: skip
    door = lab.vantage.door(lab.domain, 80, lab.outputs["client_security_group_ids"][client.name])
    answer = curl(door, client.files, "/widgets")
    yield row(
        "9", client.name, "plain HTTP", "no listener", answer,
        "nothing is open or listens on port 80", passed=answer.exit_code in (7, 28),
    )  # fmt: skip


def forged_headers(lab: Lab) -> Iterator[Result]:
    """11: a client that claims another certificate is never taken for its holder.

    Nor where it has the holder's token, and the holder was just let in: that answer is remembered
    by token and certificate header.
    """
    client = lab.clients()[0]
    passed_on = passes_through(lab)
    measured = ("tenant", client.name) if passed_on else ("subject", f"CN={client.name}")
    answer = curl(client.door, client.files, "/whoami")
    found = answer.json[measured[0]] if answer.status == 200 else str(answer)
    yield Result(
        case="11",
        client=client.name,
        tried="asks who it is",
        expected=measured[1],
        got=found,
        why="what the authorizer found" if passed_on else "headers that the load balancer measured",
        passed=found == measured[1],
    )
    for name in (
        *("X-Amzn-Mtls-Clientcert-Subject", "x-amzn-mtls-clientcert-leaf"),
        "x-client-cert-subject",
    ):
        yield _stopped(client, client.files, f"forges {name}", name, FORGED)
    own = as_issued(lab, client.name)
    if passed_on:
        name, tried, pem = "x-client-cert", "has no key", own.chain_pem
        files = replace(client.files, cert=None, key=None)
    else:
        name, tried, pem = "x-client-cert-leaf", "has another's key", own.certificate_pem
        other = lab.authority(FIRST_AUTHORITY).issue("impersonator")
        written = lab.write_files("impersonator", other.chain_pem, other.key_pem)
        files = replace(client.files, cert=written.cert, key=written.key)
    yield _stopped(client, files, f"forges {name}, {tried}", name, quote(pem, safe="+=/"))


def _stopped(client: Client, files: Files, tried: str, header: str, value: str) -> Result:
    answer = curl(client.door, files, "/whoami", "--header", f"{header}: {value}")
    return row(
        "11", client.name, tried, "403 from the load balancer", answer, "a listener rule",
        passed=(answer.status, answer.body) == (403, ""),
    )  # fmt: skip


def tls_versions(lab: Lab) -> Iterator[Result]:
    """12: protocols and ciphers outside the listener's TLS policy."""
    client = lab.clients()[0]
    for tried, options, wanted in (
        ("TLS 1.1", ("-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"), None),
        ("a cipher outside the policy", ("-tls1_2", "-cipher", "AES128-SHA"), None),
        ("TLS 1.2", ("-tls1_2",), "TLSv1.2"),
        ("TLS 1.3", ("-tls1_3",), "TLSv1.3"),
    ):
        got = handshake(client.door, client.files, *options)
        failed = got.startswith(HANDSHAKE_FAILURE)
        yield Result(
            case="12",
            client=client.name,
            tried=tried,
            expected=f"{wanted} agreed on" if wanted else HANDSHAKE_FAILURE,
            got=got,
            why="the listener's TLS policy",
            passed=got.startswith(wanted) if wanted else failed,
        )


def _error_type(answer: Answer) -> str:
    sent = answer.header("x-amzn-ErrorType") or "no error type"
    return sent.removesuffix("Exception")
