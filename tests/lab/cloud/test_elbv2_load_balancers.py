import json
import urllib.request

import pytest

REGION = "eu-west-1"
ACCOUNT = "111111111111"
LOGS = ["access_logs", "connection_logs", "health_check_logs"]


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def balancer(create_balancer):
    return create_balancer("attributes")


def interfaces(client, arn):
    name = "ELB " + "/".join(arn.split("/")[1:])
    filters = [{"Name": "description", "Values": [name]}]
    return client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]


def attributes(answer):
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def modify(elbv2, arn, values):
    given = [{"Key": key, "Value": value} for key, value in values.items()]
    return attributes(elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=given))


def test_a_new_load_balancer_is_provisioning_and_active_once_looked_at(elbv2, network):
    created = elbv2.create_load_balancer(
        Name="new", Subnets=network.subnet_ids, Scheme="internal", Type="application"
    )["LoadBalancers"][0]
    assert created["State"]["Code"] == "provisioning"
    assert created["DNSName"].startswith("internal-new-")
    assert created["CanonicalHostedZoneId"] == "Z32O12XQLNTSW2"
    described = elbv2.describe_load_balancers(Names=["new"])["LoadBalancers"]
    assert described == [{**created, "State": {"Code": "active"}}]


def test_it_has_an_interface_in_each_subnet_with_its_groups_until_it_is_deleted(
    client, elbv2, network, create_balancer
):
    arn = create_balancer("placed")
    found = interfaces(client, arn)
    assert {each["SubnetId"] for each in found} == set(network.subnet_ids)
    for each in found:
        assert (each["RequesterManaged"], each["RequesterId"]) == (True, "amazon-elb")
        assert [group["GroupId"] for group in each["Groups"]] == [network.group_id]
    other = client("ec2").create_security_group(
        GroupName="other", Description="other", VpcId=network.vpc_id
    )["GroupId"]
    elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[other])
    groups = {group["GroupId"] for each in interfaces(client, arn) for group in each["Groups"]}
    assert groups == {other}
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    assert interfaces(client, arn) == []


def test_new_subnets_move_its_interfaces(client, elbv2, network, create_balancer):
    arn = create_balancer("moving")
    third = client("ec2").create_subnet(
        VpcId=network.vpc_id, CidrBlock="10.20.7.0/24", AvailabilityZone=f"{REGION}c"
    )["Subnet"]["SubnetId"]
    wanted = [network.subnet_ids[0], third]
    elbv2.set_subnets(LoadBalancerArn=arn, Subnets=wanted)
    assert sorted(each["SubnetId"] for each in interfaces(client, arn)) == sorted(wanted)


def test_its_interfaces_count_as_a_change_of_ec2(cloud, client, create_balancer):
    def count():
        with urllib.request.urlopen(f"{cloud.endpoint_url}/_lab/changes") as answer:  # noqa: S310
            return json.load(answer)["ec2"]

    before = count()
    create_balancer("counted")
    assert count() == before + 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 33, "cannot be longer than '32' characters"),
        ("a_b", "can only contain characters"),
        ("-a", "cannot begin or end with '-'"),
        ("internal-a", "cannot begin with 'internal-'"),
    ],
)
def test_a_name_that_albs_do_not_take_is_refused(create_balancer, refused, name, words):
    with refused("ValidationError", words):
        create_balancer(name)


def test_a_scheme_is_internal_or_internet_facing(create_balancer, refused):
    with refused("ValidationError", r"enum value set: \[internet-facing, internal\]"):
        create_balancer("scheme", Scheme="private")


def test_a_gateway_load_balancer_is_not_modelled(create_balancer, refused):
    with refused("NotImplemented", "the lab does not model it"):
        create_balancer("network", Type="gateway")


def test_a_name_is_used_once(balancer, create_balancer, refused):
    with refused("DuplicateLoadBalancerName"):
        create_balancer("attributes")


def test_one_zone_is_not_enough(create_balancer, network, refused):
    with refused("ValidationError", "At least two subnets in two different Availability Zones"):
        create_balancer("lonely", Subnets=network.subnet_ids[:1])


def test_two_subnets_in_a_zone_are_refused(client, create_balancer, network, refused):
    second = client("ec2").create_subnet(
        VpcId=network.vpc_id, CidrBlock="10.20.8.0/24", AvailabilityZone=f"{REGION}a"
    )["Subnet"]["SubnetId"]
    with refused("InvalidConfigurationRequest", "multiple subnets in the same Availability Zone"):
        create_balancer("twice", Subnets=[*network.subnet_ids, second])


def test_a_subnet_that_is_not_there_is_refused(create_balancer, network, refused):
    with refused("SubnetNotFound"):
        create_balancer("nowhere", Subnets=[network.subnet_ids[0], "subnet-00000000000000000"])


def test_a_subnet_without_eight_free_addresses_is_refused(
    client, create_balancer, network, refused
):
    small = client("ec2").create_subnet(
        VpcId=network.vpc_id, CidrBlock="10.20.9.0/28", AvailabilityZone=f"{REGION}c"
    )["Subnet"]["SubnetId"]
    for _ in range(4):
        client("ec2").create_network_interface(SubnetId=small)
    with refused("InvalidSubnet", "requires at least 8 free IP addresses"):
        create_balancer("cramped", Subnets=[network.subnet_ids[0], small])


def test_a_security_group_must_be_there_and_in_the_vpc(client, create_balancer, refused):
    with refused("InvalidSecurityGroup"):
        create_balancer("open", SecurityGroups=["sg-00000000000000000"])
    vpc_id = client("ec2").create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    group = client("ec2").create_security_group(GroupName="x", Description="x", VpcId=vpc_id)
    with refused("InvalidConfigurationRequest"):
        create_balancer("abroad", SecurityGroups=[group["GroupId"]])


def test_a_protected_load_balancer_is_not_deleted(elbv2, create_balancer, refused):
    arn = create_balancer("protected")
    modify(elbv2, arn, {"deletion_protection.enabled": "true"})
    with refused("OperationNotPermitted", "because deletion protection is enabled"):
        elbv2.delete_load_balancer(LoadBalancerArn=arn)
    modify(elbv2, arn, {"deletion_protection.enabled": "false"})
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    with refused("LoadBalancerNotFound"):
        elbv2.describe_load_balancers(LoadBalancerArns=[arn])


def test_attributes_come_back_as_they_were_sent(elbv2, balancer):
    given = {
        "idle_timeout.timeout_seconds": "30",
        "client_keep_alive.seconds": "60",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http.desync_mitigation_mode": "strictest",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http.preserve_host_header.enabled": "true",
        "routing.http2.enabled": "false",
    }
    answer = modify(elbv2, balancer, given)
    described = attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=balancer))
    assert described == answer
    assert {key: described[key] for key in given} == given
    assert described["connection_logs.s3.enabled"] == "false"


@pytest.mark.parametrize(
    ("key", "value", "code", "words"),
    [
        ("routing.http.nonsense", "1", "ValidationError", "is not recognized"),
        (
            "dns_record.client_routing_policy",
            "any_availability_zone",
            "InvalidConfigurationRequest",
            "not supported on load balancers with type 'application'",
        ),
        ("idle_timeout.timeout_seconds", "4001", "ValidationError", "between '1-4000'"),
        ("client_keep_alive.seconds", "59", "ValidationError", "between '60-604800'"),
        ("routing.http2.enabled", "yes", "ValidationError", r"one of \[true, false\]"),
        ("load_balancing.cross_zone.enabled", "false", "ValidationError", "must be one of"),
    ],
)
def test_an_attribute_that_albs_do_not_take_is_refused(
    elbv2, balancer, refused, key, value, code, words
):
    with refused(code, words):
        modify(elbv2, balancer, {key: value})


def test_more_than_20_attributes_in_a_call_are_refused(elbv2, balancer, refused):
    with refused("ValidationError", "length less than or equal to 20"):
        modify(elbv2, balancer, {f"key{n}": "1" for n in range(21)})


def policy(bucket, **changes):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/alb/AWSLogs/{ACCOUNT}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    } | changes
    tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement, tls]})
    return document.replace("BUCKET", bucket)


@pytest.fixture
def log_bucket(client, request):
    """A new bucket that logs with the prefix "alb" can be delivered to."""
    s3 = client("s3")
    name = f"logs-{abs(hash(request.node.name))}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_policy(Bucket=name, Policy=policy(name))
    return name


def enable(elbv2, arn, bucket, log="access_logs", prefix="alb"):
    return modify(
        elbv2,
        arn,
        {
            f"{log}.s3.enabled": "true",
            f"{log}.s3.bucket": bucket,
            f"{log}.s3.prefix": prefix,
        },
    )


@pytest.mark.parametrize("log", LOGS)
def test_enabling_a_log_writes_a_test_file(client, elbv2, create_balancer, log_bucket, log):
    arn = create_balancer(log.replace("_", "-"))
    assert enable(elbv2, arn, log_bucket, log)[f"{log}.s3.enabled"] == "true"
    objects = client("s3").list_objects_v2(Bucket=log_bucket)["Contents"]
    assert len(objects) == 1
    assert objects[0]["Key"].startswith(f"alb/AWSLogs/{ACCOUNT}/ELB")
    assert objects[0]["Key"].endswith("LogTestFile")


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "delivery.logs.amazonaws.com"}},
        {"Action": "s3:GetObject"},
        {"Resource": "arn:aws:s3:::BUCKET/alb/AWSLogs/222222222222/*"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "222222222222"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:elasticloadbalancing:us-east-1:*"}}},
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}},
        {"Effect": "Deny"},
    ],
    ids=["service", "action", "resource", "account", "arn", "unknown condition", "deny"],
)
def test_a_bucket_policy_that_does_not_let_logs_in_is_refused(
    client, elbv2, balancer, log_bucket, refused, changes
):
    client("s3").put_bucket_policy(Bucket=log_bucket, Policy=policy(log_bucket, **changes))
    words = f"Access Denied for bucket: {log_bucket}. Please check S3bucket permission"
    with refused("InvalidConfigurationRequest", words):
        enable(elbv2, balancer, log_bucket)


def test_a_policy_for_another_prefix_does_not_let_logs_in(elbv2, balancer, log_bucket, refused):
    with refused("InvalidConfigurationRequest", "Access Denied for bucket"):
        enable(elbv2, balancer, log_bucket, prefix="other")


def test_a_bucket_encrypted_with_kms_is_refused(client, elbv2, balancer, log_bucket, refused):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    client("s3").put_bucket_encryption(
        Bucket=log_bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    with refused("InvalidConfigurationRequest", "Access Denied for bucket"):
        enable(elbv2, balancer, log_bucket)


def test_a_bucket_in_another_region_is_refused(client, elbv2, balancer, refused):
    client("s3", region="eu-west-2").create_bucket(
        Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"}
    )
    far = client("s3", region="eu-west-2")
    far.put_bucket_policy(Bucket="far-away", Policy=policy("far-away"))
    with refused("InvalidConfigurationRequest", "Access Denied for bucket"):
        enable(elbv2, balancer, "far-away")


def test_no_bucket_and_a_bucket_that_is_not_there_are_refused(elbv2, balancer, refused):
    with refused("InvalidConfigurationRequest", "Access Denied for bucket"):
        enable(elbv2, balancer, "no-such-bucket")
    with refused("InvalidConfigurationRequest", "Must specify a bucket"):
        enable(elbv2, balancer, "")


def test_a_prefix_with_awslogs_is_refused(elbv2, balancer, log_bucket, refused):
    with refused("InvalidConfigurationRequest", "must not contain 'AWSLogs'"):
        enable(elbv2, balancer, log_bucket, prefix="AWSLogs/alb")


def test_subnets_of_another_vpc_are_refused(
    client, elbv2, create_balancer, balancer, network, refused
):
    ec2 = client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    abroad = [
        ec2.create_subnet(
            VpcId=vpc_id, CidrBlock=f"10.50.{n}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    with refused("InvalidConfigurationRequest", "must belong to the same VPC"):
        create_balancer("mixed", Subnets=[network.subnet_ids[0], abroad[1]])
    with refused("InvalidConfigurationRequest", "must belong to the VPC of the load balancer"):
        elbv2.set_subnets(LoadBalancerArn=balancer, Subnets=abroad)


def test_a_load_balancer_that_is_not_there_is_refused(elbv2, refused):
    arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/none/1"
    with refused("LoadBalancerNotFound"):
        elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[])
    with refused("LoadBalancerNotFound"):
        modify(elbv2, arn, {"routing.http2.enabled": "true"})
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
