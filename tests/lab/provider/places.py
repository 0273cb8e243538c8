"""Things that example resources lie in: networks, buckets, roles, load balancers, APIs."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

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


def bucket(world: World) -> str:
    return world.once("bucket", lambda: world.make("aws:s3/bucket:Bucket"))["id"]


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


def server_certificate(world: World) -> Mapping[str, Any]:
    def build() -> dict[str, Any]:
        parts = authority(world)
        signed = world.make(
            "tls:index/locallySignedCert:LocallySignedCert",
            certRequestPem=parts["request"],
            caCertPem=parts["ca"],
            caPrivateKeyPem=parts["key"],
            allowedUses=["server_auth"],
            validityPeriodHours=24,
        )
        return world.make(
            "aws:acm/certificate:Certificate",
            certificateBody=signed["certPem"],
            privateKey=parts["key"],
            certificateChain=parts["ca"],
        )

    return world.once("server certificate", build)


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
            certificateArn=server_certificate(world)["id"],
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
