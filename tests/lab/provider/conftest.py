"""A running AWS API per test module, the registry, and a world for resources to lie in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from lab.cloud import Cloud
from lab.provider.aws import Aws, ProviderSettings, forget_clients
from lab.provider.registry import Registry
from lab.provider.resources import full_registry

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def registry() -> Registry:
    return full_registry()


@pytest.fixture(scope="module")
def settings() -> Iterator[ProviderSettings]:
    with Cloud({"producer": "111111111111"}, REGION) as cloud:
        key = cloud.credentials["producer"]
        yield ProviderSettings(
            endpoint_url=cloud.endpoint_url,
            region=REGION,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
        )
        forget_clients(cloud.endpoint_url)


@pytest.fixture(scope="module")
def aws(settings: ProviderSettings) -> Aws:
    return Aws(settings, patience=10)


class World:
    """What other resources need to exist, made through the registry when first asked for."""

    def __init__(self, registry: Registry, aws: Aws) -> None:
        self.registry = registry
        self.aws = aws
        self._made: dict[str, dict[str, Any]] = {}
        self._count = 0

    def unique(self, stem: str) -> str:
        self._count += 1
        return f"{stem}-{self._count}"

    def make(self, token: str, **inputs: Any) -> dict[str, Any]:
        """A new resource's outputs, with its id as `id`."""
        checked = self.registry.check(token, self.unique("w"), inputs, {}, self.aws)
        id_, outputs = self.registry.create(token, self.aws, checked)
        return {**outputs, "id": id_}

    def once(self, name: str, build: Callable[[], dict[str, Any]]) -> Mapping[str, Any]:
        if name not in self._made:
            self._made[name] = build()
        return self._made[name]


@pytest.fixture(scope="module")
def world(registry: Registry, aws: Aws) -> World:
    return World(registry, aws)
