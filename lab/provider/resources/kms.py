"""aws:kms: keys."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, GoneError
from lab.provider.resource_type import ResourceType
from lab.provider.schema import document, flag, integer, mapping, output, table, text


class Key(ResourceType):
    """Keys whose material KMS makes. A key that waits for its deletion counts as gone."""

    urn_type = "aws:kms/key:Key"
    title = "KMS Key"
    service = "kms"
    gone = frozenset({"NotFoundException"})
    properties = table(
        {
            "description": text(computed=True),
            "policy": document(computed=True),
            "bypassPolicyLockoutSafetyCheck": flag(default=False, unread=True),
            "customerMasterKeySpec": text(
                default="SYMMETRIC_DEFAULT", replaces=True, aws="KeySpec"
            ),
            "keyUsage": text(default="ENCRYPT_DECRYPT", replaces=True),
            "multiRegion": flag(computed=True, replaces=True),
            "enableKeyRotation": flag(default=False),
            "isEnabled": flag(default=True, aws="Enabled"),
            "deletionWindowInDays": integer(unread=True),
            "tags": mapping(),
            "arn": output(),
            "keyId": output(),
        }
    )
    _at_birth = (
        "description",
        "policy",
        "bypassPolicyLockoutSafetyCheck",
        "customerMasterKeySpec",
        "keyUsage",
        "multiRegion",
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return id_

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, self._at_birth)
        tags = _tags(inputs.get("tagsAll"))
        made = aws.client("kms").create_key(**asked, **({"Tags": tags} if tags else {}))
        return made["KeyMetadata"]["KeyId"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs["enableKeyRotation"]:
            aws.client("kms").enable_key_rotation(KeyId=id_)
        if not inputs["isEnabled"]:
            aws.client("kms").disable_key(KeyId=id_)

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        client = aws.client("kms")
        key = client.describe_key(KeyId=id_)["KeyMetadata"]
        if key["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
            raise GoneError
        rotation = client.get_key_rotation_status(KeyId=id_)
        tags = client.list_resource_tags(KeyId=id_)["Tags"]
        return {
            **self.from_aws(key),
            "policy": client.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "tagsAll": {tag["TagKey"]: tag["TagValue"] for tag in tags},
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        """A disabled key cannot be changed: it is enabled first, and disabled last."""
        client = aws.client("kms")
        if "isEnabled" in changed and new["isEnabled"]:
            client.enable_key(KeyId=id_)
        if "enableKeyRotation" in changed:
            switch = "enable" if new["enableKeyRotation"] else "disable"
            getattr(client, f"{switch}_key_rotation")(KeyId=id_)
        if "description" in changed:
            client.update_key_description(KeyId=id_, Description=new["description"])
        if "policy" in changed:
            asked = self.to_aws(new, ("policy", "bypassPolicyLockoutSafetyCheck"))
            client.put_key_policy(KeyId=id_, PolicyName="default", **asked)
        if "isEnabled" in changed and not new["isEnabled"]:
            client.disable_key(KeyId=id_)

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        if drop:
            aws.client("kms").untag_resource(KeyId=id_, TagKeys=drop)
        if put:
            aws.client("kms").tag_resource(KeyId=id_, Tags=_tags(put))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        days = known.get("deletionWindowInDays")
        window = {"PendingWindowInDays": days} if days else {}
        aws.client("kms").schedule_key_deletion(KeyId=id_, **window)


def _tags(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in (tags or {}).items()]


TYPES = (Key,)
