"""aws:apigateway: deployments, stages, method settings and the account's log role."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resources.apigateway import ApiGatewayType, execution_arn
from lab.provider.resources.apigateway_patches import (
    Patch,
    escaped,
    map_patches,
    replace_patch,
    replace_patches,
)
from lab.provider.schema import block, decimal, flag, integer, mapping, output, table, text


class Deployment(ApiGatewayType):
    """A snapshot of the API. `triggers` only say when to take another."""

    urn_type = "aws:apigateway/deployment:Deployment"
    title = "API Gateway Deployment"
    id_parts = ("restApi", "deploymentId")
    properties = table(
        {
            "restApi": text(required=True, replaces=True, aws="restApiId"),
            "description": text(),
            "triggers": mapping(replaces=True, unread=True),
            "variables": mapping(replaces=True, unread=True),
            "createdDate": output(),
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("restApi", "description", "variables"))
        return aws.client("apigateway").create_deployment(**asked)["id"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("apigateway").get_deployment(
            restApiId=known["restApi"], deploymentId=known.get("deploymentId", id_)
        )
        return {
            "restApi": known["restApi"],
            "description": found.get("description") or None,
            "createdDate": found["createdDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        aws.client("apigateway").update_deployment(
            restApiId=new["restApi"],
            deploymentId=id_,
            patchOperations=[replace_patch("/description", new.get("description"))],
        )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_deployment(restApiId=known["restApi"], deploymentId=id_)


class Stage(ApiGatewayType):
    urn_type = "aws:apigateway/stage:Stage"
    title = "API Gateway Stage"
    id_parts = ("restApi", "stageName")
    delete_before_replace = True  # a stage is known by its API and name
    properties = table(
        {
            "restApi": text(required=True, replaces=True, aws="restApiId"),
            "stageName": text(required=True, replaces=True),
            "deployment": text(required=True, aws="deploymentId"),
            "description": text(),
            "variables": mapping(),
            "xrayTracingEnabled": flag(default=False, aws="tracingEnabled"),
            "accessLogSettings": block(
                {"destinationArn": text(required=True), "format": text(required=True)}
            ),
            "tags": mapping(),
            "arn": output(),
            "executionArn": output(),
            "invokeUrl": output(),
            "webAclArn": output(),
        }
    )
    _paths = table(
        {
            "deployment": "/deploymentId",
            "description": "/description",
            "xrayTracingEnabled": "/tracingEnabled",
        }
    )

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return str(inputs.get("stageName") or id_)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = (
            "restApi",
            "stageName",
            "deployment",
            "description",
            "variables",
        )
        asked = self.to_aws(inputs, (*names, "xrayTracingEnabled"))
        aws.client("apigateway").create_stage(**asked, **self.tag_arguments(inputs))
        return f"ags-{inputs['restApi']}-{inputs['stageName']}"

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs.get("accessLogSettings"):
            self.update(aws, id_, {}, inputs, frozenset({"accessLogSettings"}))

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        api, name = known["restApi"], known["stageName"]
        found = aws.client("apigateway").get_stage(restApiId=api, stageName=name)
        outputs = self.from_aws(found)
        logs = outputs.get("accessLogSettings")
        if logs and not logs.get("destinationArn"):
            outputs["accessLogSettings"] = None
        return {
            **outputs,
            "restApi": api,
            "xrayTracingEnabled": found.get("tracingEnabled", False),
            "variables": found.get("variables") or None,
            "description": found.get("description") or None,
            "arn": f"arn:{aws.partition}:apigateway:{aws.region}::/restapis/{api}/stages/{name}",
            "executionArn": f"{execution_arn(aws, api)}/{name}",
            "invokeUrl": f"https://{api}.execute-api.{aws.region}.amazonaws.com/{name}",
            "tagsAll": found.get("tags", {}),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        patches: list[Patch] = replace_patches(self._paths, new, changed)
        if "variables" in changed:
            patches += map_patches("/variables", old.get("variables"), new.get("variables"))
        if "accessLogSettings" in changed:
            logs = new.get("accessLogSettings")
            if logs:
                patches.append(
                    replace_patch(
                        "/accessLogSettings/destinationArn",
                        logs["destinationArn"].removesuffix(":*"),
                    )
                )
                patches.append(replace_patch("/accessLogSettings/format", logs["format"]))
            else:
                patches.append({"op": "remove", "path": "/accessLogSettings"})
        aws.client("apigateway").update_stage(
            restApiId=new["restApi"], stageName=new["stageName"], patchOperations=patches
        )

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_stage(
            restApiId=known["restApi"], stageName=known["stageName"]
        )


_SETTINGS = {
    "loggingLevel": text(computed=True),
    "metricsEnabled": flag(computed=True),
    "dataTraceEnabled": flag(computed=True),
    "throttlingBurstLimit": integer(default=-1),
    "throttlingRateLimit": decimal(default=-1),
    "cachingEnabled": flag(computed=True),
    "cacheTtlInSeconds": integer(computed=True),
    "cacheDataEncrypted": flag(computed=True),
}
_SETTING_PATHS = {
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
    "cachingEnabled": "caching/enabled",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cacheDataEncrypted": "caching/dataEncrypted",
}


class MethodSettings(ApiGatewayType):
    urn_type = "aws:apigateway/methodSettings:MethodSettings"
    title = "API Gateway Method Settings"
    id_parts = ("restApi", "stageName", "methodPath")
    delete_before_replace = True  # known by API, stage and path
    properties = table(
        {
            "restApi": text(required=True, replaces=True, aws="restApiId"),
            "stageName": text(required=True, replaces=True),
            "methodPath": text(required=True, replaces=True),
            "settings": block(_SETTINGS, required=True),
        }
    )

    def _patch(self, aws: Aws, known: Mapping[str, Any], patches: list[Patch]) -> None:
        aws.client("apigateway").update_stage(
            restApiId=known["restApi"], stageName=known["stageName"], patchOperations=patches
        )

    def _put(self, aws: Aws, inputs: Mapping[str, Any]) -> None:
        path, settings = patch_path(inputs["methodPath"]), inputs["settings"]
        self._patch(
            aws,
            inputs,
            [
                replace_patch(f"{path}/{_SETTING_PATHS[name]}", value)
                for name, value in settings.items()
                if value != -1
            ],
        )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self._put(aws, inputs)
        return f"{inputs['restApi']}-{inputs['stageName']}-{inputs['methodPath']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        stage = aws.client("apigateway").get_stage(
            restApiId=known["restApi"], stageName=known["stageName"]
        )
        wanted = known["methodPath"].lstrip("/")
        found = [
            one
            for path, one in stage.get("methodSettings", {}).items()
            if unescaped(path) == wanted
        ]
        settings = self.from_aws({"settings": first(found)}, ("settings",))["settings"]
        unset = {name: -1 for name, value in known.get("settings", {}).items() if value == -1}
        return {**{name: known[name] for name in self.id_parts}, "settings": {**settings, **unset}}

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
        self._patch(aws, known, [{"op": "remove", "path": patch_path(known["methodPath"])}])


def patch_path(method_path: str) -> str:
    """`resource/path/METHOD` as a patch path, where the resource's path is one step."""
    resource, _, method = method_path.lstrip("/").rpartition("/")
    return f"/{escaped(resource)}/{method}"


def unescaped(path: str) -> str:
    return path.replace("~1", "/").replace("~0", "~").lstrip("/")


class Account(ApiGatewayType):
    """The one setting that a region's API Gateway has: the role that it writes logs with."""

    urn_type = "aws:apigateway/account:Account"
    title = "API Gateway Account"
    delete_before_replace = True
    properties = table({"cloudwatchRoleArn": text(), "apiKeyVersion": output()})

    def _put(self, aws: Aws, role_arn: str | None) -> None:
        patches = [replace_patch("/cloudwatchRoleArn", role_arn)]
        aws.client("apigateway").update_account(patchOperations=patches)

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self._put(aws, inputs.get("cloudwatchRoleArn"))
        return "api-gateway-account"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        account = self.from_aws(aws.client("apigateway").get_account())
        return {**account, "cloudwatchRoleArn": account.get("cloudwatchRoleArn") or None}

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self._put(aws, new.get("cloudwatchRoleArn"))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        self._put(aws, None)


TYPES = (Deployment, Stage, MethodSettings, Account)
