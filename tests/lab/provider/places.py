"""Things that example resources lie in: networks, buckets, roles, load balancers, APIs."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pulumi

from lab.provider.assets import asset_bytes

from .conftest import REGION, World

ACCOUNT = "111111111111"
CODE = pulumi.AssetArchive({"handler.py": pulumi.StringAsset("def handle(event, context): pass\n")})
OTHER_CODE = pulumi.AssetArchive({"handler.py": pulumi.StringAsset("def handle(*_): return 1\n")})


def policy(action: str, resource: str = "*", **extra: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **extra}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def vpc(world: World) -> str:
    made = world.once(
        "vpc",
        lambda: world.make("aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True),
    )
    return made["id"]


def subnet(world: World, number: int) -> str:
    made = world.once(
        f"subnet {number}",
        lambda: world.make(
            "aws:ec2/subnet:Subnet",
            vpcId=vpc(world),
            cidrBlock=f"10.0.{number}.0/24",
            availabilityZone=f"{REGION}{'abc'[number]}",
        ),
    )
    return made["id"]


def security_group(world: World, name: str) -> str:
    made = world.once(
        f"group {name}",
        lambda: world.make("aws:ec2/securityGroup:SecurityGroup", vpcId=vpc(world)),
    )
    return made["id"]


def prefix_list(world: World, number: int) -> str:
    def build() -> dict[str, Any]:
        made = world.aws.client("ec2").create_managed_prefix_list(
            PrefixListName=f"list-{number}", MaxEntries=1, AddressFamily="IPv4"
        )
        return made["PrefixList"]

    return world.once(f"prefix list {number}", build)["PrefixListId"]


def endpoint(world: World) -> str:
    made = world.once(
        "endpoint",
        lambda: world.make(
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            vpcId=vpc(world),
            serviceName=f"com.amazonaws.{REGION}.execute-api",
            vpcEndpointType="Interface",
            privateDnsEnabled=False,
            subnetIds=[subnet(world, 2)],
        ),
    )
    return made["id"]


def bucket(world: World) -> str:
    return world.once("bucket", lambda: world.make("aws:s3/bucket:Bucket"))["id"]


def versioned_bucket(world: World) -> str:
    def build() -> dict[str, Any]:
        made = world.make("aws:s3/bucket:Bucket")
        world.make(
            "aws:s3/bucketVersioning:BucketVersioning",
            bucket=made["id"],
            versioningConfiguration={"status": "Enabled"},
        )
        return made

    return world.once("versioned bucket", build)["id"]


def archives(world: World, count: int) -> list[dict[str, Any]]:
    """Zips of functions in a new bucket."""
    made = world.make("aws:s3/bucket:Bucket")["id"]
    return [
        world.make(
            "aws:s3/bucketObjectv2:BucketObjectv2",
            bucket=made,
            key=f"{number}.zip",
            contentBase64=base64.b64encode(asset_bytes([CODE, OTHER_CODE][number])).decode(),
        )
        for number in range(count)
    ]


def log_bucket(world: World) -> str:
    """A bucket that Elastic Load Balancing may deliver logs to."""

    def build() -> dict[str, Any]:
        made = world.make("aws:s3/bucket:Bucket")
        document = policy(
            "s3:PutObject",
            f"{made['arn']}/*",
            Principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        )
        world.make("aws:s3/bucketPolicy:BucketPolicy", bucket=made["id"], policy=document)
        return made

    return world.once("log bucket", build)["id"]


def authority(world: World) -> Mapping[str, Any]:
    """A CA's key and certificate, with a server's key and certificate signed by it."""

    def build() -> dict[str, Any]:
        key = world.make("tls:index/privateKey:PrivateKey", algorithm="ECDSA", ecdsaCurve="P256")
        ca = world.make(
            "tls:index/selfSignedCert:SelfSignedCert",
            privateKeyPem=key["privateKeyPem"],
            subject={"commonName": "Example Root"},
            allowedUses=["cert_signing", "crl_signing"],
            isCaCertificate=True,
            validityPeriodHours=24,
        )
        request = world.make(
            "tls:index/certRequest:CertRequest",
            privateKeyPem=key["privateKeyPem"],
            subject={"commonName": "server.example.com"},
            dnsNames=["server.example.com"],
        )
        return {
            "key": key["privateKeyPem"],
            "ca": ca["certPem"],
            "request": request["certRequestPem"],
        }

    return world.once("authority", build)


def server_pair(world: World, name: str) -> Mapping[str, Any]:
    """A server's key, its certificate and the chain to the CA."""

    def build() -> dict[str, Any]:
        parts = authority(world)
        key = world.make("tls:index/privateKey:PrivateKey", algorithm="ECDSA", ecdsaCurve="P256")
        request = world.make(
            "tls:index/certRequest:CertRequest",
            privateKeyPem=key["privateKeyPem"],
            subject={"commonName": f"{name}.example.com"},
            dnsNames=[f"{name}.example.com"],
        )
        signed = world.make(
            "tls:index/locallySignedCert:LocallySignedCert",
            certRequestPem=request["certRequestPem"],
            caCertPem=parts["ca"],
            caPrivateKeyPem=parts["key"],
            allowedUses=["server_auth"],
            validityPeriodHours=24,
        )
        return {
            "key": key["privateKeyPem"],
            "certificate": signed["certPem"],
            "chain": parts["ca"],
        }

    return world.once(f"pair {name}", build)


def certificate(world: World, name: str) -> Mapping[str, Any]:
    """A server's certificate, imported."""

    def build() -> dict[str, Any]:
        pair = server_pair(world, name)
        return world.make(
            "aws:acm/certificate:Certificate",
            certificateBody=pair["certificate"],
            privateKey=pair["key"],
            certificateChain=pair["chain"],
        )

    return world.once(f"certificate {name}", build)


def bundle(world: World, key: str = "ca.pem") -> Mapping[str, Any]:
    return world.once(
        f"bundle {key}",
        lambda: world.make(
            "aws:s3/bucketObjectv2:BucketObjectv2",
            bucket=bucket(world),
            key=key,
            content=authority(world)["ca"],
        ),
    )


def load_balancer(world: World) -> Mapping[str, Any]:
    return world.once(
        "load balancer",
        lambda: world.make(
            "aws:lb/loadBalancer:LoadBalancer",
            internal=True,
            subnets=[subnet(world, 0), subnet(world, 1)],
            securityGroups=[security_group(world, "balancer")],
        ),
    )


def target_group(world: World) -> str:
    made = world.once(
        "target group",
        lambda: world.make(
            "aws:lb/targetGroup:TargetGroup",
            port=443,
            protocol="HTTPS",
            targetType="ip",
            vpcId=vpc(world),
        ),
    )
    return made["id"]


def listener(world: World) -> str:
    made = world.once(
        "listener",
        lambda: world.make(
            "aws:lb/listener:Listener",
            loadBalancerArn=load_balancer(world)["id"],
            port=8443,
            protocol="HTTPS",
            certificateArn=certificate(world, "server")["id"],
            defaultActions=[{"type": "forward", "targetGroupArn": target_group(world)}],
        ),
    )
    return made["id"]


def role(world: World, service: str) -> Mapping[str, Any]:
    return world.once(
        f"role {service}",
        lambda: world.make("aws:iam/role:Role", assumeRolePolicy=trust(service)),
    )


def function(world: World) -> Mapping[str, Any]:
    return world.once(
        "function",
        lambda: world.make(
            "aws:lambda/function:Function",
            code=CODE,
            role=role(world, "lambda.amazonaws.com")["arn"],
            runtime="python3.13",
            handler="handler.handle",
        ),
    )


def alias(world: World) -> Mapping[str, Any]:
    """Of the one version of a function."""

    def make() -> dict[str, Any]:
        function = world.make(
            "aws:lambda/function:Function",
            code=CODE,
            role=role(world, "lambda.amazonaws.com")["arn"],
            runtime="python3.13",
            handler="handler.handle",
            publish=True,
        )
        where = {"functionName": function["name"], "functionVersion": function["version"]}
        return world.make("aws:lambda/alias:Alias", name="live", **where)

    return world.once("alias", make)


def zone(world: World) -> str:
    return world.once("zone", lambda: world.make("aws:route53/zone:Zone", name="example.com"))["id"]


def rest_api(world: World) -> Mapping[str, Any]:
    return world.once("rest api", lambda: world.make("aws:apigateway/restApi:RestApi"))


def scratch_api(world: World) -> Mapping[str, Any]:
    """An API that is never deployed, so that its methods may be unfinished."""
    return world.once("scratch api", lambda: world.make("aws:apigateway/restApi:RestApi"))


def method(world: World, api: Mapping[str, Any]) -> dict[str, Any]:
    """The key of a method on the API's root."""
    key = {"restApi": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    world.once(
        f"method {api['id']}",
        lambda: world.make("aws:apigateway/method:Method", **key, authorization="NONE"),
    )
    return key


def deployment(world: World, number: int) -> str:
    def build() -> dict[str, Any]:
        key = method(world, rest_api(world))
        world.once(
            "integration",
            lambda: world.make("aws:apigateway/integration:Integration", **key, type="MOCK"),
        )
        return world.make("aws:apigateway/deployment:Deployment", restApi=key["restApi"])

    return world.once(f"deployment {number}", build)["id"]


def stage(world: World) -> Mapping[str, Any]:
    return world.once(
        "stage",
        lambda: world.make(
            "aws:apigateway/stage:Stage",
            restApi=rest_api(world)["id"],
            deployment=deployment(world, 0),
            stageName="live",
        ),
    )


def log_group(world: World) -> Mapping[str, Any]:
    return world.once("log group", lambda: world.make("aws:cloudwatch/logGroup:LogGroup"))
