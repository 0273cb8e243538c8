"""One process: the program under mocks, or its floor. `python -m bench.program whole|floor N`.

The floor makes as many bare resources after the same imports: what nobody's program could do
without. N is how many customers the stack has.
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
        if args.typ == "pulumi:pulumi:StackReference":  # read, not made: nothing deployed earlier
            return f"{args.name}-id", {**args.inputs, "outputs": {}}
        self.types.append((args.typ, bool(args.custom)))
        arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{args.name}"
        proof = dict.fromkeys(("resourceRecordName", "resourceRecordType"), "x")
        made = {"arn": arn, "executionArn": arn, "domainValidationOptions": [proof]}
        if args.typ == "aws:ec2/vpcEndpointService:VpcEndpointService":
            made["privateDnsNameConfigurations"] = [{"name": "x", "value": "x"}]
        if args.typ.endswith("SignedCert"):
            made["certPem"] = (ROOT / "bench" / "root.pem").read_text()
        return f"{args.name}-id", {**made, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        known = {"accountId": "111122223333", "region": "eu-west-1", "zoneId": "Z"}
        return {**known, "partition": "aws", "dnsSuffix": "amazonaws.com"}, []


def configuration(customers: int) -> Mapping[str, str]:
    """The dev stack's, with that many customers, each of one account and one accepted endpoint."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    values = {key: entry["default"] for key, entry in declared.items() if "default" in entry}
    values |= yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    values["mtls:customers"] = {
        f"c{n}": {"principals": [f"{n:012}"], "endpoints": [f"vpce-{n:017x}"]}
        for n in range(customers)
    }
    return {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}


def whole(customers: int) -> list[tuple[str, bool]]:
    """Run the program; answers the types of the resources it made."""
    answers = Answers()
    pulumi.runtime.set_all_config(dict(configuration(customers)))
    mocks.set_mocks(answers, project="mtls", stack="bench")
    mocks.test(lambda: runpy.run_path(str(ROOT / "__main__.py")) and None)()
    return answers.types


def floor(types: list[tuple[str, bool]]) -> None:
    """After the program's imports, as many bare resources."""
    load(types)
    mocks.set_mocks(Answers(), project="mtls", stack="bench")
    mocks.test(lambda: bare(types))()


def bare(types: list[tuple[str, bool]]) -> None:
    """As many resources of as many packages: no arguments but required ones, no dependencies."""
    for number, (type_, custom) in enumerate(types):
        if not custom:
            pulumi.ComponentResource(type_, f"bare-{number}")
        elif type_.startswith("tls:"):
            pulumi_tls.PrivateKey(f"bare-{number}", algorithm="ED25519")
        else:
            ec2.SecurityGroup(f"bare-{number}")


def load(types: list[tuple[str, bool]]) -> None:
    """Import the classes of the resources, as the program did."""
    for type_, _ in types:
        _load(type_)


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
