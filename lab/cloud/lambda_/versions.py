"""Published versions, aliases, and the resource policy that each of them has of its own.

"Manage Lambda function versions", "Create an alias for a Lambda function", "Improving startup
performance with Lambda SnapStart" (Developer Guide): a version never changes, is not published
again while nothing has changed, and with SnapStart is pending until its snapshot is taken, which
here is when it is next looked at. Not modelled: routing between two versions, deletion of one
version.
"""

import re
from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import LambdaAlias
from moto.awslambda.policy import Policy

from lab.cloud.lambda_.exceptions import InvalidParameterValueException, invalid_value

LATEST = "$LATEST"
ALIAS = re.compile(r"(?!^[0-9]+$)([a-zA-Z0-9-_]{1,128})")
APPLY_ON = ("PublishedVersions", "None")
MAX_SNAP_START_STORAGE_MB = 512
SNAP_START_SINCE = {"java": 11, "python3.": 12, "dotnet": 8}
"""The first release of each runtime that has SnapStart."""


def check_snap_start(apply_on: str, runtime: str, storage_mb: int) -> None:
    """Raises for what SnapStart does not go with ("Supported features and limitations"). The words
    on storage are not AWS's own.
    """
    if apply_on not in APPLY_ON:
        wanted = f"Member must satisfy enum value set: [{', '.join(APPLY_ON)}]"
        raise invalid_value("snapStart.applyOn", apply_on, wanted)
    if apply_on == "None":
        return
    match = re.fullmatch(r"(java|python3\.|dotnet)(\d+)(\..*)?", runtime)
    if match is None or int(match[2]) < SNAP_START_SINCE[match[1]]:
        raise InvalidParameterValueException(
            f"{runtime} is not supported for SnapStart enabled functions."
        )
    if storage_mb > MAX_SNAP_START_STORAGE_MB:
        raise InvalidParameterValueException(
            f"EphemeralStorage of more than {MAX_SNAP_START_STORAGE_MB} MB is not supported for"
            " SnapStart enabled functions."
        )


class VersionBackend:
    """Overrides moto's."""

    _lambdas: Any

    def split(self, name: str, qualifier: str | None = None) -> tuple[str, str | None]:
        """The function's plain name and what qualifies it: `name`, `name:1`, or an ARN of these."""
        plain, _, inside = name.rpartition(":function:")[2].partition(":")
        return plain, inside or qualifier

    def publish_version(self, function_name: str, description: str = "") -> Any:
        return self.publish(self._changeable(function_name), description)  # type: ignore[attr-defined]

    def publish(self, function: Any, description: str = "") -> Any:
        """A version of the function as it is; the last one if nothing has changed since."""
        if function.published and function.published.source_revision == function.revision_id:
            return function.published
        function.code_or_config_updated = True  # moto notices fewer changes
        version = self._lambdas.publish_version(function.function_name, description)
        version.source_revision = function.revision_id
        version.last_update_status = "Successful"
        version.state = "Pending" if function.snap_start == "PublishedVersions" else "Active"
        function.published = version
        return version

    def create_alias(
        self,
        name: str,
        function_name: str,
        function_version: str,
        description: str,
        routing_config: Any,
    ) -> LambdaAlias:
        if not ALIAS.fullmatch(name):
            raise invalid_value(
                "name",
                name,
                "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
            )
        refuse_routing(routing_config)
        return super().create_alias(  # type: ignore[misc]
            name, function_name, function_version, description, routing_config
        )

    def update_alias(
        self,
        name: str,
        function_name: str,
        function_version: str | None,
        description: str,
        routing_config: Any,
    ) -> LambdaAlias:
        refuse_routing(routing_config)
        version = function_version or self.get_alias(name, function_name).function_version  # type: ignore[attr-defined]
        return super().update_alias(  # type: ignore[misc]
            name, function_name, version, description, routing_config
        )

    def delete_alias(self, name: str, function_name: str) -> None:
        """Its policy goes with it."""
        plain, _ = self.split(function_name)
        self.get_function(plain).qualified_policies.pop(name, None)  # type: ignore[attr-defined]
        super().delete_alias(name, plain)  # type: ignore[misc]

    def policy_of(self, function_name: str, qualifier: str | None) -> tuple[Policy, str | None]:
        """The policy of a function, or of its version or alias, which it then names too."""
        name, qualifier = self.split(function_name, qualifier)
        function = self.get_function(name)  # type: ignore[attr-defined]
        if qualifier in (None, LATEST):
            return function.policy, None
        self.get_function(name, qualifier)  # type: ignore[attr-defined]
        return function.qualified_policies.setdefault(qualifier, Policy(function)), qualifier

    def get_policy(self, function_name: str, qualifier: str | None = None) -> str:
        return self.policy_of(function_name, qualifier)[0].wire_format()


def refuse_routing(routing_config: Mapping[str, Any] | None) -> None:
    if routing_config:
        raise NotImplementedError("an alias with a RoutingConfig")
