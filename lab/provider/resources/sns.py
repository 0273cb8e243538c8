"""aws:sns: topics and their policies."""

import json
from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws
from lab.provider.resource_type import Autoname, ResourceType, tag_list, tag_map
from lab.provider.schema import document, mapping, output, table, text


class _SnsType(ResourceType):
    service = "sns"
    gone = frozenset({"NotFound", "NotFoundException"})

    def attributes(self, aws: Aws, topic_arn: str) -> dict[str, str]:
        return aws.client("sns").get_topic_attributes(TopicArn=topic_arn)["Attributes"]

    def set_attribute(self, aws: Aws, topic_arn: str, name: str, value: str) -> None:
        aws.client("sns").set_topic_attributes(
            TopicArn=topic_arn, AttributeName=name, AttributeValue=value
        )


class Topic(_SnsType):
    """Standard topics. A policy that is left out may be set by a resource of its own."""

    urn_type = "aws:sns/topic:Topic"
    title = "SNS Topic"
    autoname = Autoname(limit=256)
    properties = table(
        {
            "name": text(replaces=True),
            "displayName": text(),
            "kmsMasterKeyId": text(),
            "policy": document(computed=True),
            "tags": mapping(),
            "arn": output(aws="TopicArn"),
            "owner": output(),
        }
    )
    _attributes = ("displayName", "kmsMasterKeyId", "policy")

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        tags = {"Tags": tag_list(inputs["tagsAll"])} if inputs.get("tagsAll") else {}
        attributes = self.to_aws(inputs, self._attributes)
        made = aws.client("sns").create_topic(Name=inputs["name"], Attributes=attributes, **tags)
        return made["TopicArn"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        shown = {name: value for name, value in self.attributes(aws, id_).items() if value}
        tags = aws.client("sns").list_tags_for_resource(ResourceArn=id_)["Tags"]
        return {
            **self.from_aws(shown),
            "name": id_.rpartition(":")[2],
            "tagsAll": tag_map(tags),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        for name in sorted(changed):
            self.set_attribute(aws, id_, name[0].upper() + name[1:], new.get(name, ""))

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        if drop:
            aws.client("sns").untag_resource(ResourceArn=id_, TagKeys=drop)
        if put:
            aws.client("sns").tag_resource(ResourceArn=id_, Tags=tag_list(put))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("sns").delete_topic(TopicArn=id_)


_BY_DEFAULT = (
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
    "Receive",
)


class TopicPolicy(_SnsType):
    """A topic always has a policy: deleting this one gives it back the one that it was born with,
    which lets its own account do everything.
    """

    urn_type = "aws:sns/topicPolicy:TopicPolicy"
    title = "SNS Topic Policy"
    id_parts = ("arn",)
    properties = table(
        {
            "arn": text(required=True, replaces=True, aws="TopicArn"),
            "policy": document(required=True),
            "owner": output(),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs["arn"])

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self.set_attribute(aws, inputs["arn"], "Policy", inputs["policy"])
        return inputs["arn"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        return self.from_aws(self.attributes(aws, id_))

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self.create(aws, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        self.set_attribute(aws, id_, "Policy", _default_policy(id_, known["owner"]))


def _default_policy(topic_arn: str, owner: str) -> str:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _BY_DEFAULT],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    }
    document_ = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return json.dumps(document_)


TYPES = (Topic, TopicPolicy)
