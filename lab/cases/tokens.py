"""Who gets past the authorizer with a trusted certificate, and who does not: cases 24 to 29."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab.attempt import Answer, Files, curl
from lab.cases.certificates import ACCEPTED, FIRST_AUTHORITY, as_issued
from lab.cases.result import Result, row
from lab.clients import Client
from lab.issuer import ALGORITHMS, make_key
from lab.session import Lab
from lab.tokens import write_token

UNAUTHORIZED, FORBIDDEN = "401 from the API", "403 from the API"


def tokens(lab: Lab) -> Iterator[Result]:
    """24: no token. 25: one that is not good any more, or not for this API, or nobody's. 26:
    another customer's. 27: one that is bound to no certificate. 28: a certificate that is blocked.
    29: let in, and the access log says who that was.

    None of it where the lab's issuer has no tokens for the first client.
    """
    client, issuer = lab.clients()[0], lab.tokens.issuer
    if issuer is None or lab.tokens.settings is None or client.files.token is None:
        return
    calls = Calls(lab=lab, client=client)
    client_id = lab.tokens.settings.client_ids[client.name]
    key = make_key(ALGORITHMS[issuer.algorithm])
    yield calls.unauthorized("24", "no token", calls.files(None))
    for tried, token in (
        ("an expired token", issuer.token(client_id, lifetime=timedelta(minutes=-10))),
        ("a token for another audience", issuer.token(client_id, audience="https://a.example.com")),
        ("a token signed by itself", issuer.token(client_id, key=key)),
    ):
        yield calls.unauthorized("25", tried, calls.files(token))
    yield from _anothers(lab, calls)
    unbound = calls.files(issuer.token(client_id, claims={"cnf": None}))
    yield calls.forbidden("27", "a token bound to nothing", unbound, "token_not_bound")
    yield _blocked(lab, calls)
    yield calls.allowed("29", "its own certificate and token")


def _anothers(lab: Lab, calls: "Calls") -> Iterator[Result]:
    """Just after it was let in with that itself, so that the answer is remembered."""
    for other in [one for one in lab.clients() if one.account != calls.client.account][:1]:
        curl(other.door, other.files, "/widgets")
        files = replace(calls.client.files, token=other.files.token)
        yield calls.forbidden("26", f"the token of {other.name}", files, "tenant_mismatch")


def _blocked(lab: Lab, calls: "Calls") -> Result:
    """Of two certificates of one client, one is blocked for a while."""
    name = calls.client.name
    lost = lab.authority(FIRST_AUTHORITY).issue(name)
    clients = json.loads(lab.configs[lab.stack]["mtls:clients"])
    rules = clients[name].setdefault("certificates", {})
    rules["blocked"] = [*rules.get("blocked", ()), _thumbprint(lost.certificate)]
    lab.deploy(lab.stack, {"mtls:clients": json.dumps(clients)})
    files = lab.write_files("case-blocked", lost.chain_pem, lost.key_pem, name)
    try:
        return calls.forbidden("28", "a blocked certificate", files, "certificate_blocked")
    finally:
        lab.deploy(lab.stack)


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls of the first client, with this token or that; each answer's line in the access log."""

    lab: Lab
    client: Client

    def files(self, token: str | None) -> Files:
        """The client's own files, with this token instead of its own."""
        path = self.lab.folder / "clients" / "case.token"
        return replace(self.client.files, token=write_token(path, token) if token else None)

    def unauthorized(self, case: str, tried: str, files: Files) -> Result:
        answer = self._call(files)
        logged = self.lab.access_log.entry(answer)
        asked = answer.header("WWW-Authenticate") or "nothing"
        passed = answer.status == 401 and asked.startswith("Bearer") and logged["status"] == "401"
        why = f"asked for {asked.partition(' ')[0]}, logged {logged['errorType']}"
        return row(case, self.client.name, tried, UNAUTHORIZED, answer, why, passed=passed)

    def forbidden(self, case: str, tried: str, files: Files, reason: str) -> Result:
        answer = self._call(files)
        logged = self.lab.access_log.entry(answer)
        passed = (answer.status, logged["status"], logged["reason"]) == (403, "403", reason)
        why = f"logged {logged['reason']}"
        return row(case, self.client.name, tried, FORBIDDEN, answer, why, passed=passed)

    def allowed(self, case: str, tried: str) -> Result:
        """With a fresh token, which no answer is remembered for."""
        answer = self._call(self.lab.clients()[0].files)
        logged = self.lab.access_log.entry(answer)
        own = as_issued(self.lab, self.client.name).certificate
        who = (self.client.name, _thumbprint(own), _serial(own))
        names = ("tenant", "certificateThumbprint", "certificateSerial")
        passed = str(answer) == ACCEPTED and tuple(logged[name] for name in names) == who
        why = f"logged {logged['tenant']}, certificate {logged['certificateThumbprint'][:8]}…"
        return row(case, self.client.name, tried, ACCEPTED, answer, why, passed=passed)

    def _call(self, files: Files) -> Answer:
        return curl(self.client.door, files, "/widgets")


def _thumbprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _serial(certificate: x509.Certificate) -> str:
    """As the load balancer writes it: upper case, whole bytes."""
    number = certificate.serial_number
    return number.to_bytes((number.bit_length() + 7) // 8).hex().upper()
