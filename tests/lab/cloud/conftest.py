"""A running AWS API per test module, and boto3 clients for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from lab.cloud import Cloud

REGION = "eu-west-1"
ACCOUNTS = {"producer": "111111111111", "customer": "222222222222"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(ACCOUNTS, REGION) as running:
        yield running


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> Iterator[Callable[..., Any]]:
    """`client("elbv2")`, or `client("acm", "customer")` for the other account."""
    clients: dict[tuple[str, str, str], Any] = {}

    def get(service: str, account: str = "producer", region: str = REGION) -> Any:
        if (service, account, region) not in clients:
            key = cloud.credentials[account]
            clients[service, account, region] = boto3.client(
                service,
                region_name=region,
                endpoint_url=cloud.endpoint_url,
                aws_access_key_id=key.access_key_id,
                aws_secret_access_key=key.secret_access_key,
                config=Config(
                    parameter_validation=False,  # else boto3 refuses what the API should
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                ),
            )
        return clients[service, account, region]

    yield get
    for one in clients.values():
        one.close()


@contextmanager
def _refused(code: str, message: str | None = None) -> Iterator[None]:
    with pytest.raises(ClientError, match=message) as refusal:
        yield
    assert refusal.value.response["Error"]["Code"] == code


@pytest.fixture(scope="session")
def refused() -> Callable[..., Any]:
    """`with refused("ValidationError", "a part of the message"): …`"""
    return _refused


@dataclass
class Network:
    vpc_id: str
    subnet_ids: list[str]
    group_id: str


@pytest.fixture(scope="module")
def network(client: Callable[..., Any]) -> Network:
    """A VPC 10.20.0.0/16 with a /24 in each of two zones and a security group."""
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc_id, CidrBlock=f"10.20.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="alb", Description="alb", VpcId=vpc_id)
    return Network(vpc_id, subnets, group["GroupId"])


@pytest.fixture(scope="module")
def create_balancer(client: Callable[..., Any], network: Network) -> Callable[..., str]:
    """`create_balancer("name", …)` answers the ARN of an internal ALB in `network`."""

    def create(name: str, **arguments: Any) -> str:
        settings = {
            "Subnets": network.subnet_ids,
            "SecurityGroups": [network.group_id],
            "Scheme": "internal",
        }
        answer = client("elbv2").create_load_balancer(Name=name, **(settings | arguments))
        return answer["LoadBalancers"][0]["LoadBalancerArn"]

    return create


@pytest.fixture(scope="module")
def issue(client: Callable[..., Any]) -> Callable[..., str]:
    """`issue("a.example.com", …)` answers the ARN of an ACM certificate, validated by DNS."""
    route53 = client("route53")
    zone_id = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"][
        "Id"
    ]

    def request(*domains: str, validate: bool = True, **arguments: Any) -> str:
        acm = client("acm")
        if domains[1:]:
            arguments["SubjectAlternativeNames"] = list(domains[1:])
        arn = acm.request_certificate(DomainName=domains[0], ValidationMethod="DNS", **arguments)[
            "CertificateArn"
        ]
        if validate:
            detail = acm.describe_certificate(CertificateArn=arn)["Certificate"]
            changes = [
                {"Action": "UPSERT", "ResourceRecordSet": cname(option["ResourceRecord"])}
                for option in detail["DomainValidationOptions"]
            ]
            route53.change_resource_record_sets(
                HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
            )
        return arn

    return request


def cname(record: dict[str, str]) -> dict[str, Any]:
    """ACM's ResourceRecord as Route 53 takes it."""
    values = [{"Value": record["Value"]}]
    return {"Name": record["Name"], "Type": "CNAME", "TTL": 60, "ResourceRecords": values}


@pytest.fixture(scope="session")
def make_ca() -> Callable[..., bytes]:
    """`make_ca("name", key=…, algorithm=…, ca=…)` answers a self-signed PEM certificate."""

    def make(
        name: str, key: Any = None, algorithm: Any = None, ca: bool | None = True, **sign: Any
    ) -> bytes:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            subject, subject, key.public_key(), 1, now, now + timedelta(days=9)
        )
        if ca is not None:
            constraints = x509.BasicConstraints(ca=ca, path_length=None)
            builder = builder.add_extension(constraints, critical=True)
        certificate = builder.sign(key, algorithm or hashes.SHA256(), **sign)
        return certificate.public_bytes(Encoding.PEM)

    return make


@pytest.fixture(scope="module")
def put(client: Callable[..., Any]) -> Callable[..., str]:
    """`put("key", b"…")` answers the version of an object in the bucket "bundles"."""
    s3 = client("s3")
    s3.create_bucket(Bucket="bundles", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="bundles", VersioningConfiguration={"Status": "Enabled"})
    return lambda key, body: s3.put_object(Bucket="bundles", Key=key, Body=body)["VersionId"]


@pytest.fixture(scope="module")
def create_store(client: Callable[..., Any], put: Callable[..., str]) -> Callable[..., str]:
    """`create_store("name", bundle)` answers the ARN of a trust store, not looked at since."""

    def create(name: str, bundle: bytes, **arguments: Any) -> str:
        put(f"{name}.pem", bundle)
        answer = client("elbv2").create_trust_store(
            Name=name,
            CaCertificatesBundleS3Bucket="bundles",
            CaCertificatesBundleS3Key=f"{name}.pem",
            **arguments,
        )
        return answer["TrustStores"][0]["TrustStoreArn"]

    return create


@pytest.fixture(scope="module")
def elbv2(client: Callable[..., Any]) -> Any:
    return client("elbv2")


@pytest.fixture(scope="module")
def create_network(create_balancer: Callable[..., str]) -> Callable[..., str]:
    return lambda name, **arguments: create_balancer(name, Type="network", **arguments)


@pytest.fixture(scope="module")
def create_alb(elbv2: Any, create_balancer: Callable[..., str]) -> Callable[..., str]:
    """`create_alb("name", 443)`: an ALB with an HTTP listener on each port."""

    def create(name: str, *ports: int, **arguments: Any) -> str:
        arn = create_balancer(name, **arguments)
        ok = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
        for port in ports:
            elbv2.create_listener(
                LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=[ok]
            )
        return arn

    return create


@pytest.fixture(scope="module")
def create_group(elbv2: Any, network: Network) -> Callable[..., Any]:
    def create(name: str, **arguments: Any) -> Any:
        settings = {
            "TargetType": "alb", "Protocol": "TCP", "Port": 443, "VpcId": network.vpc_id
        } | arguments  # fmt: skip
        return elbv2.create_target_group(Name=name, **settings)["TargetGroups"][0]

    return create


@pytest.fixture(scope="module")
def listen(elbv2: Any) -> Callable[..., Any]:
    """`listen(nlb_arn, group_arn)` answers a new TCP listener on port 443."""

    def create(arn: str, group_arn: str, port: int = 443, **arguments: Any) -> Any:
        action = {"Type": "forward", "TargetGroupArn": group_arn}
        settings = {"Protocol": "TCP", "Port": port, "DefaultActions": [action]} | arguments
        return elbv2.create_listener(LoadBalancerArn=arn, **settings)["Listeners"][0]

    return create


@pytest.fixture(scope="module")
def register(elbv2: Any) -> Callable[..., None]:
    """`register(group, alb_arn, …, Port=443)` makes load balancers targets of a group."""

    def act(group: Any, *targets: str, **more: Any) -> None:
        elbv2.register_targets(
            TargetGroupArn=group["TargetGroupArn"],
            Targets=[{"Id": each, **more} for each in targets],
        )

    return act
