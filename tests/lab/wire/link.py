"""A Network Load Balancer and an endpoint service in front of the stack, and customers of it."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.certificates import Issued
from lab.wire.network import Interface, Network
from tests.lab.wire import stack as front
from tests.lab.wire.stack import DOMAIN, Stack
from tests.lab.wire.tls_server import run

CUSTOMERS = {"acme": "444455556666", "globex": "777788889999"}
# The first is the producer's own, as happens.
NETWORKS = {"acme": "10.0", "globex": "10.9"}
EVERYWHERE = [{"CidrIp": "0.0.0.0/0"}]


def tcp(port: int, **source: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}


def group(ec2: Any, vpc: str, name: str) -> str:
    """A security group without rules."""
    made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
    everything = {"IpProtocol": "-1", "IpRanges": EVERYWHERE}
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=[everything])
    return made


def edge(ec2: Any, source: str, target: str, port: int) -> None:
    """Lets `source` out to `target`, and `target` admit it."""
    out = tcp(port, UserIdGroupPairs=[{"GroupId": target}])
    into = tcp(port, UserIdGroupPairs=[{"GroupId": source}])
    ec2.authorize_security_group_egress(GroupId=source, IpPermissions=[out])
    ec2.authorize_security_group_ingress(GroupId=target, IpPermissions=[into])


@dataclass
class Consumer:
    """A customer's VPC with a client's interface and an endpoint, by the customer's own reader."""

    link: "Link"
    name: str
    ids: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return self.link.stack.readers[self.name].client(service)

    @property
    def endpoint(self) -> dict[str, Any]:
        """As EC2 describes it to the customer."""
        answer = self.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[self.ids["endpoint"]])
        return answer["VpcEndpoints"][0]

    @property
    def regional_name(self) -> str:
        return self.endpoint["DnsEntries"][0]["DnsName"]

    def call(
        self, issued: Issued | None, *arguments: str, to: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.link.call(self.ids["client"], to or self.regional_name, issued, *arguments)

    def dropped(self, issued: Issued | None) -> bool:
        return self.link.dropped(self.ids["client"], self.regional_name, issued)

    def interfaces(self) -> list[Interface]:
        """The endpoint's own."""
        wanted = self.endpoint["NetworkInterfaceIds"]
        return [i for i in self.link.network.interfaces() if i.network_interface_id in wanted]


@dataclass
class Link:
    """The stack with what stands in front of it; `ids` are the stack's."""

    stack: Stack
    consumers: dict[str, Consumer] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, Any]:
        return self.stack.ids

    @property
    def network(self) -> Network:
        return Network(self.stack.accounts)

    def client(self, service: str) -> Any:
        return self.stack.client(service)

    def call(
        self, interface: str, to: str, issued: Issued | None, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """curl of the stack's domain, from an interface, by whatever name or address `to` is."""
        port = self.stack.wire.door(interface, to, 443)
        folder = self.stack.folder
        command = ["curl", "-s", "--max-time", "10", "--cacert", str(folder / "web.pem")]
        command += ["--connect-to", f"{DOMAIN}:443:127.0.0.1:{port}"]
        if issued:
            (folder / "link.pem").write_text(issued.chain_pem)
            (folder / "link.key").write_text(issued.key_pem)
            command += ["--cert", str(folder / "link.pem"), "--key", str(folder / "link.key")]
        return run([*command, *arguments, f"https://{DOMAIN}/widgets"])

    def dropped(self, interface: str, to: str, issued: Issued | None) -> bool:
        """Whether a call meets silence: not even TLS comes about in a second."""
        result = self.call(interface, to, issued, "-m", "1", "-w", "%{time_appconnect}")
        return (result.returncode, result.stdout) == (28, "0.000000")

    def event(self, result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
        """What the function behind the API was called with."""
        assert result.returncode == 0, result
        return json.loads(result.stdout)

    def nodes(self, load_balancer: str = "nlb") -> list[Interface]:
        return self.network.nodes(self.ids[load_balancer])

    def health(self, group_arn: str, state: str) -> dict[str, str]:
        """The health of a group's targets once all are in that state."""
        described: list[dict[str, str]] = []
        for _ in range(150):
            answer = self.client("elbv2").describe_target_health(TargetGroupArn=group_arn)
            described = [one["TargetHealth"] for one in answer["TargetHealthDescriptions"]]
            if {one["State"] for one in described} == {state}:
                return described[0]
            time.sleep(0.1)
        raise AssertionError(f"not {state} in 15 s: {described}")

    def decide(self, decision: str, consumer: Consumer) -> None:
        """`accept` or `reject` the customer's endpoint."""
        operation = getattr(self.client("ec2"), f"{decision}_vpc_endpoint_connections")
        endpoint = consumer.ids["endpoint"]
        answer = operation(ServiceId=self.ids["service"], VpcEndpointIds=[endpoint])
        assert not answer.get("Unsuccessful")


@contextmanager
def running(folder: Path) -> Iterator[Link]:
    """The stack with its load balancers, and one accepted endpoint for each customer."""
    with front.running(folder, CUSTOMERS) as stack:
        link = Link(stack)
        _health_listener(link)
        _balancer(link)
        _service(link)
        for name in CUSTOMERS:
            link.consumers[name] = _consumer(link, name)
            link.decide("accept", link.consumers[name])
        yield link


def _health_listener(link: Link) -> None:
    fixed = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "healthy"}
    link.ids["health_listener"] = link.client("elbv2").create_listener(
        LoadBalancerArn=link.ids["balancer"],
        Protocol="HTTPS",
        Port=8443,
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        Certificates=[{"CertificateArn": link.ids["certificate"]}],
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )["Listeners"][0]["ListenerArn"]


def _balancer(link: Link) -> None:
    ids, ec2, elbv2 = link.ids, link.client("ec2"), link.client("elbv2")
    ids["nlb_group"] = group(ec2, ids["vpc"], "nlb")
    edge(ec2, ids["nlb_group"], ids["alb_group"], 443)
    edge(ec2, ids["nlb_group"], ids["alb_group"], 8443)
    balancer = elbv2.create_load_balancer(
        Name="link",
        Type="network",
        Scheme="internal",
        Subnets=ids["subnets"],
        SecurityGroups=[ids["nlb_group"]],
    )["LoadBalancers"][0]
    ids["nlb"], ids["nlb_name"] = balancer["LoadBalancerArn"], balancer["DNSName"]
    elbv2.set_security_groups(
        LoadBalancerArn=ids["nlb"],
        SecurityGroups=[ids["nlb_group"]],
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off",
    )
    ids["nlb_target_group"] = elbv2.create_target_group(
        Name="alb",
        TargetType="alb",
        Protocol="TCP",
        Port=443,
        VpcId=ids["vpc"],
        HealthCheckProtocol="HTTPS",
        HealthCheckPort="8443",
        HealthCheckPath="/health",
        Matcher={"HttpCode": "200"},
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": ids["nlb_target_group"]}
    ids["nlb_listener"] = elbv2.create_listener(
        LoadBalancerArn=ids["nlb"], Protocol="TCP", Port=443, DefaultActions=[forward]
    )["Listeners"][0]["ListenerArn"]
    elbv2.register_targets(
        TargetGroupArn=ids["nlb_target_group"], Targets=[{"Id": ids["balancer"], "Port": 443}]
    )


def _service(link: Link) -> None:
    ids, ec2 = link.ids, link.client("ec2")
    elbv2 = link.client("elbv2")
    elbv2.describe_load_balancers(LoadBalancerArns=[ids["nlb"]])  # It becomes active meanwhile.
    service = ec2.create_vpc_endpoint_service_configuration(
        NetworkLoadBalancerArns=[ids["nlb"]], AcceptanceRequired=True, PrivateDnsName=DOMAIN
    )["ServiceConfiguration"]
    ids["service"], ids["service_name"] = service["ServiceId"], service["ServiceName"]
    ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=ids["service"],
        AddAllowedPrincipals=[f"arn:aws:iam::{account}:root" for account in CUSTOMERS.values()],
    )
    proof = service["PrivateDnsNameConfiguration"]
    route53 = link.client("route53")
    zone = route53.create_hosted_zone(Name=DOMAIN, CallerReference="public")["HostedZone"]["Id"]
    record = {
        "Name": f"{proof['Name']}.{DOMAIN}",
        "Type": "TXT",
        "TTL": 60,
        "ResourceRecords": [{"Value": f'"{proof["Value"]}"'}],
    }
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=ids["service"])


def _consumer(link: Link, name: str) -> Consumer:
    consumer = Consumer(link, name)
    ec2, ids = consumer.client("ec2"), consumer.ids
    vpc = ids["vpc"] = ec2.create_vpc(CidrBlock=f"{NETWORKS[name]}.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    offered = link.client("ec2").describe_subnets(SubnetIds=link.ids["subnets"])["Subnets"]
    ids["subnets"] = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{NETWORKS[name]}.{n}.0/24",
            AvailabilityZoneId=subnet["AvailabilityZoneId"],
        )["Subnet"]["SubnetId"]
        for n, subnet in enumerate(offered)
    ]
    ids["client_group"] = group(ec2, vpc, "client")
    ids["endpoint_group"] = group(ec2, vpc, "endpoint")
    edge(ec2, ids["client_group"], ids["endpoint_group"], 443)
    ids["client"] = client_interface(consumer, 0)
    ids["endpoint"] = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=link.ids["service_name"],
        VpcEndpointType="Interface",
        SubnetIds=ids["subnets"],
        SecurityGroupIds=[ids["endpoint_group"]],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    return consumer


def client_interface(consumer: Consumer, zone: int, *groups: str) -> str:
    """Another interface of the customer's, in that zone."""
    made = consumer.client("ec2").create_network_interface(
        SubnetId=consumer.ids["subnets"][zone],
        Groups=list(groups or [consumer.ids["client_group"]]),
    )
    return made["NetworkInterface"]["NetworkInterfaceId"]
