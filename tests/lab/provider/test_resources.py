"""Every resource type through its whole life, against the lab's AWS API."""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pulumi_aws
import pulumi_tls
import pytest

from lab.provider import schema
from lab.provider.assets import with_fingerprints
from lab.provider.aws import Aws
from lab.provider.registry import Registry
from lab.provider.resource_type import DEFAULTS
from lab.provider.resources import full_registry

from . import (
    examples_apigateway,
    examples_domains,
    examples_ec2,
    examples_elbv2,
    examples_privatelink,
    examples_s3,
    examples_services,
)
from .conftest import World
from .examples import Example, token_of

EXAMPLES = {
    **examples_ec2.EXAMPLES,
    **examples_s3.EXAMPLES,
    **examples_elbv2.EXAMPLES,
    **examples_services.EXAMPLES,
    **examples_apigateway.EXAMPLES,
    **examples_privatelink.EXAMPLES,
    **examples_domains.EXAMPLES,
}

NEVER_CHANGED = {
    "aws:apigateway/basePathMapping:BasePathMapping": {"domainNameId"},
    "aws:vpc/endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification": {
        "waitForVerification"
    },
}
"""What pulumi-aws does not replace for, and cannot update either."""


def _assert_shown(registry: Registry, token: str, outputs: Any, inputs: dict[str, Any]) -> None:
    """Each input came back, as it was or with more filled in by AWS."""
    fields = registry.type(token).fields
    for name, wanted in with_fingerprints(inputs).items():
        if name == DEFAULTS:
            continue
        got = outputs.get(name)
        assert got is not None or schema.comparable(fields[name], wanted) is None, name
        assert schema.covers(fields[name], got, wanted), (name, got, wanted)


def _assert_foreseen(registry: Registry, token: str, planned: Any, outputs: Any) -> None:
    """What the preview said was so; the rest it said it could not know."""
    fields = registry.type(token).fields
    for name in {*planned, *outputs}:
        said = planned.get(name)
        if not schema.holds_unknown(said):
            assert schema.covers(fields[name], outputs.get(name), said), (name, said)
            assert said is not None or not outputs[name], name


def _changeable(registry: Registry, token: str) -> set[str]:
    """The inputs that an update may change."""
    fields = registry.type(token).fields.items()
    names = {name for name, prop in fields if not prop.output and not prop.replaces}
    return names - {"tagsAll"} - NEVER_CHANGED.get(token, set())


@pytest.fixture(scope="module")
def examples(world: World) -> Callable[[str], Example]:
    """The example of a key, built once."""
    return cache(lambda key: EXAMPLES[key](world))


@pytest.mark.parametrize("token", full_registry().types)
def test_an_example_changes_each_input_that_can_change(
    token: str, registry: Registry, examples: Callable[[str], Example]
) -> None:
    own = [examples(key) for key in EXAMPLES if token_of(key) == token]
    assert own
    changed = {name for example in own for change in example.changes for name in change}
    assert _changeable(registry, token) <= changed


@pytest.mark.parametrize("key", EXAMPLES)
def test_what_was_asked_for_is_read_back_changed_and_deleted(
    key: str, registry: Registry, aws: Aws, world: World, examples: Callable[[str], Example]
) -> None:
    token, example, name = token_of(key), examples(key), world.unique("e")
    inputs = registry.check(token, name, example.inputs, {}, aws)

    planned = registry.planned(token, aws, inputs)
    id_, outputs = registry.create(token, aws, inputs)
    _assert_shown(registry, token, outputs, inputs)
    _assert_foreseen(registry, token, planned, outputs)
    assert registry.read(token, aws, id_, outputs) == outputs

    wanted = dict(example.inputs)
    for change in example.changes:
        wanted = {**wanted, **change}
        new = registry.check(token, name, wanted, inputs, aws)
        diff = registry.diff(token, inputs, new)
        assert diff.changed >= {name for name, value in change.items() if value is not None}
        assert not diff.replaces
        planned = registry.planned(token, aws, new, outputs)
        outputs = registry.update(token, aws, id_, outputs, new, diff.changed)
        _assert_shown(registry, token, outputs, new)
        _assert_foreseen(registry, token, planned, outputs)
        assert not registry.diff(token, new, registry.refreshed_inputs(token, new, outputs))
        inputs = new
    assert registry.read(token, aws, id_, outputs) == outputs

    registry.delete(token, aws, id_, outputs)
    lives_on = registry.read(token, aws, id_, outputs) is not None
    assert lives_on == example.outlives_delete


@pytest.mark.parametrize("key", EXAMPLES)
def test_what_no_update_can_change_is_said_to_replace(
    key: str, registry: Registry, aws: Aws, examples: Callable[[str], Example]
) -> None:
    token, example = token_of(key), examples(key)
    inputs = registry.check(token, "e", example.inputs, {}, aws)
    for name, prop in registry.type(token).fields.items():
        if prop.replaces:
            assert name in registry.diff(token, inputs, {**inputs, name: schema.UNKNOWN}).replaces
    for change in example.replacements:
        new = registry.check(token, "e", {**example.inputs, **change}, inputs, aws)
        assert registry.diff(token, inputs, new).replaces


ON_CONDITION = {
    # other endpoints than interface ones have no private DNS at all
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"privateDnsEnabled"},
    # of network load balancers
    "aws:lb/loadBalancer:LoadBalancer": {"securityGroups", "subnets"},
}
"""What the SDK says forces a replacement, but only of what no example is."""


def _generated(token: str) -> type:
    """The SDK's class of a resource type."""
    package, _, rest = token.partition(":")
    module_name, _, class_name = rest.partition(":")
    module = module_name.split("/")[0]
    if package == "tls":
        return getattr(pulumi_tls, class_name)
    return getattr(getattr(pulumi_aws, {"lambda": "lambda_"}.get(module, module)), class_name)


def _declared(generated: type, name: str) -> dict[str, str]:
    """The properties, as Pulumi sends them, of a class beside `generated`, with what their
    documentation says.
    """
    beside = getattr(sys.modules[generated.__module__], name)
    return dict(_documented(beside))


def _documented(generated: type) -> Iterator[tuple[str, str]]:
    for attribute, member in inspect.getmembers(generated, lambda one: isinstance(one, property)):
        source = inspect.getsource(member.fget)
        named = source.partition('@pulumi.getter(name="')[2].partition('"')[0]
        yield named or attribute, member.__doc__ or ""


@pytest.mark.parametrize("token", full_registry().types)
def test_the_properties_are_those_of_the_sdk(token: str, registry: Registry) -> None:
    generated = _generated(token)
    fields = registry.type(token).fields
    assert fields.keys() <= _declared(generated, f"_{generated.__name__}State").keys()
    arguments = _declared(generated, f"{generated.__name__}Args").keys()
    if len(arguments) > 2:  # two classes of aws.s3 share the name of their arguments with another
        settable = {name for name, prop in fields.items() if not prop.output}
        assert settable - {"tagsAll", "region"} <= arguments


@pytest.mark.parametrize("token", full_registry().types)
def test_what_the_sdk_says_forces_a_replacement_does(token: str, registry: Registry) -> None:
    generated = _generated(token)
    forces = re.compile(r"forc\w+ (?:a |the )?(?:new|creation|re-?creation|replacement)", re.I)
    state = _declared(generated, f"_{generated.__name__}State")
    said = {name for name, text in state.items() if forces.search(text)}
    fields = registry.type(token).fields
    told = {name for name in said & fields.keys() if not fields[name].output}
    assert {name for name in told if not fields[name].replaces} == ON_CONDITION.get(token, set())
