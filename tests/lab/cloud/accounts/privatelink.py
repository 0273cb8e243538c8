"""What the tests of endpoint services and their connections build."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Place:
    """A VPC of an account: a subnet in each zone, by zone id, and a security group."""

    ec2: Any
    vpc_id: str
    group_id: str
    subnets: dict[str, str] = field(default_factory=dict)


def build(ec2, *zone_ids, dns=True):
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": dns})
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc_id)["GroupId"]
    place = Place(ec2, vpc_id, group)
    for number, zone_id in enumerate(zone_ids):
        place.subnets[zone_id] = ec2.create_subnet(
            VpcId=vpc_id, CidrBlock=f"10.0.{number}.0/24", AvailabilityZoneId=zone_id
        )["Subnet"]["SubnetId"]
    return place


def balancer(elbv2, place, name, active=True, **arguments):
    """The ARN of a Network Load Balancer in every subnet of `place`."""
    settings = {
        "Type": "network",
        "Scheme": "internal",
        "Subnets": list(place.subnets.values()),
        "SecurityGroups": [place.group_id],
    }
    made = elbv2.create_load_balancer(Name=name, **(settings | arguments))
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    if active:
        elbv2.describe_load_balancers(LoadBalancerArns=[arn])
    return arn


def service(ec2, *arns, allowed=(), **arguments):
    """A ServiceConfiguration for the load balancers."""
    settings = {"NetworkLoadBalancerArns": list(arns), "AcceptanceRequired": False} | arguments
    made = ec2.create_vpc_endpoint_service_configuration(**settings)["ServiceConfiguration"]
    if allowed:
        ec2.modify_vpc_endpoint_service_permissions(
            ServiceId=made["ServiceId"], AddAllowedPrincipals=list(allowed)
        )
    return made


def configuration(ec2, service_id):
    [found] = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service_id])[
        "ServiceConfigurations"
    ]
    return found


def endpoint(place, service_name, **arguments):
    settings = {
        "VpcId": place.vpc_id,
        "VpcEndpointType": "Interface",
        "ServiceName": service_name,
        "SubnetIds": list(place.subnets.values()),
        "SecurityGroupIds": [place.group_id],
    }
    return place.ec2.create_vpc_endpoint(**(settings | arguments))["VpcEndpoint"]


def state(ec2, endpoint_id):
    [found] = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
    return found["State"]


def prove(route53, configuration, domain):
    """Puts the TXT record for a service's private DNS name below `domain`, in a public zone."""
    proof = configuration["PrivateDnsNameConfiguration"]
    zones = route53.list_hosted_zones_by_name(DNSName=domain)["HostedZones"]
    ids = [zone["Id"] for zone in zones if zone["Name"] == f"{domain}."]
    if not ids:
        made = route53.create_hosted_zone(Name=domain, CallerReference=domain)
        ids = [made["HostedZone"]["Id"]]
    record = {
        "Name": f"{proof['Name']}.{domain}",
        "Type": proof["Type"],
        "TTL": 60,
        "ResourceRecords": [{"Value": f'"{proof["Value"]}"'}],
    }
    change = {"Action": "UPSERT", "ResourceRecordSet": record}
    route53.change_resource_record_sets(HostedZoneId=ids[0], ChangeBatch={"Changes": [change]})
