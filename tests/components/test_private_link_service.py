"""The endpoint service: which customers find it, and who connects."""

from typing import Any

import pulumi
import pytest

from components.customers import Customer
from components.private_link_service import PrivateLinkService, PrivateLinkServiceArgs
from tests.components.checks import check_family, refused
from tests.conftest import Deploy, Deployed

ACME = Customer(
    principals=("arn:aws:iam::444455556666:root",),
    endpoint_ids=("vpce-0123456789abcdef0", "vpce-0123456789abcdef1"),
)
GLOBEX = Customer(
    principals=("arn:aws:iam::777788889999:root", "arn:aws:iam::777788889999:role/ci/Deployer")
)
FULL: dict[str, Any] = {
    "customers": {"acme": ACME, "globex": GLOBEX},
    "private_dns_name": "api.example.com",
    "validation_zone_id": "Z-PUBLIC",
    "supported_regions": ("eu-central-1", "us-gov-west-1"),
}


def args(**changes: Any) -> PrivateLinkServiceArgs:
    given: dict[str, Any] = {
        "vpc_id": "vpc-1",
        "subnet_ids": {"euw1-az2": "subnet-2", "euw1-az1": "subnet-1"},
        "alb_arn": "arn:alb",
        "alb_security_group_id": "sg-alb",
        "listener_arn": "arn:listener",
        "certificate_arn": "arn:certificate",
        "customers": {},
    }
    return PrivateLinkServiceArgs(**given | changes)


def made(deploy: Deploy, **changes: Any) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        it = PrivateLinkService("p", args(**changes), opts)
        return {key: getattr(it, key) for key in PrivateLinkService.__annotations__}

    return deploy(build)


@pytest.fixture(scope="module")
def plain(deploy: Deploy) -> Deployed:
    """Only what must be given."""
    return made(deploy)


@pytest.fixture(scope="module")
def full(deploy: Deploy) -> Deployed:
    """All that may be given."""
    return made(deploy, **FULL)


@pytest.mark.parametrize("changes", [{}, FULL], ids=["plain", "full"])
def test_what_it_makes_is_its_own(deploy: Deploy, changes: dict[str, Any]):
    check_family(deploy, lambda name, opts: PrivateLinkService(name, args(**changes), opts))


# Refusals


def test_everybody_is_refused():
    with refused(
        "customers.acme.principals: want values such as 'arn:aws:iam::444455556666:root'; got '*'"
    ):
        args(customers={"acme": Customer(principals=("*",))})


def test_one_zone_is_refused():
    with refused(
        "subnet_ids: want at least two Availability Zones, such as 'euw1-az1' and 'euw1-az2'; "
        "got euw1-az1"
    ):
        args(subnet_ids={"euw1-az1": "subnet-1"})


def test_a_private_name_that_is_none_or_without_a_zone_is_refused():
    with refused(
        "private_dns_name: want a lower-case host name of at most 64 characters, no trailing dot, "
        "such as 'api.example.com'; got '*.example.com'"
    ):
        args(private_dns_name="*.example.com", validation_zone_id="Z")
    with refused(
        "validation_zone_id: want the public hosted zone of 'api.example.com', such as "
        "'Z0123456789ABCDEFGHIJ'; got none"
    ):
        args(private_dns_name="api.example.com")


def test_a_region_that_is_none_is_refused():
    with refused("supported_regions: want a region such as 'eu-west-1'; got 'eu-west-1a'"):
        args(supported_regions=("eu-west-1a",))


def test_a_zone_without_privatelink_between_regions_is_refused_for_other_regions_only():
    zones = {"use1-az1": "subnet-1", "use1-az3": "subnet-2"}
    with refused(
        "subnet_ids: want zones with PrivateLink between regions, such as 'euw1-az1'; got use1-az3"
    ):
        args(subnet_ids=zones, supported_regions=("eu-west-1",))
    args(subnet_ids=zones)


# Who gets in


def test_a_connection_waits_to_be_accepted_unless_told_otherwise(deploy: Deploy, plain: Deployed):
    assert plain.one("VpcEndpointService").inputs == {
        "acceptanceRequired": True,
        "networkLoadBalancerArns": ["arn:p-nlb-lb"],
    }
    open_ = made(deploy, acceptance_required=False).one("VpcEndpointService")
    assert open_.inputs["acceptanceRequired"] is False


def test_without_customers_nobody_may_ask(plain: Deployed):
    assert plain.of("VpcEndpointServiceAllowedPrinciple") == []
    assert plain.of("VpcEndpointConnectionAccepter") == []


def test_each_principal_of_each_customer_and_nobody_else_may_ask(full: Deployed):
    allowed = full.of("VpcEndpointServiceAllowedPrinciple")
    assert {r.name: r.inputs["principalArn"] for r in allowed} == {
        "p-allow-acme-444455556666": "arn:aws:iam::444455556666:root",
        "p-allow-globex-777788889999": "arn:aws:iam::777788889999:root",
        "p-allow-globex-777788889999:role/ci/Deployer": (
            "arn:aws:iam::777788889999:role/ci/Deployer"
        ),
    }
    assert {r.inputs["vpcEndpointServiceId"] for r in allowed} == {"p-service-id"}
    # The service must not list them as well: two owners of one list undo each other.
    assert "allowedPrincipals" not in full.one("VpcEndpointService").inputs


def test_listed_endpoints_and_no_others_are_accepted(full: Deployed):
    assert {r.name: r.inputs for r in full.of("VpcEndpointConnectionAccepter")} == {
        f"p-accept-acme-{endpoint}": {
            "vpcEndpointServiceId": "p-service-id",
            "vpcEndpointId": endpoint,
        }
        for endpoint in ACME.endpoint_ids
    }


def test_a_customer_or_principal_more_touches_no_other(deploy: Deploy, full: Deployed):
    def urns(deployed: Deployed) -> dict[str, Any]:
        return {r.urn: r.inputs for r in deployed.resources}

    before = made(
        deploy, **FULL | {"customers": {"globex": Customer(principals=GLOBEX.principals[:1])}}
    )
    kept, now = urns(before), urns(full)
    assert {urn: now.get(urn) for urn in kept} == kept
    assert len(now) == len(kept) + 4


# The way through


def test_the_service_opens_when_the_way_through_is_complete(full: Deployed):
    service = full.one("VpcEndpointService")
    parts = [r.urn for r in full.resources if r.name.startswith("p-nlb-") and "aws:" in r.type]
    assert len(parts) == 10
    assert set(parts) <= service.depends_on


def test_the_network_load_balancer_gets_what_stands_behind(deploy: Deploy):
    deployed = made(deploy, deletion_protection=False)
    balancer = deployed.one("LoadBalancer").inputs
    assert balancer["subnets"] == ["subnet-2", "subnet-1"]
    assert balancer["enableDeletionProtection"] is False
    assert deployed.one("TargetGroupAttachment").inputs["targetId"] == "arn:alb"
    health = deployed.one("aws:lb/listener:Listener", "p-nlb-health").inputs
    assert (health["loadBalancerArn"], health["certificateArn"]) == ("arn:alb", "arn:certificate")
    into = deployed.one("SecurityGroupIngressRule", "p-nlb-https-in").inputs
    assert into["securityGroupId"] == "sg-alb"


def test_customers_of_further_regions_may_be_let_in(full: Deployed):
    regions = full.one("VpcEndpointService").inputs["supportedRegions"]
    assert regions == ["eu-central-1", "us-gov-west-1"]


# The name, the rest


def test_the_private_name_is_proved_by_what_the_service_asks_for(full: Deployed):
    assert full.one("VpcEndpointService").inputs["privateDnsName"] == "api.example.com"
    record = full.one("Record").inputs
    assert (record["zoneId"], record["name"]) == ("Z-PUBLIC", "_proof.api.example.com")
    assert record["records"] == ["vpce:proof"]
    verified = full.one("EndpointServicePrivateDnsVerification")
    assert verified.inputs["serviceId"] == "p-service-id"


def test_without_a_private_name_none_is_proved(plain: Deployed):
    assert plain.of("Record") == plain.of("EndpointServicePrivateDnsVerification") == []
    assert plain.outputs["private_dns_name"] is None


def test_connections_to_this_service_are_told(plain: Deployed):
    told = plain.one("VpcEndpointConnectionNotification").inputs
    assert told["vpcEndpointServiceId"] == "p-service-id"
    assert "vpc-endpoint-service/vpce-svc-1" in plain.one("TopicPolicy").inputs["policy"]


def test_outputs_are_what_customers_and_operators_need(full: Deployed):
    assert full.outputs == {
        "service_id": "p-service-id",
        "service_name": "com.amazonaws.vpce.eu-west-1.vpce-svc-1",
        "zone_ids": ["euw1-az1", "euw1-az2"],
        "private_dns_name": "api.example.com",
        "nlb_arn": "arn:p-nlb-lb",
        "topic_arn": "arn:p-connections-topic",
    }
