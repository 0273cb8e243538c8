"""The dev stack under the Pulumi engine, against as many bare resources of an idle provider."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from bench.idle_provider import idle_providers
from lab.aws_sessions import aws_session
from lab.cloud.server import Cloud
from lab.provider.aws import ProviderSettings, forget_clients
from lab.provider.cli import find_cli
from lab.provider.config import load_config
from lab.provider.engine import Engine, Result
from lab.provider.grpc_server import PACKAGES, Providers
from lab.provider.resources import full_registry

ROOT = Path(__file__).parent.parent
STACK = "dev"
RUNS = 3
Row = tuple[str, float, float]


def deployments() -> tuple[int, list[Row]]:
    """How many resources there are, and for each operation the stack's and the floor's seconds.

    Medians of RUNS rounds, floor and stack by turns. Both are previewed first, so that neither
    pays for imports. Raises MissingCliError for want of a CLI.
    """
    find_cli()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        whole = _whole(opened, folder / "whole")
        types = _made(whole.preview())
        floor = _floor(opened, folder / "floor", types)
        bare = len(_made(floor.preview()))
        if bare != len(types):
            raise SystemExit(f"bench: want {len(types)} resources of the floor; got {bare}")
        rounds = [(_round(floor), _round(whole)) for _ in range(RUNS)]
    rows = [
        (
            operation,
            statistics.median(whole[operation] for _, whole in rounds),
            statistics.median(floor[operation] for floor, _ in rounds),
        )
        for operation in rounds[0][0]
    ]
    return len(types), rows


def _whole(opened: ExitStack, folder: Path) -> Engine:
    """The program with the dev stack's configuration, in an account that owns its public zone."""
    project, config = load_config(ROOT, STACK)
    region = config["aws:region"]
    cloud = opened.enter_context(Cloud({"producer": "111122223333"}, region))
    opened.callback(forget_clients, cloud.endpoint_url)
    key = cloud.credentials["producer"]
    session = aws_session(key.access_key_id, key.secret_access_key, region)
    route53 = session.client("route53", endpoint_url=cloud.endpoint_url)
    route53.create_hosted_zone(Name=config["mtls:publicZone"], CallerReference=STACK)
    route53.close()
    settings = ProviderSettings(
        endpoint_url=cloud.endpoint_url,
        region=region,
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
    )
    providers = opened.enter_context(Providers(full_registry(), settings))
    return Engine(ROOT, folder, project, STACK, config, providers.ports)


def _floor(opened: ExitStack, folder: Path, types: list[tuple[str, bool]]) -> Engine:
    versions = {package: version(f"pulumi_{package}") for package in PACKAGES}
    ports = opened.enter_context(idle_providers(versions))
    config = {"floor:types": json.dumps(types)}
    return Engine(ROOT / "bench" / "floor", folder, "floor", "bench", config, ports)


def _made(result: Result) -> list[tuple[str, bool]]:
    """The types of the resources that the program makes, and whether a provider manages them."""
    return [
        (step.type, step.type.startswith(tuple(f"{package}:" for package in PACKAGES)))
        for step in result.of("create")
        if not step.type.startswith("pulumi:")
    ]


def _round(engine: Engine) -> dict[str, float]:
    """Seconds of a deployment, of one that finds everything as it should be, and of the end."""
    up, _ = _timed(engine.up)
    again, unchanged = _timed(engine.up)
    destroy, _ = _timed(engine.destroy)
    if unchanged.changing:
        raise SystemExit(f"bench: want nothing to change; got {unchanged.changing}")
    return {"up": up, "no-op up": again, "destroy": destroy}


def _timed(run: Callable[[], Result]) -> tuple[float, Result]:
    started = time.monotonic()
    result = run()
    return time.monotonic() - started, result
