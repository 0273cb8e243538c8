"""aws:iam: roles and their policies."""

import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resource_type import Autoname, ResourceType, tag_list, tag_map
from lab.provider.schema import document, flag, integer, mapping, output, table, text


def policy_text(policy: str | dict[str, Any]) -> str:
    """A policy as text: boto3 decodes documents that IAM sends URL-encoded."""
    return urllib.parse.unquote(policy) if isinstance(policy, str) else json.dumps(policy)


class _IamType(ResourceType):
    service = "iam"
    regional = False
    gone = frozenset({"NoSuchEntity"})


class Role(_IamType):
    urn_type = "aws:iam/role:Role"
    title = "IAM Role"
    autoname = Autoname(limit=64)
    properties = table(
        {
            "name": text(replaces=True, aws="RoleName"),
            "assumeRolePolicy": document(required=True, aws="AssumeRolePolicyDocument"),
            "description": text(),
            "path": text(default="/", replaces=True),
            "maxSessionDuration": integer(default=3600),
            "permissionsBoundary": text(),
            "forceDetachPolicies": flag(default=False, unread=True),
            "tags": mapping(),
            "arn": output(),
            "uniqueId": output(aws="RoleId"),
            "createDate": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = [
            name for name, prop in self.properties.items() if not prop.unread and name != "tags"
        ]
        asked = self.to_aws(inputs, names)
        tags = {"Tags": tag_list(inputs["tagsAll"])} if inputs.get("tagsAll") else {}
        return aws.client("iam").create_role(**asked, **tags)["Role"]["RoleName"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        role = aws.client("iam").get_role(RoleName=id_)["Role"]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {
            **self.from_aws(role),
            "assumeRolePolicy": policy_text(role["AssumeRolePolicyDocument"]),
            "permissionsBoundary": boundary,
            "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "tagsAll": tag_map(role.get("Tags")),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        client = aws.client("iam")
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=id_, PolicyDocument=new["assumeRolePolicy"])
        if changed & {"description", "maxSessionDuration"}:
            client.update_role(
                RoleName=id_,
                Description=new.get("description", ""),
                MaxSessionDuration=new["maxSessionDuration"],
            )
        if "permissionsBoundary" in changed:
            if new.get("permissionsBoundary"):
                boundary = new["permissionsBoundary"]
                client.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=boundary)
            else:
                client.delete_role_permissions_boundary(RoleName=id_)

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        if drop:
            aws.client("iam").untag_role(RoleName=id_, TagKeys=drop)
        if put:
            aws.client("iam").tag_role(RoleName=id_, Tags=tag_list(put))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        client = aws.client("iam")
        if known.get("forceDetachPolicies"):
            for one in client.list_attached_role_policies(RoleName=id_)["AttachedPolicies"]:
                client.detach_role_policy(RoleName=id_, PolicyArn=one["PolicyArn"])
            for name in client.list_role_policies(RoleName=id_)["PolicyNames"]:
                client.delete_role_policy(RoleName=id_, PolicyName=name)
        client.delete_role(RoleName=id_)


class RolePolicy(_IamType):
    urn_type = "aws:iam/rolePolicy:RolePolicy"
    title = "IAM Role Policy"
    autoname = Autoname(limit=128)
    id_parts = ("role", "name")
    id_separator = ":"
    properties = table(
        {
            "name": text(replaces=True),
            "role": text(required=True, replaces=True),
            "policy": document(required=True),
        }
    )

    def _put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        aws.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self._put(aws, inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("iam").get_role_policy(RoleName=known["role"], PolicyName=known["name"])
        return {
            "role": answer["RoleName"],
            "name": answer["PolicyName"],
            "policy": policy_text(answer["PolicyDocument"]),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self._put(aws, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("iam").delete_role_policy(RoleName=known["role"], PolicyName=known["name"])


class RolePolicyAttachment(_IamType):
    urn_type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    title = "IAM Role Policy Attachment"
    id_parts = ("role", "policyArn")
    properties = table(
        {
            "role": text(required=True, replaces=True),
            "policyArn": text(required=True, replaces=True),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        aws.client("iam").attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        pages = aws.client("iam").get_paginator("list_attached_role_policies")
        attached = pages.paginate(RoleName=known["role"]).build_full_result()["AttachedPolicies"]
        found = first([one for one in attached if one["PolicyArn"] == known["policyArn"]])
        return {"role": known["role"], "policyArn": found["PolicyArn"]}

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("iam").detach_role_policy(RoleName=known["role"], PolicyArn=known["policyArn"])


TYPES = (Role, RolePolicy, RolePolicyAttachment)
