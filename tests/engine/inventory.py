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
    "flow logs": ("ec2", "describe_flow_logs", "FlowLogs"),
    "load balancers": ("elbv2", "describe_load_balancers", "LoadBalancers"),
    "target groups": ("elbv2", "describe_target_groups", "TargetGroups"),
    "trust stores": ("elbv2", "describe_trust_stores", "TrustStores"),
    "buckets": ("s3", "list_buckets", "Buckets"),
    "certificates": ("acm", "list_certificates", "CertificateSummaryList"),
    "hosted zones": ("route53", "list_hosted_zones", "HostedZones"),
    "APIs": ("apigateway", "get_rest_apis", "items"),
    "functions": ("lambda", "list_functions", "Functions"),
    "log groups": ("logs", "describe_log_groups", "logGroups"),
    "roles": ("iam", "list_roles", "Roles"),
}


def inventory(client: Client) -> dict[str, int]:
    """How many of each kind there are, and how many records all hosted zones hold."""
    counts: dict[str, int] = {}
    for kind, (service, operation, key) in KINDS.items():
        api = client(service)
        if api.can_paginate(operation):
            answer = api.get_paginator(operation).paginate().build_full_result()
        else:
            answer = getattr(api, operation)()
        counts[kind] = len(answer.get(key, []))
    route53 = client("route53")
    counts["records"] = sum(
        zone["ResourceRecordSetCount"] for zone in route53.list_hosted_zones()["HostedZones"]
    )
    return counts
