"""`python -m ops customer …` against an AWS API with a producer's account and two customers'."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops import endpoint_service
from ops.endpoint_service import Producer
from tests.ops.conftest import ACME, DOMAIN, GLOBEX, REGION, STACK, Aws, Ops

ADD = ("customer", "add", "acme", "--account", ACME)
WITH_CUSTOMERS = f"""\
{STACK}  mtls:customers:
    # since 2024
    globex: {{ principals: ["{GLOBEX}"], contact: Gus }}
    acme: {{ principals: ["{ACME}"] }}
"""


def config(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())["config"]


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.fixture
def customers(folder: Path) -> Path:
    """The stack file, with the customers acme and globex."""
    path = folder / "Pulumi.prod.yaml"
    path.write_text(WITH_CUSTOMERS)
    return path


# add


def test_a_customer_is_added_and_its_file_holds_what_aws_says_of_the_service(
    ops: Ops, folder: Path, service_id: str
):
    ran = ops(*ADD, "--contact", "Ann")
    assert ran.code == 0, ran.err
    assert (folder / "Pulumi.prod.yaml").read_text() == (
        f'{STACK}  mtls:customers:\n    acme:\n      principals: ["{ACME}"]\n      contact: Ann\n'
    )
    made = config(folder / "Pulumi.acme.yaml")
    assert made["mtls:serviceName"] == f"com.amazonaws.vpce.{REGION}.{service_id}"
    assert made["mtls:serviceZones"] == ["euw1-az1", "euw1-az2"]
    assert made["mtls:subnets"] == {"euw1-az1": "10.30.0.0/24", "euw1-az2": "10.30.1.0/24"}
    assert made["mtls:dns"] == "private-dns-name"
    assert ran.out.startswith("~ Pulumi.prod.yaml\n    + mtls:customers.acme: ")
    assert "next: python -m ops customer accept acme --stack prod" in ran.err


def test_a_customer_is_added_with_its_certificate_and_its_tokens(ops: Ops, folder: Path):
    identity = ("--certificate-subject", "CN=acme,O=Acme", "--client-id", "acme", "batch")
    ran = ops(*ADD, *identity, "--token-subject", "svc")
    assert ran.code == 0, ran.err
    acme = config(folder / "Pulumi.prod.yaml")["mtls:customers"]["acme"]
    assert acme["certificates"] == {"subjects": ["CN=acme,O=Acme"]}
    assert acme["tokens"] == {"clientIds": ["acme", "batch"], "subjects": ["svc"]}


def test_the_customers_file_names_no_account_or_resource_of_the_producer(
    ops: Ops, folder: Path, service_id: str
):
    assert ops(*ADD).code == 0
    text = (folder / "Pulumi.acme.yaml").read_text()
    assert service_id in text
    assert "111122223333" not in text
    assert "arn:" not in text


def test_a_second_run_has_nothing_to_do(ops: Ops, folder: Path, service_id: str):
    assert ops(*ADD).code == 0
    before = files(folder)
    again = ops(*ADD)
    assert (again.code, again.out) == (0, "")
    assert again.err.startswith("nothing to do\n")
    assert files(folder) == before


def test_before_the_service_is_deployed_half_is_done_and_a_second_run_does_the_rest(
    ops: Ops, folder: Path, aws: Aws
):
    first = ops(*ADD)
    assert first.code == 0
    assert f"no endpoint service for {DOMAIN} in account 111122223333, {REGION}" in first.err
    assert "next: deploy the stack (pulumi up --stack prod), then run this again" in first.err
    assert not (folder / "Pulumi.acme.yaml").exists()
    service_id = aws.service(DOMAIN, ["euw1-az2"])
    second = ops(*ADD)
    aws.delete(service_id)
    assert second.code == 0, second.err
    made = config(folder / "Pulumi.acme.yaml")
    assert made["mtls:subnets"] == {"euw1-az2": "10.30.0.0/24"}
    assert made["mtls:dns"] == "private-hosted-zone"  # the name is not verified yet


def test_a_customers_own_vpc_needs_no_call_in_its_account(ops: Ops, folder: Path, service_id: str):
    subnets = ("euw1-az1=subnet-0a1b", "euw1-az2=subnet-0c2d")
    assert ops(*ADD, "--vpc", "vpc-0a1b", "--subnets", *subnets).code == 0
    made = config(folder / "Pulumi.acme.yaml")
    assert made["mtls:vpcId"] == "vpc-0a1b"
    assert made["mtls:subnetIds"] == {"euw1-az1": "subnet-0a1b", "euw1-az2": "subnet-0c2d"}


def test_a_dry_run_prints_the_plan_and_writes_nothing(ops: Ops, folder: Path, service_id: str):
    before = files(folder)
    dry = ops(*ADD, "--dry-run")
    assert dry.code == 0
    assert files(folder) == before
    assert dry.out == ops(*ADD).out


def test_for_machines_the_plan_is_json_and_nothing_else(ops: Ops, folder: Path, service_id: str):
    dry = json.loads(ops(*ADD, "--dry-run", "--json").out)
    done = json.loads(ops(*ADD, "--json").out)
    assert dry == {**done, "performed": False}
    assert done["performed"] is True
    assert [step["file"] for step in done["plan"]] == ["Pulumi.prod.yaml", "Pulumi.acme.yaml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("globex", "--account", ACME), "account 444455556666 is of the customer acme already"),
        (("acme", "--account", "222222222222"), "acme is a customer already, with account 4444"),
        (("prod", "--account", "222222222222"), "prod is the producer's stack"),
        (
            ("acme", "--account", ACME, "--vpc", "vpc-1", "--subnets", "euw1-az3=subnet-1"),
            "the subnets are in euw1-az3, the service is in euw1-az1, euw1-az2",
        ),
        (("new", "--account", "222222222222", "--stack", "dev"), "--stack can be: prod"),
        (("new", "--account", "222222222222", "--vpc-cidr", "10.0.0.0/24"), "no room for 2"),
        (
            ("there", "--account", "222222222222"),
            "says something else of aws:allowedAccountIds, aws:region, ",
        ),
        (("there", "--account", "222222222222", "--stack", "there"), "is a customer's"),
    ],
)
def test_a_refusal_is_one_line_and_leaves_every_file_alone(
    ops: Ops, customers: Path, service_id: str, arguments: tuple[str, ...], words: str
):
    customers.with_name("Pulumi.there.yaml").write_text(
        "config: {mtls:role: consumer, aws:region: us-east-1}\n"
    )
    before = files(customers.parent)
    ran = ops("customer", "add", *arguments)
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert words in ran.err
    assert ran.out == ""
    assert files(customers.parent) == before


def test_two_services_of_one_name_are_refused(ops: Ops, folder: Path, aws: Aws, service_id: str):
    other = aws.service(DOMAIN, ["euw1-az1"])
    ran = ops(*ADD)
    aws.delete(other)
    assert ran.code == 1
    assert f"several endpoint services have the private DNS name {DOMAIN}" in ran.err
    assert not (folder / "Pulumi.acme.yaml").exists()


# list


def test_the_list_shows_customers_endpoints_and_strangers(
    ops: Ops, folder: Path, aws: Aws, service_id: str
):
    acme = f'    acme: {{ principals: ["{ACME}"], endpoints: [vpce-0gone], contact: Ann, '
    acme += "certificates: {subjects: [CN=acme]}, tokens: {clientIds: [acme]} }\n"
    (folder / "Pulumi.prod.yaml").write_text(f"{STACK}  mtls:customers:\n{acme}")
    mine = aws.connect(service_id, "acme")
    stranger = aws.connect(service_id, "globex")
    ran = ops("customer", "list")
    assert ran.code == 0, ran.err
    assert [line.split() for line in ran.out.splitlines()] == [
        ["NAME", "PRINCIPALS", "ENDPOINT", "STATE", "IN", "CONFIG", "CONTACT"],
        ["acme", ACME, mine, "pendingAcceptance", "no", "Ann"],
        ["vpce-0gone", "none", "yes"],
        ["(unknown)", GLOBEX, stranger, "pendingAcceptance", "-", "-"],
    ]
    listed = json.loads(ops("customer", "list", "--json").out)
    assert listed["unknown"] == [
        {"endpoint_id": stranger, "owner": GLOBEX, "state": "pendingAcceptance"}
    ]
    [one] = listed["customers"]
    assert (one["certificate_subjects"], one["client_ids"]) == (["CN=acme"], ["acme"])
    assert one["token_subjects"] == []
    assert one["endpoints"][0] == {
        "endpoint_id": mine,
        "owner": ACME,
        "state": "pendingAcceptance",
        "configured": False,
    }


def test_a_list_before_the_service_is_deployed_shows_the_configuration(ops: Ops, customers: Path):
    ran = ops("customer", "list")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["NAME", "globex", "acme"]
    assert "no endpoint service" in ran.err


# accept


def test_an_accepted_endpoint_is_available_and_in_the_stack_file(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    mine, other = aws.connect(service_id, "acme"), aws.connect(service_id, "globex")
    ran = ops("customer", "accept", "acme")
    assert ran.code == 0, ran.err
    assert aws.state(mine, "acme") == "available"
    assert aws.state(other, "globex") == "pendingAcceptance"
    assert customers.read_text() == WITH_CUSTOMERS.replace(
        f'["{ACME}"] }}', f'["{ACME}"], endpoints: [{mine}] }}'
    )
    assert f"{mine} is available" in ran.err
    again = ops("customer", "accept", "acme")
    assert (again.code, again.out, again.err) == (0, "", "nothing to do\n")


def test_an_acceptance_that_stopped_half_way_is_finished_by_a_second_run(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    mine = aws.connect(service_id, "acme")
    aws.client("ec2", "producer").accept_vpc_endpoint_connections(
        ServiceId=service_id, VpcEndpointIds=[mine]
    )
    assert ops("customer", "accept", "acme").code == 0
    assert config(customers)["mtls:customers"]["acme"]["endpoints"] == [mine]


def test_one_endpoint_can_be_accepted_by_itself(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    first, second = aws.connect(service_id, "acme"), aws.connect(service_id, "acme")
    assert ops("customer", "accept", "acme", "--endpoint", second).code == 0
    assert aws.state(first, "acme") == "pendingAcceptance"
    assert config(customers)["mtls:customers"]["acme"]["endpoints"] == [second]


def test_what_another_service_of_the_account_is_asked_is_left_alone(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    other = aws.service("other.example.com", ["euw1-az1"])
    aws.allow(other, ACME)
    mine, others = aws.connect(service_id, "acme"), aws.connect(other, "acme")
    ran = ops("customer", "accept", "acme")
    state = aws.state(others, "acme")
    aws.delete(other)
    assert ran.code == 0, ran.err
    assert state == "pendingAcceptance"
    assert config(customers)["mtls:customers"]["acme"]["endpoints"] == [mine]


def test_an_endpoint_of_another_account_is_refused(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    other = aws.connect(service_id, "globex")
    ran = ops("customer", "accept", "acme", "--endpoint", other)
    assert ran.code == 1
    assert f"{other} is of account {GLOBEX} (globex), not of acme ({ACME})" in ran.err
    assert aws.state(other, "globex") == "pendingAcceptance"
    assert customers.read_text() == WITH_CUSTOMERS


def test_a_dry_run_accepts_nothing(ops: Ops, customers: Path, aws: Aws, service_id: str):
    mine = aws.connect(service_id, "acme")
    ran = ops("customer", "accept", "acme", "--dry-run")
    assert ran.out.startswith(f"+ {service_id}: accept {mine}\n~ Pulumi.prod.yaml\n")
    assert aws.state(mine, "acme") == "pendingAcceptance"
    assert customers.read_text() == WITH_CUSTOMERS


def test_what_aws_will_not_accept_is_not_listed(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    mine = aws.connect(service_id, "acme")
    aws.client("ec2", "producer").reject_vpc_endpoint_connections(
        ServiceId=service_id, VpcEndpointIds=[mine]
    )
    ran = ops("customer", "accept", "acme", "--endpoint", mine)
    assert ran.code == 1
    assert f"error: not accepted: {mine}: InvalidState" in ran.err
    assert customers.read_text() == WITH_CUSTOMERS


def test_without_a_service_there_is_nothing_to_accept(ops: Ops, customers: Path):
    ran = ops("customer", "accept", "acme")
    assert ran.code == 1
    assert "deploy the stack first (pulumi up --stack prod)" in ran.err


def test_waiting_is_bounded_and_says_the_state(
    ops: Ops, customers: Path, aws: Aws, service_id: str, monkeypatch: pytest.MonkeyPatch
):
    mine = aws.connect(service_id, "acme")
    monkeypatch.setattr(endpoint_service, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(Producer, "accept", lambda *_: None)  # AWS takes its time
    ran = ops("customer", "accept", "acme")
    assert ran.code == 1
    assert ran.err == (
        f"{mine} is pendingAcceptance\n"
        "error: not yet available after 0.1 s; see `python -m ops customer list`\n"
    )


def test_waiting_for_an_endpoint_that_is_deleted_meanwhile_ends(
    ops: Ops, customers: Path, aws: Aws, service_id: str, monkeypatch: pytest.MonkeyPatch
):
    mine = aws.connect(service_id, "acme")

    def delete(*_: object) -> None:
        aws.client("ec2", "acme").delete_vpc_endpoints(VpcEndpointIds=[mine])

    monkeypatch.setattr(Producer, "accept", delete)
    ran = ops("customer", "accept", "acme")
    assert ran.code == 1
    assert f"error: {mine} is deleted" in ran.err


# reject


def test_a_rejected_customer_is_cut_off_and_no_longer_listed(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    mine, other = aws.connect(service_id, "acme"), aws.connect(service_id, "globex")
    assert ops("customer", "accept", "acme").code == 0
    assert ops("customer", "accept", "globex").code == 0
    ran = ops("customer", "reject", "acme", "--yes")
    assert ran.code == 0, ran.err
    assert aws.state(mine, "acme") == "rejected"
    assert aws.state(other, "globex") == "available"
    assert config(customers)["mtls:customers"]["acme"]["endpoints"] == []
    assert config(customers)["mtls:customers"]["globex"]["endpoints"] == [other]
    again = ops("customer", "reject", "acme", "--yes")
    assert (again.code, again.out, again.err) == (0, "", "nothing to do\n")


def test_a_customer_is_not_cut_off_without_yes(
    ops: Ops, customers: Path, aws: Aws, service_id: str
):
    mine = aws.connect(service_id, "acme")
    ran = ops("customer", "reject", "acme")
    assert (ran.code, ran.out) == (1, f"- {service_id}: reject {mine}\n")
    assert ran.err == "error: this cuts acme off; to do it, run it again with --yes\n"
    assert aws.state(mine, "acme") == "pendingAcceptance"
    dry = ops("customer", "reject", "acme", "--dry-run", "--yes")
    assert (dry.code, dry.out) == (0, ran.out)
    assert aws.state(mine, "acme") == "pendingAcceptance"


# AWS's own refusals


def test_credentials_that_aws_does_not_know_are_one_line(
    ops: Ops, customers: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ran = ops("customer", "list")
    assert ran.code == 1
    assert ran.err.startswith("error: Unable to locate credentials")
    assert ran.err.count("\n") == 1


def test_a_profile_that_does_not_exist_is_one_line(ops: Ops, customers: Path):
    ran = ops("customer", "list", "--profile", "nobody")
    assert ran.code == 1
    assert ran.err.startswith("error: The config profile (nobody) could not be found; check --prof")


def test_an_api_that_is_not_there_is_one_line(ops: Ops, customers: Path):
    ran = ops("customer", "list", "--endpoint-url", "http://127.0.0.1:9")
    assert ran.code == 1
    assert ran.err.startswith("error: Could not connect to the endpoint URL")


def test_another_region_has_no_such_service(ops: Ops, customers: Path, service_id: str):
    ran = ops("customer", "list", "--region", "eu-central-1")
    assert ran.code == 0
    assert "in account 111122223333, eu-central-1" in ran.err
