"""One run of the lab: the AWS API, the stacks deployed into it, and the wire, as one."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lab.access_log import AccessLog
from lab.attempt import Files
from lab.aws_sessions import aws_session
from lab.certificates import Authority, PrivateKey
from lab.clients import Client, write_client_files, write_server_ca
from lab.cloud.server import Cloud
from lab.provider.aws import ProviderSettings
from lab.provider.config import load_config
from lab.provider.engine import Engine
from lab.provider.grpc_server import Providers
from lab.provider.inprocess import Deployment, deploy, refresh
from lab.provider.resources import full_registry
from lab.provider.state import Entry, State
from lab.tokens import Tokens
from lab.vantage import Vantage
from lab.wire.wire import Wire

PRODUCER = "producer"
PRODUCER_ID = "111122223333"
NEWCOMER, NEWCOMER_ID = "globex", "777788889999"
"""An account without a stack, which is nobody's customer yet."""
ENGINES = ("inprocess", "pulumi")


class Lab:
    """A running lab: start it with `with Lab(…) as lab:`; leaving ends everything it started.

    `stacks` are names of stack configs (`Pulumi.<stack>.yaml` in `root`), deployed in that order;
    the first is the producer's, the one that `outputs` and the cases speak of. A stack whose
    `aws:allowedAccountIds` names an account is deployed there, under its own name; every other one
    is in the account "producer". Files go to `folder`. `engine` is what deploys: one of ENGINES,
    "pulumi" being the real one.
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
        self.accounts = {PRODUCER: PRODUCER_ID, NEWCOMER: NEWCOMER_ID}
        for stack, config in self.configs.items():
            for account_id in json.loads(config.get("aws:allowedAccountIds", "[]")):
                if account_id != PRODUCER_ID:
                    self.accounts[stack] = account_id
        self._aws: dict[tuple[str, str], Any] = {}
        self._vantages: dict[str, Vantage] = {}
        self._ports: dict[str, Mapping[str, int]] = {}
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as opened:
            self._opened = opened
            self.cloud = opened.enter_context(Cloud(self.accounts, self.region))
            self.say(f"AWS API at {self.cloud.endpoint_url}")
            self.tokens = Tokens(self.folder)
            opened.callback(self.tokens.close)
            self.wire = Wire(
                self.cloud.endpoint_url,
                self.region,
                self.cloud.credentials.values(),
                internet=self.tokens.internet,
                internet_ca=self.tokens.ca,
            )
            opened.callback(self.wire.stop)
            self.wire.start()
            shutil.rmtree(self.folder / "pulumi", ignore_errors=True)
            for stack in self.stacks:
                self._own_public_zone(stack)
                if self.engine == "pulumi":
                    self._start_engine(stack)
                self.deploy(stack)
                if self.configs[stack].get("mtls:role") == "consumer":
                    self.accept(stack)
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
        for name in ("lab.json", "engines.json"):
            (self.folder / name).unlink(missing_ok=True)

    def add(self, stack: str, config: Mapping[str, str]) -> Deployment:
        """Deploy a stack that was not there at the start; it has an account of its name."""
        self.stacks += (stack,)
        self.configs[stack] = dict(config)
        if self.engine == "pulumi":
            self._start_engine(stack)
        return self.deploy(stack)

    def account(self, stack: str) -> str:
        """The name of the account that a stack is deployed into."""
        return stack if stack in self.accounts else PRODUCER

    def deploy(self, stack: str, changes: Mapping[str, str] | None = None) -> Deployment:
        """Deploy a stack, or deploy it again with `changes` to its configuration.

        Raises DeployError with what a Pulumi user would be shown.
        """
        config = {**self.configs[stack], **(changes or {})}
        if stack in self.engines:
            deployment = self.engines[stack].up(changes).deployment
        else:
            state = self.states.get(stack) or self._fresh_state(stack)
            self.states[stack] = state
            deployment = deploy(
                program=self.root,
                project=self.project,
                stack=stack,
                config=config,
                state=state,
                registry=full_registry(),
                settings=self.provider_settings(stack),
                deployed=self.deployments,
            )
        self.deployments[stack] = deployment
        if stack == self.stack:
            made = deployment.outputs["clients"]
            chains = {name: given["certificate_chain"] for name, given in made.items()}
            self.tokens.follow(config, chains)
        operations = ("create", "update", "replace", "delete", "same")
        counts = [f"{deployment.count(one)} {one}" for one in operations if deployment.count(one)]
        self.say(f"{stack}: {', '.join(counts)}")
        return deployment

    def refresh(self, stack: str) -> None:
        """Make a stack's state what AWS has."""
        if stack in self.engines:
            self.engines[stack].refresh()
        else:
            settings = self.provider_settings(stack)
            refresh(self.states[stack], full_registry(), settings)

    def configure(self, stack: str, changes: Mapping[str, str]) -> None:
        """Change a stack's configuration, as an edit of its file would, for later deployments."""
        self.configs[stack].update(changes)
        if stack in self.engines:
            self.engines[stack].config.update(changes)

    def accept(self, stack: str) -> None:
        """The producer lists a customer's endpoint and deploys; the customer refreshes and deploys.

        Those are the two steps that end an onboarding. A customer that the producer does not list
        stays as it is.
        """
        customers = json.loads(self.configs[self.stack].get("mtls:customers", "{}"))
        if stack not in customers:
            return
        customers[stack]["endpoints"] = [self.deployments[stack].outputs["endpoint_id"]]
        self.configure(self.stack, {"mtls:customers": json.dumps(customers)})
        self.deploy(self.stack)
        self.refresh(stack)
        self.deploy(stack)

    def _start_engine(self, stack: str) -> None:
        """The providers of its account, and a Pulumi stack without a past."""
        account = self.account(stack)
        if account not in self._ports:
            providers = Providers(full_registry(), self.provider_settings(stack))
            self._ports[account] = self._opened.enter_context(providers).ports
        self.engines[stack] = Engine(
            self.root,
            self.folder / "pulumi",
            self.project,
            stack,
            self.configs[stack],
            self._ports[account],
        )

    def provider_settings(self, stack: str) -> ProviderSettings:
        """What the default provider works with, but for the stack's own configuration."""
        key = self.cloud.credentials[self.account(stack)]
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

    def client(self, service: str, account: str = PRODUCER) -> Any:
        """A boto3 client of an account."""
        if (account, service) not in self._aws:
            key = self.cloud.credentials[account]
            session = aws_session(key.access_key_id, key.secret_access_key, self.region)
            client = session.client(service, endpoint_url=self.cloud.endpoint_url)
            self._aws[account, service] = client
        return self._aws[account, service]

    def _fresh_state(self, stack: str) -> State:
        """No state of an earlier run: the AWS API that it spoke of is gone."""
        path = self.folder / f"{stack}.state.json"
        path.unlink(missing_ok=True)
        return State(path)

    def _own_public_zone(self, stack: str) -> None:
        """A producer has a public hosted zone before they deploy anything; so has this account."""
        if name := self.configs[stack].get("mtls:publicZone"):
            zones = self.client("route53", self.account(stack))
            zones.create_hosted_zone(Name=name, CallerReference=stack)

    @cached_property
    def vantage(self) -> Vantage:
        """Places to call from, in the first subnet of the producer's load balancer."""
        balancers = self.client("elbv2").describe_load_balancers(
            LoadBalancerArns=[self.outputs["alb_arn"]]
        )["LoadBalancers"]
        subnet = balancers[0]["AvailabilityZones"][0]["SubnetId"]
        return Vantage(ec2=self.client("ec2"), wire=self.wire, subnet_id=subnet)

    def vantage_of(self, stack: str) -> Vantage:
        """Places to call from, in the first subnet of a customer's endpoint."""
        if stack not in self._vantages:
            ec2 = self.client("ec2", self.account(stack))
            endpoint_id = self.deployments[stack].outputs["endpoint_id"]
            endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]
            subnet = endpoint["SubnetIds"][0]
            self._vantages[stack] = Vantage(ec2=ec2, wire=self.wire, subnet_id=subnet)
        return self._vantages[stack]

    @property
    def domain(self) -> str:
        return self.outputs["url"].removeprefix("https://")

    def clients(self) -> list[Client]:
        """The test clients of the producer, then those of its customers' stacks.

        Each has its files written and a door of its own. A customer's clients share the one
        certificate that the producer made for it.
        """
        certificates = self.outputs["clients"]
        groups = self.outputs["client_security_group_ids"]
        found = [
            self._client(name, PRODUCER, self.vantage, groups[name], name)
            for name in groups
            if name in certificates
        ]
        for stack in self.stacks[1:]:
            groups = self.deployments[stack].outputs.get("client_security_group_ids", {})
            if stack in certificates:
                vantage, account = self.vantage_of(stack), self.account(stack)
                found += [
                    self._client(f"{stack}-{name}", account, vantage, group, stack)
                    for name, group in groups.items()
                ]
        return found

    def _client(
        self, name: str, account: str, vantage: Vantage, group: str, certificate: str
    ) -> Client:
        given = self.outputs["clients"][certificate]
        chain, key = given["certificate_chain"], given["private_key"]
        files = self.write_files(name, chain, key, certificate)
        return Client(
            name=name, account=account, door=vantage.door(self.domain, 443, group), files=files
        )

    def write_files(self, name: str, chain: str, key: str, tenant: str | None = None) -> Files:
        """A client's files; key and token readable by their owner only.

        The token is the tenant's, bound to this certificate. There is none without a tenant, or
        where the stack accepts none of the lab's issuer.
        """
        files = write_client_files(self.folder, self.server_ca, name, chain, key)
        if tenant is None:
            return files
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        path = self.folder / "clients" / f"{name}.token"
        return replace(files, token=self.tokens.write(path, tenant, leaf))

    @property
    def access_log(self) -> AccessLog:
        return AccessLog(
            apigateway=self.client("apigateway"),
            logs=self.client("logs"),
            api_id=self.outputs["api_id"],
        )

    @cached_property
    def server_ca(self) -> Path:
        """The root that the server's certificate chains to."""
        elbv2, acm = self.client("elbv2"), self.client("acm")
        return write_server_ca(self.folder, elbv2, acm, self.outputs["alb_arn"])

    def authority(self, name: str) -> Authority:
        """A self-signed authority of the stack, with its key, for certificates it never issued."""
        entries = {e.urn.rpartition("::")[2]: e for e in self.entries(self.stack)}
        key = entries[f"ca-{name}-key"].outputs["privateKeyPem"]
        root = entries[f"ca-{name}-root"].outputs["certPem"]
        return Authority(
            certificate=x509.load_pem_x509_certificate(root.encode()),
            key=cast("PrivateKey", load_pem_private_key(key.encode(), password=None)),
        )
