"""A private API behind a load balancer with mutual TLS, made in the lab's AWS API with boto3."""

import gzip
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.certificates import Authority, Issued
from lab.cloud import Cloud
from lab.wire.aws import Accounts, Reader
from lab.wire.execute_api import ExecuteApi
from lab.wire.functions import Functions
from lab.wire.lambda_target import LambdaTargets
from lab.wire.logs import fields
from lab.wire.wire import Wire
from tests.lab.wire.private_api import (
    ACCOUNT,
    ECHO,
    REGION,
    PrivateApi,
    make_function,
    this_endpoint_only,
)
from tests.lab.wire.tls_server import run

DOMAIN = "api.example.internal"
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


@dataclass
class Stack:
    """Everything's ids, the wire, and a client's working folder.

    `reader` is the producer's; `readers` has those of all accounts by name.
    """

    readers: dict[str, Reader]
    functions: Functions
    wire: Wire
    folder: Path
    web: Authority
    root: Authority
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def reader(self) -> Reader:
        return self.readers["producer"]

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.readers.values())

    @property
    def function_targets(self) -> LambdaTargets:
        return LambdaTargets(self.accounts, self.functions)

    @property
    def execute_api(self) -> ExecuteApi:
        """For what deploys an API; requests come in by the wire's own."""
        return ExecuteApi(self.accounts, self.functions)

    def client(self, service: str) -> Any:
        return self.reader.client(service)

    def door(self, host: str = DOMAIN, port: int = 443, interface: str = "client") -> int:
        return self.wire.door(self.ids[interface], host, port)

    def curl(
        self,
        issued: Issued | None,
        path: str = "/widgets",
        *arguments: str,
        host: str = DOMAIN,
        interface: str = "client",
    ) -> subprocess.CompletedProcess[str]:
        """An unmodified curl from the client's interface."""
        command = ["curl", "-s", "--max-time", "20", "--cacert", str(self.folder / "web.pem")]
        port = self.door(host, interface=interface)
        command += ["--connect-to", f"{host}:443:127.0.0.1:{port}"]
        if issued:
            (self.folder / "client.pem").write_text(issued.chain_pem)
            (self.folder / "client.key").write_text(issued.key_pem)
            command += ["--cert", str(self.folder / "client.pem")]
            command += ["--key", str(self.folder / "client.key")]
        command += [*arguments, f"https://{host}{path}"]
        return run(command)

    def event(self, issued: Issued, path: str = "/widgets", *arguments: str) -> dict[str, Any]:
        """What the function behind the API was called with."""
        result = self.curl(issued, path, *arguments)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def log(self, kind: str, client_port: int, count: int = 1) -> list[list[str]]:
        """The lines of the connection from that port, oldest first, once `count` are delivered."""
        lines: list[list[str]] = []
        for _ in range(60):
            lines = [line for line in self.lines(kind) if _port_of(kind, line) == client_port]
            if len(lines) == count:
                return lines
            time.sleep(0.1)
        raise AssertionError(f"not {count} lines of {kind} in 6 s: {lines}")

    def lines(self, kind: str) -> list[list[str]]:
        """All that is delivered so far."""
        s3, connection = self.client("s3"), kind == "connection_logs"
        objects = s3.list_objects_v2(Bucket="logs").get("Contents", [])
        keys = [one["Key"] for one in objects if one["Key"].endswith(".log.gz")]
        wanted = [key for key in keys if ("/conn_log." in key) == connection]
        texts = [s3.get_object(Bucket="logs", Key=key)["Body"].read() for key in wanted]
        lines = [
            fields(line) for text in texts for line in gzip.decompress(text).decode().split("\n")
        ]
        return sorted(
            (line for line in lines if line), key=lambda line: line[0 if connection else 1]
        )

    def set_listener(self, **values: str) -> None:
        """Listener attributes; the keys may have `__` for dots."""
        self.client("elbv2").modify_listener_attributes(
            ListenerArn=self.ids["listener"], Attributes=_attributes(values)
        )

    def set_balancer(self, **values: str) -> None:
        """Load balancer attributes likewise."""
        self.client("elbv2").modify_load_balancer_attributes(
            LoadBalancerArn=self.ids["balancer"], Attributes=_attributes(values)
        )

    def set_bundle(self, *authorities: Authority) -> None:
        """Replaces the trust store's bundle."""
        pem = "".join(one.certificate_pem for one in authorities)
        self.client("s3").put_object(Bucket="trust", Key="bundle.pem", Body=pem.encode())
        self.client("elbv2").modify_trust_store(
            TrustStoreArn=self.ids["trust_store"],
            CaCertificatesBundleS3Bucket="trust",
            CaCertificatesBundleS3Key="bundle.pem",
        )


class Rule:
    """A rule for one path, removed in the end."""

    def __init__(self, stack: Stack, path: str, action: dict[str, Any], *transforms: Any) -> None:
        self._elbv2 = stack.client("elbv2")
        self._arn = self._elbv2.create_rule(
            ListenerArn=stack.ids["listener"],
            Priority=5,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
            Actions=[action],
            Transforms=list(transforms),
        )["Rules"][0]["RuleArn"]

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._elbv2.delete_rule(RuleArn=self._arn)


def _attributes(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", "."), "Value": value} for key, value in values.items()]


def _port_of(kind: str, line: list[str]) -> int:
    return int(line[2] if kind == "connection_logs" else line[3].rpartition(":")[2])


@contextmanager
def running(folder: Path, customers: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """The stack, deployed and served; with accounts of `customers`, still empty, beside it."""
    with Cloud({"producer": ACCOUNT, **(customers or {})}, REGION) as cloud:
        readers = {
            name: Reader(cloud.endpoint_url, REGION, key.access_key_id, key.secret_access_key)
            for name, key in cloud.credentials.items()
        }
        wire = Wire(cloud.endpoint_url, REGION, cloud.credentials.values())
        web, root = Authority.create("Web CA"), Authority.create("Client Root", key="rsa-2048")
        (folder / "web.pem").write_text(web.certificate_pem + wire.execute_api_authority_pem)
        functions = Functions(Accounts(readers.values()))
        stack = Stack(readers, functions, wire, folder, web, root)
        _network(stack)
        _buckets(stack)
        _api(stack)
        _balancer(stack)
        _listener(stack)
        with wire:
            yield stack
        functions.close()
        stack.accounts.close()


def _network(stack: Stack) -> None:
    ec2, ids = stack.client("ec2"), stack.ids
    vpc = ids["vpc"] = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ids["subnets"] = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    for name in ("client_group", "alb_group", "endpoint_group", "other_group"):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
        ids[name] = group["GroupId"]
        ec2.revoke_security_group_egress(
            GroupId=ids[name],
            IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
        )
    _allow(stack, "client_group", "alb_group")
    _allow(stack, "alb_group", "endpoint_group")
    egress = [{**HTTPS, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]
    ec2.authorize_security_group_egress(GroupId=ids["other_group"], IpPermissions=egress)
    for name, group in (("client", "client_group"), ("other", "other_group")):
        interface = ec2.create_network_interface(SubnetId=ids["subnets"][0], Groups=[ids[group]])
        ids[name] = interface["NetworkInterface"]["NetworkInterfaceId"]


def _allow(stack: Stack, source: str, destination: str) -> None:
    ec2, ids = stack.client("ec2"), stack.ids
    out = [{**HTTPS, "UserIdGroupPairs": [{"GroupId": ids[destination]}]}]
    into = [{**HTTPS, "UserIdGroupPairs": [{"GroupId": ids[source]}]}]
    ec2.authorize_security_group_egress(GroupId=ids[source], IpPermissions=out)
    ec2.authorize_security_group_ingress(GroupId=ids[destination], IpPermissions=into)


def _buckets(stack: Stack) -> None:
    s3 = stack.client("s3")
    where = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    s3.create_bucket(Bucket="logs", **where)
    s3.create_bucket(Bucket="trust", **where)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::logs/*/AWSLogs/{ACCOUNT}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(policy))
    s3.put_object(Bucket="trust", Key="bundle.pem", Body=stack.root.certificate_pem.encode())


def _api(stack: Stack) -> None:
    ids, reader = stack.ids, stack.reader
    addresses = ["10.0.0.50", "10.0.1.50"]
    endpoint = stack.client("ec2").create_vpc_endpoint(
        VpcId=ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.execute-api",
        VpcEndpointType="Interface",
        SubnetIds=ids["subnets"],
        SubnetConfigurations=[
            {"SubnetId": subnet, "Ipv4": ip}
            for subnet, ip in zip(ids["subnets"], addresses, strict=True)
        ],
        SecurityGroupIds=[ids["endpoint_group"]],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]
    ids["endpoint"], ids["addresses"] = endpoint["VpcEndpointId"], addresses
    ids["endpoint_name"] = endpoint["DnsEntries"][0]["DnsName"]
    api_id = stack.client("apigateway").create_rest_api(
        name="widgets",
        endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": [ids["endpoint"]]},
    )["id"]
    api = PrivateApi(reader, stack.execute_api, api_id, ids["endpoint"], ids["vpc"])
    api.set_policy(this_endpoint_only(ids["endpoint"]))
    function = make_function(reader, "echo", ECHO)
    api.allow(function)
    api.lambda_method("/widgets", "ANY", function)
    api.deploy()
    ids["api_host"], ids["api_id"] = api.host, api_id


def _balancer(stack: Stack) -> None:
    elbv2, ids = stack.client("elbv2"), stack.ids
    balancer = elbv2.create_load_balancer(
        Name="front", Subnets=ids["subnets"], SecurityGroups=[ids["alb_group"]], Scheme="internal"
    )["LoadBalancers"][0]
    ids["balancer"], ids["balancer_name"] = balancer["LoadBalancerArn"], balancer["DNSName"]
    values = {"idle_timeout.timeout_seconds": "5"}
    for log in ("access_logs", "connection_logs"):
        values |= {f"{log}.s3.enabled": "true", f"{log}.s3.bucket": "logs", f"{log}.s3.prefix": log}
    elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=ids["balancer"],
        Attributes=[{"Key": key, "Value": value} for key, value in values.items()],
    )
    group = elbv2.create_target_group(
        Name="api",
        Protocol="HTTPS",
        Port=443,
        VpcId=ids["vpc"],
        TargetType="ip",
        HealthCheckPath="/ping",
    )["TargetGroups"][0]
    ids["group"] = group["TargetGroupArn"]
    route53 = stack.client("route53")
    zone = route53.create_hosted_zone(
        Name="example.internal",
        VPC={"VPCRegion": REGION, "VPCId": ids["vpc"]},
        HostedZoneConfig={"PrivateZone": True},
        CallerReference="1",
    )["HostedZone"]["Id"]
    ids["zone"] = zone
    alias = {
        "DNSName": balancer["DNSName"],
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": False,
    }
    record = {"Name": DOMAIN, "Type": "A", "AliasTarget": alias}
    route53.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )


def _listener(stack: Stack) -> None:
    elbv2, ids = stack.client("elbv2"), stack.ids
    issued = stack.web.issue(DOMAIN, usages=("server_auth",), names=(DOMAIN,))
    certificate = stack.client("acm").import_certificate(
        Certificate=issued.certificate_pem.encode(), PrivateKey=issued.key_pem.encode()
    )["CertificateArn"]
    ids["trust_store"] = elbv2.create_trust_store(
        Name="clients", CaCertificatesBundleS3Bucket="trust", CaCertificatesBundleS3Key="bundle.pem"
    )["TrustStores"][0]["TrustStoreArn"]
    elbv2.describe_trust_stores(TrustStoreArns=[ids["trust_store"]])  # It becomes active meanwhile.
    nothing = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no such host"}
    ids["listener"] = elbv2.create_listener(
        LoadBalancerArn=ids["balancer"],
        Protocol="HTTPS",
        Port=443,
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        Certificates=[{"CertificateArn": certificate}],
        MutualAuthentication={"Mode": "verify", "TrustStoreArn": ids["trust_store"]},
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": nothing}],
    )["Listeners"][0]["ListenerArn"]
    ids["certificate"] = certificate
    transforms = [
        {
            "Type": "host-header-rewrite",
            "HostHeaderRewriteConfig": {
                "Rewrites": [{"Regex": "^.*$", "Replace": ids["api_host"]}]
            },
        },
        {
            "Type": "url-rewrite",
            "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/(.*)$", "Replace": "/v1/$1"}]},
        },
    ]
    ids["rule"] = elbv2.create_rule(
        ListenerArn=ids["listener"],
        Priority=10,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [DOMAIN]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": ids["group"]}],
        Transforms=transforms,
    )["Rules"][0]["RuleArn"]
    elbv2.register_targets(
        TargetGroupArn=ids["group"], Targets=[{"Id": ip, "Port": 443} for ip in ids["addresses"]]
    )
