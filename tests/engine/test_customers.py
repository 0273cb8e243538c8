"""A producer's stack and its customer's, in an account of its own, under the Pulumi engine.

The tests go through a customer's life in its order, one after the other.
"""

import gc
import json
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.attempt import Answer, curl
from lab.cases.onboarding import Office
from lab.clients import write_client_files, write_server_ca
from lab.cloud.server import Cloud
from lab.provider.config import load_config
from lab.provider.engine import Engine, Result
from lab.provider.inprocess import DeployError
from lab.tokens import Tokens
from lab.vantage import Vantage
from lab.wire.wire import Wire
from tests.conftest import ROOT
from tests.engine.conftest import ACCOUNTS, REGION, Account
from tests.engine.inventory import inventory

pytestmark = [
    pytest.mark.engine,
    # Of outputs in a program that fails; they go when the next one runs.
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]

GLOBEX = {"principals": [ACCOUNTS["globex"]]}
ALLOW_GLOBEX = f"privatelink-allow-globex-{ACCOUNTS['globex']}"
ELSEWHERE = "which is in euw1-az1, euw1-az2; got euw1-az1, euw1-az3"


def held(accounts: dict[str, Account]) -> dict[str, dict[str, int]]:
    return {name: inventory(one.client) for name, one in accounts.items()}


def touched(result: Result) -> dict[str, str]:
    """What is done to which resource."""
    told = {step.name: step.operation for step in result.changing}
    assert len(told) == len(result.changing), "two steps of one name"
    return told


def listed(dev: Engine, name: str, **entry: Any) -> dict[str, str]:
    """The producer's configuration with a customer more, or with more about one that is there."""
    customers = json.loads(dev.config["mtls:customers"])
    customers[name] = {**customers.get(name, {}), **entry}
    return {"mtls:customers": json.dumps(customers)}


@pytest.fixture(scope="module", autouse=True)
def _swept() -> Iterator[None]:
    """Lets go of what runs that failed have left, here where nobody is told."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def before(accounts: dict[str, Account], dev: Engine) -> dict[str, dict[str, int]]:
    return held(accounts)


@dataclass(frozen=True, kw_only=True)
class Both:
    """Both stacks, deployed for the first time: the previews, and what came of them."""

    previewed: dict[str, Result]
    deployed: dict[str, Result]

    @property
    def endpoint_id(self) -> str:
        return self.deployed["acme"].outputs["endpoint_id"]

    @property
    def service_id(self) -> str:
        return self.deployed["dev"].outputs["service_id"]


@pytest.fixture(scope="module")
def both(before: dict[str, dict[str, int]], dev: Engine, acme: Engine) -> Both:
    previewed, deployed = {}, {}
    for stack in (dev, acme):
        previewed[stack.name] = stack.preview()
        deployed[stack.name] = stack.up()
    return Both(previewed=previewed, deployed=deployed)


@pytest.fixture(scope="module")
def accepted(both: Both, dev: Engine) -> Result:
    """The customer's endpoint is put into the producer's configuration, and that deployed."""
    dev.config |= listed(dev, "acme", endpoints=[both.endpoint_id])
    return dev.up()


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The customer, calling the API by its name from its own VPC."""

    vantage: Vantage
    group: str
    domain: str
    folder: Path
    ca: Path
    identity: dict[str, str]
    tokens: Tokens

    def call(self) -> Answer:
        chain, key = self.identity["certificate_chain"], self.identity["private_key"]
        files = write_client_files(self.folder, self.ca, "acme", chain, key)
        files = replace(files, token=self.tokens.write(self.folder / "token", "acme"))
        return curl(self.vantage.door(self.domain, 443, self.group), files, "/widgets")


@pytest.fixture(scope="module")
def caller(
    both: Both,
    accepted: Result,
    cloud: Cloud,
    dev: Engine,
    accounts: dict[str, Account],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("acme")
    ec2 = accounts["acme"].client("ec2")
    endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[both.endpoint_id])["VpcEndpoints"][0]
    producer = accounts["producer"].client
    balancer = accepted.outputs["alb_arn"]
    identity = accepted.outputs["clients"]["acme"]
    tokens = Tokens(folder)
    tokens.follow(dev.config, {"acme": identity["certificate_chain"]})
    keys = cloud.credentials.values()
    with (
        closing(tokens),
        Wire(
            cloud.endpoint_url, REGION, keys, internet=tokens.internet, internet_ca=tokens.ca
        ) as wire,
    ):
        vantage = Vantage(ec2=ec2, wire=wire, subnet_id=endpoint["SubnetIds"][0])
        caller = Caller(
            vantage=vantage,
            group=both.deployed["acme"].outputs["client_security_group_ids"]["shop"],
            domain=accepted.outputs["private_dns_name"],
            folder=folder,
            ca=write_server_ca(folder, producer("elbv2"), producer("acm"), balancer),
            identity=identity,
            tokens=tokens,
        )
        yield caller


@pytest.fixture(scope="module")
def newcomer(both: Both, accounts: dict[str, Account]) -> Iterator[str]:
    """The id of an endpoint that globex makes by hand, and the VPC around it."""
    ec2 = accounts["globex"].client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(
        VpcId=vpc_id, CidrBlock="10.50.0.0/24", AvailabilityZoneId="euw1-az1"
    )["Subnet"]["SubnetId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=both.deployed["dev"].outputs["service_name"],
        VpcEndpointType="Interface",
        SubnetIds=[subnet_id],
    )["VpcEndpoint"]["VpcEndpointId"]
    yield endpoint
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.delete_subnet(SubnetId=subnet_id)
    ec2.delete_vpc(VpcId=vpc_id)


def office_of(account: Account, dev: Engine, folder: Path) -> Office:
    """Where the producer keeps the dev stack's file, as it is configured now."""
    (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    content = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    content["config"]["mtls:customers"] = json.loads(dev.config["mtls:customers"])
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    settings = account.settings
    keys = {
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": settings.access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.secret_access_key,
    }
    return Office(folder=folder, environment={**os.environ, **keys})


def connections(account: Account) -> dict[str, str]:
    """Of the producer's service, by endpoint: in which state."""
    answer = account.client("ec2").describe_vpc_endpoint_connections()
    return {
        one["VpcEndpointId"]: one["VpcEndpointState"] for one in answer["VpcEndpointConnections"]
    }


def test_each_deployment_makes_what_its_preview_listed(both: Both, accounts: dict[str, Account]):
    for stack, deployed in both.deployed.items():
        assert {step.operation for step in deployed.steps} == {"create", "read"}
        assert {step.urn for step in deployed.steps} == {s.urn for s in both.previewed[stack].steps}
    assert connections(accounts["producer"]) == {both.endpoint_id: "pendingAcceptance"}
    assert both.deployed["acme"].outputs["endpoint_state"] == "pendingAcceptance"


def test_deploying_again_and_refreshing_change_nothing(both: Both, dev: Engine, acme: Engine):
    for stack in (dev, acme):
        assert touched(stack.up()) == {}
        assert touched(stack.refresh()) == {}


def test_a_listed_endpoint_is_accepted_and_nothing_else_is_touched(both: Both, accepted: Result):
    assert touched(accepted) == {f"privatelink-accept-acme-{both.endpoint_id}": "create"}


def test_the_customers_next_deployment_turns_its_private_dns_name_on(
    both: Both, caller: Caller, acme: Engine
):
    acme.refresh()
    (endpoint,) = [one for one in acme.entries() if one.urn.endswith("::consumer-vpce")]
    assert endpoint.id == both.endpoint_id
    assert endpoint.outputs["state"] == "available"
    assert touched(acme.up()) == {"consumer-private-dns": "update"}
    assert caller.call().json == {"id": "1", "value": "4.99"}


def test_deploying_again_changes_nothing_then_either(caller: Caller, dev: Engine, acme: Engine):
    for stack in (dev, acme):
        assert touched(stack.up()) == {}


def test_a_customer_more_touches_no_other(
    caller: Caller, accounts: dict[str, Account], dev: Engine
):
    known = held(accounts)
    more = listed(dev, "globex", **GLOBEX)
    assert touched(dev.preview(more)) == {ALLOW_GLOBEX: "create"}
    assert held(accounts) == known
    dev.config |= more
    assert touched(dev.up()) == {ALLOW_GLOBEX: "create"}
    assert caller.call().status == 200


def test_an_endpoint_that_is_accepted_already_can_be_listed(
    caller: Caller, newcomer: str, accounts: dict[str, Account], dev: Engine, tmp_path: Path
):
    assert connections(accounts["producer"])[newcomer] == "pendingAcceptance"
    office = office_of(accounts["producer"], dev, tmp_path)
    office.ops("accept", "globex")
    assert connections(accounts["producer"])[newcomer] == "available"
    _, config = load_config(tmp_path, "dev")
    dev.config |= {"mtls:customers": config["mtls:customers"]}
    assert touched(dev.up()) == {f"privatelink-accept-globex-{newcomer}": "create"}
    assert touched(dev.up()) == {}


def test_a_customer_less_touches_no_other(
    both: Both, caller: Caller, newcomer: str, accounts: dict[str, Account], dev: Engine
):
    customers = json.loads(dev.config["mtls:customers"])
    del customers["globex"]
    less = {"mtls:customers": json.dumps(customers)}
    gone = {ALLOW_GLOBEX: "delete", f"privatelink-accept-globex-{newcomer}": "delete"}
    assert touched(dev.preview(less)) == gone
    dev.config |= less
    assert touched(dev.up()) == gone
    assert connections(accounts["producer"]) == {
        both.endpoint_id: "available",
        newcomer: "rejected",
    }
    assert caller.call().status == 200


def test_a_customer_in_a_zone_without_the_service_is_refused_before_anything_is_made(
    both: Both, accounts: dict[str, Account], dev: Engine, tmp_path: Path
):
    known = held(accounts)
    project, config = load_config(ROOT, "acme")
    config["mtls:subnets"] = json.dumps({"euw1-az1": "10.30.0.0/24", "euw1-az3": "10.30.2.0/24"})
    ports = accounts["acme"].providers.ports
    elsewhere = Engine(ROOT, dev.folder, project, "elsewhere", config, ports)
    with pytest.raises(DeployError, match=ELSEWHERE):
        elsewhere.preview()
    assert held(accounts) == known
    assert elsewhere.entries() == []


def test_the_credentials_of_another_account_are_refused(
    both: Both, accounts: dict[str, Account], dev: Engine
):
    known = held(accounts)
    project, config = load_config(ROOT, "acme")
    ports = accounts["producer"].providers.ports
    astray = Engine(ROOT, dev.folder, project, "astray", config, ports)
    refusal = f"AWS account ID not allowed: {ACCOUNTS['producer']}"
    with pytest.raises(DeployError, match=refusal):
        astray.up()
    assert held(accounts) == known


def test_one_customer_more_among_a_thousand_touches_no_other(caller: Caller, dev: Engine):
    def allow(number: int) -> str:
        return f"privatelink-allow-c{number}-{300000000000 + number}"

    def crowd(count: int) -> dict[str, str]:
        customers = json.loads(dev.config["mtls:customers"])
        customers |= {f"c{n}": {"principals": [f"{300000000000 + n}"]} for n in range(count)}
        return {"mtls:customers": json.dumps(customers)}

    assert touched(dev.up(crowd(50))) == {allow(n): "create" for n in range(50)}
    assert touched(dev.up(crowd(51))) == {allow(50): "create"}
    thousand = touched(dev.preview(crowd(1000)))
    assert thousand == {allow(n): "create" for n in range(51, 1000)}
    assert touched(dev.preview(crowd(1001))) == {**thousand, allow(1000): "create"}
    assert caller.call().status == 200


def test_destroying_both_leaves_nothing(
    caller: Caller, accounts: dict[str, Account], before: dict[str, dict[str, int]],
    dev: Engine, acme: Engine,
):  # fmt: skip
    caller.vantage.leave(caller.group)
    for stack in (acme, dev):
        stack.destroy()
        assert stack.entries() == []
    assert {**held(accounts), "globex": before["globex"]} == before
