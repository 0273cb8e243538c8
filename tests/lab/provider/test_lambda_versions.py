"""A function that is published, and the alias that follows its versions."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws
from lab.provider.registry import Registry
from lab.provider.schema import UNKNOWN

from . import places
from .conftest import World

FUNCTION = "aws:lambda/function:Function"
SNAP_START = {"applyOn": "PublishedVersions"}


class Published:
    """A function with SnapStart of which each change is published."""

    def __init__(self, world: World) -> None:
        self.registry: Registry = world.registry
        self.aws: Aws = world.aws
        inputs = {
            "code": places.CODE,
            "role": places.role(world, "lambda.amazonaws.com")["arn"],
            "runtime": "python3.13",
            "handler": "handler.handle",
            "publish": True,
            "snapStart": SNAP_START,
        }
        self.inputs = self.registry.check(FUNCTION, world.unique("p"), inputs, {}, self.aws)
        self.id, self.outputs = self.registry.create(FUNCTION, self.aws, self.inputs)

    def change(self, **changes: Any) -> Mapping[str, Any]:
        new = {**self.inputs, **changes}
        changed = self.registry.diff(FUNCTION, self.inputs, new).changed
        self.planned = self.registry.planned(FUNCTION, self.aws, new, self.outputs)
        self.outputs = self.registry.update(FUNCTION, self.aws, self.id, self.outputs, new, changed)
        self.inputs = new
        return self.outputs


def test_each_change_of_code_or_configuration_is_a_new_version(world: World) -> None:
    function = Published(world)
    assert function.outputs["version"] == "1"
    assert function.outputs["qualifiedArn"] == f"{function.outputs['arn']}:1"
    assert function.outputs["snapStart"]["applyOn"] == "PublishedVersions"
    assert function.change(code=places.OTHER_CODE)["version"] == "2"
    assert function.planned["version"] is UNKNOWN
    assert function.change(timeout=20)["version"] == "3"
    assert function.change(reservedConcurrentExecutions=2)["version"] == "3"
    assert function.planned["version"] == "3"


def test_an_unpublished_function_stays_the_latest(world: World) -> None:
    function = Published(world)
    assert function.change(publish=False, timeout=20)["version"] == "1"
    assert function.change(publish=True)["version"] == "2"


def test_an_alias_is_made_changed_and_read_by_its_arn(world: World) -> None:
    function = Published(world)
    where = {"functionName": function.outputs["name"], "name": "live"}
    made = world.make("aws:lambda/alias:Alias", **where, functionVersion="1")
    arn = f"{function.outputs['arn']}:live"
    assert (made["id"], made["arn"]) == (arn, arn)
    assert made["invokeArn"].endswith(f":lambda:path/2015-03-31/functions/{arn}/invocations")
