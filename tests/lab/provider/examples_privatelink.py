"""Examples of endpoint services and what belongs to them."""

from . import places, places_privatelink
from .conftest import REGION, World
from .examples import TAGS, Example, Examples
from .places import policy

EXAMPLES = Examples()


@EXAMPLES.of("aws:lb/loadBalancer:LoadBalancer#network")
def _network_balancer(world: World) -> Example:
    subnets = [places_privatelink.subnet(world, number) for number in range(3)]
    first, second = (places.security_group(world, name) for name in ("peer", "ruled"))
    return Example(
        inputs={
            "loadBalancerType": "network",
            "internal": True,
            "subnets": subnets[:2],
            "securityGroups": [first],
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
            "enableCrossZoneLoadBalancing": True,
        },
        changes=[
            {"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"},
            {"securityGroups": [first, second]},
            {"enableCrossZoneLoadBalancing": False},
            {"subnets": subnets},
        ],
        replacements=[
            {"subnets": subnets[:1]},
            {"subnets": subnets[1:]},
            {"securityGroups": []},
        ],
    )


@EXAMPLES.of("aws:lb/loadBalancer:LoadBalancer#network without groups")
def _balancer_without_groups(world: World) -> Example:
    mappings = [{"subnetId": places_privatelink.subnet(world, number)} for number in range(3)]
    pinned = {**mappings[1], "privateIpv4Address": "10.0.11.77"}
    return Example(
        inputs={
            "loadBalancerType": "network",
            "internal": True,
            "subnetMappings": [mappings[0], pinned],
        },
        changes=[{"subnetMappings": [mappings[0], pinned, mappings[2]]}],
        replacements=[
            {"securityGroups": [places.security_group(world, "peer")]},
            {"subnetMappings": mappings},
        ],
    )


@EXAMPLES.of("aws:lb/targetGroup:TargetGroup#alb")
def _target_group(world: World) -> Example:
    check = {"protocol": "HTTPS", "port": "8443", "path": "/health", "matcher": "200"}
    return Example(
        inputs={
            "targetType": "alb",
            "protocol": "TCP",
            "port": 443,
            "vpcId": places.vpc(world),
            "healthCheck": check,
        },
        changes=[{"healthCheck": {**check, "path": "/other", "interval": 10}}],
    )


@EXAMPLES.of("aws:lb/targetGroupAttachment:TargetGroupAttachment#alb")
def _attachment(world: World) -> Example:
    places.listener(world)
    return Example(
        inputs={
            "targetGroupArn": _alb_group(world),
            "targetId": places.load_balancer(world)["arn"],
            "port": 8443,
        }
    )


@EXAMPLES.of("aws:lb/listener:Listener#TCP")
def _listener(world: World) -> Example:
    groups = [_alb_group(world), _alb_group(world)]
    return Example(
        inputs={
            "loadBalancerArn": places_privatelink.network_balancer(world),
            "port": 443,
            "protocol": "TCP",
            "defaultActions": [{"type": "forward", "targetGroupArn": groups[0]}],
        },
        changes=[
            {"port": 444},
            {"defaultActions": [{"type": "forward", "targetGroupArn": groups[1]}]},
        ],
    )


def _alb_group(world: World) -> str:
    made = world.make(
        "aws:lb/targetGroup:TargetGroup",
        targetType="alb",
        protocol="TCP",
        port=443,
        vpcId=places.vpc(world),
    )
    return made["id"]


@EXAMPLES.of("aws:ec2/vpcEndpointService:VpcEndpointService")
def _service(world: World) -> Example:
    balancers = [places_privatelink.network_balancer(world, zones) for zones in (2, 3)]
    return Example(
        inputs={
            "acceptanceRequired": True,
            "networkLoadBalancerArns": balancers[:1],
            "tags": {"team": "a"},
        },
        changes=[
            {"acceptanceRequired": False},
            {"networkLoadBalancerArns": balancers},
            {"networkLoadBalancerArns": balancers[1:]},
            {"privateDnsName": "one.example.com"},
            {"privateDnsName": "two.example.com"},
            {"supportedRegions": [REGION]},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple")
def _principal(world: World) -> Example:
    return Example(
        inputs={
            "vpcEndpointServiceId": places_privatelink.service(world)["id"],
            "principalArn": places_privatelink.PRINCIPAL,
        }
    )


@EXAMPLES.of("aws:ec2/vpcEndpointConnectionAccepter:VpcEndpointConnectionAccepter")
def _accepter(world: World) -> Example:
    service = places_privatelink.service(world, acceptanceRequired=True)
    return Example(
        inputs={
            "vpcEndpointServiceId": service["id"],
            "vpcEndpointId": places_privatelink.connection(world, service),
        },
        outlives_delete=True,
    )


@EXAMPLES.of("aws:ec2/vpcEndpointConnectionNotification:VpcEndpointConnectionNotification")
def _notification(world: World) -> Example:
    return Example(
        inputs={
            "vpcEndpointServiceId": places_privatelink.service(world)["id"],
            "connectionNotificationArn": places_privatelink.topic(world, 0),
            "connectionEvents": ["Accept", "Reject"],
        },
        changes=[
            {"connectionEvents": ["Connect", "Delete"]},
            {"connectionNotificationArn": places_privatelink.topic(world, 1)},
        ],
    )


@EXAMPLES.of("aws:ec2/vpcEndpointConnectionNotification:VpcEndpointConnectionNotification#endpoint")
def _notification_of_endpoint(world: World) -> Example:
    return Example(
        inputs={
            "vpcEndpointId": places.endpoint(world),
            "connectionNotificationArn": places_privatelink.topic(world, 0),
            "connectionEvents": ["Accept"],
        },
        changes=[{"connectionEvents": ["Accept", "Delete"]}],
    )


@EXAMPLES.of("aws:ec2/vpcEndpoint:VpcEndpoint#endpoint service")
def _endpoint(world: World) -> Example:
    service = places_privatelink.service(world, acceptanceRequired=True)
    first, second = places_privatelink.subnet(world, 0), places_privatelink.subnet(world, 1)
    return Example(
        inputs={
            "vpcId": places.vpc(world),
            "serviceName": service["serviceName"],
            "serviceRegion": REGION,
            "vpcEndpointType": "Interface",
            "subnetIds": [first],
            "securityGroupIds": [places.security_group(world, "peer")],
        },
        changes=[{"subnetIds": [first, second]}],
    )


@EXAMPLES.of("aws:vpc/endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification")
def _verification(world: World) -> Example:
    service = places_privatelink.proven_service(world, "verified.example.com")
    return Example(
        inputs={"serviceId": service["id"], "waitForVerification": True},
        outlives_delete=True,
    )


@EXAMPLES.of("aws:vpc/endpointPrivateDns:EndpointPrivateDns")
def _private_dns(world: World) -> Example:
    service = places_privatelink.proven_service(world, "used.example.com")
    world.make(
        "aws:vpc/endpointServicePrivateDnsVerification:EndpointServicePrivateDnsVerification",
        serviceId=service["id"],
        waitForVerification=True,
    )
    endpoint_id = places_privatelink.connection(world, service)
    return Example(
        inputs={"vpcEndpointId": endpoint_id, "privateDnsEnabled": False},
        changes=[{"privateDnsEnabled": True}],
        outlives_delete=True,
    )


@EXAMPLES.of("aws:kms/key:Key")
def _key(world: World) -> Example:
    root = {"AWS": f"arn:aws:iam::{places.ACCOUNT}:root"}
    return Example(
        inputs={
            "description": "one",
            "enableKeyRotation": True,
            "policy": policy("kms:*", Principal=root),
            "tags": {"team": "a"},
        },
        changes=[
            {"isEnabled": False},
            {"isEnabled": True, "description": "two", "enableKeyRotation": False},
            {"policy": policy("kms:*", Sid="Root", Principal=root)},
            {"bypassPolicyLockoutSafetyCheck": True},
            {"deletionWindowInDays": 7},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:sns/topic:Topic")
def _topic(world: World) -> Example:
    key = world.make("aws:kms/key:Key")["arn"]
    document = policy("sns:Publish", Principal={"Service": "vpce.amazonaws.com"})
    return Example(
        inputs={"displayName": "one", "tags": {"team": "a"}},
        changes=[{"displayName": "two"}, {"kmsMasterKeyId": key}, {"policy": document}, *TAGS],
    )


@EXAMPLES.of("aws:sns/topicPolicy:TopicPolicy")
def _topic_policy(world: World) -> Example:
    topic = world.make("aws:sns/topic:Topic")["arn"]
    service = {"Service": "vpce.amazonaws.com"}
    return Example(
        inputs={"arn": topic, "policy": policy("sns:Publish", topic, Principal=service)},
        changes=[{"policy": policy("sns:Publish", topic, Sid="Two", Principal=service)}],
        outlives_delete=True,
    )
