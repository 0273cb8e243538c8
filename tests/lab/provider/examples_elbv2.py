"""Examples of load balancing: aws:lb."""

from typing import Any

from . import places
from .conftest import World
from .examples import TAGS, Example, Examples

EXAMPLES = Examples()


@EXAMPLES.of("aws:lb/trustStore:TrustStore")
def _trust_store(world: World) -> Example:
    bundle, other = places.bundle(world), places.bundle(world, "other.pem")
    versioned = world.make(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        bucket=places.versioned_bucket(world),
        key=other["key"],
        content=places.authority(world)["ca"],
    )
    return Example(
        inputs={
            "caCertificatesBundleS3Bucket": bundle["bucket"],
            "caCertificatesBundleS3Key": bundle["key"],
            "tags": {"team": "a"},
        },
        changes=[
            {"caCertificatesBundleS3Key": other["key"]},
            {"caCertificatesBundleS3Bucket": versioned["bucket"]},
            {"caCertificatesBundleS3ObjectVersion": versioned["versionId"]},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:lb/loadBalancer:LoadBalancer")
def _load_balancer(world: World) -> Example:
    logs = {"bucket": places.log_bucket(world), "enabled": True}
    return Example(
        inputs={
            "internal": True,
            "subnets": [places.subnet(world, 0), places.subnet(world, 1)],
            "securityGroups": [places.security_group(world, "peer")],
            "dropInvalidHeaderFields": True,
            "accessLogs": {**logs, "prefix": "access"},
            "tags": {"team": "a"},
        },
        changes=[
            {"accessLogs": {**logs, "prefix": "other"}},
            {"accessLogs": {**logs, "enabled": False}},
            {"connectionLogs": {**logs, "prefix": "connections"}},
            {"healthCheckLogs": {**logs, "prefix": "health"}},
            {"securityGroups": [places.security_group(world, "ruled")]},
            {"subnets": [places.subnet(world, number) for number in range(3)]},
            {"enableZonalShift": True},
            {"enableDeletionProtection": True},
            {"enableDeletionProtection": False},
            {"idleTimeout": 30},
            {"clientKeepAlive": 600},
            {"desyncMitigationMode": "strictest"},
            {"dropInvalidHeaderFields": False},
            {"preserveHostHeader": True},
            {"enableTlsVersionAndCipherSuiteHeaders": True},
            {"enableXffClientPort": True},
            {"xffHeaderProcessingMode": "remove"},
            {"enableHttp2": False},
            {"enableWafFailOpen": True},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:lb/loadBalancer:LoadBalancer#subnet mappings")
def _mapped_load_balancer(world: World) -> Example:
    mappings = [{"subnetId": places.subnet(world, number)} for number in range(3)]
    return Example(
        inputs={"internal": True, "subnetMappings": mappings[:2]},
        changes=[{"subnetMappings": mappings}],
    )


@EXAMPLES.of("aws:lb/targetGroup:TargetGroup")
def _target_group(world: World) -> Example:
    check = {"protocol": "HTTPS", "path": "/ping", "matcher": "200", "interval": 10}
    return Example(
        inputs={
            "port": 443,
            "protocol": "HTTPS",
            "targetType": "ip",
            "vpcId": places.vpc(world),
            "healthCheck": {**check, "timeout": 5},
            "tags": {"team": "a"},
        },
        changes=[
            {"healthCheck": {**check, "timeout": 4, "matcher": "200-299"}},
            {"deregistrationDelay": 30},
            {"slowStart": 60},
            {"slowStart": 0},
            {"loadBalancingAlgorithmType": "least_outstanding_requests"},
            {"loadBalancingCrossZoneEnabled": "true"},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:lb/targetGroupAttachment:TargetGroupAttachment")
def _attachment(world: World) -> Example:
    return Example(
        inputs={
            "targetGroupArn": places.target_group(world),
            "targetId": "10.0.0.20",
            "port": 443,
        }
    )


_HEADER_NAMES = [
    *(
        f"routingHttpRequestXAmznMtlsClientcert{part}HeaderName"
        for part in ("", "Issuer", "Leaf", "SerialNumber", "Subject", "Validity")
    ),
    "routingHttpRequestXAmznTlsVersionHeaderName",
    "routingHttpRequestXAmznTlsCipherSuiteHeaderName",
]
_HEADER_VALUES = [
    f"routingHttpResponse{header}HeaderValue"
    for header in (
        "AccessControlAllowCredentials",
        "AccessControlAllowHeaders",
        "AccessControlAllowMethods",
        "AccessControlAllowOrigin",
        "AccessControlExposeHeaders",
        "AccessControlMaxAge",
        "ContentSecurityPolicy",
        "StrictTransportSecurity",
        "XContentTypeOptions",
        "XFrameOptions",
    )
]


@EXAMPLES.of("aws:lb/listener:Listener")
def _listener(world: World) -> Example:
    refusal = {"contentType": "text/plain", "messageBody": "no", "statusCode": "404"}
    bundle = places.bundle(world)
    store = world.make(
        "aws:lb/trustStore:TrustStore",
        caCertificatesBundleS3Bucket=bundle["bucket"],
        caCertificatesBundleS3Key=bundle["key"],
    )
    verify = {"mode": "verify", "trustStoreArn": store["id"]}
    return Example(
        inputs={
            "loadBalancerArn": places.load_balancer(world)["id"],
            "port": 443,
            "protocol": "HTTPS",
            "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "certificateArn": places.certificate(world, "server")["id"],
            "defaultActions": [{"type": "fixed-response", "fixedResponse": refusal}],
            "mutualAuthentication": verify,
            "routingHttpRequestXAmznMtlsClientcertLeafHeaderName": "X-Leaf",
            "tags": {"team": "a"},
        },
        changes=[
            {"sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"},
            {"port": 444},
            {"defaultActions": [_forward(world)]},
            {"mutualAuthentication": {**verify, "ignoreClientCertificateExpiry": True}},
            {"mutualAuthentication": {"mode": "passthrough"}},
            {"mutualAuthentication": verify},
            {"mutualAuthentication": {"mode": "off"}},
            *({name: "X-Other"} for name in _HEADER_NAMES),
            *({name: "1"} for name in _HEADER_VALUES),
            {"routingHttpResponseServerEnabled": False},
            {"certificateArn": places.certificate(world, "another")["id"]},
            *TAGS,
            {
                "protocol": "HTTP",
                "certificateArn": None,
                "sslPolicy": None,
                "mutualAuthentication": None,
                **dict.fromkeys(_HEADER_NAMES),
            },
        ],
    )


def _forward(world: World) -> dict[str, Any]:
    groups = [{"arn": places.target_group(world), "weight": 1}]
    return {"type": "forward", "forward": {"targetGroups": groups}}


@EXAMPLES.of("aws:lb/listenerRule:ListenerRule")
def _listener_rule(world: World) -> Example:
    host = {"hostHeader": {"values": ["api.example.com"]}}
    rewrite = {"rewrite": {"regex": "^.*$", "replace": "other.example.com"}}
    return Example(
        inputs={
            "listenerArn": places.listener(world),
            "priority": 10,
            "conditions": [host, {"pathPattern": {"values": ["/widgets/*"]}}],
            "actions": [{"type": "forward", "targetGroupArn": places.target_group(world)}],
            "transforms": [{"type": "host-header-rewrite", "hostHeaderRewriteConfig": rewrite}],
            "tags": {"team": "a"},
        },
        changes=[
            {"priority": 20},
            {"conditions": [host, {"httpHeader": {"httpHeaderName": "X-A", "values": ["1"]}}]},
            {"conditions": [host, {"queryStrings": [{"key": "a", "value": "1"}]}]},
            {"actions": [_forward(world)]},
            {"transforms": [{"type": "url-rewrite", "urlRewriteConfig": rewrite}]},
            {"transforms": []},
            *TAGS,
        ],
    )
