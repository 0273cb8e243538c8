"""Planning, without AWS and without a file being written."""

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.consumer_file import ExistingVpc, NewVpc
from ops.customers import (
    Connection,
    EndpointService,
    Request,
    plan_accept,
    plan_add,
    plan_reject,
)
from ops.errors import RefusedError
from ops.plan import AcceptConnections, AwaitAvailable, Plan, RejectConnections, WriteFile
from ops.stack_file import StackFile

ACME, GLOBEX, STRANGER = "444455556666", "777788889999", "999900001111"
ROLE = f"arn:aws:iam::{ACME}:role/deploy"
PROD = StackFile(
    Path("Pulumi.prod.yaml"),
    f"""\
config:
  aws:region: eu-west-1
  mtls:domain: api.example.com
  mtls:privateLink: true
  mtls:customers:
    globex: {{ principals: ["{GLOBEX}"], endpoints: [vpce-71, vpce-72], contact: Gus }}
""",
)
SERVICE = EndpointService(
    service_id="vpce-svc-1",
    service_name="com.amazonaws.vpce.eu-west-1.vpce-svc-1",
    zone_ids=("euw1-az1", "euw1-az2", "euw1-az3"),
    verified=True,
)
NEW = NewVpc(cidr=IPv4Network("10.30.0.0/16"))
ACME_REQUEST = Request(name="acme", account=ACME, vpc=NEW)


def add(
    request: Request = ACME_REQUEST,
    service: EndpointService | None = SERVICE,
    stack: StackFile = PROD,
    consumer: StackFile | None = None,
) -> Plan:
    return plan_add(stack, request, "eu-west-1", service, consumer)


def written(plan: Plan, name: str) -> StackFile:
    """The file of that name as the plan writes it."""
    [step] = [each for each in plan.steps if isinstance(each, WriteFile) and each.path.name == name]
    return StackFile(step.path, step.text)


def config(plan: Plan, name: str = "Pulumi.acme.yaml") -> dict[str, Any]:
    return yaml.safe_load(written(plan, name).text)["config"]


IDENTITY = {
    "certificate_subjects": ("CN=acme,O=Acme",),
    "client_ids": ("acme", "acme-batch"),
    "token_subjects": ("acme-service",),
}


def test_a_customer_is_written_with_what_the_api_knows_it_by():
    plan = add(replace(ACME_REQUEST, **IDENTITY))
    file = written(plan, "Pulumi.prod.yaml")
    assert yaml.safe_load(file.text)["config"]["mtls:customers"]["acme"] == {
        "principals": [ACME],
        "certificates": {"subjects": ["CN=acme,O=Acme"]},
        "tokens": {"clientIds": ["acme", "acme-batch"], "subjects": ["acme-service"]},
    }
    acme = file.customers["acme"]
    assert {key: getattr(acme, key) for key in IDENTITY} == IDENTITY
    again = add(replace(ACME_REQUEST, **IDENTITY), stack=file)
    changed = [step.path.name for step in again.steps if isinstance(step, WriteFile)]
    assert changed == ["Pulumi.acme.yaml"]


@pytest.mark.parametrize(
    ("field", "what"),
    [
        ("certificate_subjects", "certificate subjects"),
        ("client_ids", "client ids"),
        ("token_subjects", "token subjects"),
    ],
)
def test_a_customer_that_is_known_otherwise_is_not_changed(field: str, what: str):
    file = written(add(replace(ACME_REQUEST, **IDENTITY)), "Pulumi.prod.yaml")
    with pytest.raises(RefusedError, match=f"acme has other {what}: "):
        add(replace(ACME_REQUEST, **{field: ("CN=other",)}), stack=file)
    unknown = written(add(ACME_REQUEST), "Pulumi.prod.yaml")
    with pytest.raises(RefusedError, match=f"acme has other {what}: none; change them there"):
        add(replace(ACME_REQUEST, **{field: ("CN=other",)}), stack=unknown)


def test_a_new_customer_is_in_the_producers_file_and_has_one_of_its_own():
    plan = add(replace(ACME_REQUEST, contact="Ann"))
    assert written(plan, "Pulumi.prod.yaml").customers["acme"].principals == (ACME,)
    assert config(plan) == {
        "aws:region": "eu-west-1",
        "aws:allowedAccountIds": [ACME],
        "mtls:role": "consumer",
        "mtls:domain": "api.example.com",
        "mtls:serviceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-1",
        "mtls:serviceZones": ["euw1-az1", "euw1-az2", "euw1-az3"],
        "mtls:vpcCidr": "10.30.0.0/16",
        "mtls:subnets": {
            "euw1-az1": "10.30.0.0/24",
            "euw1-az2": "10.30.1.0/24",
            "euw1-az3": "10.30.2.0/24",
        },
        "mtls:clients": {"acme": {}},
        "mtls:clientCidrs": [],
        "mtls:dns": "private-dns-name",
    }


def test_the_customers_file_says_nothing_of_other_customers():
    text = written(add(), "Pulumi.acme.yaml").text
    assert not any(word in text for word in ("globex", GLOBEX, "prod", "vpce-71", "Gus"))


def test_a_plan_prints_what_it_will_write():
    lines = add(replace(ACME_REQUEST, roles=(ROLE,))).lines()
    assert lines[:4] == [
        "~ Pulumi.prod.yaml",
        f"    + mtls:customers.acme: {{principals: [{ROLE}]}}",
        "+ Pulumi.acme.yaml",
        "    aws:region: eu-west-1",
    ]
    assert "    mtls:subnets:\n      euw1-az1: 10.30.0.0/24" in "\n".join(lines)


def test_roles_are_the_principals_instead_of_the_account():
    plan = add(replace(ACME_REQUEST, roles=(ROLE,)))
    assert written(plan, "Pulumi.prod.yaml").customers["acme"].principals == (ROLE,)


def test_before_the_service_is_deployed_only_the_producers_file_changes():
    plan = add(service=None)
    assert [line for line in plan.lines() if line[0] in "+~-"] == ["~ Pulumi.prod.yaml"]
    assert plan.next == ("deploy the stack (pulumi up --stack prod), then run this again",)


def test_where_the_stack_makes_no_service_the_next_step_says_so():
    stack = StackFile(PROD.path, PROD.text.replace("  mtls:privateLink: true\n", ""))
    [line] = add(service=None, stack=stack).next
    assert line.startswith("set mtls:privateLink: true, deploy the stack (pulumi up --stack prod)")


def test_a_second_run_goes_on_where_the_first_stopped():
    stack = written(add(service=None), "Pulumi.prod.yaml")
    plan = add(stack=stack)
    assert [line for line in plan.lines() if line[0] in "+~-"] == ["+ Pulumi.acme.yaml"]
    assert add(stack=stack, consumer=written(plan, "Pulumi.acme.yaml")).steps == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "prod"}, "prod is the producer's stack"),
        ({"name": "globex"}, f"globex is a customer already, with account {GLOBEX}"),
        ({"account": GLOBEX}, f"account {GLOBEX} is of the customer globex already"),
        ({"roles": (ROLE.replace(ACME, STRANGER),)}, f"is not in account {ACME}"),
        ({"name": "globex", "account": GLOBEX, "contact": "Ann"}, "other contact: Gus"),
        (
            {
                "name": "globex",
                "account": GLOBEX,
                "roles": (f"arn:aws:iam::{GLOBEX}:role/a",),
            },
            f"other principals: {GLOBEX}",
        ),
    ],
)
@pytest.mark.parametrize("service", [SERVICE, None])
def test_a_customer_that_contradicts_the_file_is_refused(
    change: dict[str, Any], words: str, service: EndpointService | None
):
    with pytest.raises(RefusedError, match=words):
        add(replace(ACME_REQUEST, **change), service)


def test_a_customers_own_subnets_are_taken_as_given():
    vpc = ExistingVpc(vpc_id="vpc-1", subnet_ids={"euw1-az2": "subnet-2"})
    made = config(add(replace(ACME_REQUEST, vpc=vpc)))
    assert (made["mtls:vpcId"], made["mtls:subnetIds"]) == ("vpc-1", {"euw1-az2": "subnet-2"})
    assert not made.keys() & {"mtls:vpcCidr", "mtls:subnets"}


def test_subnets_outside_the_services_zones_are_refused_with_both_sides():
    vpc = ExistingVpc(vpc_id="vpc-1", subnet_ids={"euw1-az2": "subnet-2", "euw1-az9": "subnet-9"})
    both = "are in euw1-az2, euw1-az9, the service is in euw1-az1, euw1-az2, euw1-az3"
    with pytest.raises(RefusedError, match=both):
        add(replace(ACME_REQUEST, vpc=vpc))


def test_a_new_vpc_has_a_subnet_in_at_most_three_zones():
    zones = tuple(f"euw1-az{n}" for n in range(1, 6))
    made = config(add(service=replace(SERVICE, zone_ids=zones)))
    assert list(made["mtls:subnets"]) == ["euw1-az1", "euw1-az2", "euw1-az3"]


@pytest.mark.parametrize(("cidr", "zones"), [("10.0.0.0/22", 3), ("10.0.0.0/23", 2)])
def test_a_small_block_will_do_if_every_subnet_fits(cidr: str, zones: int):
    request = replace(ACME_REQUEST, vpc=NewVpc(cidr=IPv4Network(cidr)))
    service = replace(SERVICE, zone_ids=SERVICE.zone_ids[:zones])
    assert len(config(add(request, service))["mtls:subnets"]) == zones


@pytest.mark.parametrize("cidr", ["10.0.0.0/23", "10.0.0.0/25", "10.0.0.0/15"])
def test_a_block_without_room_for_the_subnets_is_refused(cidr: str):
    with pytest.raises(RefusedError, match=f"--vpc-cidr {cidr} has no room for 3"):
        add(replace(ACME_REQUEST, vpc=NewVpc(cidr=IPv4Network(cidr))))


def test_dns_waits_for_the_names_verification_unless_asked_otherwise():
    unverified = replace(SERVICE, verified=False)
    zone = replace(ACME_REQUEST, dns="private-hosted-zone")
    assert config(add(service=unverified))["mtls:dns"] == "private-hosted-zone"
    assert config(add(zone))["mtls:dns"] == "private-hosted-zone"
    with pytest.raises(RefusedError, match="not verified the service's private DNS name"):
        add(replace(ACME_REQUEST, dns="private-dns-name"), unverified)


def customers_own(text: str) -> StackFile:
    return StackFile(Path("Pulumi.acme.yaml"), text)


def test_a_customers_file_that_says_something_else_is_kept_unless_forced():
    made = written(add(), "Pulumi.acme.yaml").text
    edited = customers_own(made.replace("acme: {}", "shop: {}") + "encryptionsalt: v1:a=:b\n")
    with pytest.raises(RefusedError, match="says something else of mtls:clients; --force"):
        add(consumer=edited)
    forced = written(add(replace(ACME_REQUEST, force=True), consumer=edited), "Pulumi.acme.yaml")
    assert yaml.safe_load(forced.text)["config"]["mtls:clients"] == {"acme": {}}
    assert yaml.safe_load(forced.text)["encryptionsalt"] == "v1:a=:b"


def test_what_pulumi_adds_to_the_customers_file_makes_no_difference():
    text = written(add(), "Pulumi.acme.yaml").text + "encryptionsalt: v1:a=:b\n"
    plan = add(consumer=customers_own(text))
    assert [step.path.name for step in plan.steps if isinstance(step, WriteFile)] == [
        "Pulumi.prod.yaml"
    ]


def test_the_file_of_a_stack_that_is_no_customers_is_never_replaced():
    other = customers_own("config: {mtls:role: producer}\n")
    with pytest.raises(RefusedError, match="is the file of another stack"):
        add(replace(ACME_REQUEST, force=True), consumer=other)


def connection(endpoint_id: str, state: str, owner: str = GLOBEX) -> Connection:
    return Connection(endpoint_id=endpoint_id, owner=owner, state=state)


CONNECTIONS = (
    connection("vpce-41", "pendingAcceptance", ACME),
    connection("vpce-71", "available"),
    connection("vpce-73", "pendingAcceptance"),
    connection("vpce-74", "rejected"),
    connection("vpce-75", "deleted"),
    connection("vpce-91", "pendingAcceptance", STRANGER),
)


def endpoints(plan: Plan) -> tuple[str, ...]:
    return written(plan, "Pulumi.prod.yaml").customers["globex"].endpoints


def test_accepting_takes_the_customers_pending_endpoints_and_lists_them():
    plan = plan_accept(PROD, "globex", None, SERVICE, CONNECTIONS)
    accept, write, wait = plan.steps
    assert accept == AcceptConnections(service_id="vpce-svc-1", endpoint_ids=("vpce-73",))
    assert isinstance(write, WriteFile)
    assert wait == AwaitAvailable(service_id="vpce-svc-1", endpoint_ids=("vpce-73",))
    assert endpoints(plan) == ("vpce-71", "vpce-72", "vpce-73")


def test_an_endpoint_that_is_available_but_not_listed_is_listed():
    connections = [connection("vpce-71", "available"), connection("vpce-79", "available")]
    plan = plan_accept(PROD, "globex", None, SERVICE, connections)
    assert [type(step) for step in plan.steps] == [WriteFile]
    assert endpoints(plan) == ("vpce-71", "vpce-72", "vpce-79")


def test_what_is_accepted_and_listed_already_is_nothing_to_do():
    plan = plan_accept(PROD, "globex", "vpce-71", SERVICE, CONNECTIONS)
    assert plan == Plan()


def test_a_rejected_endpoint_is_accepted_only_by_its_id():
    plan = plan_accept(PROD, "globex", "vpce-74", SERVICE, CONNECTIONS)
    assert plan.steps[0] == AcceptConnections(service_id="vpce-svc-1", endpoint_ids=("vpce-74",))


@pytest.mark.parametrize("planner", [plan_accept, plan_reject])
@pytest.mark.parametrize(
    ("name", "endpoint_id", "words"),
    [
        ("globex", "vpce-41", f"vpce-41 is of account {ACME} .no customer., not of globex"),
        ("globex", "vpce-91", f"vpce-91 is of account {STRANGER} .no customer."),
        ("globex", "vpce-99", "vpce-svc-1 has no connection from vpce-99"),
        ("globes", None, "no customer globes; did you mean globex"),
        ("acme", None, "no customer acme; it has globex"),
    ],
)
def test_an_endpoint_that_is_not_the_customers_is_refused(
    planner: Any, name: str, endpoint_id: str | None, words: str
):
    with pytest.raises(RefusedError, match=words):
        planner(PROD, name, endpoint_id, SERVICE, CONNECTIONS)


def test_another_customers_endpoint_is_refused_with_its_name():
    stack = written(add(), "Pulumi.prod.yaml")
    with pytest.raises(RefusedError, match=f"of account {GLOBEX} .globex., not of acme"):
        plan_accept(stack, "acme", "vpce-73", SERVICE, CONNECTIONS)


def test_accepting_a_deleted_endpoint_is_refused():
    with pytest.raises(RefusedError, match="vpce-75 is deleted"):
        plan_accept(PROD, "globex", "vpce-75", SERVICE, CONNECTIONS)


def test_accepting_when_nobody_asks_is_refused():
    with pytest.raises(RefusedError, match=f"no endpoint of globex .account {GLOBEX}. asks"):
        plan_accept(PROD, "globex", None, SERVICE, [connection("vpce-74", "rejected")])


def test_rejecting_cuts_every_connection_of_the_customer_and_lists_none():
    plan = plan_reject(PROD, "globex", None, SERVICE, CONNECTIONS)
    reject, write = plan.steps
    assert reject == RejectConnections(service_id="vpce-svc-1", endpoint_ids=("vpce-71", "vpce-73"))
    assert isinstance(write, WriteFile)
    assert endpoints(plan) == ()


def test_rejecting_one_leaves_the_others():
    plan = plan_reject(PROD, "globex", "vpce-71", SERVICE, CONNECTIONS)
    assert plan.steps[0] == RejectConnections(service_id="vpce-svc-1", endpoint_ids=("vpce-71",))
    assert endpoints(plan) == ("vpce-72",)


def test_rejecting_a_listed_endpoint_that_is_gone_only_changes_the_file():
    plan = plan_reject(PROD, "globex", "vpce-72", SERVICE, CONNECTIONS)
    assert [type(step) for step in plan.steps] == [WriteFile]
    assert endpoints(plan) == ("vpce-71",)


def test_rejecting_what_is_rejected_and_not_listed_is_nothing_to_do():
    assert plan_reject(PROD, "globex", "vpce-74", SERVICE, CONNECTIONS) == Plan()
