"""aws:wafv2/webAclAssociation."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, GoneError
from lab.provider.resource_type import ResourceType
from lab.provider.schema import table, text


class WebAclAssociation(ResourceType):
    urn_type = "aws:wafv2/webAclAssociation:WebAclAssociation"
    title = "WAFv2 WebACL Association"
    service = "wafv2"
    gone = frozenset({"WAFNonexistentItemException"})
    delete_before_replace = True  # a resource has one web ACL: the old association is overwritten
    id_parts = ("webAclArn", "resourceArn")
    id_separator = ","
    properties = table(
        {
            "webAclArn": text(required=True, replaces=True, aws="WebACLArn"),
            "resourceArn": text(required=True, replaces=True),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        aws.client("wafv2").associate_web_acl(**self.to_aws(inputs, self.properties))
        return f"{inputs['webAclArn']},{inputs['resourceArn']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("wafv2").get_web_acl_for_resource(ResourceArn=known["resourceArn"])
        if not answer.get("WebACL"):
            raise GoneError
        return {"webAclArn": answer["WebACL"]["ARN"], "resourceArn": known["resourceArn"]}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("wafv2").disassociate_web_acl(ResourceArn=known["resourceArn"])


TYPES = (WebAclAssociation,)
