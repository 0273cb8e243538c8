"""Whose certificate is accepted, and whose is not: cases 1 to 8, and 13.

Where the load balancer verifies, a refusal ends the handshake and the connection log names the
reason. Where it passes certificates on, the handshake is a success, the answer is 401 or 403, and
the API's access log names the reason. Each client sends a good token that is bound to the very
certificate, which bears the name of a known client: nothing but its fault is left to decide.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from lab.any_key import get_with_any_key
from lab.attempt import Answer, Door, Files, curl
from lab.cases.mode import REFUSED_AT_TLS, passes_through
from lab.cases.result import Result, row
from lab.certificates import Authority, Issued, certificate_pem, self_signed
from lab.connection_log import ConnectionLog
from lab.session import Lab

WIDGET = '{"id":"1","value":"4.99"}'
ACCEPTED = f"200 {WIDGET}"
FIRST_AUTHORITY = "root-2026"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a certificate: in the words of the connection log, and where it is passed
    on in those of the authorizer. Without a `reason`, TLS itself refuses it there too.
    """

    logged: str
    reason: str | None
    status: int = 403


UNMAPPED = "UnmappedConnectionError"
MISSING = Fault(logged=UNMAPPED, reason="-", status=401)
UNTRUSTED = Fault(logged="ClientCertUntrusted", reason="certificate_untrusted")
EXPIRED = Fault(logged="ClientCertExpired", reason="certificate_expired")
TOO_EARLY = Fault(logged="ClientCertNotYetValid", reason="certificate_not_yet_valid")
PURPOSE = Fault(logged="ClientCertPurposeInvalid", reason="certificate_purpose")
TOO_DEEP = Fault(logged="ClientCertMaxChainDepthExceeded", reason="certificate_chain_too_long")
WEAK_KEY = Fault(logged="ClientCertTypeUnsupported", reason="certificate_kind")
WEAK_SIGNATURE = Fault(logged="ClientCertTypeUnsupported", reason="certificate_untrusted")
NO_SIGNATURE = Fault(logged="ClientCertTypeUnsupported", reason=None)


class Calls:
    """Calls /widgets with one certificate after the other, and reads the logs after."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.passed_on = passes_through(lab)
        self.client = lab.clients()[0]
        self.connections = ConnectionLog(s3=lab.client("s3"), bucket=lab.outputs["log_bucket"])
        self.requests = lab.access_log

    def accepted(self, case: str, client: str, issued: Issued, tried: str) -> Result:
        answer, logged = self._call(curl, self._files(client, issued))
        passed = (answer.status, answer.body) == (200, WIDGET) and logged == "Success"
        return row(case, client, tried, ACCEPTED, answer, f"logged {logged}", passed=passed)

    def refused(
        self, case: str, client: str, issued: Issued | None, tried: str, fault: Fault
    ) -> Result:
        """A certificate with a key or signature that curl does not send is sent all the same."""
        weak = fault in (WEAK_KEY, WEAK_SIGNATURE, NO_SIGNATURE)
        answer, logged = self._call(get_with_any_key if weak else curl, self._files(client, issued))
        if not self.passed_on or fault.reason is None:
            why = f"Failed:{UNMAPPED if self.passed_on else fault.logged}"
            passed = answer.refused_at_tls and logged == why
            return row(
                case, client, tried, REFUSED_AT_TLS, answer, f"logged {logged}", passed=passed
            )
        expected = f"{fault.status} from the API"
        if answer.status != fault.status:
            return row(case, client, tried, expected, answer, f"logged {logged}", passed=False)
        reason = self.requests.entry(answer)["reason"]
        passed = (logged, reason) == ("Success", fault.reason)
        return row(case, client, tried, expected, answer, f"logged {reason}", passed=passed)

    def _call(self, get: Callable[[Door, Files, str], Answer], files: Files) -> tuple[Answer, str]:
        seen = len(self.connections.entries())
        answer = get(self.client.door, files, "/widgets")
        return answer, self.connections.next_entry(seen)["tls_verify_status"]

    def _files(self, client: str, issued: Issued | None) -> Files:
        if issued is None:
            return replace(self.client.files, cert=None, key=None)
        name = f"case-{client}"
        return self.lab.write_files(name, issued.chain_pem, issued.key_pem, self.client.name)


def handshake_cases(lab: Lab) -> Iterator[Result]:
    """1 gets its widget; 2 to 8 are refused, and a log names the reason."""
    calls = Calls(lab)
    name = calls.client.name
    trusted = lab.authority(FIRST_AUTHORITY)
    other = Authority.create("Somebody else's CA")
    past, future = _days(-400), _days(400)
    yield calls.accepted("1", name, as_issued(lab, name), "its own certificate")
    yield calls.refused("2", "nobody", None, "no certificate", MISSING)
    yield calls.refused(
        "3", "stranger", other.issue(name), "a certificate of another CA", UNTRUSTED
    )
    yield calls.refused(
        "4", "impostor", self_signed(name), "the same subject, self-signed", UNTRUSTED
    )
    yield calls.refused(
        "5", "late", trusted.issue(name, not_before=past, not_after=_days(-1)),
        "an expired certificate", EXPIRED,
    )  # fmt: skip
    yield calls.refused(
        "6", "early", trusted.issue(name, not_before=_days(1), not_after=future),
        "a certificate not valid yet", TOO_EARLY,
    )  # fmt: skip
    yield calls.refused(
        "7", "server", trusted.issue(name, usages=("server_auth",)),
        "a certificate for servers only", PURPOSE,
    )  # fmt: skip
    yield calls.refused(
        "8", "deep", _below(trusted, 4).issue(name), "a chain longer than four", TOO_DEEP
    )


def key_kinds(lab: Lab) -> Iterator[Result]:
    """13: the keys and signatures that are accepted, and some that are not."""
    calls = Calls(lab)
    name = calls.client.name
    trusted = lab.authority(FIRST_AUTHORITY)
    for kind in ("rsa-2048", "rsa-4096", "p-256", "p-384"):
        issued = trusted.issue(name, key=kind)
        yield calls.accepted("13", kind, issued, f"a certificate with {kind.upper()}")
    rsa = Authority.create("RSA intermediate", parent=trusted, key="rsa-2048")
    for kind, issued, fault in (
        ("p-224", trusted.issue(name, key="p-224"), NO_SIGNATURE),
        ("rsa-1024", trusted.issue(name, key="rsa-1024"), WEAK_KEY),
        ("sha-1", rsa.issue(name, signature_hash="sha1"), WEAK_SIGNATURE),
    ):
        yield calls.refused("13", kind, issued, f"a certificate with {kind.upper()}", fault)


def as_issued(lab: Lab, client: str) -> Issued:
    given: dict[str, Any] = lab.outputs["clients"][client]
    chain = given["certificate_chain"]
    leaf = certificate_pem(x509.load_pem_x509_certificates(chain.encode())[0])
    return Issued(certificate_pem=leaf, chain_pem=chain, key_pem=given["private_key"])


def _below(authority: Authority, levels: int) -> Authority:
    for level in range(1, levels + 1):
        authority = Authority.create(f"Intermediate {level}", parent=authority)
    return authority


def _days(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)
