"""A second customer, from the first command to being cut off: cases 19 to 22."""

import http.client
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError

from lab.attempt import Door, Files, curl
from lab.cases.certificates import ACCEPTED, FIRST_AUTHORITY
from lab.cases.result import Result, row
from lab.provider.config import load_config
from lab.session import NEWCOMER, NEWCOMER_ID, PRODUCER, Lab

HERE = Path(__file__).parent.parent.parent
OFF_ZONE = "euw1-az3"
"""Of the region, but not of the service."""


def onboarding(lab: Lab) -> Iterator[Result]:
    """19: the service does not show itself to an account that is not listed. 20: an endpoint can
    only be where the service is. 21: one that waits for acceptance leads nowhere, and does once it
    is accepted. 22: cut off while it is connected.
    """
    office = Office.of(lab)
    yield _refusal("19", "before it is listed", _create_endpoint(lab, "euw1-az1"), "InvalidService")
    added = office.ops(
        *("add", NEWCOMER, "--account", NEWCOMER_ID, "--vpc-cidr", "10.50.0.0/16"),
        *("--certificate-subject", f"CN={NEWCOMER}", "--client-id", NEWCOMER),
    )
    office.take_over(lab)
    lab.deploy(lab.stack)
    lab.add(NEWCOMER, load_config(office.folder, NEWCOMER)[1])
    yield Result(
        case="19", client=NEWCOMER, tried="ops customer add, two deployments",
        expected="pendingAcceptance", got=f"{lab.deployments[NEWCOMER].outputs['endpoint_state']}",
        why="nobody has accepted it",
        passed=lab.deployments[NEWCOMER].outputs["endpoint_state"] == "pendingAcceptance"
        and NEWCOMER in added,
    )  # fmt: skip
    yield _refusal("20", f"an endpoint in {OFF_ZONE}", _create_endpoint(lab, OFF_ZONE), "zone")
    yield from _acceptance(lab, office)
    yield from _rejection(lab, office)


def _acceptance(lab: Lab, office: "Office") -> Iterator[Result]:
    files = _files(lab)
    answer = curl(_door(lab, dns_name(lab)), files, "/widgets", "--insecure")
    yield row(
        "21", NEWCOMER, "its endpoint, not accepted yet", "no answer", answer,
        "the connection is pending", passed=answer.exit_code == 28,
    )  # fmt: skip
    office.ops("accept", NEWCOMER)
    office.take_over(lab)
    lab.deploy(lab.stack)
    lab.refresh(NEWCOMER)
    state = lab.deploy(NEWCOMER).outputs["endpoint_state"]
    answer = curl(_door(lab, lab.domain), files, "/widgets")
    yield row(
        "21", NEWCOMER, "ops customer accept, then its name", ACCEPTED, answer,
        f"the connection is {state}", passed=str(answer) == ACCEPTED,
    )  # fmt: skip


def _rejection(lab: Lab, office: "Office") -> Iterator[Result]:
    files = _files(lab)
    door = _door(lab, lab.domain)
    with Connection(door, files) as connected:
        before = connected.get("/widgets")
        office.ops("reject", NEWCOMER, "--yes")
        office.take_over(lab)
        lab.deploy(lab.stack)
        after = connected.get("/widgets")
    yield Result(
        case="22", client=NEWCOMER, tried="rejected while it is connected",
        expected="200 before, cut off after", got=f"{before} before, {after} after",
        why="the endpoint leads nowhere any more",
        passed=(before, after) == ("200", "cut off"),
    )  # fmt: skip
    answer = curl(_door(lab, dns_name(lab)), files, "/widgets", "--insecure")
    yield row(
        "22", NEWCOMER, "connects again", "no answer", answer, "the connection is rejected",
        passed=answer.exit_code == 28,
    )  # fmt: skip
    client = next(client for client in lab.clients() if client.account != PRODUCER)
    answer = curl(client.door, client.files, "/widgets")
    yield row(
        "22", client.name, "all the while", ACCEPTED, answer, "each customer is its own",
        passed=str(answer) == ACCEPTED,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Office:
    """Where the producer keeps its stack files, and runs `python -m ops`."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def of(cls, lab: Lab) -> "Office":
        """A copy: the files of the project stay as they are."""
        folder = lab.folder / "office"
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text((lab.root / "Pulumi.yaml").read_text())
        (folder / f"Pulumi.{NEWCOMER}.yaml").unlink(missing_ok=True)
        name = f"Pulumi.{lab.stack}.yaml"
        content: Any = yaml.safe_load((lab.root / name).read_text())
        customers = json.loads(lab.configs[lab.stack]["mtls:customers"])
        content["config"]["mtls:customers"] = customers
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
        key = lab.cloud.credentials[PRODUCER]
        return cls(
            folder=folder,
            environment={
                **os.environ,
                "PYTHONPATH": str(HERE),
                "AWS_ENDPOINT_URL": lab.cloud.endpoint_url,
                "AWS_REGION": lab.region,
                "AWS_ACCESS_KEY_ID": key.access_key_id,
                "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            },
        )

    def ops(self, *arguments: str) -> str:
        """`python -m ops customer …`; raises RuntimeError with what it said when it fails."""
        command = [sys.executable, "-m", "ops", "customer", *arguments, "--stack", "dev"]
        ran = subprocess.run(  # noqa: S603 (the command line is made here)
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        if ran.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ran.stderr}")
        return ran.stdout

    def take_over(self, lab: Lab) -> None:
        """What the producer's file says of its customers now, for the next deployment."""
        config = load_config(self.folder, lab.stack)[1]
        lab.configure(lab.stack, {"mtls:customers": config["mtls:customers"]})


class Connection:
    """One connection that stays open from request to request."""

    def __init__(self, door: Door, files: Files) -> None:
        context = ssl.create_default_context(cafile=str(files.ca))
        context.load_cert_chain(str(files.cert), str(files.key))
        context.check_hostname = False  # it connects to 127.0.0.1
        self._headers = {"Host": door.host, **files.headers}
        self._http = http.client.HTTPSConnection(
            "127.0.0.1", door.local_port, context=context, timeout=5
        )

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> str:
        """The status, or that the connection is gone. Never connects a second time."""
        try:
            self._http.request("GET", path, headers=self._headers)
            answer = self._http.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return "cut off"
        self._http.auto_open = 0
        return str(answer.status)


def dns_name(lab: Lab) -> str:
    """The endpoint's own name, which it has in any state."""
    return lab.deployments[NEWCOMER].outputs["endpoint_dns_name"]


def _door(lab: Lab, host: str) -> Door:
    groups = lab.deployments[NEWCOMER].outputs["client_security_group_ids"]
    return lab.vantage_of(NEWCOMER).door(host, 443, groups[NEWCOMER])


def _files(lab: Lab) -> Files:
    issued = lab.authority(FIRST_AUTHORITY).issue(NEWCOMER)
    return lab.write_files(f"case-{NEWCOMER}", issued.chain_pem, issued.key_pem, NEWCOMER)


def _create_endpoint(lab: Lab, zone: str) -> str:
    """What EC2 says to an endpoint that the newcomer makes by hand in a zone."""
    ec2 = lab.client("ec2", NEWCOMER)
    vpc_id = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.60.0.0/24", AvailabilityZoneId=zone)
    try:
        ec2.create_vpc_endpoint(
            VpcId=vpc_id,
            ServiceName=lab.outputs["service_name"],
            VpcEndpointType="Interface",
            SubnetIds=[subnet["Subnet"]["SubnetId"]],
        )
    except ClientError as error:
        return str(error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"])
    else:
        return "created"
    finally:
        ec2.delete_subnet(SubnetId=subnet["Subnet"]["SubnetId"])
        ec2.delete_vpc(VpcId=vpc_id)


def _refusal(case: str, tried: str, got: str, wanted: str) -> Result:
    return Result(
        case=case, client=NEWCOMER, tried=tried, expected="refused by EC2", got=got,
        why="the endpoint service", passed=wanted in got and got != "created",
    )  # fmt: skip
