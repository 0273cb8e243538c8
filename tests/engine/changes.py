"""Changes of settings, and what the engine does to which resource for each."""

from typing import Any

from tests.engine.caller_changes import (
    ACME,
    CALLER_CHANGES,
    NEW_DEFINITION,
    NEW_RULES,
    SHOP,
    SIGNED,
)

ELB = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"

CHANGES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "throttling and log retention": (
        {
            "mtls:throttlingRateLimit": "50",
            "mtls:throttlingBurstLimit": "60",
            "mtls:logRetentionDays": "30",
        },
        {
            "api-stage-settings": "update",
            "network-flows": "update",
            "api-stage-access": "update",
            "api-stage-execution": "update",
            "api-authorizer-jwt-logs": "update",
            "front-alb-logs-lifecycle": "update",
        },
    ),
    "deletion protection, and a log role that somebody else set": (
        {"mtls:deletionProtection": "true", "mtls:manageApiGatewayLogRole": "false"},
        {
            "front-alb-lb": "update",
            "privatelink-nlb-lb": "update",
            "front-alb-logs-bucket": "update",
            "trust-bundles-bucket": "update",
            "api-stage-account": "delete",
            "api-stage-log-role-role": "delete",
            "api-stage-log-role-managed-policy": "delete",
        },
    ),
    "TLS policy": (
        {"mtls:tlsPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"},
        {"front-https": "update"},
    ),
    "a client more": (
        {"mtls:clients": {"shop": SHOP, "till": {}}},
        {
            "front-client-till": "create",
            "front-from-till-in": "create",
            "front-from-till-out": "create",
        },
    ),
    "a route more": (
        {"mtls:routes": {"GET /widgets": "widgets", "GET /whoami": "widgets", "GET /a": "widgets"}},
        {**NEW_DEFINITION, **NEW_RULES},
    ),
    "a route less": (
        {"mtls:routes": {"GET /widgets": "widgets"}},
        {**NEW_DEFINITION, **NEW_RULES},
    ),
    "two certificate authorities more": (
        {
            "mtls:certificateAuthorities": {
                "root-2026": {"kind": "self-signed"},
                "root-2027": {"kind": "self-signed"},
                "theirs": {"kind": "bring-your-own", "bundleFile": "$folder/ca.pem"},
            }
        },
        {
            "ca-root-2027-key": "create",
            "ca-root-2027-root": "create",
            "trust-bundle": "update",
            "trust-store": "update",
        },
    ),
    "another certificate authority": (
        {
            "mtls:certificateAuthorities": {"root-2027": {"kind": "self-signed"}},
            "mtls:clients": {"shop": {**SHOP, "certificateAuthority": "root-2027"}},
            "mtls:customers": {"acme": {**SIGNED, "certificateAuthority": "root-2027"}},
        },
        {
            "ca-root-2026-key": "delete",
            "ca-root-2026-root": "delete",
            "ca-root-2027-key": "create",
            "ca-root-2027-root": "create",
            "client-shop-certificate": "replace",
            "client-acme-certificate": "replace",
            "trust-bundle": "update",
            "trust-store": "update",
        },
    ),
    "clients with certificates of their own": (
        {"mtls:role": "producer", "mtls:clients": {"shop": {}}, "mtls:customers": {"acme": ACME}},
        {
            "client-shop-key": "delete",
            "client-shop-request": "delete",
            "client-shop-certificate": "delete",
            "client-acme-key": "delete",
            "client-acme-request": "delete",
            "client-acme-certificate": "delete",
            **NEW_RULES,
        },
    ),
    "no client": (
        {"mtls:clients": {}},
        {
            "client-shop-key": "delete",
            "client-shop-request": "delete",
            "client-shop-certificate": "delete",
            "front-client-shop": "delete",
            "front-from-shop-in": "delete",
            "front-from-shop-out": "delete",
            **NEW_RULES,
        },
    ),
    "a client's own security group": (
        {"mtls:clients": {"shop": {**SHOP, "securityGroupId": "$group"}}},
        {
            "front-client-shop": "delete",
            "front-from-shop-in": "update",
            "front-from-shop-out": "replace",
        },
    ),
    "a backend more": (
        {
            "mtls:backends": {"widgets": "sample", "more": "sample"},
            "mtls:routes": {"GET /widgets": "widgets", "GET /more": "more"},
        },
        {
            "more-execution-role": "create",
            "more-execution-policy": "create",
            "more-function": "create",
            "more-logs": "create",
            "api-may-invoke-more": "create",
            **NEW_DEFINITION,
            **NEW_RULES,
        },
    ),
    "another function behind the routes": (
        {
            "mtls:backends": {
                "widgets": "arn:aws:lambda:eu-west-1:111122223333:function:there",
            }
        },
        {
            "widgets-execution-role": "delete",
            "widgets-execution-policy": "delete",
            "widgets-function": "delete",
            "widgets-logs": "delete",
            "api-may-invoke-widgets": "replace",
            **NEW_DEFINITION,
        },
    ),
    "an OpenAPI document": (
        {"mtls:routes": {}, "mtls:openapiFile": "$folder/api.yaml"},
        {**NEW_DEFINITION, **NEW_RULES},
    ),
    "paths to other targets and to another API, and a web ACL": (
        {
            "mtls:pathRoutes": {
                "reports": {
                    "paths": ["/reports/*"],
                    "targetGroupArn": f"{ELB}:targetgroup/there/0123456789abcdef",
                    "priority": 100,
                    "securityGroupId": "$group",
                },
                "other": {
                    "paths": ["/other/*"],
                    "apiId": "a1b2c3d4e5",
                    "stage": "live",
                    "priority": 101,
                },
            },
            "mtls:webAclArn": "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/there/0123",
        },
        {
            "front-route-reports": "create",
            "front-to-reports-out": "create",
            "front-route-other": "create",
            "api-endpoint-vpce": "update",
            "front-web-acl": "create",
        },
    ),
    "a zone more": (
        {
            "mtls:subnets": {
                "euw1-az1": "10.20.0.0/24",
                "euw1-az2": "10.20.1.0/24",
                "euw1-az3": "10.20.2.0/24",
            }
        },
        {
            "network-euw1-az3": "create",
            "network-euw1-az3-endpoint-addresses": "create",
            "front-api-euw1-az3": "create",
            "api-endpoint-vpce": "update",
            "front-alb-lb": "update",
            "privatelink-nlb-lb": "update",
        },
    ),
    "another domain in another public zone": (
        {"mtls:domain": "api.example.org", "mtls:publicZone": "example.org"},
        {
            "front-zone": "replace",
            "front-alias": "replace",
            "front-server-certificate": "replace",
            "front-server-validation": "replace",
            "front-server-issued": "replace",
            "front-https": "update",
            "front-api": "update",
            "privatelink-nlb-health": "update",
            "privatelink-service": "update",
            "privatelink-dns-proof": "replace",
            "privatelink-dns-verified-api.example.com": "delete",
            "privatelink-dns-verified-api.example.org": "create",
        },
    ),
    "a customer more": (
        {
            "mtls:customers": {
                "acme": SIGNED,
                "globex": {"principals": ["777788889999"], "endpoints": ["vpce-0123456789abcdef0"]},
            }
        },
        {
            "privatelink-allow-globex-777788889999": "create",
            "privatelink-accept-globex-vpce-0123456789abcdef0": "create",
        },
    ),
    "a customer less": (
        {"mtls:customers": {}},
        {
            "privatelink-allow-acme-444455556666": "delete",
            "privatelink-accept-acme-$endpoint": "delete",
            "client-acme-key": "delete",
            "client-acme-request": "delete",
            "client-acme-certificate": "delete",
            **NEW_RULES,
        },
    ),
    "another endpoint, and another principal, of a customer": (
        {
            "mtls:customers": {
                "acme": {
                    **SIGNED,
                    "principals": ["444455556666", "arn:aws:iam::444455556666:role/net"],
                    "endpoints": ["$endpoint", "vpce-0123456789abcdef0"],
                }
            }
        },
        {
            "privatelink-allow-acme-444455556666:role/net": "create",
            "privatelink-accept-acme-vpce-0123456789abcdef0": "create",
        },
    ),
    "customers from another region, whom nobody need accept": (
        {"mtls:acceptanceRequired": "false", "mtls:supportedRegions": ["eu-central-1"]},
        {"privatelink-service": "update"},
    ),
    **CALLER_CHANGES,
    "a private custom domain name": (
        {"mtls:apiSelection": "private-domain"},
        {
            "front-api-domain-private": "create",
            "front-api-domain-mapping": "create",
            "front-api-domain-association": "create",
            "front-api": "update",
            "api-endpoint-vpce": "update",
        },
    ),
    "a regional custom domain name": (
        {"mtls:apiSelection": "regional-domain"},
        {
            "front-api-domain-regional": "create",
            "front-api-domain-mapping": "create",
            "front-api": "update",
        },
    ),
}
"""By change of daily life: the settings, and for each resource that is touched how.

`$folder` holds files, and `$group`, `$alb` … are things of AWS that are there already.
"""

CONSUMER_CHANGES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "a client more, a group of one's own, and a block": (
        {
            "mtls:clients": {"shop": {}, "till": {}, "cart": {"securityGroupId": "$group"}},
            "mtls:clientCidrs": ["10.8.0.0/16"],
        },
        {
            "consumer-client-till": "create",
            "consumer-from-till-in": "create",
            "consumer-from-till-out": "create",
            "consumer-from-cart-in": "create",
            "consumer-from-cart-out": "create",
            "consumer-from-10.8.0.0/16": "create",
        },
    ),
    "a hosted zone of one's own": (
        {"mtls:dns": "private-hosted-zone"},
        {
            "consumer-zone": "create",
            "consumer-alias": "create",
            "consumer-private-dns": "delete",
        },
    ),
    "the service by its name": (
        {
            "mtls:producerStack": "",
            "mtls:serviceName": "$service",
            "mtls:serviceZones": ["euw1-az1", "euw1-az2"],
        },
        {},
    ),
    "a service in another region": (
        {
            "mtls:producerStack": "",
            "mtls:serviceName": "com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0",
            "mtls:serviceZones": ["euc1-az2", "euc1-az3"],
            "mtls:serviceRegion": "eu-central-1",
        },
        {"consumer-vpce": "replace", "consumer-private-dns": "replace"},
    ),
    "another block for a zone": (
        {"mtls:subnets": {"euw1-az1": "10.30.0.0/24", "euw1-az2": "10.30.2.0/24"}},
        {
            "network-euw1-az2": "replace",
            "network-euw1-az2-endpoint-addresses": "replace",
            "consumer-vpce": "update",
        },
    ),
}
"""The same for the customer's stack."""

CLOSED = {"mtls:privateLink": "false", "mtls:customers": {}}
"""No way in from other accounts."""
OWN_CUSTOMER = {
    "mtls:acceptanceRequired": "false",
    "mtls:consumerVpcCidr": "10.60.0.0/16",
    "mtls:consumerSubnets": {"euw1-az1": "10.60.0.0/24", "euw1-az2": "10.60.1.0/24"},
}
"""A customer in the producer's own account."""

MOVES: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    "another block for the VPC": (
        {
            "mtls:vpcCidr": "10.40.0.0/16",
            "mtls:subnets": {"euw1-az1": "10.40.0.0/24", "euw1-az2": "10.40.1.0/24"},
        },
        {"Vpc", "Subnet", "VpcEndpoint"},
        set(),
    ),
    "another block for a zone": (
        {"mtls:subnets": {"euw1-az1": "10.20.0.0/24", "euw1-az2": "10.20.2.0/24"}},
        {"Subnet"},
        set(),
    ),
    "a VPC that is there": (
        {
            "mtls:vpcCidr": "",
            "mtls:subnets": {},
            "mtls:vpcId": "$vpc",
            "mtls:subnetIds": {"euw1-az1": "$subnet1", "euw1-az2": "$subnet2"},
            "mtls:endpointIps": {"euw1-az1": "10.30.0.9", "euw1-az2": "10.30.1.9"},
        },
        {"VpcEndpoint", "LoadBalancer", "Listener"},
        {"Vpc", "Subnet"},
    ),
    "a load balancer that is there": (
        {"mtls:alb": {"arn": "$alb", "securityGroupId": "$group"}},
        {"Listener"},
        {"LoadBalancer"},
    ),
    "a trust store that is there": (
        {
            "mtls:role": "producer",
            "mtls:certificateAuthorities": {},
            "mtls:clients": {"shop": {}},
            "mtls:customers": {"acme": ACME},
            "mtls:trustStoreArn": f"{ELB}:truststore/there/0123456789abcdef",
        },
        set(),
        {"TrustStore"},
    ),
}
"""By change that moves the stack: the settings, and what of KEPT is replaced, and deleted.

A load balancer cannot leave its VPC (ELBv2, SetSecurityGroups: InvalidConfigurationRequest), which
a preview does not tell: with another VPC, `up` stops there.
"""
