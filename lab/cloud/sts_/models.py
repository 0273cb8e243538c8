"""STS's backend: moto's, with what AssumeRole refuses (moto's form).

"AssumeRole" (AWS STS API Reference); "The confused deputy problem" (IAM User Guide) for the
external id. Not modelled: session policies and tags, MFA, web identities, SAML.
"""

import json
import re
from typing import Any

from moto.core.errors import COMMON_ERROR_CODES
from moto.core.utils import utcnow
from moto.iam.models import Role, iam_backends
from moto.sts.exceptions import STSClientError, STSValidationError
from moto.sts.models import AssumedRole, STSBackend, sts_backends

from lab.cloud.callers import Caller
from lab.cloud.evaluation import Attempt, allows

SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
MIN_SECONDS, MAX_SECONDS, MAX_CHAINED_SECONDS = 900, 43_200, 3_600

# AWS answers with it although its model does not declare it; moto warns of such codes.
COMMON_ERROR_CODES.append("AccessDenied")


class Backend(STSBackend):
    """Sessions of the roles of one account."""

    def assume_role_as(self, who: Caller, request: dict[str, Any]) -> AssumedRole:
        """`request` in the API's words. Raises AccessDenied or ValidationError."""
        check_request(request)
        role_arn, seconds = request["RoleArn"], request.get("DurationSeconds", 3600)
        role = find_role(role_arn)
        if role is None or not admits(role, who, request.get("ExternalId")):
            raise STSClientError(
                "AccessDenied",
                f"User: {who.arn} is not authorized to perform: sts:AssumeRole on resource:"
                f" {role_arn}",
            )
        if who.role_arn and seconds > MAX_CHAINED_SECONDS:
            raise STSValidationError(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed"
                " by role chaining"
            )
        if seconds > int(role.max_session_duration or 3600):
            raise STSValidationError(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        return self.assume_role(
            region_name=self.region_name,
            role_session_name=request["RoleSessionName"],
            role_arn=role_arn,
            policy="",
            duration=seconds,
            external_id=request.get("ExternalId", ""),
        )


def find_role(role_arn: str) -> Role | None:
    """The role of that ARN in whichever account; None when there is none."""
    for account in list(iam_backends.values()):
        for role in list(account["aws"].roles.values()):
            if role.arn == role_arn:
                return role
    return None


def admits(role: Role, who: Caller, external_id: str | None) -> bool:
    """Whether the role's trust policy lets `who` assume it."""
    context = {"aws:PrincipalArn": who.role_arn or who.arn, "aws:PrincipalAccount": who.account_id}
    if external_id is not None:
        context["sts:ExternalId"] = external_id
    attempt = Attempt(action="sts:AssumeRole", aws=who.names, context=context)
    return allows(json.loads(role.assume_role_policy_document), attempt)


def check_request(request: dict[str, Any]) -> None:
    for key, pattern in (("RoleSessionName", SESSION_NAME), ("ExternalId", EXTERNAL_ID)):
        value = request.get(key, "" if key == "RoleSessionName" else None)
        if value is not None and not pattern.fullmatch(value):
            raise _constraint(value, key, f"satisfy regular expression pattern: {pattern.pattern}")
    seconds = request.get("DurationSeconds", 3600)
    if seconds < MIN_SECONDS:
        rule = f"have value greater than or equal to {MIN_SECONDS}"
        raise _constraint(seconds, "DurationSeconds", rule)
    if seconds > MAX_SECONDS:
        rule = f"have value less than or equal to {MAX_SECONDS}"
        raise _constraint(seconds, "DurationSeconds", rule)


def _constraint(value: object, key: str, rule: str) -> STSValidationError:
    path = key[0].lower() + key[1:]
    return STSValidationError(
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        f"Member must {rule}"
    )


def session_fault(access_key_id: str, session_token: str) -> tuple[str, str] | None:
    """Why a session's key is not accepted (code, message); None for any other key or a good one."""
    for account in list(sts_backends.values()):
        session = account["aws"].get_assumed_role_from_access_key(access_key_id)
        if session is None:
            continue
        if session.session_token != session_token:
            return "InvalidClientTokenId", "The security token included in the request is invalid."
        if session.expiration <= utcnow():
            return "ExpiredToken", "The security token included in the request is expired"
    return None
