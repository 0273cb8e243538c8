"""The stacks as they are, deployed and really called: every case must come out as expected."""

import json
from pathlib import Path

import pytest

from lab.attempt import curl
from lab.cases import CASES, Result
from lab.description import write_description
from lab.session import Lab
from tests.conftest import ROOT

pytestmark = pytest.mark.lab

ROWS = {
    "handshake_cases": 8,
    "misdirected": 3,
    "ways_round": 4,
    "forged_headers": 5,
    "tls_versions": 4,
    "key_kinds": 7,
    "over_private_link": 5,
    "health_listener": 4,
    "onboarding": 8,
    "private_names": 4,
    "tokens": 8,
    "rotation": 4,
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory):
    with Lab(ROOT, ["dev", "acme"], tmp_path_factory.mktemp("lab")) as lab:
        yield lab


def test_lab_json_says_how_to_call_with_unmodified_curl(lab: Lab):
    path = write_description(lab)
    assert path.stat().st_mode & 0o077 == 0
    known = json.loads(path.read_text())
    assert set(known) == {
        "aws_endpoint_url", "region", "accounts", "outputs", "issuer", "clients",
    }  # fmt: skip
    assert set(known["accounts"]["producer"]) == {
        "account_id", "access_key_id", "secret_access_key",
    }  # fmt: skip
    client = known["clients"][0]
    assert set(client) == {
        "name", "account", "url", "connect_to", "ca_file", "cert_file", "key_file", "token_file",
    }  # fmt: skip
    assert [(one["name"], one["account"]) for one in known["clients"]] == [
        ("shop", "producer"),
        ("acme-shop", "acme"),
    ]
    assert known["accounts"]["acme"]["account_id"] == "444455556666"
    assert client["connect_to"].startswith("api.example.com:443:127.0.0.1:")
    for name in ("key_file", "token_file"):
        assert Path(client[name]).stat().st_mode & 0o077 == 0
    assert known["issuer"]["url"] == "https://issuer.example.com"
    assert known["issuer"]["token_endpoint"].startswith("http://127.0.0.1:")
    assert set(known["issuer"]["clients"]) == {"shop", "acme", "acme-shop"}
    assert "PRIVATE KEY" not in path.read_text()
    for one in lab.clients():
        assert curl(one.door, one.files, "/widgets").body == '{"id":"1","value":"4.99"}'


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_case_comes_out_as_expected(lab: Lab, case):
    results: list[Result] = list(case(lab))
    assert [r for r in results if not r.passed] == []
    assert len(results) == ROWS[case.__name__]
