"""Whom the API takes a caller for: the clients and customers by certificate and token."""

from collections.abc import Mapping
from typing import Any, cast, get_args

import pulumi

from components import CertificateRules, Tenant
from components.tenants import Binding
from settings.reader import PROJECT, Reader, SettingError, choice, entry, flag, texts

KEYS = ("certificateAuthority", "certificates", "tokens", "binding", "blocked")
"""What a producer's client or customer says of itself, besides how it connects."""

NAMED = 10
"""How many a warning names."""

_RULES = {
    "issuers": "issuers",
    "subjects": "subjects",
    "sanDns": "sans_dns",
    "sanUri": "sans_uri",
    "thumbprints": "thumbprints",
}
_TOKENS = {"subjects": "token_subjects", "clientIds": "client_ids"}


def tenants(read: Reader) -> dict[str, Tenant]:
    """Each client and each customer by its name. Raises SettingError where both have one."""
    found: dict[str, Tenant] = {}
    for kind in ("clients", "customers"):
        for name, tenant in read.map(kind, _tenant).items():
            if name in found:
                raise SettingError(
                    f"{PROJECT}:{kind}.{name}: want a name of its own; "
                    f"got one that {PROJECT}:clients has"
                )
            found[name] = tenant
    return found


def described(rules: CertificateRules) -> dict[str, list[str]]:
    """As the settings say it, without what they leave out."""
    said = {key: list(getattr(rules, name)) for key, name in _RULES.items()}
    return {key: values for key, values in said.items() if values}


def check_known(tenants: Mapping[str, Tenant], kind_of: Mapping[str, str]) -> None:
    """Refuse a tenant with rules for its certificates and none for its tokens, or the reverse.

    Raises SettingError. `kind_of` says where each is set.
    """
    for name, tenant in tenants.items():
        certificates, tokens = bool(tenant.certificates), tenant.has_token_rules
        if certificates != tokens:
            want, example = "tokens", "{clientIds: [acme]}"
            if tokens:
                want, example = "certificates", "{subjects: ['CN=acme,O=Acme']}"
            raise SettingError(
                f"{PROJECT}:{kind_of[name]}.{name}.{want}: want rules such as {example}, since "
                f"a caller is known by both certificate and token; got none"
            )


def warn(tenants: Mapping[str, Tenant]) -> None:
    """Says in the preview who may connect and is refused by the API, having no rules at all."""
    unknown = [
        name
        for name, tenant in tenants.items()
        if not tenant.certificates and not tenant.has_token_rules
    ]
    if unknown:
        named = ", ".join(unknown[:NAMED])
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        pulumi.log.warn(
            f"{PROJECT}:clients, {PROJECT}:customers: {named}{more}: may connect, and the API "
            "refuses them, since no certificates and tokens of theirs are given"
        )


def _tenant(field: str, value: Any) -> Tenant:
    # What is no map, or has other keys, is refused where the way to connect is read.
    given = cast("dict[str, Any]", value if isinstance(value, dict) else {})
    keys = (*_RULES, "blocked")
    rules = entry(f"{field}.certificates", given.get("certificates"), keys, "{subjects: [CN=acme]}")
    tokens = entry(f"{field}.tokens", given.get("tokens"), _TOKENS, "{clientIds: [acme]}")
    known = {
        name: texts(f"{field}.certificates.{key}", rules[key], "['CN=acme,O=Acme']")
        for key, name in _RULES.items()
        if key in rules
    }
    if not known and "certificateAuthority" in given:
        known["subjects"] = (f"CN={field.rpartition('.')[2]}",)
    blocked = rules.get("blocked", [])
    return Tenant(
        certificates=CertificateRules(**known),
        binding=choice(f"{field}.binding", given.get("binding", "required"), get_args(Binding)),
        blocked=flag(f"{field}.blocked", given.get("blocked", False)),
        blocked_certificates=texts(f"{field}.certificates.blocked", blocked, "['5d41…']"),
        **{
            name: texts(f"{field}.tokens.{key}", tokens[key], "[acme]")
            for key, name in _TOKENS.items()
            if key in tokens
        },
    )
