"""The lab's own engine and Pulumi's deploy the same, as the AWS API tells it."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.session import Lab
from tests.conftest import ROOT
from tests.engine.inventory import resources

pytestmark = pytest.mark.engine

NOISE = {
    "ResponseMetadata",
    "CreationDate",
    "CreatedTime",
    "CreatedAt",
    "CreateDate",
    "createdDate",
    "creationTime",
    "CreationTimestamp",
    "AttachTime",
    "deploymentId",
    "rootResourceId",
    "cacheNamespace",
    "version",
    "LastModified",
    "NotBefore",
    "NotAfter",
    "IssuedAt",
    "NumberOfCaCertificates",
    "CallerReference",
    "CodeSha256",
    "RevisionId",
    "MacAddress",
    "RequesterId",
    "AvailabilityZone",
    "PrivateDnsName",
    "OwnerId",
    "TargetHealth",  # comes with time
}
"""What differs from one deployment to the next whoever makes it."""


def described(lab: Lab, account: str) -> dict[str, list[str]]:
    """Every resource of an account, by kind, with what is random in it blotted out."""
    client = partial(lab.client, account=account)
    found: dict[str, list[Any]] = {**resources(client)}
    elbv2, api = client("elbv2"), client("apigateway")
    found["listener attributes"] = [
        elbv2.describe_listener_attributes(ListenerArn=one["ListenerArn"])["Attributes"]
        for one in found["listeners"]
    ]
    found["load balancer attributes"] = [
        elbv2.describe_load_balancer_attributes(LoadBalancerArn=one["LoadBalancerArn"])
        for one in found["load balancers"]
    ]
    for one in found["network interfaces"]:
        if one["InterfaceType"] != "vpc_endpoint":
            # Two load balancers take the next free addresses, whichever is made first.
            one["PrivateIpAddress"] = one["PrivateIpAddresses"] = "<next free>"
    for one in found["APIs"]:
        stage = api.get_stage(restApiId=one["id"], stageName="live")
        export = api.get_export(
            restApiId=one["id"],
            stageName="live",
            exportType="oas30",
            parameters={"extensions": "integrations,apigateway"},
        )
        found["stages"] = [{k: v for k, v in stage.items() if k != "lastUpdatedDate"}]
        found["served"] = [json.loads(export["body"].read())]
    ids = identifiers(found) | {lab.outputs["api_id"]}
    # The longest first: an id may be the beginning of another.
    known = re.compile("|".join(map(re.escape, sorted(ids, key=len, reverse=True))))
    return {kind: sorted(blotted(one, known) for one in ones) for kind, ones in found.items()}


def identifiers(value: Any) -> set[str]:
    """The random words under `…Id` and of ownership proofs: of letters only, by chance, they look
    like any other word, so that no pattern knows them."""
    if isinstance(value, list):
        return set().union(*map(identifiers, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(identifiers, value.values()))
    proof = value.get("PrivateDnsNameConfiguration", {})
    texts = [proof.get("Name", ""), proof.get("Value", "")]
    texts += [one for key, one in value.items() if key.endswith(("Id", "id"))]
    return found | {word for text in texts for word in re.findall(r"[^\W_]{9,}", str(text))}


def blotted(value: Any, known: re.Pattern[str]) -> str:
    if isinstance(value, dict):
        items = sorted((key, blotted(one, known)) for key, one in value.items() if key not in NOISE)
        return f"{{{', '.join(f'{key}: {one}' for key, one in items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(sorted(blotted(one, known) for one in value))}]"
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.+Z]+", "<time>", str(value))
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    text = re.sub(r"-[0-9a-f]{7,17}\b", "-<name>", text)
    # Every other id: known, or long enough and with a digit in it.
    return re.sub(r"\b(?=\w*\d)\w{7,}\b", "<id>", known.sub("<id>", text))


def test_both_engines_deploy_the_same(cli: None, tmp_path: Path):
    by: dict[str, dict[tuple[str, str], list[str]]] = {}
    for engine in ("inprocess", "pulumi"):
        with Lab(ROOT, ["dev", "acme"], tmp_path / engine, engine=engine) as lab:
            lab.deploy("dev", {"mtls:apiSelection": "private-domain"})
            by[engine] = {
                (account, kind): one
                for account in ("producer", "acme")
                for kind, one in described(lab, account).items()
            }
    assert by["pulumi"].keys() == by["inprocess"].keys()
    for kind, found in by["inprocess"].items():
        assert by["pulumi"][kind] == found, kind
    held = {kind for (_, kind), found in by["inprocess"].items() if found}
    assert held == {kind for _, kind in by["inprocess"]}
