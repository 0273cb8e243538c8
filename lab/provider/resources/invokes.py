"""The functions that programs call for data: accounts, regions, zones, load balancers."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws
from lab.provider.resources.elbv2 import LoadBalancer, TrustStore
from lab.provider.resources.route53 import Zone, bare_name
from lab.provider.schema import RefusalError, nearest

_DNS_SUFFIX = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}


def _only(function: str, arguments: Mapping[str, Any], *known: str) -> dict[str, Any]:
    """The arguments that were given. Raises RefusalError for one that nobody knows."""
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in given:
        if name not in known:
            raise RefusalError(f"{function}: unknown argument '{name}'; {nearest(name, known)}")
    return given


def _caller_identity(aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
    _only("aws:index/getCallerIdentity:getCallerIdentity", arguments, "id")
    caller = aws.client("sts").get_caller_identity()
    account = caller["Account"]
    return {"id": account, "accountId": account, "arn": caller["Arn"], "userId": caller["UserId"]}


def _region(aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = _only("aws:index/getRegion:getRegion", arguments, "id", "name", "region")
    region = given.get("region") or given.get("name") or aws.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": f"ec2.{region}.{_DNS_SUFFIX[aws.partition]}",
        "description": region,
    }


def _partition(aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
    _only("aws:index/getPartition:getPartition", arguments, "id")
    suffix = _DNS_SUFFIX[aws.partition]
    return {
        "id": aws.partition,
        "partition": aws.partition,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _zone(aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Raises RefusalError unless exactly one zone is meant, as pulumi-aws does."""
    name = "aws:route53/getZone:getZone"
    given = _only(name, arguments, "zoneId", "name", "privateZone", "vpcId")
    client = aws.client("route53")
    if "zoneId" in given:
        zone_id = given["zoneId"]
    else:
        pages = client.get_paginator("list_hosted_zones").paginate().build_full_result()
        wanted, private = (
            bare_name(given.get("name", "")),
            given.get("privateZone", "vpcId" in given),
        )
        found = [
            zone["Id"].removeprefix("/hostedzone/")
            for zone in pages["HostedZones"]
            if bare_name(zone["Name"]) == wanted and zone["Config"]["PrivateZone"] == private
        ]
        if "vpcId" in given:
            found = [one for one in found if given["vpcId"] in _vpc_ids(client, one)]
        if len(found) != 1:
            raise RefusalError(
                f"{name}: {'no matching' if not found else 'multiple'} Route 53 Hosted Zone found"
                f" ({wanted}, {'private' if private else 'public'})"
            )
        zone_id = found[0]
    outputs = Zone().read(aws, zone_id, {})
    zone = client.get_hosted_zone(Id=zone_id)["HostedZone"]
    return {
        "id": zone_id,
        "zoneId": zone_id,
        "name": outputs["name"],
        "arn": outputs["arn"],
        "comment": outputs["comment"],
        "callerReference": zone["CallerReference"],
        "privateZone": zone["Config"]["PrivateZone"],
        "nameServers": outputs["nameServers"],
        "primaryNameServer": outputs["primaryNameServer"] or "",
        "resourceRecordSetCount": zone.get("ResourceRecordSetCount", 0),
        "tags": outputs["tagsAll"],
        "vpcId": given.get("vpcId", ""),
    }


def _vpc_ids(client: Any, zone_id: str) -> set[str]:
    return {vpc["VPCId"] for vpc in client.get_hosted_zone(Id=zone_id).get("VPCs", [])}


def _load_balancer(aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = _only("aws:lb/getLoadBalancer:getLoadBalancer", arguments, "arn", "name")
    which = {"LoadBalancerArns": [given["arn"]]} if "arn" in given else {"Names": [given["name"]]}
    found = aws.client("elbv2").describe_load_balancers(**which)["LoadBalancers"]
    arn = found[0]["LoadBalancerArn"]
    outputs = {
        name: one for name, one in LoadBalancer().read(aws, arn, {}).items() if one is not None
    }
    return {**outputs, "id": arn, "tags": outputs["tagsAll"], "region": aws.region}


def _trust_store(aws: Aws, arguments: Mapping[str, Any]) -> dict[str, Any]:
    given = _only("aws:lb/getTrustStore:getTrustStore", arguments, "arn", "name")
    which = {"TrustStoreArns": [given["arn"]]} if "arn" in given else {"Names": [given["name"]]}
    found = aws.client("elbv2").describe_trust_stores(**which)["TrustStores"]
    arn = found[0]["TrustStoreArn"]
    outputs = TrustStore().read(aws, arn, {})
    return {"id": arn, "arn": arn, "name": outputs["name"], "region": aws.region}


FUNCTIONS = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:route53/getZone:getZone": _zone,
    "aws:lb/getLoadBalancer:getLoadBalancer": _load_balancer,
    "aws:lb/getTrustStore:getTrustStore": _trust_store,
}
