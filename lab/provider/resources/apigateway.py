"""aws:apigateway: REST APIs and their policy. Resources come with the imported document."""

import json
from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, GoneError
from lab.provider.resource_type import Autoname, ResourceType
from lab.provider.resources.apigateway_patches import (
    Patch,
    escaped,
    replace_patch,
    replace_patches,
    set_patches,
)
from lab.provider.schema import (
    block,
    canonical_json,
    document,
    flag,
    mapping,
    output,
    table,
    text,
    texts,
)


class ApiGatewayType(ResourceType):
    service = "apigateway"
    camel = True
    gone = frozenset({"NotFoundException"})

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        client = aws.client("apigateway")
        if drop:
            client.untag_resource(resourceArn=known["arn"], tagKeys=drop)
        if put:
            client.tag_resource(resourceArn=known["arn"], tags=put)

    def tag_arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {"tags": inputs["tagsAll"]} if inputs.get("tagsAll") else {}


def execution_arn(aws: Aws, rest_api_id: str) -> str:
    return f"arn:{aws.partition}:execute-api:{aws.region}:{aws.account_id}:{rest_api_id}"


def readable_policy(policy: str | None) -> str | None:
    """A resource policy as JSON: API Gateway answers it as the inside of a JSON string."""
    if policy and policy.startswith('{\\"'):
        return json.loads(f'"{policy}"')
    return policy or None


def settled_policy(arn: str, policy: str | None, known: str | None) -> str | None:
    """The policy as it was given, if that is what API Gateway made of it.

    It writes `execute-api:/…` out with the `arn` by which the API or domain name is invoked
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html).
    """
    if policy and known:
        full = known.replace('"execute-api:/', f'"{arn}/')
        if canonical_json(full) == canonical_json(policy):
            return known
    return policy


def _date(answer: Mapping[str, Any]) -> str:
    return answer["createdDate"].strftime("%Y-%m-%dT%H:%M:%SZ")


_IMPORT = ("body", "parameters", "putRestApiMode")


class RestApi(ApiGatewayType):
    """`body` is imported over the API after its creation; what the properties say is then set
    again, as pulumi-aws does, because an import in `overwrite` mode takes it away.
    """

    urn_type = "aws:apigateway/restApi:RestApi"
    title = "API Gateway REST API"
    autoname = Autoname(limit=255)
    properties = table(
        {
            "name": text(),
            "description": text(computed=True, follows=_IMPORT),
            "endpointConfiguration": block(
                {
                    "types": text(required=True),
                    "vpcEndpointIds": texts(),
                    "ipAddressType": text(computed=True),
                },
                computed=True,
                follows=_IMPORT,
            ),
            "policy": document(computed=True, follows=_IMPORT),
            "disableExecuteApiEndpoint": flag(computed=True, follows=_IMPORT),
            "apiKeySource": text(computed=True, follows=_IMPORT),
            "binaryMediaTypes": texts(computed=True, follows=_IMPORT),
            "minimumCompressionSize": text(computed=True, follows=_IMPORT),
            "body": text(unread=True),
            "putRestApiMode": text(default="overwrite", unread=True),
            "failOnWarnings": flag(unread=True),
            "parameters": mapping(unread=True),
            "tags": mapping(),
            "arn": output(),
            "createdDate": output(),
            "executionArn": output(),
            "rootResourceId": output(),
        }
    )
    _paths = table(
        {
            name: f"/{name}"
            for name in (
                "name",
                "description",
                "policy",
                "disableExecuteApiEndpoint",
                "apiKeySource",
            )
        }
        | {"minimumCompressionSize": "/minimumCompressionSize"}
    )

    def _endpoint(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        endpoint = self.to_aws(inputs, ("endpointConfiguration",)).get("endpointConfiguration")
        return (
            {"endpointConfiguration": {**endpoint, "types": [endpoint["types"]]}}
            if endpoint
            else {}
        )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        names = ("name", "description", "policy", "disableExecuteApiEndpoint", "apiKeySource")
        asked = self.to_aws(inputs, (*names, "binaryMediaTypes"))
        if inputs.get("minimumCompressionSize") not in (None, "", "-1"):
            asked["minimumCompressionSize"] = int(inputs["minimumCompressionSize"])
        made = aws.client("apigateway").create_rest_api(
            **asked, **self._endpoint(inputs), **self.tag_arguments(inputs)
        )
        return made["id"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        if inputs.get("body"):
            self._import(aws, id_, inputs)

    def _import(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        client = aws.client("apigateway")
        client.put_rest_api(
            restApiId=id_,
            mode=inputs["putRestApiMode"],
            failOnWarnings=inputs.get("failOnWarnings", False),
            parameters=inputs.get("parameters", {}),
            body=inputs["body"].encode(),
        )
        patches = self._patches(self._describe(aws, id_), inputs, frozenset(inputs))
        if patches:
            client.update_rest_api(restApiId=id_, patchOperations=patches)

    def _describe(self, aws: Aws, id_: str) -> dict[str, Any]:
        api = aws.client("apigateway").get_rest_api(restApiId=id_)
        endpoint = dict(api.get("endpointConfiguration", {}))
        if endpoint.get("types"):
            endpoint["types"] = endpoint["types"][0]
        compression = api.get("minimumCompressionSize")
        return {
            **self.from_aws({**api, "endpointConfiguration": endpoint}),
            "policy": readable_policy(api.get("policy")),
            "minimumCompressionSize": None if compression is None else str(compression),
            "rootResourceId": api.get("rootResourceId"),
            "createdDate": _date(api),
            "tagsAll": api.get("tags", {}),
        }

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        outputs = self._describe(aws, id_)
        if not outputs["rootResourceId"]:
            items = aws.client("apigateway").get_resources(restApiId=id_, limit=500)["items"]
            outputs["rootResourceId"] = next(one["id"] for one in items if one["path"] == "/")
        return {
            **outputs,
            "policy": settled_policy(
                execution_arn(aws, id_), outputs["policy"], known.get("policy")
            ),
            "arn": f"arn:{aws.partition}:apigateway:{aws.region}::/restapis/{id_}",
            "executionArn": execution_arn(aws, id_),
        }

    def _patches(
        self, now: Mapping[str, Any], new: Mapping[str, Any], names: frozenset[str]
    ) -> list[Patch]:
        """What makes an API that is as `now` one that is as `new`, in the properties named."""
        differing = {name for name in names if now.get(name) != new.get(name)}
        patches = replace_patches(self._paths, new, differing)
        before = now.get("endpointConfiguration") or {}
        after = new.get("endpointConfiguration")
        if after and "endpointConfiguration" in differing:
            path = "/endpointConfiguration"
            if before.get("types") != after["types"]:
                patches.append(replace_patch(f"{path}/types/{before.get('types')}", after["types"]))
            if after.get("ipAddressType") not in (None, before.get("ipAddressType")):
                patches.append(replace_patch(f"{path}/ipAddressType", after["ipAddressType"]))
            patches += set_patches(
                f"{path}/vpcEndpointIds", before.get("vpcEndpointIds"), after.get("vpcEndpointIds")
            )
        if "binaryMediaTypes" in differing:
            old_types, new_types = (
                set(now.get("binaryMediaTypes") or ()),
                set(new.get("binaryMediaTypes") or ()),
            )
            path = "/binaryMediaTypes"
            patches += [
                {"op": "remove", "path": f"{path}/{escaped(one)}"}
                for one in sorted(old_types - new_types)
            ]
            patches += [
                {"op": "add", "path": f"{path}/{escaped(one)}"}
                for one in sorted(new_types - old_types)
            ]
        return patches

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        if patches := self._patches(old, new, changed):
            aws.client("apigateway").update_rest_api(restApiId=id_, patchOperations=patches)
        if new.get("body") and changed & {"body", "parameters", "putRestApiMode"}:
            self._import(aws, id_, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_rest_api(restApiId=id_)


class RestApiPolicy(ApiGatewayType):
    urn_type = "aws:apigateway/restApiPolicy:RestApiPolicy"
    title = "API Gateway REST API Policy"
    id_parts = ("restApiId",)
    properties = table(
        {
            "restApiId": text(required=True, replaces=True),
            "policy": document(required=True),
        }
    )

    def _put(self, aws: Aws, rest_api_id: str, policy: str) -> None:
        aws.client("apigateway").update_rest_api(
            restApiId=rest_api_id, patchOperations=[replace_patch("/policy", policy)]
        )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        self._put(aws, inputs["restApiId"], inputs["policy"])
        return inputs["restApiId"]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        policy = readable_policy(aws.client("apigateway").get_rest_api(restApiId=id_).get("policy"))
        if policy is None:
            raise GoneError
        policy = settled_policy(execution_arn(aws, id_), policy, known.get("policy"))
        return {"restApiId": id_, "policy": policy}

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        self._put(aws, id_, new["policy"])

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        self._put(aws, id_, "")


TYPES = (RestApi, RestApiPolicy)
