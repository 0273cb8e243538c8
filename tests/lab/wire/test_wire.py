"""Routing, targets and endpoints as deployed, by unmodified curl."""

import re
import socket
from collections.abc import Iterator

import pytest

from lab.certificates import Issued
from lab.wire.doors import Doors, Service
from lab.wire.endpoint import Endpoints
from lab.wire.messages import Request, Response
from lab.wire.network import Interface, Network
from lab.wire.targets import TargetError, Targets
from tests.lab.wire.stack import DOMAIN, HTTPS, Rule, Stack
from tests.lab.wire.tls_server import run


def test_bodies_and_methods_pass(stack: Stack, good: Issued) -> None:
    event = stack.event(good, "/widgets", "-X", "POST", "-d", "name=bolt")
    assert (event["httpMethod"], event["body"]) == ("POST", "name=bolt")


def test_head_has_a_length_and_no_body(stack: Stack, good: Issued) -> None:
    result = stack.curl(good, "/widgets", "-I")
    assert result.stdout.startswith("HTTP/1.1 200")
    assert int(re.findall(r"(?i)content-length: (\d+)", result.stdout)[0]) > 100


def test_a_host_without_a_rule_gets_the_default_action(stack: Stack, good: Issued) -> None:
    result = stack.curl(good, "/widgets", "-i", "-H", "Host: other.example.internal")
    assert result.stdout.startswith("HTTP/1.1 404")
    assert "server: awselb/2.0" in result.stdout.lower()
    assert result.stdout.endswith("no such host")
    stack.set_listener(routing__http__response__server__enabled="false")
    result = stack.curl(good, "/widgets", "-i", "-H", "Host: other.example.internal")
    assert "awselb" not in result.stdout
    stack.set_listener(routing__http__response__server__enabled="true")


def test_an_unknown_path_gets_the_apis_own_refusal(stack: Stack, good: Issued) -> None:
    result = stack.curl(good, "/nothing", "-w", "%{http_code}")
    assert result.stdout == '{"message":"Missing Authentication Token"}403'


def test_a_port_that_security_groups_do_not_open_is_silent(stack: Stack) -> None:
    to = f"{DOMAIN}:80:127.0.0.1:{stack.door(port=80)}"
    assert run(["curl", "-s", "-m", "1", "--connect-to", to, f"http://{DOMAIN}/"]).returncode == 28


def test_the_endpoint_answers_nobody_but_the_load_balancer(stack: Stack) -> None:
    host = stack.ids["endpoint_name"]
    for interface in ("client", "other"):
        result = stack.curl(None, "/ping", "-k", "-m", "1", host=host, interface=interface)
        assert result.returncode == 28


def test_from_the_load_balancers_group_the_endpoint_answers_with_its_own_certificate(
    stack: Stack,
) -> None:
    made = stack.client("ec2").create_network_interface(
        SubnetId=stack.ids["subnets"][0], Groups=[stack.ids["alb_group"]]
    )
    stack.ids["inside"] = made["NetworkInterface"]["NetworkInterfaceId"]
    # Only the API's public name is on the certificate, so the name is resolved by hand.
    port = stack.door(stack.ids["addresses"][0], interface="inside")
    name = stack.ids["api_host"]
    to = f"{name}:443:127.0.0.1:{port}"
    authority = str(stack.folder / "web.pem")
    result = run(["curl", "-s", "--cacert", authority, "--connect-to", to, f"https://{name}/ping"])
    assert (result.returncode, result.stdout) == (0, "healthy")


def test_a_redirect_names_the_whole_url(stack: Stack, good: Issued) -> None:
    config = {"Host": "new.example.internal", "Path": "/v2/#{path}", "StatusCode": "HTTP_301"}
    with Rule(stack, "/old/*", {"Type": "redirect", "RedirectConfig": config}):
        result = stack.curl(good, "/old/a?b=c", "-i")
    assert result.stdout.startswith("HTTP/1.1 301")
    assert "Location: https://new.example.internal:443/v2/old/a?b=c\n" in result.stdout


def test_a_transform_that_fails_is_an_internal_error(stack: Stack, good: Issued) -> None:
    rewrites = {"Rewrites": [{"Regex": "^/bad.*$", "Replace": "not a path"}]}
    forward = {"Type": "forward", "TargetGroupArn": stack.ids["group"]}
    transform = {"Type": "url-rewrite", "UrlRewriteConfig": rewrites}
    with Rule(stack, "/bad", forward, transform):
        result = stack.curl(good, "/bad")
    assert "<title>500 Internal Server Error</title>" in result.stdout


def test_a_weight_of_zero_is_passed_over(stack: Stack, good: Issued) -> None:
    elbv2 = stack.client("elbv2")
    empty = elbv2.create_target_group(
        Name="empty", Protocol="HTTPS", Port=443, VpcId=stack.ids["vpc"], TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    groups = [
        {"TargetGroupArn": empty, "Weight": 0},
        {"TargetGroupArn": stack.ids["group"], "Weight": 1},
    ]
    with Rule(stack, "/w", {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}):
        assert "<html>" not in stack.curl(good, "/w").stdout
    with Rule(stack, "/w", {"Type": "forward", "TargetGroupArn": empty}):
        result = stack.curl(good, "/w", "-w", "%{http_code}")
    assert "<title>503 Service Temporarily Unavailable</title>" in result.stdout
    assert result.stdout.endswith("503")


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-X", "TRACE"], "405"),
        (["-H", "X-Forwarded-For: " + ", ".join(["1.1.1.1"] * 31)], "463"),
        (["-H", "X-Big: " + "a" * 17000], "400"),
    ],
)
def test_what_the_load_balancer_itself_refuses(
    stack: Stack, good: Issued, arguments: list[str], status: str
) -> None:
    result = stack.curl(good, "/widgets", "-w", "%{http_code}", *arguments)
    assert result.stdout.startswith("<html>")
    assert result.stdout.endswith(status)


@pytest.fixture
def targets(stack: Stack) -> Iterator[Targets]:
    """A load balancer's targets with little patience, and nothing listening behind the doors."""
    doors = Doors(Network(stack.accounts), lambda *_: None)
    targets = Targets(stack.accounts, doors.connect, stack.function_targets, connect_seconds=0.3)
    yield targets
    targets.close()
    doors.close()


def failure(stack: Stack, targets: Targets, source: str) -> TargetError:
    request = Request(method="GET", target="/", headers=(("Host", "a"),))
    peer = Network(stack.accounts).peer(source)
    with pytest.raises(TargetError) as error:
        targets.send(stack.ids["group"], peer, request, 5.0)
    return error.value


def test_a_target_that_security_groups_hide_is_a_504(stack: Stack, targets: Targets) -> None:
    error = failure(stack, targets, stack.ids["client"])
    assert (error.status, error.target) in [(504, f"{ip}:443") for ip in stack.ids["addresses"]]


def test_a_target_that_refuses_is_a_502(stack: Stack, targets: Targets) -> None:
    interfaces = Network(stack.accounts).interfaces()
    node = next(one for one in interfaces if one.description.startswith("ELB app/front"))
    assert failure(stack, targets, node.network_interface_id).status == 502


def test_targets_that_no_load_balancer_uses_are_a_503(stack: Stack, targets: Targets) -> None:
    elbv2 = stack.client("elbv2")
    unused = elbv2.create_target_group(
        Name="unused", Protocol="HTTPS", Port=443, VpcId=stack.ids["vpc"], TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=unused, Targets=[{"Id": "10.0.0.50", "Port": 443}])
    peer = Network(stack.accounts).peer(stack.ids["client"])
    with pytest.raises(TargetError) as error:
        targets.send(unused, peer, Request(method="GET", target="/", headers=()), 5.0)
    assert error.value.status == 503


def test_connections_to_targets_are_kept_until_the_network_changes(stack: Stack) -> None:
    network, opened = Network(stack.accounts), []
    endpoints = Endpoints(stack.accounts, lambda request, *_: Response(status=200))

    def service(interface: Interface, port: int) -> Service | None:
        opened.append(interface)
        return endpoints.service(interface, port)

    doors = Doors(network, service)
    targets = Targets(stack.accounts, doors.connect, stack.function_targets)
    node = next(one for one in network.interfaces() if one.description.startswith("ELB app/front"))
    request = Request(method="GET", target="/", headers=(("Host", "a"),))
    for _ in range(6):
        targets.send(stack.ids["group"], node, request, 5.0)
    assert len(opened) == 2, "one connection for each of the two targets"
    made = stack.client("ec2").create_network_interface(SubnetId=stack.ids["subnets"][0])
    for _ in range(4):
        targets.send(stack.ids["group"], node, request, 5.0)
    assert len(opened) == 4
    stack.client("ec2").delete_network_interface(
        NetworkInterfaceId=made["NetworkInterface"]["NetworkInterfaceId"]
    )
    targets.close()
    doors.close()


def test_a_listener_that_comes_and_goes_needs_no_restart(stack: Stack) -> None:
    elbv2, ec2 = stack.client("elbv2"), stack.client("ec2")
    rule = {**HTTPS, "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    ec2.authorize_security_group_egress(GroupId=stack.ids["client_group"], IpPermissions=[rule])
    ec2.authorize_security_group_ingress(GroupId=stack.ids["alb_group"], IpPermissions=[rule])
    to = f"{DOMAIN}:8080:127.0.0.1:{stack.door(port=8080)}"
    command = ["curl", "-s", "--connect-to", to, f"http://{DOMAIN}:8080/"]
    assert run(command).returncode == 56
    fixed = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "here"}
    arn = elbv2.create_listener(
        LoadBalancerArn=stack.ids["balancer"],
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
    )["Listeners"][0]["ListenerArn"]
    assert run(command).stdout == "here"
    elbv2.delete_listener(ListenerArn=arn)
    assert run(command).returncode == 56


def test_an_unknown_interface_gets_a_reset(stack: Stack) -> None:
    port = stack.wire.door("eni-0", DOMAIN, 443)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as sock,
        pytest.raises(ConnectionResetError),
    ):
        sock.recv(1)


def test_in_public_the_api_does_not_answer(stack: Stack) -> None:
    host = ("Host", stack.ids["api_host"])
    request = Request(method="GET", target="/v1/widgets", headers=(host,))
    answer = stack.wire.in_public(request, "198.51.100.7")
    assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')
