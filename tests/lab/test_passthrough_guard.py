"""Passthrough's own guard, taken out of a copy of the program: some case must notice."""

from pathlib import Path

import pytest
import yaml

from lab.cases.requests import forged_headers
from lab.session import Lab
from tests.conftest import copy_program, take_out

pytestmark = pytest.mark.lab


def test_without_the_rule_for_its_header_whoever_has_no_key_is_let_in(tmp_path: Path):
    copy_program(tmp_path)
    config = tmp_path / "Pulumi.dev.yaml"
    given = yaml.safe_load(config.read_text())
    given["config"]["mtls:mutualAuthentication"] = "passthrough"
    config.write_text(yaml.safe_dump(given))
    front = tmp_path / "components/mtls_alb_front.py"
    take_out(front, {", *CLIENT_CERTIFICATE_HEADERS.values())": ",)"})
    with Lab(tmp_path, ["dev"], tmp_path / ".lab") as lab:
        failed = {result.tried: result.got for result in forged_headers(lab) if not result.passed}
    assert failed["forges x-client-cert, has no key"].startswith("200")
