"""What a provider is configured with: the region, default tags, the roles that it assumes.

Names and defaults are those of pulumi-aws: https://www.pulumi.com/registry/packages/aws/.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.provider import schema
from lab.provider.aws import Aws, ProviderSettings, describe_error
from lab.provider.registry import OperationError
from lab.provider.schema import block, blocks, flag, mapping, table, text, texts
from lab.provider.wire_values import seconds

_TABLE = table(
    {
        "region": text(),
        "defaultTags": block({"tags": mapping()}),
        "assumeRoles": blocks(
            {
                "roleArn": text(required=True),
                "sessionName": text(),
                "externalId": text(),
                "duration": text(),
            }
        ),
        "allowedAccountIds": texts(),
        "version": text(),
        "skipRegionValidation": flag(),  # the SDK always sends these two; neither check is made
        "skipCredentialsValidation": flag(),
    }
)


def check_config(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """A provider's inputs, which the SDK sends as JSON, in plain Python.

    Raises RefusalError for what is not modelled.
    """
    decoded = {name: _decoded(name, value) for name, value in inputs.items()}
    return schema.clean("provider", _TABLE, decoded)


def _decoded(name: str, value: Any) -> Any:
    prop = _TABLE.get(name, schema.text())
    is_json = prop.many or prop.kind is schema.Kind.BLOCK
    try:
        return json.loads(value) if is_json and isinstance(value, str) else value
    except ValueError as error:
        raise schema.RefusalError(f"provider: '{name}' must be JSON: {error}") from error


def configured(default: ProviderSettings, inputs: Mapping[str, Any]) -> ProviderSettings:
    """The settings of a provider with these inputs; region and credentials are those of `default`
    where the inputs give none.

    The roles are assumed in order, each with the credentials of the one before. Raises RefusalError
    for what is not modelled, OperationError as AWS words it.
    """
    config = check_config(inputs)
    settings = replace(
        default,
        region=config.get("region") or default.region,
        default_tags=config.get("defaultTags", {}).get("tags", {}),
    )
    for role in config.get("assumeRoles", []):
        settings = _assumed(settings, role)
    allowed = config.get("allowedAccountIds")
    if allowed and (account_id := Aws(settings).account_id) not in allowed:
        raise OperationError(f"AWS account ID not allowed: {account_id}")
    return settings


def _assumed(settings: ProviderSettings, role: Mapping[str, str]) -> ProviderSettings:
    asked: dict[str, Any] = {
        "RoleArn": role["roleArn"],
        "RoleSessionName": role.get("sessionName") or f"aws-go-sdk-{time.time_ns()}",
    }
    if role.get("externalId"):
        asked["ExternalId"] = role["externalId"]
    if duration := seconds(role.get("duration", "")):
        asked["DurationSeconds"] = int(duration)
    try:
        session = Aws(settings).client("sts").assume_role(**asked)["Credentials"]
    except (ClientError, BotoCoreError) as error:
        words = describe_error(error, "STS") if isinstance(error, ClientError) else str(error)
        raise OperationError(f"IAM Role ({role['roleArn']}) cannot be assumed: {words}") from error
    return replace(
        settings,
        access_key_id=session["AccessKeyId"],
        secret_access_key=session["SecretAccessKey"],
        session_token=session["SessionToken"],
    )
