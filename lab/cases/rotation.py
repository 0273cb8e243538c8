"""A new certificate authority takes over, in two deployments: case 14."""

import json
from collections.abc import Iterator

from lab.attempt import Answer, Files, curl
from lab.cases.certificates import FIRST_AUTHORITY
from lab.cases.mode import is_refused, refusal
from lab.cases.result import Result, row
from lab.session import Lab

OLD, NEW = FIRST_AUTHORITY, "root-2027"
_WHY = "the CA bundle of whoever verifies"


def rotation(lab: Lab) -> Iterator[Result]:
    """14: both authorities are trusted first, then only the new one."""
    client = lab.clients()[0]
    given = lab.outputs["clients"][client.name]
    old = lab.write_files("case-old", given["certificate_chain"], given["private_key"], client.name)
    _deploy(lab, OLD, NEW)
    given = lab.outputs["clients"][client.name]
    new = lab.write_files("case-new", given["certificate_chain"], given["private_key"], client.name)
    yield _accepted(lab, "old CA, both trusted", old)
    yield _accepted(lab, "new CA, both trusted", new)
    _deploy(lab, NEW)
    yield _refused(lab, "old CA, only the new one trusted", old)
    yield _accepted(lab, "new CA, only the new one trusted", new)


def _deploy(lab: Lab, *authorities: str) -> None:
    """The stack again, trusting `authorities`; the last one signs its clients' certificates."""
    trusted = {name: {"kind": "self-signed"} for name in authorities}
    changes = {"mtls:certificateAuthorities": json.dumps(trusted)}
    for key in ("mtls:clients", "mtls:customers"):
        entries = json.loads(lab.configs[lab.stack].get(key, "{}"))
        for entry in entries.values():
            if "certificateAuthority" in entry:
                entry["certificateAuthority"] = authorities[-1]
        changes[key] = json.dumps(entries)
    lab.deploy(lab.stack, changes)


def _accepted(lab: Lab, tried: str, files: Files) -> Result:
    answer = _call(lab, files)
    return row("14", "shop", tried, "200", answer, _WHY, passed=answer.status == 200)


def _refused(lab: Lab, tried: str, files: Files) -> Result:
    answer = _call(lab, files)
    passed = is_refused(lab, answer)
    return row("14", "shop", tried, refusal(lab), answer, _WHY, passed=passed)


def _call(lab: Lab, files: Files) -> Answer:
    """With a token that no answer is remembered for."""
    lab.tokens.renew()
    return curl(lab.clients()[0].door, files, "/widgets")
