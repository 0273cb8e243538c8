"""Passthrough's own guard, taken out of a copy of the program: some case must notice."""

import shutil
from pathlib import Path

import pytest
import yaml

from lab.cases.requests import forged_headers
from lab.session import Lab
from tests.conftest import PROGRAM, ROOT

pytestmark = pytest.mark.lab


def test_without_the_rule_for_its_header_whoever_has_no_key_is_let_in(tmp_path: Path):
    for part in PROGRAM:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    wheels = ROOT / ".build/wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    (tmp_path / ".build").mkdir()
    (tmp_path / ".build/wheels").symlink_to(wheels)
    config = tmp_path / "Pulumi.dev.yaml"
    given = yaml.safe_load(config.read_text())
    given["config"]["mtls:mutualAuthentication"] = "passthrough"
    config.write_text(yaml.safe_dump(given))
    front = tmp_path / "components/mtls_alb_front.py"
    rule = "REFUSED_HEADERS = (*CLIENT_CERTIFICATE_HEADERS, *CLIENT_CERTIFICATE_HEADERS.values())"
    source = front.read_text()
    assert source.count(rule) == 1, "moved; this test must follow it"
    front.write_text(source.replace(rule, "REFUSED_HEADERS = (*CLIENT_CERTIFICATE_HEADERS,)"))
    with Lab(tmp_path, ["dev"], tmp_path / ".lab") as lab:
        failed = {result.tried: result.got for result in forged_headers(lab) if not result.passed}
    assert failed["forges x-client-cert, has no key"].startswith("200")
