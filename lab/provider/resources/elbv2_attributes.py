"""Attributes: the key-value settings that ELBv2 keeps beside its load balancers, target groups and
listeners.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.provider.aws import Aws
from lab.provider.resource_type import ResourceType, tag_list, tag_map
from lab.provider.schema import Kind, Property


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A property that AWS keeps as the attribute `key`. `default` is what a new resource has;
    `follows` as of `schema.Property`.
    """

    key: str
    kind: Kind = Kind.TEXT
    default: Any = None
    follows: tuple[str, ...] = ()


class ElbType(ResourceType):
    """What ELBv2's resources share: an ARN as the id, tags by ARN, attributes."""

    service = "elbv2"
    attributes: Mapping[str, Attribute] = {}
    attribute_calls = ("", "", "")

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        if drop:
            aws.client("elbv2").remove_tags(ResourceArns=[id_], TagKeys=drop)
        if put:
            aws.client("elbv2").add_tags(ResourceArns=[id_], Tags=tag_list(put))

    def tags(self, aws: Aws, id_: str) -> dict[str, str]:
        described = aws.client("elbv2").describe_tags(ResourceArns=[id_])["TagDescriptions"]
        return tag_map(described[0]["Tags"]) if described else {}

    def tag_arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {"Tags": tag_list(inputs["tagsAll"])} if inputs.get("tagsAll") else {}

    def set_attributes(self, aws: Aws, id_: str, pairs: Iterable[tuple[str, str]]) -> None:
        """One Modify…Attributes call with all of `pairs`, if there are any."""
        attributes = [{"Key": key, "Value": value} for key, value in pairs]
        modify, _, argument = self.attribute_calls
        if attributes:
            getattr(aws.client("elbv2"), modify)(**{argument: id_}, Attributes=attributes)

    def attribute_pairs(
        self, inputs: Mapping[str, Any], names: Iterable[str]
    ) -> list[tuple[str, str]]:
        """The attributes among `names`, in AWS's words; one that was left out goes back to its
        default.
        """
        pairs = []
        for name in names:
            if name in self.attributes:
                attribute = self.attributes[name]
                value = inputs.get(name)
                pairs.append(
                    (attribute.key, attribute_text(attribute.default if value is None else value))
                )
        return pairs

    def initial_pairs(self, inputs: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The attributes in which `inputs` differ from a new resource."""
        differing = [
            name
            for name, attribute in self.attributes.items()
            if inputs.get(name) not in (None, attribute.default)
        ]
        return self.attribute_pairs(inputs, differing)

    def described_attributes(self, aws: Aws, id_: str) -> dict[str, str]:
        _, describe, argument = self.attribute_calls
        answer = getattr(aws.client("elbv2"), describe)(**{argument: id_})
        return {one["Key"]: one["Value"] for one in answer["Attributes"]}

    def read_attributes(self, described: Mapping[str, str]) -> dict[str, Any]:
        """The properties behind what Describe…Attributes answered."""
        return {
            name: attribute_value(attribute.kind, described[attribute.key])
            for name, attribute in self.attributes.items()
            if described.get(attribute.key) not in (None, "")
        }


def attribute_properties(attributes: Mapping[str, Attribute]) -> dict[str, Property]:
    """The table of properties that goes with a table of attributes."""
    return {
        name: Property(kind=attribute.kind, computed=True, follows=attribute.follows)
        for name, attribute in attributes.items()
    }


def attribute_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def attribute_value(kind: Kind, value: str) -> Any:
    if kind is Kind.FLAG:
        return value == "true"
    return int(value) if kind is Kind.INTEGER else value
