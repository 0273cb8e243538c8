"""Who may discover an endpoint service and connect to it.

"Manage permissions" (AWS PrivateLink); "ModifyVpcEndpointServicePermissions" (Amazon EC2 API
Reference): account, user and role ARNs, or `*`. A permission that goes ends no connection.
"""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from moto.ec2.exceptions import EC2ClientError

from lab.cloud.ec2.endpoint_services import EndpointServiceBackend

TYPES = {"root": "Account", "user": "User", "role": "Role"}
PRINCIPAL = re.compile(r"arn:aws:iam::\d{12}:(?:(root)|(user|role)/[\w+=,.@/-]+)")


def _permission_id() -> str:
    return f"vpce-svc-perm-{secrets.token_hex(9)[:17]}"


@dataclass(frozen=True)
class Permission:
    """Serialised by its attributes' names, as AllowedPrincipal or as AddedPrincipal."""

    service_id: str
    principal: str
    principal_type: str
    service_permission_id: str = field(default_factory=_permission_id)


class ServicePermissionBackend(EndpointServiceBackend):
    """The permissions of one account's endpoint services."""

    def modify_service_permissions(
        self, service_id: str, added: Iterable[str], removed: Iterable[str]
    ) -> list[Permission]:
        """The permissions that are new. Raises InvalidPrincipal; all principals or none."""
        service = self.endpoint_service(service_id)
        new = [
            Permission(service_id, principal, principal_type(principal))
            for principal in dict.fromkeys(added)
            if principal not in service.permissions
        ]
        for principal in removed:
            principal_type(principal)
        for principal in removed:
            service.permissions.pop(principal, None)
        service.permissions.update({each.principal: each for each in new})
        return new


def principal_type(principal: str) -> str:
    """The PrincipalType. Raises InvalidPrincipal."""
    if principal == "*":
        return "All"
    match = PRINCIPAL.fullmatch(principal)
    if match is None:
        raise EC2ClientError("InvalidPrincipal", f"Invalid Principal: '{principal}'")
    return TYPES[match[1] or match[2]]
