"""What an API answers: a map of routes, or an OpenAPI document. No Pulumi in here."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS", "ANY")
_PART = re.compile(r"[A-Za-z0-9._~:-]+|\{[A-Za-z0-9._-]+\}|\{[A-Za-z0-9._-]+\+\}(?=$)")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True)
class Route:
    """A method ('ANY' for all) and a path of an API, such as GET /widgets/{id}."""

    method: str
    path: str

    @classmethod
    def parse(cls, text: str) -> "Route":
        """From 'METHOD /path'. Raises ValueError for what API Gateway does not take.

        API Gateway developer guide, "Set up REST API methods": path parts are literals or
        `{parameter}`, and `{parameter+}` at the end.
        """
        method, _, path = text.partition(" ")
        fits = path == "/" or (path.startswith("/") and _parts_fit(path.split("/")[1:]))
        if method not in METHODS or not fits:
            raise ValueError(
                f"routes: want 'METHOD /path', such as 'GET /widgets/{{id}}'; got {text!r}"
            )
        return cls(method, path)


def _parts_fit(parts: list[str]) -> bool:
    *inner, last = parts
    return all(_PART.fullmatch(part) and not part.endswith("+}") for part in inner) and bool(
        _PART.fullmatch(last)
    )


def resource_paths(routes: Iterable[Route]) -> list[str]:
    """Every path below '/' that a resource is needed for, parents first."""
    paths: dict[str, None] = {}
    for route in sorted(routes, key=lambda r: r.path):
        parts = [part for part in route.path.split("/") if part]
        for depth in range(len(parts)):
            paths["/" + "/".join(parts[: depth + 1])] = None
    return sorted(paths, key=lambda path: (path.count("/"), path))


def check_routes(texts: Iterable[str]) -> None:
    """Refuse routes that `Route.parse` does, or two parameters in one place of a path.

    API Gateway: "A sibling ({id}) of this resource already has a variable path part -- only one is
    allowed". Raises ValueError.
    """
    parameters: dict[str, str] = {}
    for path in resource_paths(map(Route.parse, texts)):
        above, _, part = path.rpartition("/")
        if part.startswith("{") and (other := parameters.setdefault(above, part)) != part:
            raise ValueError(
                f"routes: want one parameter below '{above or '/'}', such as {other} throughout; "
                f"got {other} and {part}"
            )


def check_backends(wanted: Iterable[str], known: Collection[str], field: str) -> None:
    """Refuse a backend that is not there. Raises ValueError naming `field`."""
    for backend in wanted:
        if backend not in known:
            raise ValueError(
                f"{field}: want one of the backends {', '.join(sorted(known)) or '(none)'}; "
                f"got {backend!r}"
            )


def check_openapi(document: Mapping[str, Any], backends: Collection[str]) -> None:
    """Refuse a document that API Gateway would, or that names a backend that is not there.

    Raises ValueError for a version other than OpenAPI 3.0 or 2.0, no paths, an operation without
    `x-amazon-apigateway-integration` (API Gateway developer guide, "OpenAPI extensions").
    """
    version = str(document.get("openapi") or document.get("swagger") or "none")
    if not re.fullmatch(r"3\.0(\.\d+)?|2\.0", version):
        raise ValueError(
            f"openapi: want version 3.0 or 2.0 (API Gateway takes these); got {version}"
        )
    found = list(operations(document))
    if not found:
        raise ValueError("openapi: want at least one path with a method; got none")
    for where, operation in found:
        if "x-amazon-apigateway-integration" not in operation:
            raise ValueError(
                f"openapi: want an x-amazon-apigateway-integration for {where}; got none"
            )
    check_backends(_PLACEHOLDER.findall(_as_json(document)), backends, "openapi")


def operations(document: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Each operation of a document with its verb in capitals and path."""
    verbs = {method.lower() for method in METHODS} | {"x-amazon-apigateway-any-method"}
    for path, item in cast("Mapping[str, Any]", document.get("paths") or {}).items():
        for verb, operation in cast("Mapping[str, Any]", item or {}).items():
            if verb in verbs:
                yield f"{verb.upper()} {path}", {} if operation is None else operation


def route_names(routes: Iterable[str], openapi: Mapping[str, Any] | None) -> list[str]:
    """All that an API answers, from its routes or its document, as 'METHOD /path'."""
    if openapi is None:
        return list(routes)
    return [
        where.replace("X-AMAZON-APIGATEWAY-ANY-METHOD ", "ANY ") for where, _ in operations(openapi)
    ]


def _as_json(document: Mapping[str, Any]) -> str:
    """In one form. YAML reads unquoted dates and status codes as no JSON text: `200: …`."""
    return json.dumps(json.loads(json.dumps(document, default=str)), sort_keys=True)


def routes_document(title: str, routes: Mapping[str, str]) -> dict[str, Any]:
    """The OpenAPI document of a map of routes: each hands its request to a function as it came."""
    paths: dict[str, dict[str, Any]] = {}
    for text, backend in routes.items():
        route = Route.parse(text)
        verb = "x-amazon-apigateway-any-method" if route.method == "ANY" else route.method.lower()
        names = [name.rstrip("+") for name in re.findall(r"\{([^}]+)\}", route.path)]
        paths.setdefault(route.path, {})[verb] = {
            "parameters": [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in names
            ],
            "responses": {},
            "x-amazon-apigateway-integration": {
                "type": "aws_proxy",
                "httpMethod": "POST",
                "uri": f"${{{backend}}}",
            },
        }
    return {"openapi": "3.0.1", "info": {"title": title, "version": "1"}, "paths": paths}


def fill_openapi(document: Mapping[str, Any], uris: Mapping[str, str]) -> str:
    """The document as JSON, each `${backend}` replaced by that backend's integration URI."""
    return _PLACEHOLDER.sub(lambda match: uris[match[1]], _as_json(document))


def unqualified(function_arn: str) -> tuple[str, str | None]:
    """A function's ARN, and the version or alias that it named, if any."""
    parts = function_arn.split(":")
    return ":".join(parts[:7]), ":".join(parts[7:]) or None


def invocation_uri(function_arn: str) -> str:
    """The URI by which API Gateway invokes a function, in the function's own partition and region.

    API Gateway API reference, `PutIntegration`, `uri`.
    """
    _, partition, _, region, *_ = function_arn.split(":")
    service = f"arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions"
    return f"{service}/{function_arn}/invocations"
