"""The authorizer's function: what is in its package, and what it may do."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pulumi
import pytest

from authorizer import config
from components import policies
from components.jwt_authorizer import (
    ExistingAuthorizerArgs,
    JwtAuthorizer,
    JwtAuthorizerArgs,
    PassthroughArgs,
)
from components.tenants import CertificateRules, Tenant
from lab.certificates import Authority
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed

ACME = Tenant(
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
    blocked_certificates=("cd" * 32, "CN=root#0a1b"),
)
NO_JWKS = 'jwks: want a JWK set of public keys, {"keys": [...]}; got '
KEY = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "1"}


def args(**changes: Any) -> JwtAuthorizerArgs:
    given: dict[str, Any] = {
        "issuer": "https://issuer.example.com",
        "audiences": ["https://api.example.com"],
        "tenants": {"acme": ACME},
        "routes": ["GET /widgets", "GET /orders/{id}"],
    }
    return JwtAuthorizerArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    return deploy(lambda opts: {"arn": JwtAuthorizer("a", args(**changes), opts).arn})


def packaged(deployed: Deployed) -> dict[str, bytes]:
    """The stack's own files in the package, by name."""
    code = deployed.one("aws:lambda/function:Function").inputs["code"]
    assert isinstance(code, pulumi.FileArchive)
    with zipfile.ZipFile(code.path) as archive:
        roots = [name for name in archive.namelist() if "/" not in name and "." in name]
        return {name: archive.read(name) for name in roots if not name.endswith((".so", ".py"))}


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    return made(deploy)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: JwtAuthorizer(name, args(), opts))


def test_the_function_may_write_its_log_and_traces_and_nothing_else(plain: Deployed):
    documents = [json.loads(r.inputs["policy"]) for r in plain.of("aws:iam/rolePolicy:RolePolicy")]
    assert documents == [
        policies.merge(policies.write_logs("arn:a-jwt-logs"), policies.write_traces())
    ]
    assert plain.of("RolePolicyAttachment") == []
    assert plain.of("Permission") == [], "who invokes it is made where the API is known"


def test_the_function_is_what_was_asked_for(deploy: Deploy):
    function = made(
        deploy,
        memory_mb=1024,
        architecture="x86_64",
        log_retention_days=7,
    )
    inputs = function.one("aws:lambda/function:Function").inputs
    assert inputs["handler"] == "authorizer.handler.handle"
    assert (inputs["memorySize"], inputs["timeout"]) == (1024, 10)
    assert inputs["architectures"] == ["x86_64"]
    assert "environment" not in inputs, "what it goes by is in its package"
    assert function.one("LogGroup").inputs["retentionInDays"] == 7


def test_defaults_are_those_that_the_readme_names(plain: Deployed):
    inputs = plain.one("aws:lambda/function:Function").inputs
    assert inputs["memorySize"] == 512
    assert inputs["architectures"] == ["arm64"]
    assert inputs["runtime"] == f"python3.{sys.version_info.minor}"
    assert args().cache_ttl_seconds == 300
    read = config.parse(packaged(plain)["config.json"])
    assert read.algorithms == {"RS256", "ES256"}
    assert read.leeway_seconds == 30


# The package


def test_the_configuration_is_read_as_it_was_meant(plain: Deployed):
    files = packaged(plain)
    assert set(files) == {"config.json"}
    read = config.parse(files["config.json"])
    assert (read.mode, read.issuer) == ("verify", "https://issuer.example.com")
    assert read.audiences == {"https://api.example.com"}
    assert read.jwks_uri == "https://issuer.example.com/.well-known/jwks.json"
    assert [route.name for route in read.routes] == ["GET /widgets", "GET /orders/{id}"]
    (acme,) = read.tenants
    assert acme.name == "acme"
    assert acme.subjects == {"acme-service"}
    assert acme.client_ids == {"acme"}
    assert (acme.binding, acme.blocked) == ("optional", True)
    assert acme.blocked_thumbprints == {"cd" * 32}
    assert [serial for _, serial in acme.blocked_serials] == [0x0A1B]
    rules = acme.certificates
    assert (len(rules.issuers), len(rules.subjects)) == (1, 1)
    assert rules.sans_dns == {"acme.example"}
    assert rules.sans_uri == {"urn:acme"}
    assert rules.thumbprints == {"ab" * 32}


def test_everything_about_tokens_arrives(deploy: Deploy):
    deployed = made(
        deploy,
        issuer="https://issuer.example.com/",
        algorithms=["ES256"],
        token_type="at+jwt",  # noqa: S106 (the kind of a token)
        leeway_seconds=5,
        required_claims=["sub"],
        client_id_claim="azp",
        scopes={"GET /widgets": ["widgets.read"]},
    )
    read = config.parse(packaged(deployed)["config.json"])
    assert read.jwks_uri == "https://issuer.example.com/.well-known/jwks.json"
    assert read.algorithms == {"ES256"}
    assert (read.token_type, read.leeway_seconds, read.client_id_claim) == ("at+jwt", 5, "azp")
    assert read.required_claims == ("sub",)
    assert {route.name: route.scopes for route in read.routes} == {
        "GET /widgets": {"widgets.read"},
        "GET /orders/{id}": set(),
    }


def test_plain_http_must_be_asked_for(deploy: Deploy):
    uri = "http://127.0.0.1:8080/jwks"
    with pytest.raises(ValueError, match="jwksUri: want an https URI"):
        args(jwks_uri=uri)
    read = config.parse(packaged(made(deploy, jwks_uri=uri, allow_http=True))["config.json"])
    assert read.jwks_uri == uri


def test_keys_of_ones_own_are_in_the_package_and_nobody_is_asked(deploy: Deploy):
    keys = json.dumps({"keys": [KEY]})
    files = packaged(made(deploy, jwks=keys))
    assert config.parse(files["config.json"]).jwks_uri is None
    assert files["jwks.json"].decode() == keys


def test_passed_through_chains_are_verified_against_the_authorities(deploy: Deploy):
    root, other = Authority.create("root"), Authority.create("other")
    revoked = root.revoke(7)
    passthrough = PassthroughArgs(
        authorities={
            "root": pulumi.Output.from_input(root.certificate_pem),
            "other": other.certificate_pem,
        },
        revocations=revoked,
    )
    files = packaged(made(deploy, passthrough=passthrough))
    assert config.parse(files["config.json"]).mode == "passthrough"
    assert files["revocations.pem"].decode() == revoked
    assert files["ca-bundle.pem"].decode() == root.certificate_pem + other.certificate_pem


def test_the_same_settings_are_the_same_package_and_others_another(deploy: Deploy, plain: Deployed):
    def path(deployed: Deployed) -> str:
        return deployed.one("aws:lambda/function:Function").inputs["code"].path

    assert path(made(deploy)) == path(plain)
    assert path(made(deploy, tenants={})) != path(plain)
    assert path(made(deploy, cache_ttl_seconds=0)) == path(plain)


def test_a_package_that_cannot_be_built_stops_the_program_in_one_line(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    other = "python3.13" if sys.version_info.minor != 13 else "python3.12"
    with pytest.raises(pulumi.RunError, match=other):
        made(deploy, runtime=other)


# Refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"cache_ttl_seconds": 3601},
            "cache_ttl_seconds: want 0 (nothing is remembered) to 3600; got 3601",
        ),
        ({"memory_mb": 64}, "memory_mb: want 128 to 10240; got 64"),
        (
            {"runtime": "nodejs22.x"},
            "runtime: want a Python runtime, such as 'python3.13'; got 'nodejs22.x'",
        ),
        (
            {"runtime": "python3.9"},
            "runtime: want one of python3.11, python3.12, python3.13; got 'python3.9'",
        ),
        (
            {"runtime": "python3.11", "snap_start": True},
            "runtime: want a Python runtime, python3.12 or later for SnapStart; got 'python3.11'",
        ),
        ({"architecture": "arm"}, "architecture: want arm64 or x86_64; got 'arm'"),
        ({"jwks": "{}", "jwks_uri": "https://x"}, "jwks, jwks_uri: want one of the two; got both"),
        (
            {"jwks": json.dumps({"keys": []})},
            f"{NO_JWKS}something else",
        ),
        ({"jwks": "["}, f"{NO_JWKS}something else"),
        (
            {"jwks": json.dumps({"keys": [{**KEY, "d": "AA"}]})},
            f"{NO_JWKS}a private key or a secret in it",
        ),
        (
            {"jwks": json.dumps({"keys": [{"kty": "oct", "k": "AA"}]})},
            f"{NO_JWKS}a private key or a secret in it",
        ),
        ({"audiences": []}, "audiences, algorithms: want at least one of each"),
        (
            {"scopes": {"GET /gone": ["a"]}},
            "scopes: not among the routes: GET /gone",
        ),
        (
            {"tenants": {"acme": Tenant(certificates=CertificateRules(issuers=("CN=root",)))}},
            "tenants.acme.certificates: issuers alone fit no certificate; "
            "name subjects or others too",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_the_function_could_not_use_is_refused(changes: dict[str, Any], message: str):
    with refused(message):
        args(**changes)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS1"])
def test_an_algorithm_without_a_public_key_is_refused(algorithm: str):
    with pytest.raises(ValueError, match=f"algorithms: want one of RS256.*; got '{algorithm}'"):
        args(algorithms=[algorithm])


def test_passthrough_without_authorities_or_with_unusable_lists_is_refused():
    with refused("authorities: want at least one, as in {'root-2026': '<PEM>'}; got none"):
        PassthroughArgs(authorities={})
    with refused("revocations: want at least one revocation list"):
        PassthroughArgs(authorities={"root": "PEM"}, revocations="nothing")


def test_a_function_of_ones_own_is_remembered_no_longer_than_api_gateway_does():
    with pytest.raises(ValueError, match=r"cache_ttl_seconds: want 0 .* to 3600; got -1"):
        ExistingAuthorizerArgs(function_arn="arn:of:a:function", cache_ttl_seconds=-1)
