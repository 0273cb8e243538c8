"""One recording engine for all component tests: build first, assert on what was recorded after."""

import json
import runpy
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.stack import Stack
from pulumi.runtime.sync_await import _sync_await

from lab.certificates import Authority

ROOT = Path(__file__).parent.parent
PROGRAM = (
    "__main__.py",
    "producer.py",
    "consumer.py",
    "settings",
    "components",
    "authorizer",
    "widgets",
    "Pulumi.yaml",
    "Pulumi.dev.yaml",
    "Pulumi.acme.yaml",
)
"""What a copy of the program takes."""


def copy_program(folder: Path) -> None:
    """A copy to change, which needs no network for what this one has fetched already."""
    for part in PROGRAM:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    wheels = ROOT / ".build/wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    (folder / ".build").mkdir()
    (folder / ".build/wheels").symlink_to(wheels)


def take_out(path: Path, taken_out: Mapping[str, str]) -> None:
    """Puts in place of each text in a file what leaves a protection out."""
    source = path.read_text()
    for protected, opened in taken_out.items():
        assert source.count(protected) == 1, f"{protected!r} moved; this test must follow it"
        source = source.replace(protected, opened)
    path.write_text(source)


ACCOUNT = "111122223333"

ANSWERS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
    "aws:index/getRegion:getRegion": {"region": "eu-west-1"},
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:route53/getZone:getZone": {"zoneId": "Z-PUBLIC"},
    "aws:lb/getLoadBalancer:getLoadBalancer": {
        "arn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/there/1",
        "dnsName": "there.elb.amazonaws.com",
        "zoneId": "Z-ELB",
    },
}

EARLIER = {
    "api_id": "earlier",
    "service_name": "com.amazonaws.vpce.eu-west-1.vpce-svc-0earlier",
    "service_zones": ["euw1-az1", "euw1-az2"],
}
"""What stack references see."""

FIXED: dict[str, dict[str, Any]] = {
    "aws:apigateway/domainName:DomainName": {
        "arn": f"arn:aws:apigateway:eu-west-1:{ACCOUNT}:/domainnames/api.example.com+d0m41n",
        "domainNameId": "d0m41n",
    },
    "aws:ec2/vpcEndpoint:VpcEndpoint": {
        "state": "available",
        "dnsEntries": [
            {"dnsName": "vpce-1.vpce-svc-1.eu-west-1.vpce.amazonaws.com", "hostedZoneId": "Z-VPCE"},
            {"dnsName": "vpce-1-a.vpce-svc-1.eu-west-1.vpce.amazonaws.com", "hostedZoneId": "Z-A"},
        ],
    },
    "aws:ec2/vpcEndpointService:VpcEndpointService": {
        "arn": f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc-endpoint-service/vpce-svc-1",
        "serviceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-1",
        "privateDnsNameConfigurations": [
            {"name": "_proof", "type": "TXT", "value": "vpce:proof", "state": "pendingVerification"}
        ],
    },
    "tls:index/privateKey:PrivateKey": {"privateKeyPem": "KEY", "privateKeyPemPkcs8": "KEY"},
    "tls:index/certRequest:CertRequest": {"certRequestPem": "REQUEST"},
    "tls:index/locallySignedCert:LocallySignedCert": {"certPem": "CERTIFICATE"},
}


@cache
def authority_pem(name: str) -> str:
    """The certificate of an authority that exists for tests."""
    return Authority.create(name).certificate_pem


@dataclass(frozen=True)
class Recorded:
    """A resource as declared: `secret` are the inputs marked so, `parents` the types above it.

    `parent` and `depends_on` are URNs.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    secret: frozenset[str]
    parents: tuple[str, ...]
    parent: str
    depends_on: frozenset[str]


class Engine(mocks.Mocks):
    """Answers like a provider with predictable values: id `<name>-id`, arn `arn:<name>`."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs: dict[str, Any] = {"arn": f"arn:{args.name}", "name": args.name, **args.inputs}
        match args.typ:
            case "pulumi:pulumi:StackReference":
                outputs["outputs"] = EARLIER
            case "aws:lambda/function:Function":
                outputs["arn"] = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{args.name}"
                outputs["version"] = f"{args.name}-version"
            case "aws:apigateway/restApi:RestApi":
                outputs["executionArn"] = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:{args.name}-id"
                outputs["rootResourceId"] = "root"
            case "aws:acm/certificate:Certificate":
                proof = {"resourceRecordName": "_p", "resourceRecordType": "CNAME"}
                outputs["domainValidationOptions"] = [{**proof, "resourceRecordValue": "_v"}]
            case "aws:lb/loadBalancer:LoadBalancer":
                outputs |= {"dnsName": f"{args.name}.elb.amazonaws.com", "zoneId": "Z-ELB"}
            case "aws:s3/bucketObjectv2:BucketObjectv2":
                outputs["versionId"] = f"{args.name}-version"
            case "aws:route53/record:Record":
                outputs["fqdn"] = args.inputs["name"]
            case "tls:index/selfSignedCert:SelfSignedCert":
                outputs["certPem"] = authority_pem(args.inputs["subject"]["commonName"])
            case _:
                outputs |= FIXED.get(args.typ, {})
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return ANSWERS[args.token], []


class Monitor(mocks.MockMonitor):
    """Keeps every registration, so that two of one name are seen."""

    def __init__(self) -> None:
        super().__init__(Engine())
        self.recorded: list[Recorded] = []
        self.registered: dict[str, Mapping[str, Any]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        answer = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            *parents, type_ = answer.urn.split("::")[2].split("$")
            inputs = rpc.deserialize_properties(request.object)
            secret = frozenset(key for key, value in inputs.items() if rpc.is_rpc_secret(value))
            plain = {key: rpc.unwrap_rpc_secret(value) for key, value in inputs.items()}
            self.recorded.append(
                Recorded(
                    urn=answer.urn,
                    type=type_,
                    name=request.name,
                    inputs=plain,
                    secret=secret,
                    parents=tuple(parents),
                    parent=request.parent,
                    depends_on=frozenset(request.dependencies),
                )
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        self.registered[request.urn] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)


@dataclass(frozen=True)
class Deployed:
    """What a build left behind; `registered` are the outputs of components, by URN."""

    resources: list[Recorded]
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]
    registered: Mapping[str, Mapping[str, Any]]

    def one(self, type_: str, name: str | None = None) -> Recorded:
        """The only resource of a type (its last part will do), or the one of that name."""
        found = [r for r in self.of(type_) if name in (None, r.name)]
        assert len(found) == 1, f"{type_} {name or ''}: {[r.name for r in self.of(type_)]}"
        return found[0]

    def of(self, type_: str) -> list[Recorded]:
        return [r for r in self.resources if r.type == type_ or r.type.endswith(f":{type_}")]


Deploy = Callable[[Callable[[pulumi.ResourceOptions], Any]], Deployed]


class Outer(pulumi.ComponentResource):
    """Somebody else's component that embeds ours."""

    def __init__(self) -> None:
        super().__init__("test:index:Outer", "outer")


def _run(build: Callable[[], Mapping[str, Any]]) -> Deployed:
    monitor = Monitor()
    settings.set_root_resource(cast("Any", None))
    mocks.set_mocks(monitor.mocks, project="mtls", stack="test", monitor=monitor)
    outputs: dict[str, Any] = {}
    secret: set[str] = set()

    @mocks.test
    def run() -> Any:
        result = {key: pulumi.Output.from_input(value) for key, value in build().items()}
        secret.update(key for key, value in result.items() if _sync_await(value.is_secret()))
        return pulumi.Output.from_input(result).apply(outputs.update)

    run()
    names = Counter((r.type, r.name) for r in monitor.recorded)
    assert [key for key, count in names.items() if count > 1] == [], "names must be unique"
    return Deployed(monitor.recorded, outputs, frozenset(secret), monitor.registered)


@pytest.fixture(scope="session")
def deploy() -> Deploy:
    """Build a component under an outer one, with the options it is given, and say what came of it.

    What `build` returns, a dictionary of outputs, is resolved into `Deployed.outputs`.
    """

    def deploy(build: Callable[[pulumi.ResourceOptions], Any]) -> Deployed:
        return _run(lambda: build(pulumi.ResourceOptions(parent=Outer())) or {})

    return deploy


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Deployed]]:
    """Run the real program with a stack's configuration, dev's unless told, and changes to it.

    `program({"mtls:domain": …}, stack="dev")`; None leaves a key out.
    """
    monkeypatch.chdir(ROOT)

    def main() -> Mapping[str, Any]:
        runpy.run_path(str(ROOT / "__main__.py"))
        return cast("Stack", settings.get_root_resource()).outputs

    def run(changes: Mapping[str, Any] | None = None, stack: str = "dev") -> Deployed:
        pulumi.runtime.set_all_config(stack_config(changes or {}, stack))
        return _run(main)

    yield run
    pulumi.runtime.set_all_config({})


def stack_config(changes: Mapping[str, Any], stack: str = "dev") -> dict[str, str]:
    """A stack's configuration as Pulumi hands it over: text, and JSON for the rest."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    values = {key: entry["default"] for key, entry in declared.items() if "default" in entry}
    values |= yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    values |= changes
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }
