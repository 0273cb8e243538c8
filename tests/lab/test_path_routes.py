"""Paths that lead past the stack's own API: to a second one, a function, an instance."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lab.attempt import Answer, Files, curl
from lab.certificates import Authority
from lab.session import Lab
from tests.conftest import ROOT
from tests.lab.echo import headers_of, make_echo
from tests.lab.wire.private_api import invocation_uri, this_endpoint_only

pytestmark = pytest.mark.lab

WIDGET = '{"id":"1","value":"4.99"}'
REPORT = "/reports/today"
MEASURED = {f"x-client-cert-{what}" for what in ("subject", "issuer", "leaf", "validity")}
Route = Callable[..., None]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev"], tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def echo(lab: Lab) -> str:
    return make_echo(lab)


@pytest.fixture
def route(lab: Lab) -> Route:
    """`route(apiId=…, stage=…)` deploys the stack with /reports/* led there, and nothing else."""

    def deploy(**target: Any) -> None:
        reports = {"paths": ["/reports/*"], "priority": 100, **target}
        routes = {"mtls:pathRoutes": json.dumps({"reports": reports})}
        lab.deploy("dev", routes)
        again = lab.deploy("dev", routes)
        assert {change.operation for change in again.changes} == {"same"}

    return deploy


def get(lab: Lab, path: str, *options: str) -> Answer:
    """Asked by the stack's own client, with its token where that is read."""
    client = lab.clients()[0]
    files = client.files if path == "/widgets" else replace(client.files, token=None)
    return curl(client.door, files, path, *options)


def only_with_a_certificate(lab: Lab) -> None:
    """Nobody gets to the route without one, and the API stays where it was."""
    nobody = Files(ca=lab.server_ca)
    assert get(lab, REPORT).status == 200
    assert curl(lab.clients()[0].door, nobody, REPORT).refused_at_tls
    assert get(lab, "/widgets").body == WIDGET


def target_group(lab: Lab, target_type: str, target: dict[str, Any], **settings: Any) -> str:
    elbv2 = lab.client("elbv2")
    made = elbv2.create_target_group(
        Name=f"reports-{target_type}", TargetType=target_type, **settings
    )["TargetGroups"][0]["TargetGroupArn"]
    if target_type == "lambda":
        lab.client("lambda").add_permission(
            FunctionName=target["Id"],
            StatementId="elb",
            Action="lambda:InvokeFunction",
            Principal="elasticloadbalancing.amazonaws.com",
            SourceArn=made,
        )
    elbv2.register_targets(TargetGroupArn=made, Targets=[target])
    return made


def test_a_target_group_without_targets_answers_503(lab: Lab, route: Route):
    group = lab.client("elbv2").create_target_group(
        Name="empty", TargetType="ip", Protocol="HTTPS", Port=443, VpcId=vpc_id(lab)
    )
    route(targetGroupArn=group["TargetGroups"][0]["TargetGroupArn"])
    assert get(lab, REPORT).status == 503
    assert get(lab, "/widgets").body == WIDGET


def test_a_function_gets_what_was_measured_of_the_certificate(lab: Lab, route: Route, echo: str):
    group = target_group(lab, "lambda", {"Id": echo})
    route(targetGroupArn=group)
    event = get(lab, f"{REPORT}?page=2").json
    headers = headers_of(event)
    assert event["requestContext"] == {"elb": {"targetGroupArn": group}}
    assert (event["path"], event["queryStringParameters"]) == (REPORT, {"page": "2"})
    assert headers["host"] == lab.domain
    assert headers["x-client-cert-subject"] == "CN=shop"
    assert headers.keys() > MEASURED
    assert not [name for name in headers if name.startswith("x-amzn-mtls")]
    forged = get(lab, REPORT, "--header", "X-Amzn-Mtls-Clientcert-Subject: CN=admin")
    assert forged.status == 403
    only_with_a_certificate(lab)


class Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        seen = {"path": self.path, "headers": dict(self.headers)}
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def https_server(folder: Path) -> Iterator[int]:
    """Its port on 127.0.0.1. The load balancer does not ask who signed its certificate."""
    issued = Authority.create("Reports").issue("reports", usages=("server_auth",))
    for name, text in (("crt", issued.chain_pem), ("key", issued.key_pem)):
        (folder / f"server.{name}").write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_a_server_on_an_instance_is_reached_on_the_port_of_its_security_group(
    lab: Lab, route: Route, tmp_path: Path
):
    ec2 = lab.client("ec2")
    own_group = ec2.create_security_group(
        GroupName="reports", Description="reports", VpcId=vpc_id(lab)
    )["GroupId"]
    from_alb = [{"GroupId": alb(lab)["SecurityGroups"][0]}]
    ec2.authorize_security_group_ingress(
        GroupId=own_group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "UserIdGroupPairs": from_alb}
        ],
    )
    interface = ec2.create_network_interface(
        SubnetId=lab.vantage.subnet_id, Groups=[own_group], Description="reports"
    )["NetworkInterface"]
    settings = {"Protocol": "HTTPS", "Port": 8443, "VpcId": vpc_id(lab)}
    group = target_group(lab, "ip", {"Id": interface["PrivateIpAddress"]}, **settings)
    with https_server(tmp_path) as local_port:
        lab.wire.listen(interface["NetworkInterfaceId"], 8443, local_port)
        route(targetGroupArn=group, securityGroupId=own_group, port=8443)
        seen = get(lab, REPORT).json
        assert seen["path"] == REPORT
        headers = headers_of(seen)
        assert (headers["host"], headers["x-client-cert-subject"]) == (lab.domain, "CN=shop")
        only_with_a_certificate(lab)
        route(targetGroupArn=group)
        assert get(lab, REPORT).exit_code == 28, "the load balancer may not connect to it"


@pytest.fixture(scope="module")
def second(lab: Lab, echo: str) -> str:
    """A second private API of the account, whose policy admits the stack's endpoint."""
    lab.client("lambda").add_permission(
        FunctionName=echo,
        StatementId="second",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    gateway = lab.client("apigateway")
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": invocation_uri(echo)}
    operation = {"responses": {}, "x-amazon-apigateway-integration": integration}
    document = {
        "openapi": "3.0.1",
        "info": {"title": "reports", "version": "1"},
        "paths": {"/reports/{day}": {"get": operation}},
    }
    made = gateway.create_rest_api(name="second", endpointConfiguration={"types": ["PRIVATE"]})
    gateway.put_rest_api(restApiId=made["id"], mode="overwrite", body=json.dumps(document))
    publish(lab, made["id"], this_endpoint_only(lab.outputs["vpc_endpoint_id"]))
    return made["id"]


def publish(lab: Lab, api_id: str, policy: dict[str, Any]) -> None:
    """Deploy the second API with this policy."""
    gateway = lab.client("apigateway")
    patch = {"op": "replace", "path": "/policy", "value": json.dumps(policy)}
    gateway.update_rest_api(restApiId=api_id, patchOperations=[patch])
    gateway.create_deployment(restApiId=api_id, stageName="v1")


@pytest.mark.parametrize("selection", ["rewrite", "private-domain"])
def test_a_second_api_answers_the_whole_path_below_the_same_name(
    lab: Lab, route: Route, second: str, selection: str
):
    lab.configure("dev", {"mtls:apiSelection": selection})
    try:
        route(apiId=second, stage="v1")
        event = get(lab, REPORT).json
        context = event["requestContext"]
        assert (context["apiId"], context["stage"], event["path"]) == (second, "v1", REPORT)
        assert event["pathParameters"] == {"day": "today"}
        assert headers_of(event)["host"].startswith(f"{second}.execute-api.")
        assert headers_of(event)["x-client-cert-subject"] == "CN=shop"
        only_with_a_certificate(lab)
    finally:
        lab.configure("dev", {"mtls:apiSelection": "rewrite"})
        lab.deploy("dev")


def test_a_second_api_that_does_not_admit_the_endpoint_refuses(lab: Lab, route: Route, second: str):
    route(apiId=second, stage="v1")
    own = lab.outputs["vpc_endpoint_id"]
    publish(lab, second, this_endpoint_only("vpce-0123456789abcdef0"))
    answer = get(lab, REPORT)
    assert answer.status == 403
    assert "with an explicit deny in a resource-based policy" in answer.body
    publish(lab, second, this_endpoint_only(own))
    assert get(lab, REPORT).status == 200


def test_without_a_path_route_the_endpoint_does_not_lead_to_a_second_api(lab: Lab, second: str):
    lab.deploy("dev")
    asked = ("--header", f"x-apigw-api-id: {second}")
    assert get(lab, REPORT).body == '{"message":"Missing Authentication Token"}'
    answer = get(lab, REPORT, *asked)
    assert answer.status == 403
    assert "because no VPC endpoint policy allows" in answer.body


def alb(lab: Lab) -> dict[str, Any]:
    arn = lab.outputs["alb_arn"]
    return lab.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]


def vpc_id(lab: Lab) -> str:
    return alb(lab)["VpcId"]
