"""Who gets through the handshake, and who does not: cases 1 to 8, and 13."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from lab.attempt import HANDSHAKE_FAILURE, Answer, Door, Files, curl, handshake
from lab.cases.result import Result
from lab.certificates import Authority, Issued, certificate_pem, self_signed
from lab.connection_log import ConnectionLog
from lab.session import Lab

WIDGET = '{"id":"1","value":"4.99"}'
ACCEPTED = f"200 {WIDGET}"
FIRST_AUTHORITY = "root-2026"
REFUSED = "refused at TLS (35 or 56)"


ANY_KEY = ("-tls1_2", "-cipher", "DEFAULT@SECLEVEL=0")
"""Lets openssl send a certificate that it otherwise would not: here the server is to judge."""


class Handshakes:
    """Calls /widgets with one certificate after the other, and reads the connection log after."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.log = ConnectionLog(s3=lab.client("s3"), bucket=lab.outputs["log_bucket"])
        self.door: Door = lab.clients()[0].door

    def accepted(self, case: str, client: str, issued: Issued, tried: str) -> Result:
        answer, reason = self._call(client, issued)
        passed = (answer.status, answer.body) == (200, WIDGET) and reason == "Success"
        return self._result(case, client, tried, ACCEPTED, answer, reason, passed)

    def refused(
        self, case: str, client: str, issued: Issued | None, tried: str, reason: str
    ) -> Result:
        answer, logged = self._call(client, issued)
        passed = answer.refused_at_tls and logged == f"Failed:{reason}"
        return self._result(case, client, tried, REFUSED, answer, logged, passed)

    def refused_by_openssl(
        self, case: str, client: str, issued: Issued, tried: str, reason: str
    ) -> Result:
        """As `refused`, by `openssl s_client`: curl does not send a certificate so weak."""
        files = self._files(client, issued)
        seen = len(self.log.entries())
        got = handshake(self.door, files, *ANY_KEY)
        logged = self.log.next_entry(seen)["tls_verify_status"]
        passed = got.startswith(HANDSHAKE_FAILURE) and logged == f"Failed:{reason}"
        return self._result(case, client, tried, HANDSHAKE_FAILURE, got, logged, passed)

    def _call(self, client: str, issued: Issued | None) -> tuple[Answer, str]:
        files = self._files(client, issued) if issued else Files(ca=self.lab.server_ca)
        seen = len(self.log.entries())
        answer = curl(self.door, files, "/widgets")
        return answer, self.log.next_entry(seen)["tls_verify_status"]

    def _files(self, client: str, issued: Issued) -> Files:
        return self.lab.write_files(f"case-{client}", issued.chain_pem, issued.key_pem)

    @staticmethod
    def _result(
        case: str,
        client: str,
        tried: str,
        expected: str,
        answer: Answer | str,
        reason: str,
        passed: bool,
    ) -> Result:
        return Result(
            case=case,
            client=client,
            tried=tried,
            expected=expected,
            got=str(answer),
            why=f"logged {reason}",
            passed=passed,
        )


def handshake_cases(lab: Lab) -> Iterator[Result]:
    """1 gets its widget; 2 to 8 are refused, and the connection log names the reason."""
    calls = Handshakes(lab)
    trusted = lab.authority(FIRST_AUTHORITY)
    other = Authority.create("Somebody else's CA")
    past, future = _days(-400), _days(400)
    yield calls.accepted("1", "shop", _as_issued(lab, "shop"), "its own certificate")
    yield calls.refused("2", "nobody", None, "no certificate", "UnmappedConnectionError")
    yield calls.refused(
        "3", "stranger", other.issue("shop"), "a certificate of another CA", "ClientCertUntrusted"
    )
    yield calls.refused(
        "4", "impostor", self_signed("shop"), "the same subject, self-signed",
        "ClientCertUntrusted",
    )  # fmt: skip
    yield calls.refused(
        "5", "late", trusted.issue("late", not_before=past, not_after=_days(-1)),
        "an expired certificate", "ClientCertExpired",
    )  # fmt: skip
    yield calls.refused(
        "6", "early", trusted.issue("early", not_before=_days(1), not_after=future),
        "a certificate not valid yet", "ClientCertNotYetValid",
    )  # fmt: skip
    yield calls.refused(
        "7", "server", trusted.issue("server", usages=("server_auth",)),
        "a certificate for servers only", "ClientCertPurposeInvalid",
    )  # fmt: skip
    yield calls.refused(
        "8", "deep", _below(trusted, 4).issue("deep"),
        "a chain longer than four", "ClientCertMaxChainDepthExceeded",
    )  # fmt: skip


def key_kinds(lab: Lab) -> Iterator[Result]:
    """13: the keys and signatures that a load balancer takes, and some that it does not."""
    calls = Handshakes(lab)
    trusted = lab.authority(FIRST_AUTHORITY)
    for kind in ("rsa-2048", "rsa-4096", "p-256", "p-384"):
        issued = trusted.issue(f"client-{kind}", key=kind)
        yield calls.accepted("13", kind, issued, f"a certificate with {kind.upper()}")
    rsa = Authority.create("RSA intermediate", parent=trusted, key="rsa-2048")
    for kind, issued in (
        ("p-224", trusted.issue("client-p-224", key="p-224")),
        ("rsa-1024", trusted.issue("client-rsa-1024", key="rsa-1024")),
        ("sha-1", rsa.issue("client-sha-1", signature_hash="sha1")),
    ):
        tried = f"a certificate with {kind.upper()}"
        yield calls.refused_by_openssl("13", kind, issued, tried, "ClientCertTypeUnsupported")


def _as_issued(lab: Lab, client: str) -> Issued:
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
