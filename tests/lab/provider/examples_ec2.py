"""Examples of networks: aws:ec2 and aws:vpc."""

from . import places
from .conftest import World
from .examples import TAGS, Build, Example, Examples
from .places import policy

EXAMPLES = Examples()


@EXAMPLES.of("aws:ec2/vpc:Vpc")
def _vpc(world: World) -> Example:
    return Example(
        inputs={"cidrBlock": "10.9.0.0/16", "enableDnsHostnames": True, "tags": {"team": "a"}},
        changes=[
            {"enableDnsHostnames": False},
            {"enableDnsSupport": False},
            {"enableNetworkAddressUsageMetrics": True},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:ec2/subnet:Subnet")
def _subnet(world: World) -> Example:
    return Example(
        inputs={
            "vpcId": places.vpc(world),
            "cidrBlock": "10.0.50.0/24",
            "availabilityZoneId": "euw1-az1",
            "tags": {"team": "a"},
        },
        changes=[{"mapPublicIpOnLaunch": True}, *TAGS],
    )


@EXAMPLES.of("aws:ec2/subnetCidrReservation:SubnetCidrReservation")
def _reservation(world: World) -> Example:
    return Example(
        inputs={
            "subnetId": places.subnet(world, 0),
            "cidrBlock": "10.0.0.240/28",
            "reservationType": "explicit",
            "description": "fixed addresses",
        }
    )


@EXAMPLES.of("aws:ec2/flowLog:FlowLog")
def _flow_log(world: World) -> Example:
    return Example(
        inputs={
            "vpcId": places.vpc(world),
            "trafficType": "ALL",
            "logDestinationType": "s3",
            "logDestination": f"arn:aws:s3:::{places.log_bucket(world)}",
            "maxAggregationInterval": 60,
            "tags": {"team": "a"},
        },
        changes=TAGS,
    )


_RULE = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "description": "in"}


@EXAMPLES.of("aws:ec2/securityGroup:SecurityGroup")
def _security_group(world: World) -> Example:
    peer = places.security_group(world, "peer")
    return Example(
        inputs={
            "vpcId": places.vpc(world),
            "description": "example",
            "ingress": [{**_RULE, "cidrBlocks": ["10.0.0.0/16"]}],
            "tags": {"team": "a"},
        },
        changes=[
            {"ingress": [{**_RULE, "securityGroups": [peer], "self": True}]},
            {"egress": [{**_RULE, "protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]},
            {"revokeRulesOnDelete": True},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
def _default_group(world: World) -> Example:
    return Example(
        inputs={"vpcId": places.vpc(world), "tags": {"team": "a"}},
        changes=[
            {"ingress": [{**_RULE, "self": True}]},
            {"ingress": []},
            {"egress": [{**_RULE, "cidrBlocks": ["10.0.0.0/16"]}]},
            {"revokeRulesOnDelete": True},
            *TAGS,
        ],
        outlives_delete=True,
    )


def _rule_example(world: World) -> Example:
    return Example(
        inputs={
            "securityGroupId": places.security_group(world, "ruled"),
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            "referencedSecurityGroupId": places.security_group(world, "peer"),
            "description": "from the peer",
            "tags": {"team": "a"},
        },
        changes=[
            {"description": "from the other"},
            {"fromPort": 8443, "toPort": 8443},
            {"referencedSecurityGroupId": places.security_group(world, "ruled")},
            {"ipProtocol": "udp"},
            *TAGS,
        ],
        replacements=[{"referencedSecurityGroupId": None, "cidrIpv4": "10.0.0.0/16"}],
    )


def _example_of_source(**sources: list[str]) -> Build:
    """A rule whose source changes from the first to the second of `sources`."""
    ((name, (before, after)),) = sources.items()

    def build(world: World) -> Example:
        return Example(
            inputs={
                "securityGroupId": places.security_group(world, "ruled"),
                "ipProtocol": "-1",
                name: before,
            },
            changes=[{name: after}],
        )

    return build


def _list_example(world: World) -> Example:
    lists = [places.prefix_list(world, number) for number in range(2)]
    return _example_of_source(prefixListId=lists)(world)


for _token in (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
):
    EXAMPLES.of(_token)(_rule_example)
    EXAMPLES.of(f"{_token}#IPv4")(_example_of_source(cidrIpv4=["10.0.0.0/16", "10.1.0.0/16"]))
    EXAMPLES.of(f"{_token}#IPv6")(_example_of_source(cidrIpv6=["2001:db8::/32", "2001:db8::/48"]))
    EXAMPLES.of(f"{_token}#prefix list")(_list_example)


@EXAMPLES.of("aws:ec2/vpcEndpoint:VpcEndpoint")
def _endpoint(world: World) -> Example:
    first, second = places.subnet(world, 0), places.subnet(world, 1)
    fixed = [{"subnetId": first, "ipv4": "10.0.0.10"}]
    return Example(
        inputs={
            "vpcId": places.vpc(world),
            "serviceName": "com.amazonaws.eu-west-1.execute-api",
            "vpcEndpointType": "Interface",
            "privateDnsEnabled": False,
            "subnetIds": [first],
            "subnetConfigurations": fixed,
            "securityGroupIds": [places.security_group(world, "peer")],
            "policy": policy("execute-api:Invoke", Principal="*"),
            "tags": {"team": "a"},
        },
        changes=[
            {
                "subnetIds": [first, second],
                "subnetConfigurations": [*fixed, {"subnetId": second, "ipv4": "10.0.1.10"}],
            },
            {"securityGroupIds": [places.security_group(world, "ruled")]},
            {"policy": policy("execute-api:*", Principal="*")},
            {"privateDnsEnabled": True},
            {"dnsOptions": {"privateDnsOnlyForInboundResolverEndpoint": True}},
            *TAGS,
        ],
    )
