"""Stages: which deployment they serve, logging, throttling, tracing, variables.

"Set up CloudWatch logging for REST APIs", "Amazon API Gateway quotas" (Developer Guide);
"UpdateStage" in "Patch Operations" (API Reference). Not modelled: caches, canaries, client
certificates, documentation versions.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from moto.apigateway.models import Stage as MotoStage

from lab.cloud.apigateway.exceptions import BadRequestException
from lab.cloud.apigateway.patches import (
    Patch,
    apply_to_fields,
    boolean,
    integer,
    invalid_path,
    pointer,
    text,
)

MAX_FORMAT_BYTES = 3 * 1024
REQUEST_ID = re.compile(r"\$context\.(requestId|extendedRequestId)\b")
LOG_GROUP_ARN = re.compile(r"arn:aws:logs:([a-z0-9-]+):(\d{12}):(.*)", re.DOTALL)
LOG_GROUP = re.compile(r"log-group:[a-zA-Z0-9_/.-]+")
LOG_LEVELS = ("OFF", "ERROR", "INFO")
NOT_MODELLED = ("cacheClusterEnabled", "cacheClusterSize", "canarySettings", "clientCertificateId")


def number(patch: Patch) -> float:
    try:
        return float(patch["value"])
    except ValueError:
        raise BadRequestException(
            f"Invalid number value '{patch['value']}' for path '{patch['path']}'"
        ) from None


METHOD_SETTINGS: dict[str, tuple[str, Callable[[Patch], Any]]] = {
    "metrics/enabled": ("metricsEnabled", boolean),
    "logging/dataTrace": ("dataTraceEnabled", boolean),
    "logging/loglevel": ("loggingLevel", text),
    "throttling/burstLimit": ("throttlingBurstLimit", integer),
    "throttling/rateLimit": ("throttlingRateLimit", number),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", integer),
    "caching/enabled": ("cachingEnabled", boolean),
    "caching/dataEncrypted": ("cacheDataEncrypted", boolean),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", boolean),
    "caching/unauthorizedCacheControlHeaderStrategy": (
        "unauthorizedCacheControlHeaderStrategy",
        text,
    ),
}
FIELDS: dict[str, tuple[str, Callable[[Patch], Any]]] = {
    "/description": ("description", text),
    "/deploymentId": ("deployment_id", text),
    "/tracingEnabled": ("tracing_enabled", boolean),
}
PATHS = (
    *FIELDS,
    "/accessLogSettings",
    "/accessLogSettings/destinationArn",
    "/accessLogSettings/format",
    "/variables/...",
    "/{resourcePath}/{httpMethod}/...",
)


class Stage(MotoStage):
    """Every patch is checked; logging needs the account's CloudWatch role."""

    method_settings: dict[str, dict[str, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.created_date = self.updated_date = int(time.time())
        self.tracing_enabled = bool(self.tracing_enabled)

    def to_json(self) -> dict[str, Any]:
        answer = super().to_json()
        answer |= {"createdDate": self.created_date, "lastUpdatedDate": self.updated_date}
        return {name: value for name, value in answer.items() if value is not None}

    def apply_operations(self, patch_operations: list[dict[str, Any]]) -> "Stage":
        for patch in patch_operations:
            self._apply(patch)
        self.updated_date = int(time.time())
        return self

    def _apply(self, patch: Patch) -> None:
        parts = pointer(patch["path"])
        if parts[0] in NOT_MODELLED:
            raise NotImplementedError(f"UpdateStage of {patch['path']}")
        if parts[0] == "accessLogSettings":
            self._apply_to_access_log(patch, parts)
        elif parts[0] == "variables" and len(parts) == 2:
            apply_to_fields(self, [patch], {}, {"variables": ("variables", text)})
        elif len(parts) in (2, 4):
            self._apply_to_method_settings(patch, parts)
        elif patch["path"] in FIELDS and patch["op"] == "replace":
            attribute, read = FIELDS[patch["path"]]
            setattr(self, attribute, read(patch))
        else:
            raise invalid_path(patch, PATHS)

    def _apply_to_access_log(self, patch: Patch, parts: list[str]) -> None:
        if parts[1:] == [] and patch["op"] == "remove":
            self.access_log_settings = None
        elif parts[1:] in (["destinationArn"], ["format"]) and patch["op"] == "replace":
            log = self.access_log_settings or {}
            self.access_log_settings = {**log, parts[1]: patch["value"]}
        else:
            raise invalid_path(patch, PATHS)

    def _apply_to_method_settings(self, patch: Patch, parts: list[str]) -> None:
        """`/{path}/{method}/logging/loglevel`; `/{path}/{method}` removes all of a method's."""
        resource = parts[0] if parts[0] == "/" else parts[0].removeprefix("/")
        method = f"{resource.replace('/', '~1')}/{parts[1]}"
        if len(parts) == 2 and patch["op"] == "remove":
            self.method_settings.pop(method, None)
            return
        setting = "/".join(parts[2:])
        if setting not in METHOD_SETTINGS or patch["op"] != "replace":
            known = [f".../{each}" for each in METHOD_SETTINGS]
            raise BadRequestException(
                f"Invalid method setting path: {setting}. Must be one of: [{', '.join(known)}]"
            )
        name, read = METHOD_SETTINGS[setting]
        value = read(patch)
        if name == "loggingLevel" and value not in LOG_LEVELS:
            raise BadRequestException(
                f"Invalid logging level '{value}'. Must be one of: [{', '.join(LOG_LEVELS)}]"
            )
        defaults = default_method_settings()
        self.method_settings.setdefault(method, defaults)[name] = value

    @property
    def logs(self) -> bool:
        levels = [each["loggingLevel"] for each in self.method_settings.values()]
        return bool(self.access_log_settings) or any(level != "OFF" for level in levels)


def default_method_settings() -> dict[str, Any]:
    """What a method's settings are until they are set; the throttling limits are the account's."""
    return {
        "metricsEnabled": False,
        "loggingLevel": "OFF",
        "dataTraceEnabled": False,
        "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0,
        "cachingEnabled": False,
        "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": False,
        "requireAuthorizationForCacheControl": True,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    }


def check_access_log(
    settings: dict[str, Any], log_groups: Callable[[str, str], Iterable[str]]
) -> None:
    """Raises BadRequestException unless access logs can be written as `settings` say.

    `log_groups(account_id, region)`: names of the log groups there.
    """
    match = LOG_GROUP_ARN.fullmatch(settings.get("destinationArn", ""))
    if match is None:
        raise BadRequestException("Invalid ARN specified in the request")
    region, account_id, resource = match.groups()
    if not LOG_GROUP.fullmatch(resource):
        raise BadRequestException(
            "Access log destination must only contain characters a-z, A-Z, 0-9, '_', '-', '/', '.':"
            f" '{resource}'"
        )
    if resource.removeprefix("log-group:") not in log_groups(account_id, region):
        raise BadRequestException("The specified log group does not exist.")
    log_format = settings.get("format", "")
    if not REQUEST_ID.search(log_format):
        raise BadRequestException(
            "Access log format must contain at least one of: $context.requestId,"
            " $context.extendedRequestId"
        )
    if len(log_format.encode()) > MAX_FORMAT_BYTES:
        raise BadRequestException(
            f"Access log format is too long: the limit is {MAX_FORMAT_BYTES} bytes"
        )
    if "\n" in log_format.rstrip("\n"):
        raise BadRequestException(
            "Access log format must be single line, new line character is allowed only at end of"
            f" the format: {log_format}"
        )
