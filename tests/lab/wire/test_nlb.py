"""A Network Load Balancer in front of the Application Load Balancer, by unmodified curl."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.certificates import Authority, Issued
from tests.lab.wire.link import EVERYWHERE, Link, edge, group, tcp
from tests.lab.wire.tls_server import run


@pytest.fixture(scope="module")
def inside(link: Link) -> str:
    """A client in the load balancer's VPC that its security group admits."""
    ec2, ids = link.client("ec2"), link.ids
    caller = group(ec2, ids["vpc"], "caller")
    edge(ec2, caller, ids["nlb_group"], 443)
    made = ec2.create_network_interface(SubnetId=ids["subnets"][0], Groups=[caller])
    return made["NetworkInterface"]["NetworkInterfaceId"]


@contextmanager
def without(link: Link, direction: str, of: str, other: str, port: int = 443) -> Iterator[None]:
    """One edge of a security group taken away meanwhile."""
    ec2, ids = link.client("ec2"), link.ids
    rule = {
        "GroupId": ids[of],
        "IpPermissions": [tcp(port, UserIdGroupPairs=[{"GroupId": ids[other]}])],
    }
    getattr(ec2, f"revoke_security_group_{direction}")(**rule)
    yield
    getattr(ec2, f"authorize_security_group_{direction}")(**rule)


def test_mutual_tls_goes_through_to_the_application_load_balancer(
    link: Link, inside: str, trusted: Issued
) -> None:
    event = link.event(link.call(inside, link.ids["nlb_name"], trusted))
    assert event["headers"]["X-Amzn-Mtls-Clientcert-Subject"] == "CN=client-1"
    stranger = Authority.create("Other").issue("client-1")
    for refused in (None, stranger):
        assert link.call(inside, link.ids["nlb_name"], refused).returncode in (35, 56)


def test_a_direct_clients_address_and_port_are_preserved(
    link: Link, inside: str, trusted: Issued
) -> None:
    link.stack.set_balancer(routing__http__xff_client_port__enabled="true")
    result = link.call(inside, link.ids["nlb_name"], trusted, "-w", "\n%{local_port}")
    body, _, port = result.stdout.rpartition("\n")
    assert f'"X-Forwarded-For": "{link.network.peer(inside).ip}:{port}, ' in body
    link.stack.set_balancer(routing__http__xff_client_port__enabled="false")
    (line,) = link.stack.log("connection_logs", int(port))
    assert line[1] == link.network.peer(inside).ip


def test_each_zone_has_a_name_of_its_own(link: Link, inside: str, trusted: Issued) -> None:
    vpc = link.ids["vpc"]
    zonal = [link.network.resolve(vpc, f"eu-west-1{z}.{link.ids['nlb_name']}") for z in "ab"]
    assert [len(addresses) for addresses in zonal] == [1, 1]
    both = link.network.resolve(vpc, link.ids["nlb_name"])
    assert sorted(both) == sorted(zonal[0] + zonal[1])
    assert link.network.resolve(vpc, f"eu-west-1c.{link.ids['nlb_name']}") == []
    assert link.network.resolve(vpc, f"eu-west-1a.{link.stack.ids['balancer_name']}") == []
    name = f"eu-west-1b.{link.ids['nlb_name']}"
    assert link.call(inside, name, trusted).returncode == 0


def test_who_the_load_balancers_group_does_not_admit_is_dropped(
    link: Link, trusted: Issued
) -> None:
    # "other" may go anywhere in the VPC, and "client" is admitted by the ALB itself only.
    for interface in ("other", "client"):
        assert link.dropped(link.ids[interface], link.ids["nlb_name"], trusted)


def test_without_its_outbound_rule_nothing_reaches_the_target(
    link: Link, inside: str, trusted: Issued
) -> None:
    with without(link, "egress", "nlb_group", "alb_group"):
        assert link.dropped(inside, link.ids["nlb_name"], trusted)
    assert link.call(inside, link.ids["nlb_name"], trusted).returncode == 0


def test_the_target_must_admit_the_load_balancers_group(
    link: Link, inside: str, trusted: Issued
) -> None:
    with without(link, "ingress", "alb_group", "nlb_group"):
        assert link.dropped(inside, link.ids["nlb_name"], trusted)
    assert link.call(inside, link.ids["nlb_name"], trusted).returncode == 0


def test_the_target_may_admit_the_preserved_address_instead(
    link: Link, inside: str, trusted: Issued
) -> None:
    ec2, ids = link.client("ec2"), link.ids
    address = tcp(443, IpRanges=[{"CidrIp": f"{link.network.peer(inside).ip}/32"}])
    ec2.authorize_security_group_ingress(GroupId=ids["alb_group"], IpPermissions=[address])
    with without(link, "ingress", "alb_group", "nlb_group"):
        assert link.call(inside, link.ids["nlb_name"], trusted).returncode == 0
    ec2.revoke_security_group_ingress(GroupId=ids["alb_group"], IpPermissions=[address])


def served_by(link: Link, inside: str, trusted: Issued, node: str) -> set[str]:
    """The addresses of the ALB that answer over several connections to one node."""
    seen: set[str] = set()
    for _ in range(4):
        event = link.event(link.call(inside, node, trusted))
        seen.add(event["requestContext"]["identity"]["sourceIp"])
    return seen


def test_a_node_keeps_to_its_zone_unless_zones_are_crossed(
    link: Link, inside: str, trusted: Issued
) -> None:
    node, crossing = link.nodes()[0], "load_balancing.cross_zone.enabled"
    local = [one.ip for one in link.nodes("balancer") if one.zone_id == node.zone_id]
    every = [one.ip for one in link.nodes("balancer")]
    assert served_by(link, inside, trusted, node.ip) == set(local)
    for enabled, expected in (("true", every), ("false", local)):
        link.client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=link.ids["nlb"], Attributes=[{"Key": crossing, "Value": enabled}]
        )
        assert served_by(link, inside, trusted, node.ip) == set(expected)


def test_where_no_listener_is_the_connection_is_reset(link: Link, inside: str) -> None:
    ec2, ids = link.client("ec2"), link.ids
    rule = tcp(444, IpRanges=EVERYWHERE)
    ec2.authorize_security_group_ingress(GroupId=ids["nlb_group"], IpPermissions=[rule])
    (caller,) = link.network.peer(inside).security_group_ids
    ec2.authorize_security_group_egress(GroupId=caller, IpPermissions=[rule])
    port = link.stack.wire.door(inside, ids["nlb_name"], 444)
    with socket.create_connection(("127.0.0.1", port), 5) as sock, pytest.raises(ConnectionError):
        sock.recv(1)


def test_a_group_without_targets_resets(link: Link, inside: str, trusted: Issued) -> None:
    elbv2, ids = link.client("elbv2"), link.ids
    target = [{"Id": ids["balancer"], "Port": 443}]
    elbv2.deregister_targets(TargetGroupArn=ids["nlb_target_group"], Targets=target)
    assert link.call(inside, ids["nlb_name"], trusted).returncode == 35
    elbv2.register_targets(TargetGroupArn=ids["nlb_target_group"], Targets=target)
    assert link.call(inside, ids["nlb_name"], trusted).returncode == 0


def test_a_body_larger_than_any_buffer_passes_both_ways(
    link: Link, inside: str, trusted: Issued
) -> None:
    big = link.stack.folder / "big"
    big.write_bytes(b"0123456789abcdef" * 100_000)
    result = link.call(inside, link.ids["nlb_name"], trusted, "-d", f"@{big}", "-m", "20")
    assert link.event(result)["body"] == big.read_text()


def test_the_client_that_stops_sending_still_gets_its_answer(link: Link, inside: str) -> None:
    port = link.stack.wire.door(inside, link.ids["nlb_name"], 443)
    hello = "GET / HTTP/1.0\r\n\r\n"
    result = run(["curl", "-s", f"telnet://127.0.0.1:{port}"], hello)
    assert result.stdout.startswith("HTTP/1.1 400 Bad Request")
