"""What Lambda calls, with the files of a deployment package; and what it logs."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authorizer import handler, logs
from authorizer.errors import ConfigError
from authorizer.key_source import RemoteKeys
from tests.authorizer.certifying import MOMENT, Made, ca, leaf, revoke
from tests.authorizer.issuing import (
    NOW,
    claims,
    client,
    event,
    jwk,
    jwks,
    key,
    resources,
    settings,
    token,
)
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """The log as it is before anything has set it up, and after."""
    log = logging.getLogger("authorizer")
    before = log.handlers, log.propagate, log.level
    log.handlers = []
    handler.authorizer.cache_clear()
    yield
    log.handlers, log.propagate, log.level = before
    handler.authorizer.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in verify mode with static keys, at `NOW`."""
    (tmp_path / "config.json").write_text(json.dumps(settings()))
    (tmp_path / "jwks.json").write_bytes(jwks(jwk(key("rsa-2048"))))
    monkeypatch.setattr(handler, "PACKAGE", tmp_path)
    monkeypatch.setattr(handler.time, "time", lambda: NOW)
    return tmp_path


def configure(package: Path, **changes: object) -> None:
    (package / "config.json").write_text(json.dumps(settings(**changes)))


def unauthorized(found: object) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$") as refusal:
        handler.handle(found, None)
    assert type(refusal.value) is Exception
    # A cause would be printed by Lambda, with whatever its text holds.
    assert refusal.value.__cause__ is refusal.value.__context__ is None


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    output = capsys.readouterr()
    assert output.err == ""
    return [json.loads(line) for line in output.out.splitlines()]


@pytest.mark.usefixtures("package")
def test_an_event_is_answered(capsys: pytest.CaptureFixture[str]):
    assert resources(handler.handle(event(), None)) == ["GET/widgets", "GET/whoami"]
    assert lines(capsys) == []


@pytest.mark.usefixtures("package")
def test_a_refusal_is_one_line_of_json(capsys: pytest.CaptureFixture[str]):
    unauthorized(event(token(claims(iss="x"))))
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "WARNING",
        "message": "unauthorized",
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "reason": "token_issuer",
    }


@pytest.mark.usefixtures("package")
def test_a_denial_is_one_line_of_json(capsys: pytest.CaptureFixture[str]):
    handler.handle(event(pem=client("globex").certificate_pem), None)
    (line,) = lines(capsys)
    assert (line["message"], line["reason"]) == ("denied", "tenant_mismatch")
    assert line["subject"] == "acme-service"


@pytest.mark.usefixtures("package")
def test_the_log_goes_to_the_root_only_once(caplog: pytest.LogCaptureFixture):
    unauthorized({})
    assert caplog.records == []


@pytest.mark.usefixtures("package")
def test_no_token_and_no_certificate_is_in_any_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    logging.getLogger().setLevel(logging.DEBUG)
    logs.set_up()
    logging.getLogger("authorizer").setLevel(logging.DEBUG)
    good = token()
    stranger = client("stranger").certificate_pem
    secrets = [*good.split("."), *stranger.splitlines()[1:-1], jwk(key("rsa-2048"))["n"]]
    for found in (event(good), event(good, stranger), event(good[:-9]), event(good + ".x")):
        try:
            handler.handle(found, None)
        except Exception as error:
            assert str(error) == "Unauthorized"  # noqa: PT017 - both ways are right here
    written = capsys.readouterr().out + caplog.text
    assert "denied" in written
    assert not [secret for secret in secrets if secret[:40] in written]


@pytest.mark.usefixtures("package")
def test_an_error_of_our_own_is_a_401_that_names_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(*_: object) -> None:
        raise KeyError("what the caller sent")

    monkeypatch.setattr("authorizer.decision.read", fail)
    unauthorized(event())
    (line,) = lines(capsys)
    assert (line["level"], line["error"]) == ("ERROR", "KeyError")
    assert line["at"].startswith("test_handler.py:")
    assert "sent" not in json.dumps(line)


@pytest.mark.parametrize("name", ["config.json", "jwks.json"])
def test_a_missing_file_is_a_401_and_a_line(
    package: Path, name: str, capsys: pytest.CaptureFixture[str]
):
    (package / name).unlink()
    unauthorized(event())
    (line,) = lines(capsys)
    assert line["why"] == f"{name}: not in the deployment package"
    assert line["level"] == "ERROR"


def test_bad_static_keys_are_a_fault_of_the_package(package: Path):
    (package / "jwks.json").write_bytes(b'{"keys":[]}')
    with pytest.raises(ConfigError, match=r"^jwks\.json: no key of use"):
        handler.load(package)


def test_remote_keys_are_fetched_where_the_configuration_says(
    package: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def fetch(uri: str) -> Any:
        from authorizer.key_source import Fetched

        asked.append(uri)
        return Fetched(jwks(jwk(key("rsa-2048"))), None)

    monkeypatch.setattr("authorizer.fetch.fetch", fetch)
    configure(package, jwksUri="https://issuer.example.com/jwks")
    (package / "jwks.json").unlink()
    assert resources(handler.handle(event(), None))
    assert resources(handler.handle(event(), None))
    assert asked == ["https://issuer.example.com/jwks"]
    assert isinstance(handler.authorizer()._tokens._keys, RemoteKeys)


def passthrough(package: Path, root: Made, lists: str | None = None) -> None:
    configure(package, mode="passthrough")
    (package / "ca-bundle.pem").write_text(root.pem)
    if lists:
        (package / "revocations.pem").write_text(lists)


def test_passthrough_reads_its_files(package: Path):
    root = ca("root")
    made = leaf("acme", root)
    found = event(pem=made.pem, header="X-Client-Cert")
    passthrough(package, root)
    assert resources(handler.handle(found, None))
    passthrough(package, root, revoke(root, made.certificate.serial_number))
    handler.authorizer.cache_clear()
    assert handler.handle(found, None)["context"]["reason"] == "certificate_revoked"
    assert made.certificate.not_valid_before_utc < MOMENT


def test_passthrough_wants_its_authorities(package: Path):
    configure(package, mode="passthrough")
    with pytest.raises(ConfigError, match=r"^ca-bundle\.pem"):
        handler.load(package)


def test_an_empty_revocation_file_is_a_fault_of_the_package(package: Path):
    passthrough(package, ca("root"))
    (package / "revocations.pem").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"^revocations\.pem"):
        handler.load(package)


def test_the_package_is_loaded_once(package: Path):
    assert handler.authorizer() is handler.authorizer()
    (package / "config.json").unlink()
    assert resources(handler.handle(event(), None))


def test_the_files_lie_at_the_root_of_the_package():
    assert handler.PACKAGE == ROOT


def test_importing_the_handler_loads_nothing_that_verify_mode_does_not_need():
    script = "import authorizer.handler, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "authorizer.decision" in loaded
    for name in ("authorizer.chain", "authorizer.fetch", "http.client", "ssl", "boto3", "pulumi"):
        assert name not in loaded
