"""Each of the four guards, taken out of a copy of the program: some case must notice."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.cases import Case
from lab.cases.guards import ways_round
from lab.cases.requests import misdirected
from lab.session import Lab
from tests.conftest import ROOT

pytestmark = pytest.mark.lab

PARTS = ("__main__.py", "settings.py", "Pulumi.yaml", "Pulumi.dev.yaml", "components", "widgets")


@dataclass(frozen=True)
class Guard:
    """How to take a guard out of a file, and which case must then fail."""

    file: str
    taken_out: dict[str, str]
    case: Case
    noticed: str


GUARDS = {
    "the endpoint's security group": Guard(
        "components/mtls_alb_front.py",
        {"referenced_security_group_id=source": 'cidr_ipv4="10.20.0.0/16"'},
        ways_round,
        "straight to the endpoint",
    ),
    "the endpoint's policy": Guard(
        "components/execute_api_endpoint.py",
        {"policy=pulumi.Output.json_dumps(args.policy),": ""},
        ways_round,
        "another API, by x-apigw-api-id",
    ),
    "the API's resource policy": Guard(
        "components/policies.py",
        {
            '"Condition": {"StringEquals": {"aws:SourceVpce": vpc_endpoint_id}},': "",
            '"Effect": "Deny",\n            **invoke': '"Effect": "Allow",\n            **invoke',
        },
        ways_round,
        "through another endpoint",
    ),
    "the listener's default 404": Guard(
        "components/mtls_alb_front.py",
        {
            "listener = self._listener(": (
                "self.open = targets.arn\n        listener = self._listener("
            ),
            "default_actions=[_answer(404)]": (
                'default_actions=[{"type": "forward", "target_group_arn": self.open}]'
            ),
        },
        misdirected,
        "another host name",
    ),
}


@pytest.mark.parametrize("name", GUARDS)
def test_without_this_guard_a_case_fails(name: str, tmp_path: Path):
    guard = GUARDS[name]
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part)
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    source = (tmp_path / guard.file).read_text()
    for protected, opened in guard.taken_out.items():
        assert source.count(protected) == 1, f"{protected!r} moved; this test must follow it"
        source = source.replace(protected, opened)
    (tmp_path / guard.file).write_text(source)
    with Lab(tmp_path, ["dev"], tmp_path / ".lab") as lab:
        failed = {result.tried for result in guard.case(lab) if not result.passed}
    assert guard.noticed in failed
