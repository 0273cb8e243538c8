"""Which tenant: the certificate's, the token's, and that they agree."""

from typing import Any

import pytest
from cryptography import x509

from authorizer.certificates import Identity, identify
from authorizer.config import Tenant
from authorizer.errors import ForbiddenError, UnauthorizedError
from authorizer.tenants import Tenants, check_binding
from authorizer.tokens import Token
from tests.authorizer.certifying import ca, leaf, names
from tests.authorizer.issuing import parsed, rules, tenant

ROOT = ca("root")
OTHER_ROOT = ca("other")
ACME = identify(
    leaf(
        "acme",
        ROOT,
        names(x509.DNSName("api.acme.example"), x509.UniformResourceIdentifier("urn:acme")),
        serial=0xABC,
    ).certificate
)
# Of another authority, by the same name and serial number.
NAMESAKE = identify(leaf("acme", OTHER_ROOT, serial=0xABC).certificate)


def tenants(**found: dict[str, Any]) -> Tenants:
    return Tenants(parsed(tenants=found).tenants)


def says(subject: str = "", client_id: str = "", confirmation: str | None = None) -> Token:
    return Token(
        subject=subject,
        client_id=client_id,
        key_id="one",
        scopes=frozenset(),
        confirmation=confirmation,
        not_before=0,
        expires=1,
    )


def bound(binding: str) -> Tenant:
    (acme,) = parsed(tenants={"acme": tenant("acme", binding=binding)}).tenants
    return acme


def fits(identity: Identity, **changes: object) -> bool:
    """Beside a tenant that takes any of the certificates here."""
    every = rules(thumbprints=[ACME.thumbprint, NAMESAKE.thumbprint])
    found = tenants(
        acme=tenant("acme", certificates=rules(**changes)),
        every=tenant("every", certificates=every),
    )
    return "acme" in found.of_certificate(identity)


@pytest.mark.parametrize(
    "changes",
    [
        {"subjects": ["cn = acme"]},
        {"sanDns": ["API.acme.example"]},
        {"sanUri": ["urn:acme"]},
        {"thumbprints": [ACME.thumbprint.upper()]},
        {"subjects": ["CN=x"], "thumbprints": [ACME.thumbprint]},
        {"subjects": ["CN=x", "CN=acme"]},
        {"issuers": ["CN=x", "CN=root"], "subjects": ["CN=acme"]},
    ],
)
def test_a_certificate_fits_by_any_one_rule(changes: dict[str, object]):
    assert fits(ACME, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"subjects": ["CN=acme,O=x"]},
        {"subjects": ["CN=Acme"]},
        {"sanDns": ["*.acme.example"]},
        {"sanDns": ["acme.example"]},
        {"sanDns": ["urn:acme"]},
        {"sanUri": ["URN:acme"]},
        {"sanUri": ["api.acme.example"]},
        {"thumbprints": [NAMESAKE.thumbprint]},
        {"issuers": ["CN=other"], "subjects": ["CN=acme"]},
        {"issuers": ["CN=other"], "thumbprints": [ACME.thumbprint]},
    ],
)
def test_a_certificate_that_fits_no_rule_is_unknown(changes: dict[str, object]):
    assert not fits(ACME, **changes)
    with pytest.raises(ForbiddenError, match="certificate_unknown"):
        tenants(acme=tenant("acme", certificates=rules(**changes))).of_certificate(ACME)


def test_an_issuer_tells_namesakes_apart():
    by_issuer = {"issuers": ["CN=root"], "subjects": ["CN=acme"]}
    assert fits(ACME, **by_issuer)
    assert not fits(NAMESAKE, **by_issuer)


@pytest.mark.parametrize(
    "blocked",
    [ACME.thumbprint, ACME.thumbprint.upper(), "CN=root#ABC", "cn = root#00abc"],
    ids=["thumbprint", "in capitals", "serial number", "name in other words"],
)
def test_a_certificate_is_blocked_whoever_blocks_it(blocked: str):
    found = tenants(acme=tenant("acme"), globex=tenant("globex", blockedCertificates=[blocked]))
    assert found.blocks(ACME)
    assert not found.blocks(NAMESAKE)
    assert found.of_certificate(ACME) == found.of_certificate(NAMESAKE) == {"acme"}


def test_a_token_belongs_by_its_subject_or_its_client():
    found = tenants(acme=tenant("acme", tokens={"subjects": ["s"], "clientIds": ["c"]}))
    mine = frozenset(["acme"])
    for token in (says("s", "x"), says("x", "c"), says("s", "c")):
        assert found.resolve(mine, token).name == "acme"
    for token in (says("x", "x"), says("c", "s"), says()):
        with pytest.raises(ForbiddenError, match="token_unknown"):
            found.resolve(mine, token)


def test_a_certificate_of_one_tenant_does_not_go_with_a_token_of_another():
    found = tenants(acme=tenant("acme"), globex=tenant("globex"))
    assert found.resolve(frozenset(["acme"]), says("acme-service")).name == "acme"
    with pytest.raises(ForbiddenError, match="tenant_mismatch"):
        found.resolve(frozenset(["acme"]), says("globex-service"))


def test_a_shared_client_is_told_apart_by_its_certificate():
    shared = {"subjects": [], "clientIds": ["portal"]}
    found = tenants(acme=tenant("acme", tokens=shared), globex=tenant("globex", tokens=shared))
    assert found.resolve(frozenset(["globex"]), says("", "portal")).name == "globex"
    with pytest.raises(ForbiddenError, match="tenant_ambiguous"):
        found.resolve(frozenset(["acme", "globex"]), says("", "portal"))


@pytest.mark.parametrize(
    ("binding", "confirmation"),
    [
        ("required", ACME.confirmation),
        ("optional", ACME.confirmation),
        ("optional", None),
        ("off", NAMESAKE.confirmation),
        ("off", ""),
        ("off", None),
    ],
    ids=[
        "to this",
        "optional, to this",
        "optional, to none",
        "off, to another",
        "off, to ''",
        "off",
    ],
)
def test_a_token_is_bound_as_its_tenant_wants(binding: str, confirmation: str | None):
    check_binding(bound(binding), says(confirmation=confirmation), ACME)


@pytest.mark.parametrize("binding", ["required", "optional"])
@pytest.mark.parametrize("confirmation", [NAMESAKE.confirmation, ""], ids=["another", "empty"])
def test_a_token_bound_to_another_certificate_is_invalid(binding: str, confirmation: str):
    """An empty text stands for any other proof of possession than a certificate."""
    with pytest.raises(UnauthorizedError, match=r"^token_binding$"):
        check_binding(bound(binding), says(confirmation=confirmation), ACME)


def test_a_token_bound_to_none_is_refused_where_binding_is_required():
    with pytest.raises(ForbiddenError, match=r"^token_not_bound$"):
        check_binding(bound("required"), says(), ACME)
