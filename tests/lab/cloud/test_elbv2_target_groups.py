import pytest

HEALTH = {
    "HealthCheckProtocol": "HTTPS",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckPath": "/ping",
    "HealthCheckIntervalSeconds": 15,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 3,
    "UnhealthyThresholdCount": 4,
    "Matcher": {"HttpCode": "200,403"},
}


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture
def create(elbv2, network):
    """`create("name", …)` creates an HTTPS group of IP targets in the VPC."""

    def create(name, **arguments):
        settings = {
            "Name": name,
            "Protocol": "HTTPS",
            "Port": 443,
            "VpcId": network.vpc_id,
            "TargetType": "ip",
        }
        return elbv2.create_target_group(**(settings | arguments))["TargetGroups"][0]

    return create


def attributes(answer):
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def test_a_target_group_comes_back_as_it_was_sent(elbv2, network, create):
    created = create("round-trip", **HEALTH)
    arn = created["TargetGroupArn"]
    described = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert described == [{**created, "LoadBalancerArns": []}]
    assert {key: created[key] for key in HEALTH} == HEALTH
    assert created["TargetType"] == "ip"
    assert created["ProtocolVersion"] == "HTTP1"
    assert created["VpcId"] == network.vpc_id


def test_health_check_settings_can_be_changed(elbv2, create):
    arn = create("changed", **HEALTH)["TargetGroupArn"]
    given = {
        "HealthCheckPath": "/other",
        "HealthCheckIntervalSeconds": 30,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200-299"},
    }
    changed = elbv2.modify_target_group(TargetGroupArn=arn, **given)["TargetGroups"][0]
    assert {key: changed[key] for key in HEALTH} == HEALTH | given


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"TargetType": "pod"}, "enum value set"),
        ({"Port": 70000}, "less than or equal to 65535"),
        ({"HealthCheckIntervalSeconds": 4}, "greater than or equal to 5"),
        ({"HealthCheckTimeoutSeconds": 121}, "less than or equal to 120"),
        ({"HealthyThresholdCount": 1}, "greater than or equal to 2"),
        ({"UnhealthyThresholdCount": 11}, "less than or equal to 10"),
        ({"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 10}, "must be smaller"),
        ({"HealthCheckPath": "ping"}, "must begin with a '/'"),
        ({"HealthCheckPort": "https"}, "must be 'traffic-port' or a port number"),
        ({"HealthCheckProtocol": "TCP"}, "must be one of 'HTTP, HTTPS'"),
        ({"HealthCheckEnabled": False}, "Health check enabled must be true"),
        ({"VpcId": "vpc-00000000000000000"}, "The VPC ID '.*' is not found"),
    ],
    ids=str,
)
def test_a_setting_that_albs_do_not_take_is_refused(create, refused, setting, words):
    with refused("ValidationError", words):
        create("refused", **setting)


def test_a_name_is_used_once(create, refused):
    create("once")
    with refused("DuplicateTargetGroupName"):
        create("once")


def test_a_modify_is_checked_like_a_create(elbv2, create, refused):
    arn = create("checked")["TargetGroupArn"]
    with refused("ValidationError", "must begin with a '/'"):
        elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckPath="ping")
    with refused("ValidationError", "Health check enabled must be true"):
        elbv2.modify_target_group(TargetGroupArn=arn, HealthCheckEnabled=False)


def register(elbv2, arn, address, **more):
    target = {"Id": address, "Port": 443, **more}
    elbv2.register_targets(TargetGroupArn=arn, Targets=[target])


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"address": "10.99.0.1"}, "The Availability Zone is required for IP address '10.99.0.1'"),
        ({"address": "10.99.0.1", "AvailabilityZone": "eu-west-1z"}, "is outside the VPC"),
        ({"address": "8.8.8.8", "AvailabilityZone": "all"}, "must be from the subnets of the VPC"),
        ({"address": "10.20.0.9", "AvailabilityZone": "all"}, "overridden to 'all' from"),
        ({"address": "i-12345678"}, "not a valid IPv4 address"),
        ({"address": "10.20.0.9", "Port": 0}, "Value '0' at 'targets"),
    ],
    ids=str,
)
def test_an_ip_target_is_in_the_vpc_or_private_with_a_zone(elbv2, create, refused, target, words):
    arn = create(f"ip-{abs(hash(words)) % 10**9}")["TargetGroupArn"]
    with refused("ValidationError", words):
        register(elbv2, arn, **target)


def test_a_private_address_elsewhere_is_a_target_in_all_zones(elbv2, create):
    arn = create("elsewhere")["TargetGroupArn"]
    register(elbv2, arn, "192.168.1.1", AvailabilityZone="all")
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [each["Target"]["Id"] for each in health] == ["192.168.1.1"]


def test_an_instance_group_takes_instances_only(elbv2, create, refused):
    arn = create("instances", TargetType="instance")["TargetGroupArn"]
    with refused("InvalidTarget"):
        register(elbv2, arn, "10.20.0.9")


def test_a_target_is_registered_once_per_port(elbv2, create):
    arn = create("ports")["TargetGroupArn"]
    for port in (443, 444, 443):
        register(elbv2, arn, "10.20.0.9", Port=port)
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [each["Target"]["Port"] for each in health] == [443, 444]
    elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.20.0.9", "Port": 443}])
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [each["Target"]["Port"] for each in health] == [444]


def test_no_target_is_said_to_be_healthy_and_a_group_in_use_is_not_deleted(
    elbv2, create, create_balancer, refused
):
    arn = create("used")["TargetGroupArn"]
    register(elbv2, arn, "10.20.0.9")

    def state():
        answer = elbv2.describe_target_health(TargetGroupArn=arn)
        return answer["TargetHealthDescriptions"][0]["TargetHealth"]

    assert (state()["State"], state()["Reason"]) == ("unused", "Target.NotInUse")
    balancer = create_balancer("using")
    listener = elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Listeners"][0]["ListenerArn"]
    assert (state()["State"], state()["Reason"]) == ("initial", "Elb.InitialHealthChecking")
    described = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    assert described["LoadBalancerArns"] == [balancer]
    with refused("ResourceInUse", "currently in use by a listener or a rule"):
        elbv2.delete_target_group(TargetGroupArn=arn)
    elbv2.delete_listener(ListenerArn=listener)
    described = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    assert described["LoadBalancerArns"] == []
    elbv2.delete_target_group(TargetGroupArn=arn)
    with refused("TargetGroupNotFound"):
        elbv2.describe_target_groups(TargetGroupArns=[arn])


def test_a_target_that_is_not_registered_is_unused(elbv2, create):
    arn = create("empty")["TargetGroupArn"]
    health = elbv2.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": "10.20.0.5"}])
    found = health["TargetHealthDescriptions"][0]["TargetHealth"]
    assert (found["State"], found["Reason"]) == ("unused", "Target.NotRegistered")


def test_a_group_of_another_vpc_is_refused_by_a_listener(
    client, elbv2, create, create_balancer, refused
):
    vpc_id = client("ec2").create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    arn = create("abroad", VpcId=vpc_id)["TargetGroupArn"]
    with refused("InvalidConfigurationRequest", "not in the VPC of the load balancer"):
        elbv2.create_listener(
            LoadBalancerArn=create_balancer("home"),
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )


def test_attributes_come_back_as_they_were_sent(elbv2, create):
    arn = create("attributes")["TargetGroupArn"]
    given = [
        {"Key": "deregistration_delay.timeout_seconds", "Value": "5"},
        {"Key": "load_balancing.algorithm.type", "Value": "least_outstanding_requests"},
    ]
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=given)
    described = attributes(elbv2.describe_target_group_attributes(TargetGroupArn=arn))
    assert described["deregistration_delay.timeout_seconds"] == "5"
    assert described["load_balancing.algorithm.type"] == "least_outstanding_requests"
    assert described["stickiness.enabled"] == "false"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("nonsense", "1"),
        ("deregistration_delay.timeout_seconds", "3601"),
        ("load_balancing.algorithm.type", "random"),
        ("slow_start.duration_seconds", "29"),
        ("stickiness.type", "source_ip"),
    ],
)
def test_an_attribute_that_albs_do_not_take_is_refused(elbv2, create, refused, key, value):
    arn = create(f"attribute-{abs(hash(key)) % 10**9}")["TargetGroupArn"]
    with refused("ValidationError", key):
        elbv2.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": key, "Value": value}]
        )


def test_other_groups_do_not_have_the_attribute_of_functions(elbv2, create, refused):
    given = [{"Key": "lambda.multi_value_headers.enabled", "Value": "true"}]
    with refused("InvalidConfigurationRequest", "target group attribute is not supported"):
        elbv2.modify_target_group_attributes(
            TargetGroupArn=create("addresses")["TargetGroupArn"], Attributes=given
        )


def test_groups_for_network_load_balancers_are_not_modelled(create, refused):
    with refused("NotImplemented", "the lab does not model it"):
        create("tcp", Protocol="TCP")


def test_a_group_that_is_not_there_is_refused(elbv2, refused):
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/none/1"
    for call in (
        lambda: register(elbv2, arn, "10.20.0.9"),
        lambda: elbv2.describe_target_health(TargetGroupArn=arn),
        lambda: elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": "10.20.0.9"}]),
    ):
        with refused("TargetGroupNotFound"):
            call()
