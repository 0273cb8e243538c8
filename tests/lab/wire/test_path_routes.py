"""Rules that lead past the API: to functions, to programs on instances, to a second API."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lab.certificates import Issued
from tests.lab.wire.link import EVERYWHERE, tcp
from tests.lab.wire.private_api import PrivateApi, make_function, this_endpoint_only
from tests.lab.wire.stack import Rule, Stack

ANSWER = """
import base64, json
def handler(event, context):
    asked = event["path"].rpartition("/")[2]
    if asked == "boom":
        raise ValueError("boom")
    body = json.dumps(event)
    headers = {"Content-Type": "application/json", "X-From": "function"}
    answers = {
        "nothing": None,
        "no-status": {"body": "a"},
        "bad-status": {"statusCode": "200"},
        "bad-body": {"statusCode": 200, "body": {"a": 1}},
        "bad-header": {"statusCode": 200, "headers": {"A": "b\\nC: d"}},
        "bad-base64": {"statusCode": 200, "isBase64Encoded": True, "body": "*"},
        "other-headers": {"statusCode": 200, "multiValueHeaders": {"A": ["b"]}},
        "big": {"statusCode": 200, "body": "x" * 1_100_000},
        "teapot": {"statusCode": 418, "statusDescription": "418 I am a teapot", "body": "short"},
        "binary": {
            "statusCode": 200,
            "isBase64Encoded": True,
            "body": base64.b64encode(b"\\x00\\xff").decode(),
        },
        "several": {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}},
    }
    return answers.get(asked, {"statusCode": 200, "headers": headers, "body": body})
"""


class Function:
    """A function as the one target of a group."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self.arn = make_function(stack.reader, name, ANSWER)
        elbv2 = stack.client("elbv2")
        made = elbv2.create_target_group(Name=name, TargetType="lambda")
        self.group = made["TargetGroups"][0]["TargetGroupArn"]
        self.allow()
        elbv2.register_targets(TargetGroupArn=self.group, Targets=[{"Id": self.arn}])

    def allow(self, source_arn: str | None = None) -> None:
        self._stack.client("lambda").add_permission(
            FunctionName=self.arn,
            StatementId="elb",
            Action="lambda:InvokeFunction",
            Principal="elasticloadbalancing.amazonaws.com",
            SourceArn=source_arn or self.group,
        )

    def forbid(self) -> None:
        self._stack.client("lambda").remove_permission(FunctionName=self.arn, StatementId="elb")

    @property
    def action(self) -> dict[str, str]:
        return {"Type": "forward", "TargetGroupArn": self.group}


@pytest.fixture(scope="module")
def function(stack: Stack) -> Function:
    return Function(stack, "direct")


@pytest.fixture
def rule(stack: Stack, function: Function) -> Iterator[None]:
    """/f/… goes to the function."""
    with Rule(stack, "/f/*", function.action):
        yield


def status(stack: Stack, good: Issued, path: str, *arguments: str) -> str:
    return stack.curl(good, path, "-o", "/dev/null", "-w", "%{http_code}", *arguments).stdout


@pytest.mark.usefixtures("rule")
def test_a_function_gets_the_request_with_what_was_measured_of_the_certificate(
    stack: Stack, function: Function, good: Issued
) -> None:
    result = stack.curl(good, "/f/echo?a=1%202&a=3&b", "-i", "-H", "X-Mine: 1", "-H", "X-Mine: 2")
    head, _, body = result.stdout.partition("\n\n")
    assert head.startswith("HTTP/1.1 200")
    assert "X-From: function" in head
    event: dict[str, Any] = json.loads(body)
    headers = event.pop("headers")
    assert event == {
        "requestContext": {"elb": {"targetGroupArn": function.group}},
        "httpMethod": "GET",
        "path": "/f/echo",
        "queryStringParameters": {"a": "3", "b": ""},
        "body": "",
        "isBase64Encoded": False,
    }
    assert headers["x-amzn-mtls-clientcert-subject"] == "CN=client-1"
    assert headers["x-mine"] == "2"
    assert headers["x-forwarded-proto"] == "https"


@pytest.mark.usefixtures("rule")
@pytest.mark.parametrize(
    ("content_type", "encoded"), [("text/plain", False), ("application/octet-stream", True)]
)
def test_bodies_are_text_or_base64_by_their_type(
    stack: Stack, good: Issued, content_type: str, encoded: bool
) -> None:
    sent = ["-H", f"Content-Type: {content_type}", "-d", "bolt"]
    event = json.loads(stack.curl(good, "/f/echo", *sent).stdout)
    assert event["isBase64Encoded"] is encoded
    assert event["body"] == (base64.b64encode(b"bolt").decode() if encoded else "bolt")


@pytest.mark.usefixtures("rule")
def test_status_and_binary_body_are_the_functions(stack: Stack, good: Issued) -> None:
    assert status(stack, good, "/f/teapot") == "418"
    saved = stack.folder / "binary"
    stack.curl(good, "/f/binary", "-o", str(saved))
    assert saved.read_bytes() == b"\x00\xff"


@pytest.mark.usefixtures("rule")
@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("boom", "LambdaUnhandled"),
        ("nothing", "LambdaInvalidResponse"),
        ("no-status", "LambdaInvalidResponse"),
        ("bad-status", "LambdaInvalidResponse"),
        ("bad-body", "LambdaInvalidResponse"),
        ("bad-header", "LambdaInvalidResponse"),
        ("bad-base64", "LambdaInvalidResponse"),
        ("other-headers", "LambdaInvalidResponse"),
        ("big", "LambdaResponseTooLarge"),
    ],
)
def test_what_cannot_be_passed_on_is_a_502_and_the_log_says_why(
    stack: Stack, good: Issued, asked: str, reason: str
) -> None:
    result = stack.curl(good, f"/f/{asked}", "-w", "\n%{http_code} %{local_port}")
    code, port = result.stdout.splitlines()[-1].split()
    assert code == "502"
    (line,) = stack.log("access_logs", int(port))
    assert line[24] == reason


@pytest.mark.usefixtures("rule")
def test_a_body_above_1_mb_is_too_large_for_a_function(stack: Stack, good: Issued) -> None:
    big = stack.folder / "big"
    big.write_bytes(b"x" * 1_048_577)
    assert status(stack, good, "/f/echo", "-d", f"@{big}") == "413"


@pytest.mark.usefixtures("rule")
def test_without_the_permission_the_function_is_not_invoked(
    stack: Stack, function: Function, good: Issued
) -> None:
    assert status(stack, good, "/f/echo") == "200"
    function.forbid()
    assert status(stack, good, "/f/echo") == "502"
    function.allow(function.group.replace("targetgroup/direct", "targetgroup/other"))
    assert status(stack, good, "/f/echo") == "502"
    function.forbid()
    function.allow()
    assert status(stack, good, "/f/echo") == "200"


class Program(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path} {self.headers['X-Forwarded-For']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def instance(stack: Stack) -> Iterator[str]:
    """The address of an interface with a program on port 8000, in a group of its own."""
    ec2, ids = stack.client("ec2"), stack.ids
    made = ec2.create_security_group(GroupName="own", Description="own", VpcId=ids["vpc"])
    ids["own_group"] = made["GroupId"]
    out = [tcp(port, IpRanges=EVERYWHERE) for port in (8000, 8001)]
    ec2.authorize_security_group_egress(GroupId=ids["alb_group"], IpPermissions=out)
    interface = ec2.create_network_interface(SubnetId=ids["subnets"][0], Groups=[ids["own_group"]])[
        "NetworkInterface"
    ]
    with ThreadingHTTPServer(("127.0.0.1", 0), Program) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stack.wire.listen(interface["NetworkInterfaceId"], 8000, server.server_port)
        yield interface["PrivateIpAddress"]
        server.shutdown()
        thread.join()


def test_a_program_on_an_instance_is_reached_where_security_groups_let_it(
    stack: Stack, good: Issued, instance: str
) -> None:
    ec2, elbv2, ids = stack.client("ec2"), stack.client("elbv2"), stack.ids
    group = elbv2.create_target_group(
        Name="own", Protocol="HTTP", Port=8000, VpcId=ids["vpc"], TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 8000}])
    with Rule(stack, "/own/*", {"Type": "forward", "TargetGroupArn": group}):
        assert status(stack, good, "/own/a") == "504", "a target that does not answer in 10 s"
        admitted = [{"GroupId": ids["alb_group"]}]
        both = [tcp(port, UserIdGroupPairs=admitted) for port in (8000, 8001)]
        ec2.authorize_security_group_ingress(GroupId=ids["own_group"], IpPermissions=both)
        body = stack.curl(good, "/own/a?b=c").stdout
        assert body.startswith("api.example.internal /own/a?b=c 10.0.0.")
        elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 8000}])
        elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": instance, "Port": 8001}])
        assert status(stack, good, "/own/a") == "502", "where nothing listens"


def test_a_second_api_is_reached_by_a_host_of_its_own(
    stack: Stack, function: Function, good: Issued
) -> None:
    gateway = stack.client("apigateway")
    made = gateway.create_rest_api(name="second", endpointConfiguration={"types": ["PRIVATE"]})
    ids = stack.ids
    second = PrivateApi(stack.reader, stack.execute_api, made["id"], ids["endpoint"], ids["vpc"])
    second.set_policy(this_endpoint_only(ids["endpoint"]))
    second.allow(function.arn)
    second.lambda_method("/gadgets", "GET", function.arn)
    second.deploy()
    transforms = [
        {
            "Type": "host-header-rewrite",
            "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "^.*$", "Replace": second.host}]},
        },
        {
            "Type": "url-rewrite",
            "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/second/(.*)$", "Replace": "/v1/$1"}]},
        },
    ]
    forward = {"Type": "forward", "TargetGroupArn": ids["group"]}
    with Rule(stack, "/second/*", forward, *transforms):
        event = json.loads(stack.curl(good, "/second/gadgets").stdout)
        assert (event["requestContext"]["apiId"], event["path"]) == (made["id"], "/gadgets")
        assert status(stack, good, "/second/widgets") == "403", "the first API's path"
    assert status(stack, good, "/widgets") == "200"
