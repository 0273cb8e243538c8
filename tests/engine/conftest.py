"""AWS accounts in the lab, the providers that work in them, and Pulumi stacks over both."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lab.cloud.server import Cloud
from lab.provider.aws import Aws, ProviderSettings, forget_clients
from lab.provider.cli import MissingCliError, find_cli
from lab.provider.config import load_config
from lab.provider.engine import Engine
from lab.provider.grpc_server import Providers
from lab.provider.registry import Registry
from lab.provider.resources import full_registry
from tests.conftest import ROOT

REGION = "eu-west-1"
ACCOUNTS = {"producer": "111122223333", "acme": "444455556666", "globex": "777788889999"}
IMPORTS = "import pulumi\nimport pulumi_aws as aws\nimport pulumi_tls as tls\n"


@dataclass(kw_only=True)
class Account:
    """An account that owns nothing, and the providers that deploy into it."""

    settings: ProviderSettings
    providers: Providers

    def client(self, service: str) -> Any:
        return Aws(self.settings).client(service)


@pytest.fixture(scope="module")
def registry() -> Registry:
    """What the providers can do; a module may put another in its place."""
    return full_registry()


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(ACCOUNTS, REGION) as cloud:
        yield cloud
        forget_clients(cloud.endpoint_url)


@pytest.fixture(scope="module")
def accounts(cloud: Cloud, registry: Registry) -> Iterator[dict[str, Account]]:
    with ExitStack() as opened:
        made: dict[str, Account] = {}
        for name, key in cloud.credentials.items():
            settings = ProviderSettings(
                endpoint_url=cloud.endpoint_url,
                region=REGION,
                access_key_id=key.access_key_id,
                secret_access_key=key.secret_access_key,
            )
            providers = opened.enter_context(Providers(registry, settings))
            made[name] = Account(settings=settings, providers=providers)
        yield made


@pytest.fixture(scope="module")
def account(accounts: dict[str, Account]) -> Account:
    """The producer's."""
    return accounts["producer"]


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


@pytest.fixture(scope="module")
def acme(accounts: dict[str, Account], dev: Engine) -> Engine:
    """The same of the dev stack's customer, in its account."""
    project, config = load_config(ROOT, "acme")
    return Engine(ROOT, dev.folder, project, "acme", config, accounts["acme"].providers.ports)


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
