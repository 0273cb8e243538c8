"""What a request must pass before it is integrated: quotas, policies, the method's authorization.

Each check raises Refused with AWS's answer.
"""

import json
import logging
import re
from typing import Any

from lab.wire import signature
from lab.wire.exchange import Refusal, Refused
from lab.wire.functions import NotModelledError
from lab.wire.messages import Request
from lab.wire.openapi import Deployment, Method
from lab.wire.policy import Call, Decision, evaluate

MAX_HEADER_BYTES = 8_000
"""All header names and values ("Quotas for configuring and running a REST API": private APIs)."""
MAX_URL_CHARACTERS = 8_192
MAX_PAYLOAD_BYTES = 10 * 1024 * 1024

TOO_LONG = Refusal.of(
    "REQUEST_TOO_LARGE", 413, "RequestEntityTooLargeException", "Request Too Long"
)
_URI_TOO_LONG = Refusal.of(None, 414, "RequestUriTooLongException", "Request URI Too Long")
_HEADERS_TOO_LARGE = Refusal.of(
    None, 431, "RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large"
)
_MISSING_TOKEN = Refusal.of(
    "MISSING_AUTHENTICATION_TOKEN",
    403,
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
)
_NO_API_KEY = Refusal.of("INVALID_API_KEY", 403, "ForbiddenException", "Forbidden")
AUTHORIZER_UNUSABLE = Refusal(
    response_type="AUTHORIZER_CONFIGURATION_ERROR",
    status=500,
    error_type="AuthorizerConfigurationException",
    message=None,
    body='{"message":null}',
)
_DEFAULT_STATEMENT = {"Action": "*", "Effect": "Allow", "Principal": "*", "Resource": "*"}
_log = logging.getLogger(__name__)


def check_size(request: Request) -> None:
    """The quotas of a request.

    AWS gives the limits and not the answers; 431 and 414 are what HTTP has for them.
    """
    if len(request.target) > MAX_URL_CHARACTERS:
        raise Refused(_URI_TOO_LONG)
    if sum(len(name) + len(value) for name, value in request.headers) > MAX_HEADER_BYTES:
        raise Refused(_HEADERS_TOO_LARGE)
    if len(request.body) > MAX_PAYLOAD_BYTES:
        raise Refused(TOO_LONG)


def check_endpoint_policy(policy: Any, call: Call, request: Request, method: Method | None) -> None:
    """The endpoint's own policy, evaluated first ("Use VPC endpoint policies for private APIs").

    With any other than the default policy, API Gateway wants to know who calls: unless an
    authorizer reads it, an Authorization header is then taken for an AWS signature.
    """
    decides_itself = method is not None and method.authorization not in ("NONE", "AWS_IAM")
    if not _is_default(policy) and not decides_itself:
        refusal = signature.refusal_of(request)
        if refusal:
            raise Refused(refusal)
    check_policy(policy, call, "VPC endpoint")


def check_policy(policy: Any, call: Call, policy_kind: str) -> None:
    """One policy, where nothing but an explicit allow lets an anonymous caller in; None allows
    nothing.
    """
    decision = Decision(allowed=False, explicit_deny=False)
    if policy is not None:
        decision = evaluate(policy, call)
    if not decision.allowed:
        raise Refused(_denied(decision, call, policy_kind))


def _is_default(policy: Any) -> bool:
    """Whether a policy is the one an endpoint has when none was given."""
    statements = policy.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    return [
        {
            name: value[0] if isinstance(value, list) and len(value) == 1 else value
            for name, value in statement.items()
            if name != "Sid"
        }
        for statement in listed
    ] == [_DEFAULT_STATEMENT]


def check_resource_policy(deployment: Deployment, call: Call) -> None:
    """The API's policy as deployed ("How API Gateway resource policies affect authorization
    workflow").
    """
    check_policy(deployment.policy, call, "resource-based")


def _denied(decision: Decision, call: Call, policy_kind: str) -> Refusal:
    """IAM's wording ("Troubleshoot access denied error messages"), with the account masked and the
    key "Message" as API Gateway sends it.
    """
    arn = re.sub(r":\d{8}(\d{4}):", r":********\1:", call.resource, count=1)
    text = f"User: anonymous is not authorized to perform: {call.action} on resource: {arn} "
    if decision.explicit_deny:
        text += f"with an explicit deny in a {policy_kind} policy"
    else:
        text += f"because no {policy_kind} policy allows the {call.action} action"
    return Refusal(
        response_type="ACCESS_DENIED",
        status=403,
        error_type="AccessDeniedException",
        message=text,
        body=json.dumps({"Message": text}, separators=(",", ":")),
    )


def authorize(request: Request, method: Method) -> None:
    """The method's own authorization. A REQUEST authorizer is asked next, in `authorization`; a
    method that wants another kind is closed.
    """
    if method.api_key_required:
        raise Refused(_NO_API_KEY)
    if method.validated:
        raise NotModelledError(f"request validator of {method.resource_path}")
    if method.authorization == "AWS_IAM":
        raise Refused(unsigned(request))
    if method.authorization != "NONE" and method.authorizer is None:
        _log.error("%s: authorizer %r is not modelled", method.resource_path, method.authorization)
        raise Refused(AUTHORIZER_UNUSABLE)


def unsigned(request: Request) -> Refusal:
    """The answer where only a signed request could be let in, and where nothing is deployed: an
    Authorization header sent there is read as a signature too.
    """
    return signature.refusal_of(request) or _MISSING_TOKEN
