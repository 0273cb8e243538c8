"""Changes of who may call, and what the engine does to which resource for each."""

from typing import Any

NEW_DEFINITION = {
    "api-rest-api": "update",
    "api-policy": "update",
    "api-stage-deployment": "replace",
    "api-stage-live": "update",
}
NEW_RULES = {"api-authorizer-jwt-function": "update"}
"""For the authorizer, which has them in its package."""
ACME = {"principals": ["444455556666"], "contact": "api@acme.example", "endpoints": ["$endpoint"]}
SIGNED = {**ACME, "certificateAuthority": "root-2026", "tokens": {"clientIds": ["acme"]}}
"""A customer as the dev stack has it, without and with a test certificate."""
SHOP = {"certificateAuthority": "root-2026", "tokens": {"clientIds": ["shop"]}}
"""A client as the dev stack has it."""
JWT = {
    "kind": "jwt",
    "issuer": "https://issuer.example.com",
    "audiences": ["https://api.example.com"],
    "algorithms": ["ES256"],
}
"""The authorizer as the dev stack has it."""

NO_AUTHORIZER = {
    "api-authorizer-jwt-function": "delete",
    "api-authorizer-jwt-logs": "delete",
    "api-authorizer-jwt-execution-role": "delete",
    "api-authorizer-jwt-execution-policy": "delete",
    "api-authorizer-permission": "delete",
}

TRUST_STORE = (
    *("trust-store", "trust-bundle", "trust-bundles-bucket", "trust-bundles-versioning"),
    *("trust-bundles-encryption", "trust-bundles-public-access", "trust-bundles-ownership"),
    "trust-bundles-policy",
)
CALLER_CHANGES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a blocked certificate, and a customer whose tokens need not be bound": (
        {
            "mtls:clients": {"shop": {**SHOP, "certificates": {"blocked": ["ab" * 32]}}},
            "mtls:customers": {"acme": {**SIGNED, "binding": "optional"}},
        },
        NEW_RULES,
    ),
    "other tokens, and a larger authorizer": (
        {
            "mtls:authorizer": {
                **JWT,
                "audiences": ["https://api.example.org"],
                "scopes": {"GET /widgets": ["widgets.read"]},
                "memoryMb": 1024,
            }
        },
        NEW_RULES,
    ),
    "answers of the authorizer that are not remembered": (
        {"mtls:authorizer": {**JWT, "cacheTtlSeconds": 0}},
        NEW_DEFINITION,
    ),
    "an authorizer of one's own": (
        {
            "mtls:authorizer": {
                "kind": "bring-your-own",
                "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:there",
            }
        },
        {**NO_AUTHORIZER, "api-authorizer-permission": "replace", **NEW_DEFINITION},
    ),
    "no authorizer": (
        {"mtls:authorizer": {"kind": "none"}},
        {**NO_AUTHORIZER, **NEW_DEFINITION},
    ),
    "certificates that the authorizer verifies": (
        {"mtls:mutualAuthentication": "passthrough"},
        {
            "front-https": "update",
            **dict.fromkeys(TRUST_STORE, "delete"),
            **NEW_DEFINITION,
            **NEW_RULES,
        },
    ),
}
"""As in `changes.CHANGES`."""
