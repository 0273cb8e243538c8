"""Who may call, by token and certificate: what the settings say of it, and what they refuse."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import CertificateRules, ExistingAuthorizerArgs, JwtAuthorizerArgs, Tenant
from lab.certificates import Authority
from settings import SettingError
from settings.tenants import described
from tests.conftest import ROOT
from tests.test_settings import load, produced

OWN = "arn:aws:lambda:eu-west-1:111122223333:function:own:live"


def jwt(**changes: Any) -> dict[str, Any]:
    """The dev stack's authorizer with changes."""
    given = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]["mtls:authorizer"]
    return {"authorizer": {**given, **changes}}


def own(arn: str, **changes: Any) -> dict[str, Any]:
    return {"authorizer": {"kind": "bring-your-own", "functionArn": arn, **changes}}


def shop(**changes: Any) -> dict[str, Any]:
    """The dev stack's client with changes."""
    given = {"certificateAuthority": "root-2026", "tokens": {"clientIds": ["shop"]}}
    return {"clients": {"shop": {**given, **changes}}}


REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"authorizer": None}, "mtls:authorizer: want who may call, such as {kind: jwt, .*got nothing"),
    ({"authorizer": {}}, "mtls:authorizer: want who may call, .* or {kind: none}.*; got nothing"),
    ({"authorizer": "none"}, "mtls:authorizer: want a map, such as 'name: …'; got 'none'"),
    (
        {"authorizer": {"kind": "oidc"}},
        "mtls:authorizer.kind: want one of jwt, bring-your-own, none; got 'oidc'",
    ),
    ({"authorizer": {"kind": "none", "issuer": "x"}}, "mtls:authorizer: want the keys kind; got"),
    ({"authorizer": {"kind": "jwt"}}, "mtls:authorizer: want .*; got no audiences, issuer"),
    (jwt(audience="x"), "mtls:authorizer: want the keys .*; got 'audience'; did you mean audience"),
    (jwt(audiences="x"), "mtls:authorizer.audiences: want a list, such as .*; got 'x'"),
    (jwt(audiences=[]), "mtls:authorizer: audiences, algorithms: want at least one of each"),
    (jwt(algorithms=["HS256"]), "mtls:authorizer: algorithms: want one of RS256, .*; got 'HS256'"),
    (jwt(jwksUri="http://x/jwks"), "mtls:authorizer: jwksUri: want an https URI without a user"),
    (jwt(jwksUri="https://x", jwksFile="Pulumi.yaml"), "mtls:authorizer.jwksFile: want a JWK set"),
    (jwt(jwksFile="no.json"), "mtls:authorizer.jwksFile: want a file below this project; got 'no"),
    (
        {**jwt(allowHttp=True), "role": "producer"},
        "mtls:authorizer.allowHttp: want none with mtls:role 'producer'",
    ),
    (jwt(allowHttp="yes"), "mtls:authorizer.allowHttp: want true or false; got 'yes'"),
    (jwt(leewaySeconds=301), "mtls:authorizer: leewaySeconds: want 0 to 300; got 301"),
    (jwt(leewaySeconds=True), "mtls:authorizer.leewaySeconds: want a whole number, such as .*True"),
    (jwt(cacheTtlSeconds=3601), "mtls:authorizer: cacheTtlSeconds: want 0 .* to 3600; got 3601"),
    (jwt(memoryMb=1), "mtls:authorizer: memoryMb: want 128 to 10240; got 1"),
    (jwt(architecture="arm"), "mtls:authorizer.architecture: want one of arm64, x86_64; got 'arm'"),
    (jwt(runtime="python3.9"), "mtls:authorizer: runtime: want one of python3.11, .*'python3.9'"),
    (jwt(snapStart=True, runtime="python3.11"), "mtls:authorizer: runtime: .* for SnapStart; got"),
    (jwt(scopes={"GET /a": ["a"]}), "mtls:authorizer: scopes: not among the routes: GET /a"),
    (jwt(scopes=["a"]), "mtls:authorizer.scopes: want a map, such as .*"),
    (
        {"routes": {f"GET /{n}": "widgets" for n in range(150)}},
        "mtls:authorizer: cacheTtlSeconds: want 0, since 150 routes are more than one policy",
    ),
    (jwt(revocationsFile="no.pem"), "mtls:authorizer.revocationsFile: want a file below this pro"),
    (
        jwt(revocationsFile="Pulumi.yaml"),
        "mtls:authorizer.revocationsFile: want at least one revocation list",
    ),
    (
        {"authorizer": {"kind": "bring-your-own"}},
        "mtls:authorizer.functionArn: want text, such as .*; got None",
    ),
    (
        own("arn:aws:lambda:x"),
        "mtls:authorizer.functionArn: want a function's ARN, .*; got 'arn:aw",
    ),
    (own(OWN, cacheTtlSeconds=-1), "mtls:authorizer: cacheTtlSeconds: want 0 .*; got -1"),
    (own(OWN, issuer="x"), "mtls:authorizer: want the keys cacheTtlSeconds, functionArn, kind"),
    (
        {**own(OWN), **shop(blocked=True)},
        "mtls:clients.shop: want nothing blocked with mtls:authorizer kind 'bring-your-own'",
    ),
    (
        {"authorizer": {"kind": "none"}, **shop(certificates={"blocked": ["ab" * 32]})},
        "mtls:clients.shop: want nothing blocked with mtls:authorizer kind 'none'",
    ),
    ({"mutualAuthentication": "off"}, "mtls:mutualAuthentication: want one of verify, passthrough"),
    (
        {"mutualAuthentication": "passthrough", "authorizer": {"kind": "none"}},
        "mtls:mutualAuthentication: want 'verify', since mtls:authorizer.kind is 'none': nobody",
    ),
    (
        {
            "mutualAuthentication": "passthrough",
            "role": "producer",
            "certificateAuthorities": {},
            "trustStoreArn": "arn:aws:x",
            "clients": {},
            "customers": {},
        },
        "mtls:mutualAuthentication: want 'verify', since mtls:trustStoreArn is one: only a load",
    ),
    (
        {
            "mutualAuthentication": "passthrough",
            "pathRoutes": {"o": {"paths": ["/o"], "targetGroupArn": "arn:x", "priority": 100}},
        },
        "mtls:mutualAuthentication: want 'verify', since mtls:pathRoutes is some: no authorizer",
    ),
    (
        shop(tokens=None),
        "mtls:clients.shop.tokens: want rules such as .*both certificate and token",
    ),
    (
        {"clients": {"till": {"tokens": {"clientIds": ["till"]}}}},
        "mtls:clients.till.certificates: want rules such as .*both certificate and token; got none",
    ),
    (
        shop(tokens={"clientId": ["a"]}),
        "mtls:clients.shop.tokens: want the keys clientIds, subject",
    ),
    (shop(tokens={"clientIds": "a"}), "mtls:clients.shop.tokens.clientIds: want a list, such as"),
    (
        shop(binding="on"),
        "mtls:clients.shop.binding: want one of required, optional, off; got 'on'",
    ),
    (shop(blocked="yes"), "mtls:clients.shop.blocked: want true or false; got 'yes'"),
    (
        shop(certificates={"subjects": ["acme"]}),
        "mtls:clients.shop.certificates.subjects: want an RFC 4514 name, as in .*; got 'acme'",
    ),
    (
        shop(certificates={"subjects": ["CN=a"], "blocked": ["ab"]}),
        "mtls:clients.shop.certificates.blocked: want the SHA-256 of a certificate in hex; got",
    ),
    (
        shop(certificates={"subjects": ["CN=a"], "blocked": ["CN=a#x"]}),
        "mtls:clients.shop.certificates.blocked: want '<issuer>#<serial number in hex>'; got",
    ),
    (
        {"clients": {"a b": {"certificateAuthority": "root-2026", "tokens": {"subjects": ["x"]}}}},
        "mtls:authorizer: tenants: want names of letters, digits, .*; got 'a b'",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSALS, ids=lambda v: str(v)[:60])
def test_what_cannot_say_who_may_call_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(SettingError, match=message):
        load(**changes)


def test_a_test_certificate_is_known_by_its_name_unless_rules_say_otherwise():
    assert produced().tenants["shop"].certificates == CertificateRules(subjects=("CN=shop",))
    uri = produced(**shop(certificates={"sanUri": ["urn:shop"]})).tenants["shop"].certificates
    assert uri == CertificateRules(sans_uri=("urn:shop",))
    blocked = produced(**shop(certificates={"blocked": ["ab" * 32]})).tenants["shop"]
    assert blocked.certificates == CertificateRules(subjects=("CN=shop",))
    assert blocked.blocked_certificates == ("ab" * 32,)


def test_everything_about_a_tenant_is_read():
    certificates = {
        "issuers": ["CN=root"],
        "subjects": ["CN=acme,O=Acme"],
        "sanDns": ["acme.example"],
        "sanUri": ["urn:acme"],
        "thumbprints": ["ab" * 32],
    }
    given = {
        "principals": ["444455556666"],
        "certificates": {**certificates, "blocked": ["CN=root#0a"]},
        "tokens": {"subjects": ["acme-service"], "clientIds": ["acme"]},
        "binding": "optional",
        "blocked": True,
    }
    settings = produced(customers={"acme": given})
    assert settings.tenants["acme"] == Tenant(
        certificates=CertificateRules(
            issuers=("CN=root",),
            subjects=("CN=acme,O=Acme",),
            sans_dns=("acme.example",),
            sans_uri=("urn:acme",),
            thumbprints=("ab" * 32,),
        ),
        token_subjects=("acme-service",),
        client_ids=("acme",),
        binding="optional",
        blocked=True,
        blocked_certificates=("CN=root#0a",),
    )
    assert described(settings.tenants["acme"].certificates) == certificates
    assert isinstance(settings.authorizer, JwtAuthorizerArgs)
    assert settings.authorizer.tenants == settings.tenants


def test_a_tenant_without_rules_may_connect_and_is_told_that_the_api_refuses_it(
    monkeypatch: pytest.MonkeyPatch,
):
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    settings = produced(clients={"till": {}}, customers={})
    assert settings.front["clients"].keys() == {"till"}
    assert isinstance(settings.authorizer, JwtAuthorizerArgs)
    assert settings.authorizer.tenants == {}
    assert said == [
        "mtls:clients, mtls:customers: till: may connect, and the API refuses them, since no "
        "certificates and tokens of theirs are given"
    ]
    said.clear()
    produced(clients={f"c{n}": {} for n in range(12)}, customers={})
    assert "c8, c9 and 2 more: may connect" in said[0]
    said.clear()
    produced(clients={"till": {}}, customers={}, authorizer={"kind": "none"})
    produced()
    assert said == []


def test_a_certificate_may_be_blocked_of_a_tenant_that_is_not_known_otherwise():
    settings = produced(clients={"till": {"certificates": {"blocked": ["ab" * 32]}}})
    assert isinstance(settings.authorizer, JwtAuthorizerArgs)
    assert settings.authorizer.tenants["till"].blocked_certificates == ("ab" * 32,)


def test_everything_about_the_authorizer_is_read():
    settings = produced(
        logRetentionDays=30,
        **jwt(
            jwksUri="http://127.0.0.1/jwks",
            allowHttp=True,
            typ="at+jwt",
            leewaySeconds=5,
            requiredClaims=["sub"],
            clientIdClaim="azp",
            scopes={"GET /widgets": ["widgets.read"]},
            cacheTtlSeconds=0,
            memoryMb=1024,
            architecture="x86_64",
            runtime="python3.13",
            snapStart=True,
        ),
    )
    assert settings.authorizer == JwtAuthorizerArgs(
        issuer="https://issuer.example.com",
        audiences=("https://api.example.com",),
        tenants=settings.tenants,
        algorithms=("ES256",),
        jwks_uri="http://127.0.0.1/jwks",
        allow_http=True,
        token_type="at+jwt",  # noqa: S106 (the kind of a token)
        leeway_seconds=5,
        required_claims=("sub",),
        client_id_claim="azp",
        scopes={"GET /widgets": ("widgets.read",)},
        cache_ttl_seconds=0,
        memory_mb=1024,
        architecture="x86_64",
        runtime="python3.13",
        snap_start=True,
        log_retention_days=30,
    )


def test_keys_and_revocation_lists_are_read_from_files(tmp_path: Path):
    root = Authority.create("root")
    keys = '{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}'
    (tmp_path / "jwks.json").write_text(keys)
    (tmp_path / "crl.pem").write_text(root.revoke(7))
    given = jwt(jwksFile="jwks.json", revocationsFile="crl.pem")
    settings = produced(tmp_path, mutualAuthentication="passthrough", **given)
    assert isinstance(settings.authorizer, JwtAuthorizerArgs)
    assert settings.authorizer.jwks == keys
    assert settings.revocations == (tmp_path / "crl.pem").read_text()
    with pytest.raises(
        SettingError, match=r"mtls:authorizer\.revocationsFile: want none with mtls:mutualAuth"
    ):
        load(tmp_path, **given)


def test_a_function_of_ones_own_and_no_authorizer_must_be_asked_for():
    assert produced(**own(OWN)).authorizer == ExistingAuthorizerArgs(function_arn=OWN)
    assert produced(**own(OWN, cacheTtlSeconds=0)).authorizer == ExistingAuthorizerArgs(
        function_arn=OWN, cache_ttl_seconds=0
    )
    assert produced(authorizer={"kind": "none"}).authorizer is None
