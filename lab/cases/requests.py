"""What a client with a valid certificate may ask for, and how: cases 9, 11 and 12."""

from collections.abc import Iterator

from lab.attempt import HANDSHAKE_FAILURE, Answer, curl, handshake
from lab.cases.result import Result
from lab.session import Client, Lab

FORGED = "CN=admin"


def misdirected(lab: Lab) -> Iterator[Result]:
    """9: a path nobody serves, a host nobody has, and a port nobody listens on."""
    client = lab.clients()[0]
    answer = curl(client.door, client.files, "/nothing")
    yield _row(
        "9", client, "a path the API does not have", "403 from the API", answer,
        "API Gateway: " + _error_type(answer),
        passed=answer.status == 403 and _error_type(answer) == "MissingAuthenticationToken",
    )  # fmt: skip
    answer = curl(client.door, client.files, "/widgets", "--header", "Host: other.example.com")
    yield _row(
        "9", client, "another host name", "404 from the load balancer", answer,
        "no rule but the default one", passed=answer.status == 404 and answer.body == "",
    )  # fmt: skip
    door = lab.vantage.door(lab.domain, 80, lab.outputs["client_security_group_ids"][client.name])
    answer = curl(door, client.files, "/widgets")
    yield _row(
        "9", client, "plain HTTP", "no listener", answer,
        "nothing is open or listens on port 80", passed=answer.exit_code in (7, 28),
    )  # fmt: skip


def forged_headers(lab: Lab) -> Iterator[Result]:
    """11: a valid client that claims another certificate is never taken for its holder."""
    client = lab.clients()[0]
    measured = f"CN={client.name}"
    answer = curl(client.door, client.files, "/whoami")
    subject = answer.json["subject"] if answer.status == 200 else str(answer)
    yield Result(
        case="11",
        client=client.name,
        tried="asks who it is",
        expected=measured,
        got=subject,
        why="headers that the load balancer measured",
        passed=subject == measured,
    )
    for name in ("X-Amzn-Mtls-Clientcert-Subject", "x-amzn-mtls-clientcert-leaf"):
        answer = curl(client.door, client.files, "/whoami", "--header", f"{name}: {FORGED}")
        yield _row(
            "11", client, f"forges {name}", "403 from the load balancer", answer,
            "a listener rule", passed=answer.status == 403 and FORGED not in answer.body,
        )  # fmt: skip
    answer = curl(
        client.door, client.files, "/whoami", "--header", f"x-client-cert-subject: {FORGED}"
    )
    yield _row(
        "11", client, "forges x-client-cert-subject", "400: two values", answer,
        "the backend takes one value only",
        passed=answer.status == 400 and FORGED not in answer.body,
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


def _row(
    case: str,
    client: Client,
    tried: str,
    expected: str,
    answer: Answer,
    why: str,
    *,
    passed: bool,
) -> Result:
    return Result(
        case=case,
        client=client.name,
        tried=tried,
        expected=expected,
        got=str(answer),
        why=why,
        passed=passed,
    )


def _error_type(answer: Answer) -> str:
    for line in answer.headers.splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "x-amzn-errortype":
            return value.strip().removesuffix("Exception")
    return "no error type"
