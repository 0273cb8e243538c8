"""Deployments: what a stage serves is what the API was when the deployment was made.

"Deploy REST APIs in API Gateway" and "Create a private API" (Developer Guide).
"""

import copy
import json
from typing import Any

from moto.apigateway.models import Deployment as MotoDeployment
from moto.apigateway.models import Method

from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.apigateway.rest_api import RestApi


class Deployment(MotoDeployment):
    """`snapshot`: see `taken`."""

    def __init__(self, deployment_id: str, description: str, snapshot: dict[str, Any]) -> None:
        super().__init__(deployment_id, "", description)
        self.snapshot = snapshot

    def to_json(self) -> dict[str, Any]:
        answer = {"id": self.id, "createdDate": self.created_date}
        return answer | ({"description": self.description} if self.description else {})


def check_deployable(api: RestApi) -> None:
    """Raises BadRequestException for an API that API Gateway does not deploy."""
    methods: list[Method] = [
        method
        for resource in api.resources.values()
        for method in resource.resource_methods.values()
    ]
    if not methods:
        raise BadRequestException("The REST API doesn't contain any methods")
    if any(method.method_integration is None for method in methods):
        raise BadRequestException("No integration defined for method")
    if api.is_private and not api.policy:
        raise BadRequestException("Private REST API doesn't have a resource policy attached to it")


def taken(api: RestApi) -> dict[str, Any]:
    """A snapshot of `api`, sharing nothing with it.

    `resources` maps a path to its methods as GetMethod answers them, by HTTP method;
    `gatewayResponses` and `authorizers` hold what their Get operations answer, by type and by id.
    """
    snapshot = {
        "id": api.id,
        "region": api.region_name,
        "name": api.name,
        "description": api.description,
        "createdDate": api.create_date,
        "policy": json.loads(api.policy) if api.policy else None,
        "endpointConfiguration": api.endpoint_configuration,
        "disableExecuteApiEndpoint": api.disableExecuteApiEndpoint,
        "minimumCompressionSize": api.minimum_compression_size,
        "apiKeySource": api.api_key_source,
        "binaryMediaTypes": api.binaryMediaTypes,
        "resources": {
            resource.get_path(): {
                name: method.to_json() for name, method in resource.resource_methods.items()
            }
            for resource in api.resources.values()
        },
        "gatewayResponses": {
            name: response.to_json() for name, response in api.gateway_responses.items()
        },
        "authorizers": {name: each.to_json() for name, each in api.authorizers.items()},
        "models": {name: model.to_json() for name, model in api.models.items()},
    }
    return copy.deepcopy(snapshot)
