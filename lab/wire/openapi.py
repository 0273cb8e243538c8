"""A deployed API: what GetExport's OpenAPI document of a stage says about paths, methods and
policy.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.wire.aws import Reader

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
_ENDPOINT = "x-amazon-apigateway-endpoint-configuration"


@dataclass(frozen=True, kw_only=True)
class Authorizer:
    """A Lambda authorizer of type REQUEST ("x-amazon-apigateway-authorizer object").

    `identity_sources` are mapping expressions in their order; a `ttl_seconds` of 0 turns the cache
    off. With `credentials` API Gateway would assume that role to invoke the function.
    """

    name: str
    uri: str
    identity_sources: tuple[str, ...]
    ttl_seconds: int
    credentials: str | None


@dataclass(frozen=True, kw_only=True)
class Method:
    """One deployed method. `authorization` is NONE, AWS_IAM, or the name of what must decide, which
    is `authorizer` if that is a Lambda authorizer of type REQUEST.
    """

    resource_path: str
    authorization: str
    authorizer: Authorizer | None
    api_key_required: bool
    validated: bool
    integration: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where a request path leads: the resource, its path parameters as sent, and its methods by
    name.
    """

    resource_path: str
    parameters: Mapping[str, str]
    methods: Mapping[str, Method]

    def method(self, http_method: str) -> Method | None:
        return self.methods.get(http_method) or self.methods.get("ANY")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One stage as it is served. `policy` is the API's resource policy at the time of the
    deployment.
    """

    api: Mapping[str, Any]
    stage: Mapping[str, Any]
    policy: Any
    default_endpoint_disabled: bool
    resources: Mapping[str, Mapping[str, Method]]
    gateway_responses: Mapping[str, Mapping[str, Any]]
    binary_media_types: tuple[str, ...]

    def route(self, path: str) -> Route | None:
        """The resource for a path without the stage, or None.

        A literal segment wins over `{name}`, and `{name}` over `{name+}` ("Set up a proxy
        integration with a proxy resource"). Path parameters are not decoded yet.
        """
        segments = path.strip("/").split("/") if path.strip("/") else []
        if path.endswith("/") and segments:
            segments.append("")  # /a/ is not /a: AWS does not say, so the stricter reading
        found = [
            (rank, resource_path, parameters)
            for resource_path in self.resources
            if (match := _match(resource_path, segments)) is not None
            for rank, parameters in [match]
        ]
        if not found:
            return None
        _, resource_path, parameters = min(found, key=lambda item: item[0])
        return Route(
            resource_path=resource_path,
            parameters=parameters,
            methods=self.resources[resource_path],
        )


def _match(resource_path: str, segments: list[str]) -> tuple[list[int], dict[str, str]] | None:
    """How well a resource fits: a rank per segment (0 literal, 1 parameter, 2 greedy) and the
    parameters.
    """
    wanted = resource_path.strip("/").split("/") if resource_path != "/" else []
    rank: list[int] = []
    parameters: dict[str, str] = {}
    for position, segment in enumerate(wanted):
        if segment.endswith("+}") and position == len(wanted) - 1:
            rest = "/".join(segments[position:])
            return ([*rank, 2], {**parameters, segment[1:-2]: rest}) if rest else None
        if position >= len(segments):
            return None
        if segment.startswith("{") and segments[position]:
            parameters[segment[1:-1]] = segments[position]
            rank.append(1)
        elif segment == segments[position]:
            rank.append(0)
        else:
            return None
    return (rank, parameters) if len(wanted) == len(segments) else None


def parse(
    document: Mapping[str, Any], api: Mapping[str, Any], stage: Mapping[str, Any]
) -> Deployment:
    """A deployment from its exported document (oas30 with integrations, authorizers and API Gateway
    extensions).
    """
    resources: dict[str, dict[str, Method]] = {}
    for path, item in document.get("paths", {}).items():
        methods = {name.upper(): item[name] for name in _METHODS if name in item}
        if _ANY in item:
            methods["ANY"] = item[_ANY]
        resources[path] = {name: _method(path, node, document) for name, node in methods.items()}
    return Deployment(
        api=api,
        stage=stage,
        policy=document.get("x-amazon-apigateway-policy"),
        default_endpoint_disabled=any(
            server.get(_ENDPOINT, {}).get("disableExecuteApiEndpoint")
            for server in document.get("servers", [])
        ),
        resources=resources,
        gateway_responses=document.get("x-amazon-apigateway-gateway-responses", {}),
        binary_media_types=tuple(document.get("x-amazon-apigateway-binary-media-types", ())),
    )


def _method(path: str, node: Mapping[str, Any], document: Mapping[str, Any]) -> Method:
    schemes = document.get("components", {}).get("securitySchemes", {})
    names = [name for requirement in node.get("security", []) for name in requirement]
    kinds = {_kind(name, schemes.get(name, {})) for name in names}
    auth = node.get("x-amazon-apigateway-auth", {}).get("type", "NONE").upper()
    deciders = sorted((kinds | {auth}) - {"API_KEY", "NONE"})
    alone = deciders[0] if len(deciders) == 1 else ""
    return Method(
        resource_path=path,
        authorization=" and ".join(deciders) or "NONE",
        authorizer=_authorizer(alone, schemes.get(alone, {})),
        api_key_required="API_KEY" in kinds,
        validated="x-amazon-apigateway-request-validator" in {**document, **node},
        integration=node.get("x-amazon-apigateway-integration", {}),
    )


def _authorizer(name: str, scheme: Mapping[str, Any]) -> Authorizer | None:
    entry = scheme.get("x-amazon-apigateway-authorizer", {})
    if entry.get("type") != "request":
        return None
    sources = entry.get("identitySource", "").split(",")
    return Authorizer(
        name=name,
        uri=entry["authorizerUri"],
        identity_sources=tuple(each.strip() for each in sources if each.strip()),
        ttl_seconds=int(entry["authorizerResultTtlInSeconds"]),
        credentials=entry.get("authorizerCredentials"),
    )


def _kind(name: str, scheme: Mapping[str, Any]) -> str:
    """What a security scheme asks for; one that is not API Gateway's own is an authorizer by its
    name.
    """
    authtype = scheme.get("x-amazon-apigateway-authtype", "")
    if authtype.lower() == "awssigv4":
        return "AWS_IAM"
    if not authtype and scheme.get("type") == "apiKey" and scheme.get("name") == "x-api-key":
        return "API_KEY"
    return name


class Deployments:
    """Reads deployments, once per change of API Gateway."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._version = -1
        self._known: dict[tuple[str, str], Deployment] = {}

    def stage(self, api: Mapping[str, Any], name: str) -> Deployment | None:
        """What the stage of that name serves, or None if there is no such stage."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name):
            return None
        with self._lock:
            version = self._reader.changes("apigateway")
            if version != self._version:
                self._known.clear()
                self._version = version
            key = (api["id"], name)
            if key not in self._known:
                stage = self._read("get_stage", restApiId=api["id"], stageName=name)
                if stage is None:
                    return None
                self._known[key] = parse(self._document(api["id"], name), api, stage)
            return self._known[key]

    def resource_id(self, api_id: str, path: str) -> str | None:
        """The id of the resource at a path today; None if it is gone since the deployment."""
        items = self._reader.call("apigateway", "get_resources", restApiId=api_id)["items"]
        return next((item["id"] for item in items if item["path"] == path), None)

    def authorizer_id(self, api_id: str, name: str) -> str | None:
        """The id of the authorizer of that name today; None if it is gone since the deployment."""
        items = self._reader.call("apigateway", "get_authorizers", restApiId=api_id)["items"]
        return next((item["id"] for item in items if item["name"] == name), None)

    def _document(self, api_id: str, stage_name: str) -> dict[str, Any]:
        # Not through the reader's memory: the body of the answer is a stream, to be read once.
        answer = self._reader.client("apigateway").get_export(
            restApiId=api_id,
            stageName=stage_name,
            exportType="oas30",
            parameters={"extensions": "integrations,authorizers,apigateway"},
            accepts="application/json",
        )
        return json.loads(answer["body"].read())

    def _read(self, operation: str, **arguments: str) -> Mapping[str, Any] | None:
        try:
            return self._reader.call("apigateway", operation, **arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return None
            raise
