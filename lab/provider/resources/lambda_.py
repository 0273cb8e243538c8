"""aws:lambda: functions and who may invoke them."""

import json
from collections.abc import Mapping
from typing import Any

from lab.provider.assets import asset_bytes
from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resource_type import Autoname, ResourceType
from lab.provider.schema import asset, block, flag, integer, mapping, output, table, text, texts

_CODE = ("code", "s3Bucket", "s3Key", "sourceCodeHash", "architectures")
_CONFIGURATION = (
    "role",
    "runtime",
    "handler",
    "description",
    "memorySize",
    "timeout",
    "environment",
    "ephemeralStorage",
    "tracingConfig",
    "loggingConfig",
    "snapStart",
)
# What takes away a setting that was left out.
_EMPTY = (
    ("description", "Description", ""),
    ("environment", "Environment", {"Variables": {}}),
    ("snapStart", "SnapStart", {"ApplyOn": "None"}),
)
# With these `publish` publishes another version.
_PUBLISHED = (*_CODE, *_CONFIGURATION, "publish")


class Function(ResourceType):
    """`code` goes up as a zip; a changed content is an update of the code, never a replacement.

    `version` is the newest, whether or not `publish` made it.
    """

    urn_type = "aws:lambda/function:Function"
    title = "Lambda Function"
    service = "lambda"
    gone = frozenset({"ResourceNotFoundException"})
    autoname = Autoname(limit=64)
    id_parts = ("name",)
    properties = table(
        {
            "name": text(replaces=True, aws="FunctionName"),
            "role": text(required=True),
            "code": asset(unread=True),
            "s3Bucket": text(unread=True),
            "s3Key": text(unread=True),
            "sourceCodeHash": text(unread=True),
            "runtime": text(),
            "handler": text(),
            "description": text(),
            "packageType": text(default="Zip", replaces=True),
            "architectures": texts(computed=True),
            "memorySize": integer(default=128),
            "timeout": integer(default=3),
            "environment": block({"variables": mapping()}),
            "ephemeralStorage": block({"size": integer(computed=True)}, computed=True),
            "tracingConfig": block({"mode": text(required=True)}, computed=True),
            "loggingConfig": block(
                {
                    "logFormat": text(required=True),
                    "logGroup": text(computed=True),
                    "applicationLogLevel": text(),
                    "systemLogLevel": text(),
                },
                computed=True,
            ),
            "snapStart": block({"applyOn": text(required=True), "optimizationStatus": output()}),
            "publish": flag(default=False, unread=True),
            "reservedConcurrentExecutions": integer(default=-1),
            "skipDestroy": flag(default=False, unread=True),
            "tags": mapping(),
            "arn": output(),
            "invokeArn": output(),
            "qualifiedArn": output(follows=_PUBLISHED, only_with="publish"),
            "qualifiedInvokeArn": output(follows=_PUBLISHED, only_with="publish"),
            "version": output(follows=_PUBLISHED, only_with="publish"),
            "lastModified": output(follows=(*_CODE, *_CONFIGURATION)),
            "codeSha256": output(follows=_CODE),
            "sourceCodeSize": output(follows=_CODE),
        }
    )

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, "code", "s3Bucket")

    def _source(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if inputs.get("code"):
            return {"ZipFile": asset_bytes(inputs["code"])}
        return self.to_aws(inputs, ("s3Bucket", "s3Key"))

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("name", "packageType", "architectures", *_CONFIGURATION))
        tags = {"Tags": inputs["tagsAll"]} if inputs.get("tagsAll") else {}
        aws.client("lambda").create_function(
            Code=self._source(inputs), Publish=inputs["publish"], **asked, **tags
        )
        return inputs["name"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        self._wait(aws, id_)
        if inputs["reservedConcurrentExecutions"] >= 0:
            self._set_concurrency(aws, id_, inputs)

    def _wait(self, aws: Aws, id_: str) -> None:
        def ready() -> bool:
            now = aws.client("lambda").get_function_configuration(FunctionName=id_)
            state, update = now.get("State", "Active"), now.get("LastUpdateStatus", "Successful")
            if "Failed" in (state, update):
                reason = now.get("StateReason") or now.get("LastUpdateStatusReason")
                raise UnfinishedError(f"unexpected state 'Failed', wanted 'Active': {reason}")
            return state == "Active" and update == "Successful"

        aws.wait_until(f"Lambda Function ({id_}) to become active", ready)

    def _set_concurrency(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        reserved = inputs["reservedConcurrentExecutions"]
        client = aws.client("lambda")
        if reserved >= 0:
            client.put_function_concurrency(FunctionName=id_, ReservedConcurrentExecutions=reserved)
        else:
            client.delete_function_concurrency(FunctionName=id_)

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("lambda").get_function(FunctionName=id_)
        now = answer["Configuration"]
        arn = now["FunctionArn"]
        reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions", -1)
        if now.get("SnapStart", {}).get("ApplyOn") == "None":
            del now["SnapStart"]
        versions = aws.client("lambda").list_versions_by_function(FunctionName=id_)["Versions"]
        version = versions[-1]["Version"]
        return {
            **self.from_aws(now, ("name", "packageType", "architectures", *_CONFIGURATION)),
            "description": now.get("Description") or None,
            "reservedConcurrentExecutions": reserved,
            "arn": arn,
            "invokeArn": _invoke_arn(aws, arn),
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": _invoke_arn(aws, f"{arn}:{version}"),
            "version": version,
            "lastModified": now.get("LastModified"),
            "codeSha256": now.get("CodeSha256"),
            "sourceCodeSize": now.get("CodeSize"),
            "tagsAll": answer.get("Tags", {}),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        client = aws.client("lambda")
        if changed & set(_CODE):
            architectures = self.to_aws(new, ("architectures",))
            client.update_function_code(FunctionName=id_, **self._source(new), **architectures)
            self._wait(aws, id_)
        if names := changed & set(_CONFIGURATION):
            asked = self.to_aws(new, names)
            asked |= {
                key: empty for name, key, empty in _EMPTY if name in names and new.get(name) is None
            }
            client.update_function_configuration(FunctionName=id_, **asked)
            self._wait(aws, id_)
        if "reservedConcurrentExecutions" in changed:
            self._set_concurrency(aws, id_, new)
        if new["publish"] and changed & set(_PUBLISHED):
            client.publish_version(FunctionName=id_)

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        client, arn = aws.client("lambda"), known["arn"]
        if drop:
            client.untag_resource(Resource=arn, TagKeys=drop)
        if put:
            client.tag_resource(Resource=arn, Tags=put)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        if not known.get("skipDestroy"):
            aws.client("lambda").delete_function(FunctionName=id_)


class Alias(ResourceType):
    """Routing to a second version is not modelled."""

    urn_type = "aws:lambda/alias:Alias"
    title = "Lambda Alias"
    service = "lambda"
    gone = frozenset({"ResourceNotFoundException"})
    autoname = Autoname(limit=128)
    id_parts = ("functionName", "name")
    properties = table(
        {
            "name": text(replaces=True),
            "functionName": text(required=True, replaces=True),
            "functionVersion": text(required=True),
            "description": text(),
            "arn": output(aws="AliasArn"),
            "invokeArn": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = ("name", "functionName", "functionVersion", "description")
        return aws.client("lambda").create_alias(**self.to_aws(inputs, names))["AliasArn"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        now = aws.client("lambda").get_alias(**self.to_aws(known, ("functionName", "name")))
        arn = now["AliasArn"]
        return {
            **self.from_aws(now, ("name", "functionVersion", "description", "arn")),
            "functionName": known["functionName"],
            "invokeArn": _invoke_arn(aws, arn),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        asked = self.to_aws(new, ("functionName", "name", "functionVersion"))
        description = new.get("description") or ""
        aws.client("lambda").update_alias(**asked, Description=description)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("lambda").delete_alias(**self.to_aws(known, ("functionName", "name")))


class Permission(ResourceType):
    urn_type = "aws:lambda/permission:Permission"
    title = "Lambda Permission"
    service = "lambda"
    gone = frozenset({"ResourceNotFoundException"})
    autoname = Autoname(prop="statementId", limit=100)
    id_parts = ("function", "statementId")
    properties = table(
        {
            "function": text(required=True, replaces=True, aws="FunctionName"),
            "action": text(required=True, replaces=True),
            "principal": text(required=True, replaces=True),
            "sourceArn": text(replaces=True),
            "sourceAccount": text(replaces=True),
            "principalOrgId": text(replaces=True, aws="PrincipalOrgID"),
            "qualifier": text(replaces=True),
            "statementId": text(replaces=True),
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return f"{inputs.get('function')}/{inputs.get('statementId') or id_}"

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        aws.client("lambda").add_permission(**self.to_aws(inputs, self.properties))
        return inputs["statementId"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        answer = aws.client("lambda").get_policy(**self.to_aws(known, ("function", "qualifier")))
        statements = json.loads(answer["Policy"])["Statement"]
        statement = first([one for one in statements if one.get("Sid") == known["statementId"]])
        conditions = {
            key: value
            for operator in statement.get("Condition", {}).values()
            for key, value in operator.items()
        }
        principal = _principal(statement["Principal"])
        if principal.endswith(":root") and not known.get("principal", "").endswith(":root"):
            principal = principal.split(":")[4]  # AWS writes an account id as the ARN of its root
        return {
            "function": known["function"],
            "qualifier": known.get("qualifier"),
            "statementId": statement["Sid"],
            "action": statement["Action"],
            "principal": principal,
            "sourceArn": conditions.get("AWS:SourceArn"),
            "sourceAccount": conditions.get("AWS:SourceAccount"),
            "principalOrgId": conditions.get("aws:PrincipalOrgID"),
        }

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        asked = self.to_aws(known, ("function", "qualifier", "statementId"))
        aws.client("lambda").remove_permission(**asked)


def _invoke_arn(aws: Aws, arn: str) -> str:
    """As API Gateway names a function that it is to invoke."""
    path = f"2015-03-31/functions/{arn}/invocations"
    return f"arn:{aws.partition}:apigateway:{aws.region}:lambda:path/{path}"


def _principal(principal: str | Mapping[str, str]) -> str:
    if isinstance(principal, str):
        return principal
    return principal.get("Service") or principal["AWS"]


TYPES = (Function, Alias, Permission)
