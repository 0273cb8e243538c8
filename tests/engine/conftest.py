"""An AWS account in the lab, the providers that work in it, and Pulumi stacks over both."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lab.aws_sessions import aws_session
from lab.cloud.server import Cloud
from lab.provider.aws import ProviderSettings, forget_clients
from lab.provider.cli import MissingCliError, find_cli
from lab.provider.config import load_config
from lab.provider.engine import Engine
from lab.provider.grpc_server import Providers
from lab.provider.resources import full_registry
from tests.conftest import ROOT

REGION = "eu-west-1"
IMPORTS = "import pulumi\nimport pulumi_aws as aws\nimport pulumi_tls as tls\n"


@dataclass(kw_only=True)
class Account:
    """An account that owns nothing, and the providers that deploy into it."""

    settings: ProviderSettings
    providers: Providers

    def client(self, service: str) -> Any:
        key = self.settings
        session = aws_session(key.access_key_id, key.secret_access_key, REGION)
        return session.client(service, endpoint_url=key.endpoint_url)


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with ExitStack() as opened:
        cloud = opened.enter_context(Cloud({"producer": "111122223333"}, REGION))
        opened.callback(forget_clients, cloud.endpoint_url)
        key = cloud.credentials["producer"]
        settings = ProviderSettings(
            endpoint_url=cloud.endpoint_url,
            region=REGION,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
        )
        providers = opened.enter_context(Providers(full_registry(), settings))
        yield Account(settings=settings, providers=providers)


@pytest.fixture(scope="module")
def cli() -> None:
    """Skips what needs the Pulumi CLI where there is none; in CI that is a failure."""
    try:
        find_cli()
    except MissingCliError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def dev(account: Account, cli: None, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """The program with the dev stack's configuration, nothing deployed yet."""
    project, config = load_config(ROOT, "dev")
    zone = config["mtls:publicZone"]
    account.client("route53").create_hosted_zone(Name=zone, CallerReference="dev")
    folder = tmp_path_factory.mktemp("dev")
    return Engine(ROOT, folder, project, "dev", config, account.providers.ports)


@dataclass(kw_only=True)
class Written:
    """A program written by a test, and its stack."""

    engine: Engine

    def write(self, source: str) -> Engine:
        (self.engine.root / "__main__.py").write_text(f"{IMPORTS}{dedent(source)}")
        return self.engine


@pytest.fixture
def written(
    account: Account, cli: None, tmp_path: Path
) -> Iterator[Callable[[Mapping[str, str]], Written]]:
    """`written({"aws:region": …})`: a stack with its program still to be written.

    Destroyed after the test.
    """
    made: list[Engine] = []

    def make(config: Mapping[str, str]) -> Written:
        engine = Engine(
            tmp_path, tmp_path / ".state", "demo", "test", config, account.providers.ports
        )
        made.append(engine)
        return Written(engine=engine)

    yield make
    for engine in made:
        engine.destroy()
