"""Lambda authorizers of type REQUEST: whom to ask, what to remember, and what the answer means.

"Use API Gateway Lambda authorizers", "Input to …" and "Output from an API Gateway Lambda
authorizer" (Developer Guide). Answers are remembered per stage, authorizer and values of the
identity sources, whoever asks for whatever path: each request is judged by the policy remembered. A
new deployment forgets none, unless it changes the identity sources.

An authorizer that cannot be invoked, times out, fails with another error than "Unauthorized", or
answers with what API Gateway does not accept is AUTHORIZER_CONFIGURATION_ERROR: what AWS answers to
errors and to unusable answers, and taken for the others, on which it says nothing. Stricter than
AWS says: an answer with an unknown member and a policy with a Principal are not accepted. Not
modelled: FlushStageAuthorizersCache, an authorizer's usage identifier keys.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.wire.admission import AUTHORIZER_UNUSABLE
from lab.wire.aws import Accounts
from lab.wire.exchange import Exchange, Refusal, Refused
from lab.wire.functions import Functions, NotModelledError, PayloadTooLargeError, ThrottledError
from lab.wire.openapi import Authorizer, Route
from lab.wire.permission import may_invoke
from lab.wire.policy import Call, Decision, PolicyError, evaluate
from lab.wire.proxy_event import authorizer_event_of
from lab.wire.selection import Selected

TIMEOUT_SECONDS = 29.0
"""How long API Gateway waits for an authorizer: as for an integration, as AWS names no other."""
MAX_ANSWER_BYTES = 8 * 1024
"""Of an authorizer's answer ("Amazon API Gateway quotas": authorizer result size)."""
MAX_RESOURCE_CHARACTERS = 512

_MEMBERS = {"principalId", "policyDocument", "context", "usageIdentifierKey"}
_UNAUTHORIZED = Refusal.of("UNAUTHORIZED", 401, "UnauthorizedException", "Unauthorized")
_log = logging.getLogger(__name__)


class _UnusableError(Exception):
    """Why an authorizer could not be asked, or its answer not be used."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What an authorizer said: who calls, what this caller may do, and the context as text."""

    principal_id: str
    policy: Mapping[str, Any]
    context: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Question:
    """Whether a request may pass: its method, whom to ask, and what the policy must allow."""

    exchange: Exchange
    selected: Selected
    route: Route
    authorizer: Authorizer
    call: Call


class Authorizers:
    """Asks the authorizers of every API, and remembers what they answered."""

    def __init__(self, accounts: Accounts, functions: Functions) -> None:
        self._accounts = accounts
        self._functions = functions
        self._remembered: dict[tuple[Any, ...], tuple[float, _Answer]] = {}
        self._lock = threading.Lock()

    def authorize(
        self,
        exchange: Exchange,
        selected: Selected,
        route: Route,
        authorizer: Authorizer,
        call: Call,
    ) -> None:
        """Lets the `call` pass or raises Refused; tells the exchange who calls."""
        context, started = exchange.context, time.monotonic()
        question = _Question(
            exchange=exchange, selected=selected, route=route, authorizer=authorizer, call=call
        )
        try:
            answer, asked_ms = self._answer(question)
            decision = _judged(answer, call)
        except _UnusableError as error:
            context |= {"authorizer.status": 500, "authorizer.error": str(error)}
            _log.error("authorizer %s of %s: %s", authorizer.name, selected.api["id"], error)
            raise Refused(AUTHORIZER_UNUSABLE) from None
        finally:
            context["authorizer.latency"] = _milliseconds_since(started)
        context["authorizer.status"] = 200
        _tell(exchange, answer, asked_ms)
        context["authorize.status"] = 200 if decision.allowed else 403
        if not decision.allowed:
            context["authorize.error"] = "The client is not authorized to perform this operation."
            raise Refused(_denied(decision))

    def _answer(self, question: _Question) -> tuple[_Answer, int]:
        """The answer remembered or got, and how long the function took, in milliseconds.

        With the cache on, each identity source must have a value: the function is not asked else.
        """
        exchange, authorizer = question.exchange, question.authorizer
        if not authorizer.ttl_seconds:
            return self._asked(question)
        values = tuple(exchange.mapped(source) for source in authorizer.identity_sources)
        if not all(values):
            raise _unauthorized(exchange)
        selected = question.selected
        stage = (selected.api["id"], selected.stage_name)
        key = (*stage, authorizer.name, authorizer.identity_sources, values)
        expires, known = self._remembered.get(key, (0.0, None))
        if known and time.monotonic() < expires:
            return known, 0
        answer, asked_ms = self._asked(question)
        self._remember(key, answer, authorizer.ttl_seconds)
        return answer, asked_ms

    def _remember(self, key: tuple[Any, ...], answer: _Answer, seconds: int) -> None:
        now = time.monotonic()
        with self._lock:
            held = {k: entry for k, entry in self._remembered.items() if entry[0] > now}
            self._remembered = {**held, key: (now + seconds, answer)}

    def _asked(self, question: _Question) -> tuple[_Answer, int]:
        exchange, authorizer = question.exchange, question.authorizer
        if authorizer.credentials:
            raise NotModelledError("an authorizer that is invoked with a role")
        function_arn = exchange.function_arn(authorizer.uri)
        if function_arn is None:
            raise _UnusableError(f"{authorizer.uri} names no function")
        started = time.monotonic()
        try:
            self._check_permission(question.selected, authorizer, function_arn)
            result = self._functions.invoke(function_arn, _event(question), TIMEOUT_SECONDS)
        except (ClientError, LookupError, PolicyError) as error:
            raise _UnusableError(f"cannot be invoked: {error}") from None
        except (TimeoutError, ThrottledError, PayloadTooLargeError) as error:
            raise _UnusableError(f"invocation failed: {type(error).__name__}") from None
        asked_ms = _milliseconds_since(started)
        exchange.context |= {
            "authorizer.requestId": result.request_id,
            "authorizer.integrationLatency": asked_ms,
            "authorizer.integrationStatus": 200,
        }
        if result.function_error:
            if result.payload.get("errorMessage") == "Unauthorized":
                raise _unauthorized(exchange)
            raise _UnusableError("Lambda execution failed due to customer function error")
        answer = _accepted(result.payload)
        _judged(answer, question.call)  # a policy that cannot be judged is not remembered
        return answer, asked_ms

    def _check_permission(
        self, selected: Selected, authorizer: Authorizer, function_arn: str
    ) -> None:
        """By the function's resource policy ("ARN format reference for API Gateway")."""
        id_ = selected.deployments.authorizer_id(selected.api["id"], authorizer.name)
        source_arn = f"{selected.api_arn}/authorizers/{id_}"
        if not may_invoke(self._accounts, function_arn, "apigateway.amazonaws.com", source_arn):
            raise _UnusableError(
                f"Invalid permissions on Lambda function {function_arn} for {source_arn}"
            )


def _event(question: _Question) -> dict[str, Any]:
    selected, path = question.selected, question.route.resource_path
    resource_id = selected.deployments.resource_id(selected.api["id"], path)
    return authorizer_event_of(
        question.exchange, question.route, resource_id, question.call.resource
    )


def _milliseconds_since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _unauthorized(exchange: Exchange) -> Refused:
    exchange.context |= {"authorizer.status": 401, "authorizer.error": "Unauthorized"}
    return Refused(_UNAUTHORIZED)


def _tell(exchange: Exchange, answer: _Answer, asked_ms: int) -> None:
    """Puts the answer into `$context.authorizer`, where API Gateway's own variables win over what
    the answer calls the same, and into the event of the function behind.
    """
    told = {**answer.context, "principalId": answer.principal_id}
    exchange.context["authorizer.integrationLatency"] = asked_ms
    for name, value in told.items():
        exchange.context.setdefault(f"authorizer.{name}", value)
    exchange.authorizer = {**told, "integrationLatency": asked_ms}


def _accepted(payload: Any) -> _Answer:
    """Raises _UnusableError for what API Gateway does not take for an authorizer's answer."""
    if not isinstance(payload, dict) or not payload.keys() <= _MEMBERS:
        raise _UnusableError(f"wants an object of {sorted(_MEMBERS)}")
    if len(json.dumps(payload, separators=(",", ":")).encode()) > MAX_ANSWER_BYTES:
        raise _UnusableError(f"answer of more than {MAX_ANSWER_BYTES} bytes")
    principal_id, context = payload.get("principalId"), payload.get("context", {})
    if not isinstance(principal_id, str) or not principal_id:
        raise _UnusableError("principalId must be text")
    if not isinstance(context, dict) or not all(
        isinstance(value, str | int | float | bool) for value in context.values()
    ):
        raise _UnusableError("context must be a flat object of text, numbers and booleans")
    return _Answer(
        principal_id=principal_id,
        policy=_identity_policy(payload.get("policyDocument")),
        context={
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in context.items()
        },
    )


def _identity_policy(document: Any) -> dict[str, Any]:
    """The policy, with the caller for its principal, which an identity's policy does not name."""
    if not isinstance(document, dict) or not document.get("Statement"):
        raise _UnusableError("policyDocument must have a Statement")
    given = document["Statement"]
    statements = given if isinstance(given, list) else [given]
    for statement in statements:
        if not isinstance(statement, dict) or {"Principal", "NotPrincipal"} & statement.keys():
            raise _UnusableError("a statement must be an object without a Principal")
        resources = statement.get("Resource", [])
        for resource in resources if isinstance(resources, list) else [resources]:
            if len(str(resource)) > MAX_RESOURCE_CHARACTERS:
                raise _UnusableError(f"Resource of more than {MAX_RESOURCE_CHARACTERS} characters")
    return {**document, "Statement": [{**each, "Principal": "*"} for each in statements]}


def _judged(answer: _Answer, call: Call) -> Decision:
    try:
        return evaluate(answer.policy, call)
    except PolicyError as error:
        raise _UnusableError(f"policyDocument: {error}") from None


def _denied(decision: Decision) -> Refusal:
    text = "User is not authorized to access this resource"
    if decision.explicit_deny:
        text += " with an explicit deny in an identity-based policy"
    return Refusal(
        response_type="ACCESS_DENIED",
        status=403,
        error_type="AccessDeniedException",
        message=text,
        body=json.dumps({"Message": text}, separators=(",", ":")),
    )
