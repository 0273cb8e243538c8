"""A request's way from event to answer, every part of it given."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from authorizer import logs
from authorizer.certificates import Checked, Identity, only_value
from authorizer.errors import ForbiddenError
from authorizer.memory import Memory
from authorizer.policy import DENY, Policies, Statement
from authorizer.request import Request, read
from authorizer.tenants import Tenants, check_binding
from authorizer.tokens import Token, TokenVerifier

REMEMBERED_CERTIFICATES = 256

Answer = dict[str, Any]

_NOBODY = "unknown"


class _Known(NamedTuple):
    """A certificate that was looked at before, and the tenants whose rules it fits."""

    identity: Identity
    tenants: frozenset[str]
    blocked: bool
    since: float
    until: float


class Authorizer:
    """`check` looks at the value of the header `certificate_header`; `clock` is seconds of the
    epoch. All may be asked by several threads at once.
    """

    def __init__(
        self,
        *,
        certificate_header: str,
        check: Callable[[str, float], Checked],
        tokens: TokenVerifier,
        tenants: Tenants,
        policies: Policies,
        clock: Callable[[], float],
    ) -> None:
        self._header = certificate_header
        self._check = check
        self._tokens = tokens
        self._tenants = tenants
        self._policies = policies
        self._clock = clock
        self._certificates: Memory[str, _Known] = Memory(REMEMBERED_CERTIFICATES)

    def answer(self, event: object) -> Answer:
        """The policy for one event. Raises UnauthorizedError for what is to be a 401."""
        request = read(event, self._header)
        now = self._clock()
        token = self._tokens.verify(request.token, now)
        context = {"subject": token.subject, "clientId": token.client_id, "keyId": token.key_id}
        try:
            return self._rule(request, token, now, context)
        except ForbiddenError as error:
            return _deny(request, context, error.reason)

    def _rule(self, request: Request, token: Token, now: float, context: dict[str, str]) -> Answer:
        """Fills `context` as it learns more, so that a denial says as much as is known."""
        certificate = self._certificate(request, now, context)
        tenant = self._tenants.resolve(certificate.tenants, token)
        context["tenant"] = tenant.name
        if tenant.blocked or certificate.blocked:
            raise ForbiddenError("tenant_blocked" if tenant.blocked else "certificate_blocked")
        check_binding(tenant, token, certificate.identity)
        ruling = self._policies.rule(request.call, token.scopes)
        if not ruling.may:
            return _deny(request, context, "insufficient_scope", ruling.statements)
        return _answer(tenant.name, ruling.statements, context)

    def _certificate(self, request: Request, now: float, context: dict[str, str]) -> _Known:
        value = only_value(request.certificates)
        known = self._certificates.get(value)
        if known is None or not known.since <= now < known.until:
            checked = self._check(value, now)
            identity = checked.identity
            _describe(identity, context)
            known = _Known(
                identity=identity,
                tenants=self._tenants.of_certificate(identity),
                blocked=self._tenants.blocks(identity),
                since=checked.since,
                until=checked.until,
            )
            self._certificates.put(value, known)
        _describe(known.identity, context)
        return known


def _describe(identity: Identity, context: dict[str, str]) -> None:
    context["certificateThumbprint"] = identity.thumbprint
    context["certificateSerial"] = identity.serial_hex


def _answer(principal: str, statements: Sequence[Statement], context: dict[str, str]) -> Answer:
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
        "context": context,
    }


def _deny(
    request: Request,
    context: dict[str, str],
    reason: str,
    statements: Sequence[Statement] = DENY,
) -> Answer:
    """With `statements`, a caller who may call other routes, if not this one: the answer stays
    right for those when it is cached, and then `reason` is that of the first call.
    """
    context["reason"] = reason
    logs.warning("denied", requestId=request.request_id, **context)
    return _answer(context.get("tenant", _NOBODY), statements, context)
