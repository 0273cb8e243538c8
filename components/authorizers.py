"""Who says who may call an API, and what such an authorizer must know of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from components.api_authorizer import CertificateHeader, check_unsecured
from components.caller_policies import check_cacheable
from components.jwt_authorizer import ExistingAuthorizerArgs, JwtAuthorizerArgs
from components.routes import route_names

AuthorizerArgs = JwtAuthorizerArgs | ExistingAuthorizerArgs

STAGE_NAME = "live"


def complete_authorizer(
    field: str,
    args: AuthorizerArgs,
    routes: Mapping[str, str],
    openapi: Mapping[str, Any] | None,
    stage_name: str = STAGE_NAME,
) -> AuthorizerArgs:
    """The authorizer with the routes of its API, of which `openapi` is the document if it has one.

    Raises ValueError naming `field` for scopes of a route that is not there and for answers that
    must not be remembered; and for a document that says itself who may call.
    """
    if openapi is not None:
        check_unsecured(openapi)
    if isinstance(args, ExistingAuthorizerArgs):
        return args
    known: Sequence[str] = route_names(routes, openapi)
    try:
        complete = replace(args, routes=known)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error
    if args.cache_ttl_seconds:
        check_cacheable(f"{field}: cache_ttl_seconds", known, args.scopes, stage_name)
    return complete


def check_certificate_header(args: AuthorizerArgs, header: CertificateHeader) -> None:
    """Refuse a header that the authorizer does not read. Raises ValueError."""
    if isinstance(args, ExistingAuthorizerArgs):
        return
    want = "X-Client-Cert" if args.passthrough else "X-Client-Cert-Leaf"
    if header != want:
        raise ValueError(
            f"certificate_header: want {want!r}, which the authorizer "
            f"{'verifies' if args.passthrough else 'takes as verified'}; got {header!r}"
        )
