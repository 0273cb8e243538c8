"""What an account holds, kind by kind, through the AWS API."""

from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]

KINDS: dict[str, tuple[str, str, str]] = {
    "VPCs": ("ec2", "describe_vpcs", "Vpcs"),
    "subnets": ("ec2", "describe_subnets", "Subnets"),
    "security groups": ("ec2", "describe_security_groups", "SecurityGroups"),
    "security group rules": ("ec2", "describe_security_group_rules", "SecurityGroupRules"),
    "network interfaces": ("ec2", "describe_network_interfaces", "NetworkInterfaces"),
    "VPC endpoints": ("ec2", "describe_vpc_endpoints", "VpcEndpoints"),
    "endpoint services": (
        "ec2",
        "describe_vpc_endpoint_service_configurations",
        "ServiceConfigurations",
    ),
    "endpoint connections": (
        "ec2",
        "describe_vpc_endpoint_connections",
        "VpcEndpointConnections",
    ),
    "connection notifications": (
        "ec2",
        "describe_vpc_endpoint_connection_notifications",
        "ConnectionNotificationSet",
    ),
    "flow logs": ("ec2", "describe_flow_logs", "FlowLogs"),
    "load balancers": ("elbv2", "describe_load_balancers", "LoadBalancers"),
    "target groups": ("elbv2", "describe_target_groups", "TargetGroups"),
    "trust stores": ("elbv2", "describe_trust_stores", "TrustStores"),
    "buckets": ("s3", "list_buckets", "Buckets"),
    "certificates": ("acm", "list_certificates", "CertificateSummaryList"),
    "hosted zones": ("route53", "list_hosted_zones", "HostedZones"),
    "APIs": ("apigateway", "get_rest_apis", "items"),
    "custom domain names": ("apigateway", "get_domain_names", "items"),
    "access associations": ("apigateway", "get_domain_name_access_associations", "items"),
    "functions": ("lambda", "list_functions", "Functions"),
    "log groups": ("logs", "describe_log_groups", "logGroups"),
    "roles": ("iam", "list_roles", "Roles"),
    "topics": ("sns", "list_topics", "Topics"),
    "keys": ("kms", "list_keys", "Keys"),
}
"""Service, operation, and where in its answer they are."""

PARTS: dict[str, tuple[str, str, str, str, str, str]] = {
    "service permissions": (
        "ec2",
        "describe_vpc_endpoint_service_permissions",
        "AllowedPrincipals",
        "endpoint services",
        "ServiceId",
        "ServiceId",
    ),
    "listeners": (
        "elbv2",
        "describe_listeners",
        "Listeners",
        "load balancers",
        "LoadBalancerArn",
        "LoadBalancerArn",
    ),
    "rules": ("elbv2", "describe_rules", "Rules", "listeners", "ListenerArn", "ListenerArn"),
    "targets": (
        "elbv2",
        "describe_target_health",
        "TargetHealthDescriptions",
        "target groups",
        "TargetGroupArn",
        "TargetGroupArn",
    ),
    "records": (
        "route53",
        "list_resource_record_sets",
        "ResourceRecordSets",
        "hosted zones",
        "Id",
        "HostedZoneId",
    ),
}
"""What is listed for one thing at a time: also of which kind, its key there, and the parameter."""


def resources(client: Client) -> dict[str, list[dict[str, Any]]]:
    """Everything the account holds; a key that waits to be deleted is gone."""
    found = {
        kind: _all(client(service), operation, key)
        for kind, (service, operation, key) in KINDS.items()
    }
    kms = client("kms")
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in found["keys"]]
    found["keys"] = [one for one in keys if one["KeyState"] != "PendingDeletion"]
    for kind, (service, operation, key, whole, its_key, parameter) in PARTS.items():
        found[kind] = [
            part
            for one in found[whole]
            for part in _all(client(service), operation, key, **{parameter: one[its_key]})
        ]
    return found


def inventory(client: Client) -> dict[str, int]:
    """How many of each kind there are."""
    return {kind: len(found) for kind, found in resources(client).items()}


def _all(api: Any, operation: str, key: str, **parameters: str) -> list[dict[str, Any]]:
    if api.can_paginate(operation):
        pages = api.get_paginator(operation).paginate(**parameters)
        return pages.build_full_result().get(key, [])
    return getattr(api, operation)(**parameters).get(key, [])
