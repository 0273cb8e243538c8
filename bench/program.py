"""One process: the program under mocks, or its floor. `python -m bench.program whole|floor N`.

The floor makes as many bare resources after the same imports: what nobody's program could do
without. N is how many clients the stack has.
"""

import importlib
import json
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws
import pulumi_tls
import yaml
from pulumi.runtime import mocks
from pulumi_aws import ec2

ROOT = Path(__file__).parent.parent


class Answers(mocks.Mocks):
    """A provider that answers at once, with what the program reads of other resources."""

    def __init__(self) -> None:
        self.types: list[tuple[str, bool]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.types.append((args.typ, bool(args.custom)))
        arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{args.name}"
        proof = dict.fromkeys(("resourceRecordName", "resourceRecordType"), "x")
        made = {"arn": arn, "executionArn": arn, "domainValidationOptions": [proof]}
        if args.typ == "tls:index/selfSignedCert:SelfSignedCert":
            made["certPem"] = (ROOT / "bench" / "root.pem").read_text()
        return f"{args.name}-id", {**made, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        known = {"accountId": "111122223333", "region": "eu-west-1", "zoneId": "Z"}
        return {**known, "partition": "aws", "dnsSuffix": "amazonaws.com"}, []


def configuration(clients: int) -> Mapping[str, str]:
    """The dev stack's, with that many clients who have a security group already."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    values = {key: entry["default"] for key, entry in declared.items() if "default" in entry}
    values |= yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    values["mtls:clients"] = {f"c{n}": {"securityGroupId": f"sg-{n}"} for n in range(clients)}
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


def whole(clients: int) -> list[tuple[str, bool]]:
    """Run the program; answers the types of the resources it made."""
    answers = Answers()
    pulumi.runtime.set_all_config(dict(configuration(clients)))
    mocks.set_mocks(answers, project="mtls", stack="bench")
    mocks.test(lambda: runpy.run_path(str(ROOT / "__main__.py")) and None)()
    return answers.types


def floor(types: list[tuple[str, bool]]) -> None:
    """After the program's imports, as many resources: security groups without arguments."""
    for type_, _ in types:
        _load(type_)
    mocks.set_mocks(Answers(), project="mtls", stack="bench")

    def bare() -> None:
        for number, (type_, custom) in enumerate(types):
            if custom:
                ec2.SecurityGroup(f"bare-{number}")
            else:
                pulumi.ComponentResource(type_, f"bare-{number}")

    mocks.test(bare)()


def _load(type_: str) -> None:
    """Import the class of a resource, as the program did; the SDK imports on first use."""
    package, module, name = type_.split(":")
    if package == "mtls":
        importlib.import_module("components")
    elif package == "tls":
        getattr(pulumi_tls, name)
    else:
        service = module.partition("/")[0]
        getattr(getattr(pulumi_aws, "lambda_" if service == "lambda" else service), name)


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2])
    if kind == "whole":
        made = whole(count)
        sys.stdout.write(json.dumps(made))
    else:
        floor(json.load(sys.stdin))
