"""A private DNS name counts for customers once its owner has proved it: case 23."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lab.cases.result import Result
from lab.session import NEWCOMER, NEWCOMER_ID, Lab

NAME = "other.example.com"


@dataclass(frozen=True, kw_only=True)
class Named:
    """An endpoint service with a private DNS name, and an endpoint of the newcomer's to it."""

    ec2: Any
    customer_ec2: Any
    service_id: str
    endpoint_id: str

    def state(self) -> str:
        return self._configuration()["State"]

    def turn_on(self) -> str:
        """What EC2 says to the customer who turns the name on."""
        try:
            self.customer_ec2.modify_vpc_endpoint(
                VpcEndpointId=self.endpoint_id, PrivateDnsEnabled=True
            )
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        return "on"

    def verify(self) -> str:
        self.ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=self.service_id)
        return self.state()

    def proof(self) -> tuple[str, str]:
        """Name and value of the TXT record that is asked for."""
        asked = self._configuration()
        return f"{asked['Name']}.{NAME}", asked["Value"]

    def _configuration(self) -> dict[str, Any]:
        answer = self.ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[self.service_id])
        return answer["ServiceConfigurations"][0]["PrivateDnsNameConfiguration"]


def private_names(lab: Lab) -> Iterator[Result]:
    """23: refused before the TXT record is there, on after it was found."""
    with _named(lab) as named:
        yield _row("a name that is not verified", "refused by EC2", named.turn_on(), "", named)
        yield _row("verifies without the TXT record", "failed", named.verify(), "failed", named)
        with _record(lab, *named.proof()):
            got = named.verify()
            yield _row("verifies with the TXT record", "verified", got, "verified", named)
            yield _row("turns the name on", "on", named.turn_on(), "on", named)


def _row(tried: str, expected: str, got: str, wanted: str, named: Named) -> Result:
    passed = got == wanted if wanted else got.startswith("Invalid")
    return Result(
        case="23", client=NEWCOMER, tried=tried, expected=expected, got=got,
        why=f"the name is {named.state()}", passed=passed,
    )  # fmt: skip


@contextmanager
def _named(lab: Lab) -> Iterator[Named]:
    """Makes a service of its own beside the stack's, and takes it away again."""
    ec2, elbv2 = lab.client("ec2"), lab.client("elbv2")
    subnets = elbv2.describe_load_balancers(LoadBalancerArns=[lab.outputs["alb_arn"]])
    subnet = subnets["LoadBalancers"][0]["AvailabilityZones"][0]["SubnetId"]
    balancer = elbv2.create_load_balancer(
        Name="other", Type="network", Scheme="internal", Subnets=[subnet]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.get_waiter("load_balancer_available").wait(LoadBalancerArns=[balancer])
    service = ec2.create_vpc_endpoint_service_configuration(
        NetworkLoadBalancerArns=[balancer], AcceptanceRequired=False, PrivateDnsName=NAME
    )["ServiceConfiguration"]
    ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=service["ServiceId"],
        AddAllowedPrincipals=[f"arn:aws:iam::{NEWCOMER_ID}:root"],
    )
    zone = service["AvailabilityZones"][0]
    zones = ec2.describe_availability_zones(ZoneNames=[zone])["AvailabilityZones"]
    customer_ec2 = lab.client("ec2", NEWCOMER)
    vpc_id = customer_ec2.create_vpc(CidrBlock="10.61.0.0/16")["Vpc"]["VpcId"]
    customer_ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    subnet_id = customer_ec2.create_subnet(
        VpcId=vpc_id, CidrBlock="10.61.0.0/24", AvailabilityZoneId=zones[0]["ZoneId"]
    )["Subnet"]["SubnetId"]
    endpoint_id = customer_ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=service["ServiceName"],
        VpcEndpointType="Interface",
        SubnetIds=[subnet_id],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    try:
        yield Named(
            ec2=ec2,
            customer_ec2=customer_ec2,
            service_id=service["ServiceId"],
            endpoint_id=endpoint_id,
        )
    finally:
        customer_ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
        customer_ec2.delete_subnet(SubnetId=subnet_id)
        customer_ec2.delete_vpc(VpcId=vpc_id)
        ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service["ServiceId"]])
        elbv2.delete_load_balancer(LoadBalancerArn=balancer)


@contextmanager
def _record(lab: Lab, name: str, value: str) -> Iterator[None]:
    """A TXT record in the public zone, for a while."""
    route53 = lab.client("route53")
    zone = lab.configs[lab.stack]["mtls:publicZone"]
    zone_id = route53.list_hosted_zones_by_name(DNSName=zone)["HostedZones"][0]["Id"]

    def change(action: str) -> None:
        record = {
            "Name": name, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": f'"{value}"'}],
        }  # fmt: skip
        route53.change_resource_record_sets(
            HostedZoneId=zone_id,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )

    change("CREATE")
    try:
        yield
    finally:
        change("DELETE")
