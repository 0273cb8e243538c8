"""Network Load Balancers and their TCP listeners."""

import json

import pytest

ACCOUNT = "111111111111"
ENFORCE = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"


def described(elbv2, arn):
    return elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]


def interfaces(client, arn):
    description = f"ELB {arn.partition(':loadbalancer/')[2]}"
    wanted = [{"Name": "description", "Values": [description]}]
    return client("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]


def test_it_has_a_name_with_its_number_and_an_interface_in_each_subnet(
    client, elbv2, network, create_network
):
    arn = create_network("nlb")
    prefix = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/net/nlb/"
    assert arn.startswith(prefix)
    got = described(elbv2, arn)
    assert got["DNSName"] == f"nlb-{arn.removeprefix(prefix)}.elb.eu-west-1.amazonaws.com"
    assert got["CanonicalHostedZoneId"] == "Z2IFOLAFXWLO4F"
    assert (got["Type"], got["Scheme"], got["State"]["Code"]) == ("network", "internal", "active")
    assert got["SecurityGroups"] == [network.group_id]
    assert got[ENFORCE] == "on"
    found = interfaces(client, arn)
    assert sorted(each["SubnetId"] for each in found) == sorted(network.subnet_ids)
    for each in found:
        assert [group["GroupId"] for group in each["Groups"]] == [network.group_id]
        assert each["InterfaceType"] == "network_load_balancer"


def test_one_zone_is_enough(elbv2, network, create_network):
    arn = create_network("one-zone", Subnets=network.subnet_ids[:1])
    assert len(described(elbv2, arn)["AvailabilityZones"]) == 1


def test_an_internal_one_can_have_fixed_addresses(client, elbv2, network, create_network, refused):
    mapping = [{"SubnetId": network.subnet_ids[0], "PrivateIPv4Address": "10.20.0.77"}]
    arn = create_network("fixed", Subnets=[], SubnetMappings=mapping)
    assert [each["PrivateIpAddress"] for each in interfaces(client, arn)] == ["10.20.0.77"]
    zone = described(elbv2, arn)["AvailabilityZones"][0]
    assert zone["LoadBalancerAddresses"] == [{"PrivateIPv4Address": "10.20.0.77"}]
    elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=mapping)
    with refused("InvalidConfigurationRequest", "cannot be changed"):
        moved = [mapping[0] | {"PrivateIPv4Address": "10.20.0.78"}]
        elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=moved)
    with refused("InvalidConfigurationRequest", "Address 10.20.0.77 is in use"):
        create_network("fixed-2", Subnets=[], SubnetMappings=mapping)
    with refused("InvalidConfigurationRequest", "only for an internal Network Load Balancer"):
        create_network("fixed-3", Subnets=[], SubnetMappings=mapping, Scheme="internet-facing")


def test_it_never_gets_security_groups_that_it_was_not_created_with(
    elbv2, network, create_network, refused
):
    arn = create_network("bare", SecurityGroups=[])
    got = described(elbv2, arn)
    assert not got.get("SecurityGroups")
    assert ENFORCE not in got
    words = "You cannot set security groups on a Network Load Balancer which was created without"
    with refused("InvalidConfigurationRequest", words):
        elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[network.group_id])


def test_inbound_rules_for_private_link_traffic_can_be_switched_off(
    elbv2, network, create_network, create_balancer, refused
):
    arn = create_network("enforce")
    groups = {"SecurityGroups": [network.group_id]}
    answer = elbv2.set_security_groups(LoadBalancerArn=arn, **groups, **{ENFORCE: "off"})
    assert answer["SecurityGroupIds"] == [network.group_id]
    assert answer[ENFORCE] == described(elbv2, arn)[ENFORCE] == "off"
    elbv2.set_security_groups(LoadBalancerArn=arn, **groups)
    assert described(elbv2, arn)[ENFORCE] == "off"
    with refused("ValidationError", "satisfy enum value set"):
        elbv2.set_security_groups(LoadBalancerArn=arn, **groups, **{ENFORCE: "no"})
    with refused("ValidationError", "At least one security group"):
        elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[])
    with refused("InvalidConfigurationRequest", "with type 'application'"):
        alb = create_balancer("no-enforce")
        elbv2.set_security_groups(LoadBalancerArn=alb, **groups, **{ENFORCE: "off"})


def set_attributes(elbv2, arn, **values):
    given = [{"Key": key, "Value": value} for key, value in values.items()]
    answer = elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=given)
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def test_attributes_are_those_of_a_network_load_balancer(
    elbv2, create_network, create_balancer, refused
):
    arn = create_network("attributes")
    before = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    values = {each["Key"]: each["Value"] for each in before}
    assert values["load_balancing.cross_zone.enabled"] == "false"
    assert values["dns_record.client_routing_policy"] == "any_availability_zone"
    assert "idle_timeout.timeout_seconds" not in values
    wanted = {
        "load_balancing.cross_zone.enabled": "true",
        "dns_record.client_routing_policy": "availability_zone_affinity",
    }
    assert set_attributes(elbv2, arn, **wanted).items() >= wanted.items()
    with refused("InvalidConfigurationRequest", "not supported on load balancers with type 'netw"):
        set_attributes(elbv2, arn, **{"idle_timeout.timeout_seconds": "60"})
    with refused("ValidationError", "must be one of"):
        set_attributes(elbv2, arn, **{"dns_record.client_routing_policy": "nearest"})
    with refused("InvalidConfigurationRequest", "with type 'application'"):
        alb = create_balancer("attributes-alb")
        set_attributes(elbv2, alb, **{"dns_record.client_routing_policy": "any_availability_zone"})


def test_deletion_protection_holds(client, elbv2, create_network, refused):
    arn = create_network("protected")
    set_attributes(elbv2, arn, **{"deletion_protection.enabled": "true"})
    with refused("OperationNotPermitted", "deletion protection is enabled"):
        elbv2.delete_load_balancer(LoadBalancerArn=arn)
    set_attributes(elbv2, arn, **{"deletion_protection.enabled": "false"})
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    assert interfaces(client, arn) == []


def test_access_logs_are_another_services_to_write(client, elbv2, create_network, refused):
    client("s3").create_bucket(
        Bucket="nlb-logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )

    def allow(service):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::nlb-logs/*",
            "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        }
        policy = json.dumps({"Statement": [statement]})
        client("s3").put_bucket_policy(Bucket="nlb-logs", Policy=policy)

    arn = create_network("logs")
    wanted = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "nlb-logs"}
    allow("logdelivery.elasticloadbalancing.amazonaws.com")
    with refused("InvalidConfigurationRequest", "Access Denied for bucket: nlb-logs"):
        set_attributes(elbv2, arn, **wanted)
    allow("delivery.logs.amazonaws.com")
    assert set_attributes(elbv2, arn, **wanted)["access_logs.s3.enabled"] == "true"


def test_a_tcp_listener_forwards_to_one_group_and_has_no_rules(
    elbv2, create_network, create_group, refused, listen
):
    arn, group = create_network("listener"), create_group("listener")
    listener = listen(arn, group["TargetGroupArn"])
    assert (listener["Protocol"], listener["Port"]) == ("TCP", 443)
    [rule] = elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    assert rule["IsDefault"]
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
    with refused("InvalidConfigurationRequest", "Rules are not supported on listeners"):
        elbv2.create_rule(
            ListenerArn=listener["ListenerArn"],
            Priority=1,
            Conditions=[condition],
            Actions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )


def test_a_tcp_listeners_idle_timeout(elbv2, create_network, create_group, refused, listen):
    group = create_group("idle")["TargetGroupArn"]
    arn = listen(create_network("idle"), group)["ListenerArn"]

    def modify(key, value):
        given = [{"Key": key, "Value": value}]
        return elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=given)["Attributes"]

    key = "tcp.idle_timeout.seconds"
    before = elbv2.describe_listener_attributes(ListenerArn=arn)["Attributes"]
    assert before == [{"Key": key, "Value": "350"}]
    assert modify(key, "6000") == [{"Key": key, "Value": "6000"}]
    with refused("ValidationError", "between '60-6000'"):
        modify(key, "59")
    with refused("InvalidConfigurationRequest", "listeners with protocol 'TCP'"):
        modify("routing.http.response.server.enabled", "false")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"Protocol": "HTTP"}, "ValidationError", "must be one of"),
        ({"Protocol": "TLS"}, "NotImplemented", "does not model it"),
        ({"SslPolicy": "ELBSecurityPolicy-2016-08"}, "ValidationError", "for TCP listeners"),
        ({"Certificates": [{"CertificateArn": "x"}]}, "ValidationError", "for TCP listeners"),
        ({"MutualAuthentication": {"Mode": "verify"}}, "ValidationError", "TCP listeners"),
        (
            {"DefaultActions": [{"Type": "fixed-response",
                                 "FixedResponseConfig": {"StatusCode": "200"}}]},
            "InvalidLoadBalancerAction",
            "exactly one action, of type forward",
        ),
    ],
)  # fmt: skip
def test_what_a_tcp_listener_cannot_have_is_refused(
    create_network, create_group, refused, arguments, code, words, listen
):
    name = f"bad-{abs(hash(str(arguments))) % 10**8}"
    group = create_group(name)["TargetGroupArn"]
    with refused(code, words):
        listen(create_network(name), group, **arguments)


def test_groups_fit_one_type_of_load_balancer_and_one_load_balancer(
    create_network, create_alb, create_group, refused, listen
):
    tcp = create_group("tcp-only")["TargetGroupArn"]
    http = create_group("http-only", TargetType="ip", Protocol="HTTP", Port=80)["TargetGroupArn"]
    network, alb = create_network("fits"), create_alb("fits-not")
    with refused("IncompatibleProtocols"):
        listen(alb, tcp, Protocol="HTTP", Port=80)
    with refused("IncompatibleProtocols"):
        listen(network, http)
    listen(network, tcp)
    listen(network, tcp, port=8443)
    with refused("TargetGroupAssociationLimit", "more than one load balancer"):
        listen(create_network("second"), tcp)
