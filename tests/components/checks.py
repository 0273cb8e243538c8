"""What holds for each component, whatever it makes; and how a refusal is put."""

import re
from collections.abc import Callable
from types import NoneType
from typing import get_args

import pulumi
import pytest

from tests.conftest import Deploy, Deployed


def check_family(
    deploy: Deploy, build: Callable[[str, pulumi.ResourceOptions], pulumi.ComponentResource]
) -> None:
    """Two of them side by side, inside somebody else's component.

    Each is of a type of ours, hangs on what embeds it, and registers the outputs it announces.
    What it makes hangs on it and not on what embeds it, is named after it, and so does not clash
    with what the other makes (`deploy` refuses two of one name and type).
    """
    made: list[pulumi.ComponentResource] = []
    deployed = deploy(lambda opts: made.extend(build(name, opts) for name in ("one", "other")))
    kind = type(made[0])
    type_ = f"mtls:index:{kind.__name__}"
    by_urn = {r.urn: r for r in deployed.resources}
    outer = deployed.one("test:index:Outer").urn
    roots = [r for r in deployed.of(type_) if r.parent == outer]
    assert {r.name for r in roots} == {"one", "other"}
    for resource in deployed.resources:
        root = resource
        while root.urn != outer and root.parent != outer:
            root = by_urn[root.parent]
        assert root.urn == outer or root in roots, f"{resource.urn} hangs on {root.urn}"
        assert resource is root or resource.name.startswith(f"{root.name}-"), resource.urn
    announced = kind.__annotations__
    always = {key for key, hint in announced.items() if NoneType not in get_args(hint)}
    for root in roots:
        assert always <= set(deployed.registered[root.urn]) <= set(announced)


def refused(message: str) -> pytest.RaisesExc[ValueError]:
    """A refusal in just these words: the field, what was wanted, what was given."""
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


def edges(deployed: Deployed, kind: str) -> set[tuple[str, str, int]]:
    """(from, to, port) of all rules into groups, or out of groups."""
    found: set[tuple[str, str, int]] = set()
    for rule in deployed.of(kind):
        inputs = rule.inputs
        assert set(inputs) == {
            "securityGroupId",
            "referencedSecurityGroupId",
            "ipProtocol",
            "fromPort",
            "toPort",
        }, rule.name
        assert inputs["ipProtocol"] == "tcp"
        assert inputs["fromPort"] == inputs["toPort"]
        here, there = inputs["securityGroupId"], inputs["referencedSecurityGroupId"]
        path = (there, here) if kind == "SecurityGroupIngressRule" else (here, there)
        found.add((*path, inputs["fromPort"]))
    assert len(found) == len(deployed.of(kind))
    return found
