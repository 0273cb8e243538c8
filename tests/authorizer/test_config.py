"""`config.json`: what it must say, and that each fault is named."""

import json
from typing import Any

import pytest

from authorizer import config
from authorizer.config import parse
from authorizer.errors import ConfigError
from authorizer.names import of_text
from tests.authorizer.issuing import parsed, rules, settings, tenant


def of_tenant(**changes: object) -> dict[str, Any]:
    return {"tenants": {"acme": tenant("acme", **changes)}}


def test_a_whole_configuration_is_read():
    blocked = ["AB" * 32, "CN=root,O=x#0a"]
    found = parsed(
        **of_tenant(
            certificates=rules(
                issuers=["CN=root"], sanDns=["API.Acme.example"], thumbprints=["CD" * 32]
            ),
            tokens={"subjects": ["s"], "clientIds": ["c"]},
            binding="required",
            blockedCertificates=blocked,
        )
    )
    assert (found.mode, found.jwks_uri, found.leeway_seconds) == ("verify", None, 30)
    assert {route.name: route.scopes for route in found.routes} == {
        "GET /widgets": {"widgets.read"},
        "GET /orders/{id}": {"orders.read"},
        "GET /whoami": set(),
    }
    (acme,) = found.tenants
    assert acme.certificates.issuers == {of_text("CN=root")}
    assert acme.certificates.sans_dns == {"api.acme.example"}
    assert acme.certificates.thumbprints == {"cd" * 32}
    assert acme.blocked_thumbprints == {"ab" * 32}
    assert acme.blocked_serials == {(of_text("CN=root,O=x"), 10)}
    assert (acme.subjects, acme.client_ids, acme.binding) == ({"s"}, {"c"}, "required")


@pytest.mark.parametrize("uri", ["https://a.example/jwks", "https://a.example:8443/k?x=1"])
def test_keys_are_fetched_by_https(uri: str):
    assert parsed(jwksUri=uri).jwks_uri == uri


def test_plain_http_must_be_asked_for():
    assert parsed(jwksUri="http://127.0.0.1:1/k", allowHttp=True).jwks_uri
    with pytest.raises(ConfigError, match="jwksUri"):
        parsed(jwksUri="http://127.0.0.1:1/k")


@pytest.mark.parametrize("algorithm", config.ALGORITHMS)
def test_each_signature_with_a_public_key_may_be_allowed(algorithm: str):
    assert parsed(algorithms=[algorithm]).algorithms == {algorithm}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"mode": "off"}, "mode"),
        ({"issuer": ""}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"audiences": []}, "audiences"),
        ({"audiences": "https://api.example.com"}, "audiences"),
        ({"audiences": [1]}, "audiences"),
        ({"algorithms": []}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": ["RS256", "HS256"]}, "algorithms"),
        ({"algorithms": ["ES256K"]}, "algorithms"),
        ({"jwksUri": "ftp://a.example/"}, "jwksUri"),
        ({"jwksUri": "ftp://a.example/", "allowHttp": True}, "jwksUri"),
        ({"jwksUri": "https:///jwks"}, "jwksUri"),
        ({"jwksUri": "https://user@a.example/"}, "jwksUri"),
        ({"jwksUri": "https://a.example:70000/"}, "jwksUri"),
        ({"jwksUri": "https://a.example/\n"}, "jwksUri"),
        ({"jwksUri": "https://ä.example/"}, "jwksUri"),
        ({"jwksUri": "https://[a/"}, "jwksUri"),
        ({"allowHttp": "yes"}, "allowHttp"),
        ({"typ": 1}, "typ"),
        ({"leewaySeconds": -1}, "leewaySeconds"),
        ({"leewaySeconds": 301}, "leewaySeconds"),
        ({"leewaySeconds": True}, "leewaySeconds"),
        ({"leewaySeconds": 1.5}, "leewaySeconds"),
        ({"requiredClaims": "sub"}, "requiredClaims"),
        ({"clientIdClaim": None}, "clientIdClaim"),
        ({"scopes": {"GET /nowhere": ["x"]}}, "GET /nowhere"),
        ({"scopes": {"GET /widgets": "x"}}, "scopes: GET /widgets"),
        ({"scopes": []}, "scopes"),
        ({"routes": ["GET /widgets", "GET /widgets"], "scopes": {}}, "routes"),
        ({"routes": ["FETCH /widgets"], "scopes": {}}, "routes"),
        ({"routes": ["GET widgets"], "scopes": {}}, "routes"),
        ({"routes": ["GET /a*"], "scopes": {}}, "routes"),
        ({"routes": ["GET /a//b"], "scopes": {}}, "routes"),
        ({"routes": ["GET /a/{b"], "scopes": {}}, "routes"),
        ({"tenants": []}, "tenants"),
        ({"tenants": {"a b": tenant("a")}}, "tenants"),
        ({"tenants": {"a": {}}}, r"tenants\.a: lacks"),
        (of_tenant(binding="maybe"), "binding"),
        (of_tenant(blocked=0), "blocked"),
        (of_tenant(blocked_="x"), "does not know blocked_"),
        (of_tenant(blockedCertificates=["abc"]), "blockedCertificates"),
        (of_tenant(blockedCertificates=["CN=root#"]), "blockedCertificates"),
        (of_tenant(blockedCertificates=["CN=root#xyz"]), "blockedCertificates"),
        (of_tenant(blockedCertificates=["root#01"]), "blockedCertificates"),
        (of_tenant(certificates=rules(subjects=["acme"])), "subjects"),
        (of_tenant(certificates=rules(issuers=["CN=root"])), "issuers alone"),
        (of_tenant(certificates=rules(thumbprints=["aa"])), "thumbprints"),
        (of_tenant(certificates={}), "certificates: lacks"),
        (of_tenant(tokens={"subjects": []}), "tokens: lacks clientIds"),
    ],
)
def test_a_fault_is_named(changes: dict[str, Any], names: str):
    with pytest.raises(ConfigError, match=names):
        parsed(**changes)


def test_a_member_is_neither_missing_nor_unknown():
    for name in settings():
        less = {member: value for member, value in settings().items() if member != name}
        with pytest.raises(ConfigError, match=f"lacks {name}"):
            parse(json.dumps(less).encode())
    with pytest.raises(ConfigError, match=r"does not know tenant$"):
        parsed(tenant={})


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b'{"mode":1,"mode":1}'])
def test_a_file_that_is_no_object_is_named(text: bytes):
    with pytest.raises(ConfigError, match=r"^config\.json: want"):
        parse(text)
