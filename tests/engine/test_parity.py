"""The lab's own engine and Pulumi's deploy the same, as the AWS API tells it."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.session import Lab
from tests.conftest import ROOT
from tests.engine.inventory import KINDS

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
}
"""What differs from one deployment to the next whoever makes it."""


def described(lab: Lab) -> dict[str, list[str]]:
    """Every resource of the account, by kind, with what is random in it blotted out."""
    found: dict[str, list[str]] = {}
    api_id = lab.outputs["api_id"]  # perhaps of letters only, so that no pattern knows it
    blot = partial(blotted, api_id=api_id)
    for kind, (service, operation, key) in KINDS.items():
        api = lab.client(service)
        if api.can_paginate(operation):
            answer = api.get_paginator(operation).paginate().build_full_result()
        else:
            answer = getattr(api, operation)()
        found[kind] = sorted(map(blot, answer[key]))
    elbv2 = lab.client("elbv2")
    listeners = elbv2.describe_listeners(LoadBalancerArn=lab.outputs["alb_arn"])["Listeners"]
    found["listeners"] = sorted(map(blot, listeners))
    for listener in listeners:
        arn = listener["ListenerArn"]
        found["rules"] = sorted(map(blot, elbv2.describe_rules(ListenerArn=arn)["Rules"]))
        attributes = elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"]
        found["listener attributes"] = sorted(map(blot, attributes))
    attributes = elbv2.describe_load_balancer_attributes(LoadBalancerArn=lab.outputs["alb_arn"])
    found["load balancer attributes"] = sorted(map(blot, attributes["Attributes"]))
    api = lab.client("apigateway")
    stage = api.get_stage(restApiId=api_id, stageName="live")
    export = api.get_export(
        restApiId=api_id,
        stageName="live",
        exportType="oas30",
        parameters={"extensions": "integrations,apigateway"},
    )
    found["stage"] = [blot({k: v for k, v in stage.items() if k != "lastUpdatedDate"})]
    found["served"] = [blot(json.loads(export["body"].read()))]
    return found


def blotted(value: Any, api_id: str) -> str:
    if isinstance(value, dict):
        items = sorted(
            (key, blotted(one, api_id)) for key, one in value.items() if key not in NOISE
        )
        return f"{{{', '.join(f'{key}: {one}' for key, one in items)}}}"
    if isinstance(value, list):
        return f"[{', '.join(sorted(blotted(one, api_id) for one in value))}]"
    text = re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.+Z]+", "<time>", str(value).replace(api_id, "<id>"))
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
    text = re.sub(r"-[0-9a-f]{7,17}\b", "-<name>", text)
    # Every other id: long enough, and with a digit in it.
    return re.sub(r"\b(?=\w*\d)\w{7,}\b", "<id>", text)


def test_both_engines_deploy_the_same(cli: None, tmp_path: Path):
    by: dict[str, dict[str, list[str]]] = {}
    for engine in ("inprocess", "pulumi"):
        with Lab(ROOT, ["dev"], tmp_path / engine, engine=engine) as lab:
            by[engine] = described(lab)
    for kind, resources in by["inprocess"].items():
        assert resources, kind
        assert by["pulumi"][kind] == resources, kind
