"""Target groups that hold an Application Load Balancer, and their target's health."""

import urllib.error
import urllib.parse
import urllib.request

import pytest

ACCOUNT = "111111111111"


def test_a_group_for_an_alb_is_checked_by_http(elbv2, create_group):
    group = create_group("checked")
    assert (group["TargetType"], group["Protocol"], group["Port"]) == ("alb", "TCP", 443)
    assert group["HealthCheckProtocol"] == "HTTP"
    assert group["HealthCheckPath"] == "/"
    assert group["HealthCheckTimeoutSeconds"] == 6
    assert group["Matcher"] == {"HttpCode": "200-399"}
    https = create_group(
        "checked-https", HealthCheckProtocol="HTTPS", HealthCheckPort="8443",
        HealthCheckPath="/health", Matcher={"HttpCode": "200"},
    )  # fmt: skip
    assert https["HealthCheckTimeoutSeconds"] == 10
    assert https["HealthCheckPort"] == "8443"
    assert https["Matcher"] == {"HttpCode": "200"}
    [changed] = elbv2.modify_target_group(
        TargetGroupArn=https["TargetGroupArn"], Matcher={"HttpCode": "204"}, HealthCheckPath="/up"
    )["TargetGroups"]
    assert (changed["Matcher"], changed["HealthCheckPath"]) == ({"HttpCode": "204"}, "/up")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"Protocol": "HTTPS"}, "'HTTPS' is not supported for target groups with target type"),
        ({"HealthCheckProtocol": "TCP"}, "must be one of 'HTTP, HTTPS'"),
        ({"VpcId": None}, "A VPC ID must be specified"),
        ({"Port": None}, "A port must be specified"),
        ({"HealthCheckEnabled": False}, "Health check enabled must be true"),
    ],
)
def test_what_a_group_for_an_alb_cannot_be_is_refused(elbv2, network, refused, arguments, words):
    settings = {
        "TargetType": "alb", "Protocol": "TCP", "Port": 443, "VpcId": network.vpc_id
    } | arguments  # fmt: skip
    given = {key: value for key, value in settings.items() if value is not None}
    with refused("ValidationError", words):
        elbv2.create_target_group(Name="cannot", **given)


def test_the_attributes_of_a_group_for_an_alb_cannot_be_changed(elbv2, create_group, refused):
    arn = create_group("frozen")["TargetGroupArn"]
    shown = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert {"Key": "stickiness.type", "Value": "source_ip"} in shown
    with refused("InvalidConfigurationRequest", "target type 'alb'"):
        elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "stickiness.enabled", "Value": "false"}]
        )


def test_an_alb_is_a_target_only_with_a_listener_on_the_port(
    elbv2, create_alb, create_group, refused, register
):
    group, alb = create_group("ports"), create_alb("ports", 8443)
    words = "must have at least one listener that matches the target group port"
    with refused("ValidationError", words):
        register(group, alb)
    register(group, alb, Port=8443)
    [health] = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
        "TargetHealthDescriptions"
    ]
    assert health["Target"] == {"Id": alb, "Port": 8443}


def test_only_one_alb_of_the_same_vpc_is_a_target(
    client, create_alb, create_network, create_group, refused, register
):
    group, first, second = (
        create_group("targets"), create_alb("first", 443), create_alb("second-t", 443)
    )  # fmt: skip
    for wrong in ("i-1", "10.20.0.9", create_network("no-alb"), first.replace(ACCOUNT, "2" * 12)):
        with refused("ValidationError", "is not the ARN of an Application Load Balancer"):
            register(group, wrong)
    with refused("TooManyTargets"):
        register(group, first, second)
    register(group, first)
    register(group, first)
    with refused("TooManyTargets"):
        register(group, second)
    other = client("ec2").create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    elsewhere = create_group("elsewhere", VpcId=other)
    with refused("InvalidTarget", "not in the VPC"):
        register(elsewhere, first)


def test_an_alb_is_in_two_groups_at_most(create_alb, create_group, refused, register):
    alb = create_alb("twice", 443)
    for number in (1, 2):
        register(create_group(f"twice-{number}"), alb)
    with refused("TooManyRegistrationsForTargetId"):
        register(create_group("twice-3"), alb)


def test_an_alb_that_is_a_target_keeps_its_listener_and_stays(
    elbv2, create_alb, create_group, refused, register
):
    group, alb = create_group("kept"), create_alb("kept", 443, 80)
    register(group, alb)
    listeners = elbv2.describe_listeners(LoadBalancerArn=alb)["Listeners"]
    by_port = {each["Port"]: each["ListenerArn"] for each in listeners}
    words = f"Listener port '443' is in use by registered target '{alb}' and cannot be removed."
    with refused("ResourceInUse", words):
        elbv2.delete_listener(ListenerArn=by_port[443])
    with refused("ResourceInUse", words):
        elbv2.modify_listener(ListenerArn=by_port[443], Port=444)
    elbv2.delete_listener(ListenerArn=by_port[80])
    with refused("ResourceInUse", "currently associated with another service"):
        elbv2.delete_load_balancer(LoadBalancerArn=alb)
    elbv2.deregister_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": alb}])
    elbv2.delete_listener(ListenerArn=by_port[443])
    elbv2.delete_load_balancer(LoadBalancerArn=alb)


@pytest.fixture(scope="module")
def report(cloud):
    """`report(group_arn, alb_arn, state="healthy")` as the data path does."""

    def post(group, target, port=443, **found):
        query = {"target_group_arn": group, "id": target, "port": port, **found}
        url = f"{cloud.endpoint_url}/_lab/elbv2/target-health?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(url, method="POST")  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            assert answer.read() == b""

    return post


def health(elbv2, group_arn):
    [target] = elbv2.describe_target_health(TargetGroupArn=group_arn)["TargetHealthDescriptions"]
    found = target["TargetHealth"]
    return found["State"], found.get("Reason"), found.get("Description")


def test_health_is_unused_then_initial_then_what_was_reported(
    elbv2, create_network, create_alb, create_group, report, listen, register
):
    group, alb = create_group("health"), create_alb("health", 443)
    arn = group["TargetGroupArn"]
    register(group, alb)
    assert health(elbv2, arn)[:2] == ("unused", "Target.NotInUse")
    report(arn, alb, state="healthy")
    listen(create_network("health-nlb"), arn)
    assert health(elbv2, arn) == (
        "initial", "Elb.InitialHealthChecking", "Initial health checks in progress"
    )  # fmt: skip
    report(arn, alb, state="healthy")
    assert health(elbv2, arn) == ("healthy", None, None)
    report(arn, alb, state="unhealthy", reason="Target.ResponseCodeMismatch", codes="[502]")
    assert health(elbv2, arn) == (
        "unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]"
    )  # fmt: skip
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": alb}])
    register(group, alb)
    assert health(elbv2, arn)[0] == "initial"


def test_what_is_no_report_is_not_taken(create_alb, create_group, report, register):
    group, alb = create_group("reports"), create_alb("reports", 443)
    arn = group["TargetGroupArn"]
    register(group, alb)
    for wrong in (
        {"port": 80, "state": "healthy"},
        {"state": "fine"},
        {"state": "unhealthy"},
        {"state": "healthy", "reason": "Target.Timeout"},
        {"state": "unhealthy", "reason": "Target.Unknown"},
    ):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            report(arn, alb, **wrong)
        refusal.value.close()
        assert refusal.value.code == 404


def test_a_report_counts_as_a_change_only_when_it_changes_something(
    cloud, create_network, create_alb, create_group, report, listen, register
):
    group, alb = create_group("counted"), create_alb("counted", 443)
    arn = group["TargetGroupArn"]
    register(group, alb)
    listen(create_network("counted-nlb"), arn)

    def counted():
        with urllib.request.urlopen(f"{cloud.endpoint_url}/_lab/changes") as answer:  # noqa: S310
            return answer.read()

    before = counted()
    report(arn, alb, state="healthy")
    after = counted()
    assert after != before
    report(arn, alb, state="healthy")
    assert counted() == after
