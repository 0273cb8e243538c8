"""Interfaces, security groups and names, read from the lab's API; and doors on top of them."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.cloud import Cloud
from lab.wire.aws import Accounts, Reader
from lab.wire.doors import Connection, Doors, Service
from lab.wire.network import Interface, Network
from tests.lab.wire.private_api import ACCOUNT, REGION

NOWHERE = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@dataclass
class Lan:
    """A VPC with two subnets, and interfaces made for each test."""

    reader: Reader
    network: Network
    vpc: str = ""
    subnets: list[str] = field(default_factory=list)
    count: int = 0

    @property
    def ec2(self) -> Any:
        return self.reader.client("ec2")

    def group(self) -> str:
        """A security group without rules."""
        self.count += 1
        name = f"group-{self.count}"
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        self.ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=[NOWHERE])
        return group["GroupId"]

    def interface(self, *groups: str) -> Interface:
        made = self.ec2.create_network_interface(SubnetId=self.subnets[0], Groups=list(groups))
        return self.network.peer(made["NetworkInterface"]["NetworkInterfaceId"])

    def egress(self, of: str, **rule: Any) -> None:
        self.ec2.authorize_security_group_egress(GroupId=of, IpPermissions=[permission(**rule)])

    def ingress(self, of: str, **rule: Any) -> None:
        self.ec2.authorize_security_group_ingress(GroupId=of, IpPermissions=[permission(**rule)])

    def pair(self) -> tuple[Interface, Interface, str, str]:
        """Two interfaces and their groups."""
        one, two = self.group(), self.group()
        return self.interface(one), self.interface(two), one, two

    def zone(self, name: str, *records: dict[str, Any]) -> None:
        route53 = self.reader.client("route53")
        self.count += 1
        zone = route53.create_hosted_zone(
            Name=name,
            VPC={"VPCRegion": REGION, "VPCId": self.vpc},
            HostedZoneConfig={"PrivateZone": True},
            CallerReference=str(self.count),
        )["HostedZone"]["Id"]
        changes = [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
        if changes:
            route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    def resolve(self, host: str) -> list[str]:
        return self.network.resolve(self.vpc, host)


def permission(protocol: str = "tcp", ports: tuple[int, int] = (443, 443), **to: str) -> Any:
    rule: dict[str, Any] = {"IpProtocol": protocol}
    if protocol != "-1":
        rule |= {"FromPort": ports[0], "ToPort": ports[1]}
    if "group" in to:
        rule["UserIdGroupPairs"] = [{"GroupId": to["group"]}]
    else:
        rule["IpRanges"] = [{"CidrIp": to["cidr"]}]
    return rule


def record(name: str, kind: str, *values: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": kind,
        "TTL": 60,
        "ResourceRecords": [{"Value": value} for value in values],
    }


@pytest.fixture(scope="module")
def lan() -> Iterator[Lan]:
    with Cloud({"producer": ACCOUNT}, REGION) as cloud:
        key = cloud.credentials["producer"]
        reader = Reader(cloud.endpoint_url, REGION, key.access_key_id, key.secret_access_key)
        lan = Lan(reader, Network(Accounts([reader])))
        lan.vpc = lan.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        lan.subnets = [
            lan.ec2.create_subnet(
                VpcId=lan.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
            )["Subnet"]["SubnetId"]
            for n, zone in enumerate("ab")
        ]
        yield lan
        reader.close()


def test_a_peer_is_what_the_api_says_of_the_interface(lan: Lan) -> None:
    group = lan.group()
    interface = lan.interface(group)
    assert interface.vpc_id == lan.vpc
    assert interface.security_group_ids == {group}
    assert lan.network.interface_at(lan.vpc, interface.ip) == interface
    assert lan.network.interface_at("vpc-other", interface.ip) is None


def test_an_unknown_interface_is_an_error(lan: Lan) -> None:
    with pytest.raises(LookupError, match="eni-0"):
        lan.network.peer("eni-0")


def test_without_rules_nothing_passes(lan: Lan) -> None:
    source, destination, _, _ = lan.pair()
    assert not lan.network.admits(source, destination, 443)


def test_rules_that_name_each_others_groups_let_pass(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, group=two)
    lan.ingress(two, group=one)
    assert lan.network.admits(source, destination, 443)
    assert not lan.network.admits(source, destination, 444)
    assert not lan.network.admits(destination, source, 443)


def test_ingress_alone_is_not_enough(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.ingress(two, group=one)
    assert not lan.network.admits(source, destination, 443)


def test_egress_alone_is_not_enough(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, group=two)
    assert not lan.network.admits(source, destination, 443)


def test_a_rule_for_another_group_lets_nobody_else_pass(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, group=two)
    lan.ingress(two, group=lan.group())
    assert not lan.network.admits(source, destination, 443)


def test_address_ranges_and_port_ranges_are_judged(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, cidr="10.0.0.0/24", ports=(400, 500))
    lan.ingress(two, cidr=f"{source.ip}/32", ports=(0, 65535))
    assert lan.network.admits(source, destination, 450)
    assert not lan.network.admits(source, destination, 501)
    other = lan.interface(one)
    assert not lan.network.admits(other, destination, 450)


def test_a_rule_for_udp_lets_no_connection_pass(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, cidr="0.0.0.0/0", protocol="-1")
    lan.ingress(two, group=one, protocol="udp")
    assert not lan.network.admits(source, destination, 443)


def test_a_rule_taken_away_counts_at_once(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, group=two)
    lan.ingress(two, group=one)
    assert lan.network.admits(source, destination, 443)
    lan.ec2.revoke_security_group_ingress(GroupId=two, IpPermissions=[permission(group=one)])
    assert not lan.network.admits(source, destination, 443)


def test_nothing_passes_between_two_vpcs(lan: Lan) -> None:
    source, destination, one, two = lan.pair()
    lan.egress(one, cidr="0.0.0.0/0", protocol="-1")
    lan.ingress(two, cidr="0.0.0.0/0", protocol="-1")
    assert lan.network.admits(source, destination, 1)
    elsewhere = Interface(**{**vars(destination), "vpc_id": "vpc-other"})
    assert not lan.network.admits(source, elsewhere, 1)


def test_an_address_is_its_own_name(lan: Lan) -> None:
    assert lan.resolve("10.1.2.3") == ["10.1.2.3"]


def test_records_of_the_vpcs_private_zones_are_found(lan: Lan) -> None:
    lan.zone(
        "one.test",
        record("a.one.test", "A", "10.0.0.1", "10.0.0.2"),
        record("b.one.test", "CNAME", "a.one.test"),
        record("*.w.one.test", "A", "10.0.0.3"),
    )
    assert lan.resolve("A.one.test.") == ["10.0.0.1", "10.0.0.2"]
    assert lan.resolve("b.one.test") == ["10.0.0.1", "10.0.0.2"]
    assert lan.resolve("x.y.w.one.test") == ["10.0.0.3"]
    assert lan.resolve("c.one.test") == []
    assert lan.network.resolve("vpc-other", "a.one.test") == []


def test_the_most_specific_zone_answers_even_with_nothing(lan: Lan) -> None:
    lan.zone("two.test", record("a.deep.two.test", "A", "10.0.0.1"))
    assert lan.resolve("a.deep.two.test") == ["10.0.0.1"]
    lan.zone("deep.two.test")
    assert lan.resolve("a.deep.two.test") == []


def test_a_name_that_points_at_itself_has_no_address(lan: Lan) -> None:
    lan.zone("loop.test", record("a.loop.test", "CNAME", "a.loop.test"))
    assert lan.resolve("a.loop.test") == []


def test_a_load_balancers_name_stands_for_its_interfaces(lan: Lan) -> None:
    balancer = lan.reader.client("elbv2").create_load_balancer(
        Name="named", Subnets=lan.subnets, SecurityGroups=[lan.group()], Scheme="internal"
    )["LoadBalancers"][0]
    addresses = lan.resolve(balancer["DNSName"])
    descriptions = {lan.network.interface_at(lan.vpc, ip) for ip in addresses}
    assert {one.description.split("/")[1] for one in descriptions if one} == {"named"}
    assert len(addresses) == 2
    alias = {
        "DNSName": f"dualstack.{balancer['DNSName']}",
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": False,
    }
    lan.zone("alias.test", {"Name": "api.alias.test", "Type": "A", "AliasTarget": alias})
    assert lan.resolve("api.alias.test") == addresses


def test_an_endpoints_names_stand_for_its_interfaces(lan: Lan) -> None:
    lan.ec2.modify_vpc_attribute(VpcId=lan.vpc, EnableDnsHostnames={"Value": True})
    endpoint = lan.ec2.create_vpc_endpoint(
        VpcId=lan.vpc,
        ServiceName=f"com.amazonaws.{REGION}.execute-api",
        VpcEndpointType="Interface",
        SubnetIds=lan.subnets,
        SubnetConfigurations=[
            {"SubnetId": subnet, "Ipv4": f"10.0.{n}.77"} for n, subnet in enumerate(lan.subnets)
        ],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]
    names = [entry["DnsName"] for entry in endpoint["DnsEntries"]]
    assert sorted(lan.resolve(names[0])) == ["10.0.0.77", "10.0.1.77"]
    assert lan.resolve(next(n for n in names if f"-{REGION}b." in n)) == ["10.0.1.77"]
    api = f"anything.execute-api.{REGION}.amazonaws.com"
    assert lan.resolve(api) == []
    lan.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PrivateDnsEnabled=True)
    assert sorted(lan.resolve(api)) == ["10.0.0.77", "10.0.1.77"]
    assert lan.network.resolve("vpc-other", api) == []
    lan.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], PrivateDnsEnabled=False)
    assert lan.resolve(api) == []


def test_an_apis_own_name_at_an_endpoint_exists_when_they_are_associated(lan: Lan) -> None:
    endpoint = lan.ec2.create_vpc_endpoint(
        VpcId=lan.vpc,
        ServiceName=f"com.amazonaws.{REGION}.execute-api",
        VpcEndpointType="Interface",
        SubnetIds=lan.subnets[:1],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    gateway = lan.reader.client("apigateway")
    apis = [
        gateway.create_rest_api(
            name="api", endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": ids}
        )["id"]
        for ids in ([endpoint], [])
    ]
    names = [f"{api}-{endpoint}.execute-api.{REGION}.amazonaws.com" for api in apis]
    assert len(lan.resolve(names[0])) == 1
    assert lan.resolve(names[1]) == []


class Serving:
    """Doors with one service: whoever connects is told whom it came from."""

    def __init__(self, network: Network, port: int) -> None:
        self.arrived: list[Connection] = []
        self.doors = Doors(network, lambda _, at: self._serve if at == port else None)
        self._service: Service = self._serve

    def _serve(self, connection: Connection) -> None:
        self.arrived.append(connection)
        connection.socket.sendall(connection.source.network_interface_id.encode())

    def ask(self, source: Interface, host: str, port: int, seconds: float = 5.0) -> bytes:
        local = self.doors.door(source.network_interface_id, host, port)
        with socket.create_connection(("127.0.0.1", local), seconds) as sock:
            return sock.recv(100)


@pytest.fixture
def serving(lan: Lan) -> Iterator[Serving]:
    serving = Serving(lan.network, 443)
    yield serving
    serving.doors.close()


@pytest.fixture
def path(lan: Lan) -> tuple[Interface, Interface]:
    """Two interfaces, the first of which reaches every port of the second."""
    source, destination, one, two = lan.pair()
    lan.egress(one, group=two, protocol="-1")
    lan.ingress(two, group=one, protocol="-1")
    return source, destination


def test_a_door_leads_from_its_interface_to_the_service(
    serving: Serving, path: tuple[Interface, Interface]
) -> None:
    source, destination = path
    assert serving.ask(source, destination.ip, 443) == source.network_interface_id.encode()
    assert serving.arrived[0].destination == destination
    door = serving.doors.door
    first = door(source.network_interface_id, "a", 1)
    assert first == door(source.network_interface_id, "a", 1)


def test_where_nothing_listens_the_connection_is_reset(
    serving: Serving, path: tuple[Interface, Interface]
) -> None:
    with pytest.raises(ConnectionResetError):
        serving.ask(path[0], path[1].ip, 444)


def test_a_name_without_an_address_is_reset(
    serving: Serving, path: tuple[Interface, Interface]
) -> None:
    with pytest.raises(ConnectionResetError):
        serving.ask(path[0], "nothing.test", 443)


def test_what_security_groups_drop_meets_silence(
    serving: Serving, path: tuple[Interface, Interface]
) -> None:
    with pytest.raises(TimeoutError):
        serving.ask(path[1], path[0].ip, 443, 0.3)
    assert serving.arrived == []


def test_an_address_that_nobody_has_meets_silence(
    serving: Serving, path: tuple[Interface, Interface]
) -> None:
    with pytest.raises(TimeoutError):
        serving.ask(path[0], "10.0.0.250", 443, 0.3)


def threads_of_the_wire() -> set[threading.Thread]:
    """Without those in which the AWS API answers, which come and go."""
    return {one for one in threading.enumerate() if "process_request_thread" not in one.name}


def test_closing_ends_every_thread_even_of_silent_connections(
    lan: Lan, path: tuple[Interface, Interface]
) -> None:
    before = threads_of_the_wire()
    serving = Serving(lan.network, 443)
    local = serving.doors.door(path[1].network_interface_id, path[0].ip, 443)
    with socket.create_connection(("127.0.0.1", local), 5):
        serving.doors.close()
        assert threads_of_the_wire() <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", local), 1)
    with pytest.raises(RuntimeError, match="stopped"):
        serving.doors.door("eni", "a", 1)


def test_a_service_that_fails_resets_the_connection_and_says_why(
    lan: Lan, path: tuple[Interface, Interface], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Connection) -> None:
        raise ValueError("broken on purpose")

    doors = Doors(lan.network, lambda *_: broken)
    local = doors.door(path[0].network_interface_id, path[1].ip, 443)
    with (
        socket.create_connection(("127.0.0.1", local), 5) as sock,
        pytest.raises(ConnectionResetError),
    ):
        sock.recv(1)
    doors.close()
    assert "broken on purpose" in caplog.text
