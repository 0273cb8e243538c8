"""Things that examples of endpoint services and of domain names lie in."""

from collections.abc import Mapping
from typing import Any

from . import places
from .conftest import REGION, World
from .places import policy

PRINCIPAL = "arn:aws:iam::444455556666:root"


def subnet(world: World, number: int) -> str:
    """Apart from those of `places`, where fixed addresses must be free."""
    made = world.once(
        f"subnet of PrivateLink {number}",
        lambda: world.make(
            "aws:ec2/subnet:Subnet",
            vpcId=places.vpc(world),
            cidrBlock=f"10.0.{number + 10}.0/24",
            availabilityZone=f"{REGION}{'abc'[number]}",
        ),
    )
    return made["id"]


def network_balancer(world: World, zones: int = 2) -> str:
    """A new one: an endpoint service shares it with no other."""
    made = world.make(
        "aws:lb/loadBalancer:LoadBalancer",
        loadBalancerType="network",
        internal=True,
        subnets=[subnet(world, number) for number in range(zones)],
        securityGroups=[places.security_group(world, "balancer")],
    )
    return made["id"]


def service(world: World, **inputs: Any) -> dict[str, Any]:
    """A new endpoint service, which accepts connections by itself unless `inputs` say otherwise."""
    return world.make(
        "aws:ec2/vpcEndpointService:VpcEndpointService",
        **{
            "acceptanceRequired": False,
            "networkLoadBalancerArns": [network_balancer(world)],
            **inputs,
        },
    )


def proven_service(world: World, domain: str) -> dict[str, Any]:
    """One whose private DNS name is `domain`, below example.com, with the proof in public DNS."""
    made = service(world, privateDnsName=domain)
    proof = made["privateDnsNameConfigurations"][0]
    world.make(
        "aws:route53/record:Record",
        zoneId=places.zone(world),
        name=f"{proof['name']}.{domain}",
        type=proof["type"],
        records=[proof["value"]],
        ttl=60,
    )
    return made


def connection(world: World, to: Mapping[str, Any]) -> str:
    """An endpoint to the service."""
    made = world.make(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        vpcId=places.vpc(world),
        serviceName=to["serviceName"],
        vpcEndpointType="Interface",
        subnetIds=[subnet(world, 0)],
    )
    return made["id"]


def topic(world: World, number: int) -> str:
    """A topic to which PrivateLink may publish."""

    def build() -> dict[str, Any]:
        made = world.make("aws:sns/topic:Topic")
        document = policy("sns:Publish", made["arn"], Principal={"Service": "vpce.amazonaws.com"})
        world.make("aws:sns/topicPolicy:TopicPolicy", arn=made["arn"], policy=document)
        return made

    return world.once(f"topic {number}", build)["arn"]


def certificates(world: World, name: str) -> list[str]:
    """Two of the same contents, for `<name>.example.com`."""
    pair = places.server_pair(world, name)
    return [
        world.make(
            "aws:acm/certificate:Certificate",
            certificateBody=pair["certificate"],
            privateKey=pair["key"],
            certificateChain=pair["chain"],
        )["arn"]
        for _ in range(2)
    ]


def domain_policy(endpoint_id: str) -> str:
    return policy(
        "execute-api:Invoke",
        "execute-api:/*",
        Principal="*",
        Condition={"StringEquals": {"aws:SourceVpce": endpoint_id}},
    )


def regional_domain(world: World) -> Mapping[str, Any]:
    return world.once(
        "regional domain",
        lambda: world.make(
            "aws:apigateway/domainName:DomainName",
            domainName="regional.example.com",
            regionalCertificateArn=certificates(world, "regional")[0],
            endpointConfiguration={"types": "REGIONAL"},
        ),
    )


def private_domain(world: World) -> Mapping[str, Any]:
    return world.once(
        "private domain",
        lambda: world.make(
            "aws:apigateway/domainName:DomainName",
            domainName="private.example.com",
            certificateArn=certificates(world, "private")[0],
            endpointConfiguration={"types": "PRIVATE"},
            policy=domain_policy(places.endpoint(world)),
        ),
    )


def private_api(world: World) -> str:
    return world.make(
        "aws:apigateway/restApi:RestApi",
        endpointConfiguration={"types": "PRIVATE", "vpcEndpointIds": [places.endpoint(world)]},
    )["id"]
