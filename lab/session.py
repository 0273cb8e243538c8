"""One run of the lab: the AWS API, the stacks deployed into it, and the wire, as one."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lab.attempt import Door, Files
from lab.aws_sessions import aws_session
from lab.certificates import Authority, PrivateKey
from lab.cloud.server import Cloud
from lab.provider.aws import ProviderSettings
from lab.provider.config import load_config
from lab.provider.engine import Engine
from lab.provider.grpc_server import Providers
from lab.provider.inprocess import Deployment, deploy
from lab.provider.resources import full_registry
from lab.provider.state import Entry, State
from lab.vantage import Vantage
from lab.wire.wire import Wire

PRODUCER = "producer"
ACCOUNTS = {PRODUCER: "111122223333"}
ENGINES = ("inprocess", "pulumi")


@dataclass(frozen=True, kw_only=True)
class Client:
    """Somebody who calls a stack's API: from where, and with which files."""

    name: str
    door: Door
    files: Files

    def described(self) -> dict[str, str | None]:
        """As `.lab/lab.json` lists it; there is no token to send yet."""
        return {
            "name": self.name,
            "account": PRODUCER,
            "url": f"https://{self.door.host}",
            "connect_to": self.door.connect_to,
            "ca_file": str(self.files.ca),
            "cert_file": str(self.files.cert),
            "key_file": str(self.files.key),
            "token_file": None,
        }


class Lab:
    """A running lab: start it with `with Lab(…) as lab:`; leaving ends everything it started.

    `stacks` are names of stack configs (`Pulumi.<stack>.yaml` in `root`), deployed in that order;
    the first is the one that `outputs`, `clients` and the cases speak of. Files go to `folder`.
    `engine` is what deploys: one of ENGINES, "pulumi" being the real one.
    """

    def __init__(
        self,
        root: Path,
        stacks: Sequence[str],
        folder: Path,
        say: Callable[[str], None] = lambda _: None,
        engine: str = "inprocess",
    ) -> None:
        self.root = root
        self.stacks = tuple(stacks)
        self.stack = self.stacks[0]
        self.folder = folder
        self.say = say
        self.engine = engine
        self.engines: dict[str, Engine] = {}
        self.deployments: dict[str, Deployment] = {}
        self.states: dict[str, State] = {}
        loaded = {stack: load_config(root, stack) for stack in stacks}
        self.project = loaded[self.stack][0]
        self.configs = {stack: config for stack, (_, config) in loaded.items()}
        self.region = self.configs[self.stack]["aws:region"]
        self._aws: dict[str, Any] = {}
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as opened:
            self.cloud = opened.enter_context(Cloud(ACCOUNTS, self.region))
            self.say(f"AWS API at {self.cloud.endpoint_url}")
            key = self.cloud.credentials[PRODUCER]
            self.wire = Wire(
                self.cloud.endpoint_url, self.region, key.access_key_id, key.secret_access_key
            )
            opened.callback(self.wire.stop)
            self.wire.start()
            if self.engine == "pulumi":
                self._start_engines(opened)
            for stack in self.stacks:
                self._own_public_zone(stack)
                self.deploy(stack)
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()
        for name in ("lab.json", "engines.json"):
            (self.folder / name).unlink(missing_ok=True)

    def deploy(self, stack: str, changes: Mapping[str, str] | None = None) -> Deployment:
        """Deploy a stack, or deploy it again with `changes` to its configuration.

        Raises DeployError with what a Pulumi user would be shown.
        """
        if stack in self.engines:
            deployment = self.engines[stack].up(changes).deployment
        else:
            state = self.states.get(stack) or self._fresh_state(stack)
            self.states[stack] = state
            deployment = deploy(
                program=self.root,
                project=self.project,
                stack=stack,
                config={**self.configs[stack], **(changes or {})},
                state=state,
                registry=full_registry(),
                settings=self.provider_settings,
                deployed=self.deployments,
            )
        self.deployments[stack] = deployment
        operations = ("create", "update", "replace", "delete", "same")
        counts = [f"{deployment.count(one)} {one}" for one in operations if deployment.count(one)]
        self.say(f"{stack}: {', '.join(counts)}")
        return deployment

    def _start_engines(self, opened: ExitStack) -> None:
        """The providers, and a Pulumi stack without a past for each stack config."""
        providers = opened.enter_context(Providers(full_registry(), self.provider_settings))
        folder = self.folder / "pulumi"
        shutil.rmtree(folder, ignore_errors=True)
        for stack in self.stacks:
            self.engines[stack] = Engine(
                self.root, folder, self.project, stack, self.configs[stack], providers.ports
            )

    @property
    def provider_settings(self) -> ProviderSettings:
        """What the default provider works with, but for the stack's own configuration."""
        key = self.cloud.credentials[PRODUCER]
        return ProviderSettings(
            endpoint_url=self.cloud.endpoint_url,
            region=self.region,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
        )

    def entries(self, stack: str) -> list[Entry]:
        """What the stack's state holds."""
        engine = self.engines.get(stack)
        return engine.entries() if engine else self.states[stack].entries()

    @property
    def outputs(self) -> Mapping[str, Any]:
        return self.deployments[self.stack].outputs

    def client(self, service: str) -> Any:
        """A boto3 client of the producer's account."""
        if service not in self._aws:
            key = self.cloud.credentials[PRODUCER]
            session = aws_session(key.access_key_id, key.secret_access_key, self.region)
            self._aws[service] = session.client(service, endpoint_url=self.cloud.endpoint_url)
        return self._aws[service]

    def _fresh_state(self, stack: str) -> State:
        """No state of an earlier run: the AWS API that it spoke of is gone."""
        path = self.folder / f"{stack}.state.json"
        path.unlink(missing_ok=True)
        return State(path)

    def _own_public_zone(self, stack: str) -> None:
        """A producer has a public hosted zone before they deploy anything; so has this account."""
        name = self.configs[stack]["mtls:publicZone"]
        self.client("route53").create_hosted_zone(Name=name, CallerReference=stack)

    @cached_property
    def vantage(self) -> Vantage:
        """Places to call from, in the first subnet of the stack's load balancer."""
        balancers = self.client("elbv2").describe_load_balancers(
            LoadBalancerArns=[self.outputs["alb_arn"]]
        )["LoadBalancers"]
        subnet = balancers[0]["AvailabilityZones"][0]["SubnetId"]
        return Vantage(ec2=self.client("ec2"), wire=self.wire, subnet_id=subnet)

    @property
    def domain(self) -> str:
        return self.outputs["url"].removeprefix("https://")

    def clients(self) -> list[Client]:
        """The stack's own test clients, each with its files written and a door of its own."""
        groups = self.outputs["client_security_group_ids"]
        return [
            Client(
                name=name,
                door=self.vantage.door(self.domain, 443, groups[name]),
                files=self.write_files(name, given["certificate_chain"], given["private_key"]),
            )
            for name, given in self.outputs["clients"].items()
        ]

    def write_files(self, name: str, chain: str, key: str) -> Files:
        """A client's files, below `folder`; the key readable by its owner only."""
        folder = self.folder / "clients"
        folder.mkdir(exist_ok=True)
        cert_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
        cert_file.write_text(chain)
        key_file.touch(mode=0o600)
        key_file.write_text(key)
        return Files(ca=self.server_ca, cert=cert_file, key=key_file)

    @cached_property
    def server_ca(self) -> Path:
        """The root that the server's certificate chains to, as ACM hands it out."""
        listeners = self.client("elbv2").describe_listeners(
            LoadBalancerArn=self.outputs["alb_arn"]
        )["Listeners"]
        arn = listeners[0]["Certificates"][0]["CertificateArn"]
        chain = self.client("acm").get_certificate(CertificateArn=arn)["CertificateChain"]
        path = self.folder / "server-ca.pem"
        path.write_text(chain)
        return path

    def authority(self, name: str) -> Authority:
        """A self-signed authority of the stack, with its key, for certificates it never issued."""
        entries = {e.urn.rpartition("::")[2]: e for e in self.entries(self.stack)}
        key = entries[f"ca-{name}-key"].outputs["privateKeyPem"]
        root = entries[f"ca-{name}-root"].outputs["certPem"]
        return Authority(
            certificate=x509.load_pem_x509_certificate(root.encode()),
            key=cast("PrivateKey", load_pem_private_key(key.encode(), password=None)),
        )

    def describe(self) -> dict[str, Any]:
        """What `.lab/lab.json` holds."""
        key = self.cloud.credentials[PRODUCER]
        return {
            "aws_endpoint_url": self.cloud.endpoint_url,
            "region": self.region,
            "accounts": {PRODUCER: asdict(key)},
            "outputs": {stack: _shown(made) for stack, made in self.deployments.items()},
            "issuer": None,
            "clients": [client.described() for client in self.clients()],
        }

    def write_description(self) -> Path:
        """Write `lab.json`, and `engines.json`: how to work on each stack with the Pulumi CLI."""
        engines = {
            stack: {
                "folder": str(one.workspace_folder),
                "cli": one.cli.command,
                "environment": one.environment,
            }
            for stack, one in self.engines.items()
        }
        self._write("engines.json", engines)
        return self._write("lab.json", self.describe())

    def _write(self, name: str, content: Any) -> Path:
        """All at once, and readable by its owner only: it names keys."""
        path = self.folder / name
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(content, indent=2) + "\n")
        new.replace(path)
        return path


def _shown(deployment: Deployment) -> dict[str, Any]:
    """A stack's outputs as Pulumi shows them: secrets are not."""
    return {
        name: "[secret]" if name in deployment.secret_outputs else value
        for name, value in deployment.outputs.items()
    }
