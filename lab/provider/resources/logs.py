"""aws:cloudwatch/logGroup: CloudWatch log groups."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resource_type import Autoname, ResourceType
from lab.provider.schema import flag, integer, mapping, output, table, text


class LogGroup(ResourceType):
    urn_type = "aws:cloudwatch/logGroup:LogGroup"
    title = "CloudWatch Logs Log Group"
    service = "logs"
    camel = True
    gone = frozenset({"ResourceNotFoundException"})
    autoname = Autoname(limit=512)
    id_parts = ("name",)
    properties = table(
        {
            "name": text(replaces=True, aws="logGroupName"),
            "retentionInDays": integer(default=0),
            "logGroupClass": text(computed=True, replaces=True),
            "skipDestroy": flag(default=False, unread=True),
            "tags": mapping(),
            "arn": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("name", "logGroupClass"))
        tags = {"tags": inputs["tagsAll"]} if inputs.get("tagsAll") else {}
        aws.client("logs").create_log_group(**asked, **tags)
        return inputs["name"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs["retentionInDays"]:
            self.update(aws, id_, {}, inputs, frozenset({"retentionInDays"}))

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        client = aws.client("logs")
        found = client.describe_log_groups(logGroupNamePrefix=id_)["logGroups"]
        group = first([one for one in found if one["logGroupName"] == id_])
        arn = group["arn"].removesuffix(":*")
        return {
            **self.from_aws(group),
            "retentionInDays": group.get("retentionInDays", 0),
            "arn": arn,
            "tagsAll": client.list_tags_for_resource(resourceArn=arn).get("tags", {}),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        client = aws.client("logs")
        if "retentionInDays" in changed:
            if new["retentionInDays"]:
                client.put_retention_policy(
                    logGroupName=id_, retentionInDays=new["retentionInDays"]
                )
            else:
                client.delete_retention_policy(logGroupName=id_)

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        if drop:
            aws.client("logs").untag_resource(resourceArn=known["arn"], tagKeys=drop)
        if put:
            aws.client("logs").tag_resource(resourceArn=known["arn"], tags=put)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        if not known.get("skipDestroy"):
            aws.client("logs").delete_log_group(logGroupName=id_)


TYPES = (LogGroup,)
