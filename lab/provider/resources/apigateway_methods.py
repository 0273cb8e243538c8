"""aws:apigateway: methods and their integrations."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws
from lab.provider.resources.apigateway import ApiGatewayType
from lab.provider.resources.apigateway_patches import map_patches, replace_patches
from lab.provider.schema import flag, integer, mapping, table, text


class _OfMethod(ApiGatewayType):
    """What is found by API, resource and HTTP method; the same three can only be one thing at a
    time.
    """

    delete_before_replace = True
    id_parts = ("restApi", "resourceId", "httpMethod")

    def label(self, id_: str, inputs: Mapping[str, Any]) -> str:
        return f"{inputs.get('restApi')}/{inputs.get('resourceId')}/{inputs.get('httpMethod')}"

    def key(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {
            "restApiId": values["restApi"],
            "resourceId": values["resourceId"],
            "httpMethod": values["httpMethod"],
        }


class Method(_OfMethod):
    urn_type = "aws:apigateway/method:Method"
    title = "API Gateway Method"
    properties = table(
        {
            "restApi": text(required=True, replaces=True, aws="restApiId"),
            "resourceId": text(required=True, replaces=True),
            "httpMethod": text(required=True, replaces=True),
            "authorization": text(required=True, aws="authorizationType"),
            "authorizerId": text(),
            "apiKeyRequired": flag(default=False),
            "operationName": text(),
            "requestModels": mapping(),
            "requestParameters": mapping(),
            "requestValidatorId": text(),
        }
    )
    _paths = table(
        {
            "authorization": "/authorizationType",
            "authorizerId": "/authorizerId",
            "apiKeyRequired": "/apiKeyRequired",
            "operationName": "/operationName",
            "requestValidatorId": "/requestValidatorId",
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, self.properties)
        if "requestParameters" in asked:
            asked["requestParameters"] = {
                name: str(value).lower() == "true"
                for name, value in asked["requestParameters"].items()
            }
        aws.client("apigateway").put_method(**asked)
        return f"agm-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("apigateway").get_method(**self.key(known))
        return {**{name: known[name] for name in self.id_parts}, **self.from_aws(found)}

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        patches = replace_patches(self._paths, new, changed)
        for name in ("requestModels", "requestParameters"):
            if name in changed:
                patches += map_patches(f"/{name}", old.get(name), new.get(name))
        aws.client("apigateway").update_method(**self.key(new), patchOperations=patches)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_method(**self.key(known))


class Integration(_OfMethod):
    urn_type = "aws:apigateway/integration:Integration"
    title = "API Gateway Integration"
    properties = table(
        {
            "restApi": text(required=True, replaces=True, aws="restApiId"),
            "resourceId": text(required=True, replaces=True),
            "httpMethod": text(required=True, replaces=True),
            "type": text(required=True, replaces=True),
            "integrationHttpMethod": text(replaces=True),
            "uri": text(),
            "credentials": text(replaces=True),
            "contentHandling": text(),
            "passthroughBehavior": text(computed=True),
            "requestParameters": mapping(),
            "requestTemplates": mapping(),
            "timeoutMilliseconds": integer(default=29000, aws="timeoutInMillis"),
        }
    )
    _paths = table(
        {
            "uri": "/uri",
            "contentHandling": "/contentHandling",
            "passthroughBehavior": "/passthroughBehavior",
            "timeoutMilliseconds": "/timeoutInMillis",
        }
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        aws.client("apigateway").put_integration(**self.to_aws(inputs, self.properties))
        return f"agi-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}"

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        found = aws.client("apigateway").get_integration(**self.key(known))
        return {
            **self.from_aws(found),
            **{name: known[name] for name in self.id_parts},
            "integrationHttpMethod": found.get("httpMethod"),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        patches = replace_patches(self._paths, new, changed)
        for name in ("requestParameters", "requestTemplates"):
            if name in changed:
                patches += map_patches(f"/{name}", old.get(name), new.get(name))
        aws.client("apigateway").update_integration(**self.key(new), patchOperations=patches)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("apigateway").delete_integration(**self.key(known))


TYPES = (Method, Integration)
