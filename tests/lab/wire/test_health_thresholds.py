"""When a target's state changes: one round of health checks at a time, with answers given."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.cloud import Cloud
from lab.wire.aws import Accounts
from lab.wire.doors import Connection, Doors, Service
from lab.wire.health import HealthChecks
from lab.wire.http import Behaviour, serve
from lab.wire.messages import Request, Response
from lab.wire.network import Interface, Network
from tests.lab.wire.link import EVERYWHERE, tcp
from tests.lab.wire.private_api import ACCOUNT, REGION


@dataclass
class Scripted:
    """A load balancer whose only target answers checks with statuses given in advance."""

    accounts: Accounts
    group: str = ""
    statuses: list[int] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.network = Network(self.accounts)
        self.doors = Doors(self.network, self._service)

    def _service(self, interface: Interface, port: int) -> Service | None:
        return self._serve if port == 8080 and not interface.description else None

    def _serve(self, connection: Connection) -> None:
        def answer(request: Request) -> Response:
            self.asked.append(request)
            return Response(status=self.statuses.pop(0))

        refusal = Response(status=400)
        serve(connection.socket, Behaviour(answer=answer, refusal=lambda _: refusal))

    def client(self, service: str) -> Any:
        return self.accounts.readers[0].client(service)

    def checked(self, *statuses: int) -> tuple[str, int]:
        """The state after one round of checks, and how many were made."""
        self.statuses[:], self.asked[:] = statuses, []
        HealthChecks(self.accounts, self.network, self.doors.connect).check_due()
        answer = self.client("elbv2").describe_target_health(TargetGroupArn=self.group)
        (described,) = answer["TargetHealthDescriptions"]
        return described["TargetHealth"]["State"], len(self.asked)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    with Cloud({"producer": ACCOUNT}, REGION) as cloud:
        accounts = Accounts.of_keys(cloud.endpoint_url, REGION, cloud.credentials.values())
        made = Scripted(accounts)
        _deploy(made)
        yield made
        made.doors.close()
        accounts.close()


def _deploy(made: Scripted) -> None:
    """One target, 10.0.0.9:8080, of which every node's check counts: thresholds are 3 and 2."""
    ec2, elbv2 = made.client("ec2"), made.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    everything = ec2.create_security_group(GroupName="all", Description="all", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=everything, IpPermissions=[tcp(8080, IpRanges=EVERYWHERE)]
    )
    ec2.create_network_interface(
        SubnetId=subnets[0], Groups=[everything], PrivateIpAddress="10.0.0.9"
    )
    balancer = elbv2.create_load_balancer(
        Name="checks", Subnets=subnets, SecurityGroups=[everything], Scheme="internal"
    )["LoadBalancers"][0]["LoadBalancerArn"]
    made.group = elbv2.create_target_group(
        Name="target",
        Protocol="HTTP",
        Port=8080,
        VpcId=vpc,
        TargetType="ip",
        HealthCheckPath="/status",
        HealthyThresholdCount=3,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": made.group}],
    )
    elbv2.register_targets(TargetGroupArn=made.group, Targets=[{"Id": "10.0.0.9", "Port": 8080}])


def test_a_new_target_is_healthy_after_one_check_of_each_node(scripted: Scripted) -> None:
    assert scripted.checked(200, 200) == ("healthy", 2)
    assert scripted.asked[0].target == "/status"
    assert scripted.asked[0].header("Host") == "10.0.0.9:8080"
    assert scripted.asked[0].header("User-Agent") == "ELB-HealthChecker/2.0"


def test_one_failure_is_not_enough_and_the_threshold_is(scripted: Scripted) -> None:
    scripted.checked(200, 200)
    assert scripted.checked(500, 200, 200) == ("healthy", 3)
    assert scripted.checked(200, 500, 500) == ("unhealthy", 3)


def test_a_target_comes_back_after_as_many_successes_as_its_threshold(scripted: Scripted) -> None:
    assert scripted.checked(500, 500) == ("unhealthy", 2)
    assert scripted.checked(200, 200, 200, 200, 500) == ("unhealthy", 5)
    assert scripted.checked(*[200] * 6) == ("healthy", 6)


def test_a_group_is_not_checked_again_before_its_interval(scripted: Scripted) -> None:
    checks = HealthChecks(scripted.accounts, scripted.network, scripted.doors.connect)
    scripted.statuses[:] = [200] * 4
    checks.check_due()
    checks.check_due()
    assert len(scripted.asked) == 2


def test_a_target_in_no_load_balancers_use_is_not_checked(scripted: Scripted) -> None:
    elbv2 = scripted.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    assert scripted.checked(200) == ("unused", 0)
