"""Every resource type through its whole life, against the lab's AWS API."""

import inspect
import sys
from typing import Any

import pulumi_aws
import pulumi_tls
import pytest

from lab.provider import schema
from lab.provider.assets import with_fingerprints
from lab.provider.aws import Aws
from lab.provider.registry import Registry

from . import (
    examples_apigateway,
    examples_ec2,
    examples_elbv2,
    examples_s3,
    examples_services,
)
from .conftest import World

EXAMPLES = {
    **examples_ec2.EXAMPLES,
    **examples_s3.EXAMPLES,
    **examples_elbv2.EXAMPLES,
    **examples_services.EXAMPLES,
    **examples_apigateway.EXAMPLES,
}


def _assert_shown(registry: Registry, token: str, outputs: Any, inputs: dict[str, Any]) -> None:
    """Each input came back, as it was or with more filled in by AWS."""
    fields = registry.type(token).fields
    for name, wanted in with_fingerprints(inputs).items():
        got = outputs.get(name)
        assert got is not None or schema.comparable(fields[name], wanted) is None, name
        assert schema.covers(fields[name], got, wanted), (name, got, wanted)


def test_each_type_of_the_registry_has_an_example(registry: Registry) -> None:
    assert EXAMPLES.keys() == registry.types.keys()


@pytest.mark.parametrize("token", EXAMPLES)
def test_what_was_asked_for_is_read_back_changed_and_deleted(
    token: str, registry: Registry, aws: Aws, world: World
) -> None:
    example = EXAMPLES[token](world)
    name = world.unique("e")
    inputs = registry.check(token, name, example.inputs, {}, aws)

    id_, outputs = registry.create(token, aws, inputs)
    _assert_shown(registry, token, outputs, inputs)
    assert registry.read(token, aws, id_, outputs) == outputs

    wanted = dict(example.inputs)
    for change in example.changes:
        wanted = {**wanted, **change}
        new = registry.check(token, name, wanted, inputs, aws)
        diff = registry.diff(token, inputs, new)
        assert diff.changed
        assert not diff.replaces
        outputs = registry.update(token, aws, id_, outputs, new, diff.changed)
        _assert_shown(registry, token, outputs, new)
        assert not registry.diff(token, new, registry.refreshed_inputs(token, new, outputs))
        inputs = new
    read = registry.read(token, aws, id_, outputs)
    assert read == outputs

    registry.delete(token, aws, id_, outputs)
    if not example.outlives_delete:
        assert registry.read(token, aws, id_, outputs) is None


def _declared(module: Any, name: str, suffix: str) -> set[str]:
    """The property names, as Pulumi sends them, of a class that the SDK generated."""
    generated = getattr(sys.modules[module.__module__], name + suffix)
    names = set()
    for attribute, member in inspect.getmembers(generated, lambda one: isinstance(one, property)):
        source = inspect.getsource(member.fget)
        named = source.partition('@pulumi.getter(name="')[2].partition('"')[0]
        names.add(named or attribute)
    return names


@pytest.mark.parametrize("token", EXAMPLES)
def test_the_properties_are_those_of_the_sdk(token: str, registry: Registry) -> None:
    package, _, rest = token.partition(":")
    module_name, _, class_name = rest.partition(":")
    module = module_name.split("/")[0]
    if package == "tls":
        generated = getattr(pulumi_tls, class_name)
    else:
        sdk = getattr(pulumi_aws, {"lambda": "lambda_"}.get(module, module))
        generated = getattr(sdk, class_name)
    state = _declared(generated, f"_{class_name}", "State")
    fields = registry.type(token).fields
    assert set(fields) <= state
    arguments = _declared(generated, class_name, "Args")
    if len(arguments) > 2:  # two classes of aws.s3 share the name of their arguments with another
        settable = {name for name, prop in fields.items() if not prop.output}
        assert settable - {"tagsAll", "region"} <= arguments
