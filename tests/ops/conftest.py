"""A producer's endpoint service and two customers' accounts, in an AWS API of the lab's."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.cloud import Cloud
from ops import endpoint_service
from ops.__main__ import main

REGION = "eu-west-1"
ACCOUNTS = {"producer": "111122223333", "acme": "444455556666", "globex": "777788889999"}
ACME, GLOBEX = ACCOUNTS["acme"], ACCOUNTS["globex"]
DOMAIN = "api.example.com"
STACK = f"""\
# The producer's stack.
config:
  aws:region: {REGION}
  mtls:domain: {DOMAIN}
  mtls:privateLink: true
  mtls:alb: {{ arn: arn:1 }}   # an existing one
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(ACCOUNTS, REGION) as running:
        yield running


@dataclass
class Aws:
    """What producer and customers do in AWS, each in its own account."""

    cloud: Cloud
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    made: int = 0

    def client(self, service: str, account: str) -> Any:
        if (service, account) not in self.clients:
            key = self.cloud.credentials[account]
            self.clients[service, account] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.cloud.endpoint_url,
                aws_access_key_id=key.access_key_id,
                aws_secret_access_key=key.secret_access_key,
            )
        return self.clients[service, account]

    def network(self, account: str, zone_ids: list[str]) -> tuple[str, dict[str, str]]:
        """A new VPC, and a subnet of it in each zone."""
        ec2 = self.client("ec2", account)
        vpc_id = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        support = {"EnableDnsSupport": {"Value": True}, "EnableDnsHostnames": {"Value": True}}
        for name, value in support.items():
            ec2.modify_vpc_attribute(VpcId=vpc_id, **{name: value})
        subnets = {
            zone: ec2.create_subnet(
                VpcId=vpc_id, CidrBlock=f"10.20.{number}.0/24", AvailabilityZoneId=zone
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate(zone_ids)
        }
        return vpc_id, subnets

    def service(self, domain: str, zone_ids: list[str]) -> str:
        """A new endpoint service with this private DNS name; its id."""
        self.made += 1
        _, subnets = self.network("producer", zone_ids)
        elbv2 = self.client("elbv2", "producer")
        balancer = elbv2.create_load_balancer(
            Name=f"nlb-{self.made}", Type="network", Scheme="internal", Subnets=[*subnets.values()]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        elbv2.get_waiter("load_balancer_available").wait(LoadBalancerArns=[balancer])
        ec2 = self.client("ec2", "producer")
        return ec2.create_vpc_endpoint_service_configuration(
            NetworkLoadBalancerArns=[balancer], PrivateDnsName=domain, AcceptanceRequired=True
        )["ServiceConfiguration"]["ServiceId"]

    def delete(self, service_id: str) -> None:
        """Deletes a service, which AWS allows when nothing is connected to it."""
        ec2 = self.client("ec2", "producer")
        connections = ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"]
        if ids := [
            each["VpcEndpointId"] for each in connections if each["ServiceId"] == service_id
        ]:
            ec2.reject_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=ids)
        ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service_id])

    def verify(self, service_id: str) -> None:
        """Proves the private DNS name by its record in a public zone."""
        ec2, route53 = self.client("ec2", "producer"), self.client("route53", "producer")
        [found] = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service_id])[
            "ServiceConfigurations"
        ]
        proof = found["PrivateDnsNameConfiguration"]
        zone = route53.create_hosted_zone(Name="example.com", CallerReference=service_id)
        record = {
            "Name": f"{proof['Name']}.{found['PrivateDnsName']}",
            "Type": "TXT",
            "TTL": 60,
            "ResourceRecords": [{"Value": f'"{proof["Value"]}"'}],
        }
        route53.change_resource_record_sets(
            HostedZoneId=zone["HostedZone"]["Id"],
            ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]},
        )
        ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=service_id)

    def allow(self, service_id: str, *account_ids: str) -> None:
        self.client("ec2", "producer").modify_vpc_endpoint_service_permissions(
            ServiceId=service_id,
            AddAllowedPrincipals=[f"arn:aws:iam::{each}:root" for each in account_ids],
        )

    def connect(self, service_id: str, account: str) -> str:
        """A customer's new endpoint to the service; its id."""
        vpc_id, subnets = self.network(account, ["euw1-az1"])
        return self.client("ec2", account).create_vpc_endpoint(
            VpcEndpointType="Interface",
            VpcId=vpc_id,
            ServiceName=f"com.amazonaws.vpce.{REGION}.{service_id}",
            SubnetIds=[*subnets.values()],
            PrivateDnsEnabled=False,
        )["VpcEndpoint"]["VpcEndpointId"]

    def state(self, endpoint_id: str, account: str) -> str:
        """As the endpoint's owner sees it."""
        ec2 = self.client("ec2", account)
        [found] = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
        return found["State"]


@pytest.fixture(scope="module")
def aws(cloud: Cloud) -> Iterator[Aws]:
    one = Aws(cloud)
    yield one
    for client in one.clients.values():
        client.close()


@pytest.fixture
def service_id(aws: Aws) -> Iterator[str]:
    """The endpoint service of DOMAIN in two zones, verified, which both customers may use."""
    made = aws.service(DOMAIN, ["euw1-az1", "euw1-az2"])
    aws.verify(made)
    aws.allow(made, ACME, GLOBEX)
    yield made
    aws.delete(made)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, which holds the producer's stack file."""
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Ops = Callable[..., Ran]


@pytest.fixture
def ops(
    cloud: Cloud,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Ops:
    """`ops("customer", "list")` in `folder`, with the producer's credentials."""
    key = cloud.credentials["producer"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))

    monkeypatch.setattr(endpoint_service, "POLL_SECONDS", 0.05)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run
