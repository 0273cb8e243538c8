"""SNS messages at the events of an endpoint connection."""

import itertools
import json

import pytest

from .privatelink import balancer, build, endpoint, service

NUMBER = itertools.count()
EVENTS = ["Accept", "Connect", "Delete", "Reject"]


@pytest.fixture(scope="module")
def ec2(client):
    return client("ec2")


@pytest.fixture(scope="module")
def producer(ec2):
    return build(ec2, "euw1-az1")


@pytest.fixture
def made(client, ec2, producer):
    arn = balancer(client("elbv2"), producer, f"nlb-{next(NUMBER)}")
    return service(ec2, arn, allowed=["*"], AcceptanceRequired=True)


@pytest.fixture
def acme(client):
    return build(client("ec2", "acme"), "euw1-az1")


def allow(sns, topic, principal="vpce.amazonaws.com", **statement):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sns:Publish",
             "Resource": topic, **statement}
        ],
    }  # fmt: skip
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy)
    )


@pytest.fixture
def inbox(client):
    """`inbox(account)`: a topic that lets endpoint events in, and a function that reads them."""

    def make(account="producer"):
        sns, sqs = client("sns", account), client("sqs", account)
        name = f"events-{next(NUMBER)}"
        topic = sns.create_topic(Name=name)["TopicArn"]
        allow(sns, topic)
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])

        def read():
            found = []
            while got := sqs.receive_message(QueueUrl=url).get("Messages"):
                for message in got:
                    found.append(json.loads(json.loads(message["Body"])["Message"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return found

        return topic, read

    return make


def notify(ec2, topic, events=EVENTS, **subject):
    return ec2.create_vpc_endpoint_connection_notification(
        ConnectionNotificationArn=topic, ConnectionEvents=list(events), **subject
    )["ConnectionNotification"]


def shown(ec2, **request):
    return ec2.describe_vpc_endpoint_connection_notifications(**request)[
        "ConnectionNotificationSet"
    ]


def live(ec2, acme, made):
    """An endpoint through all its events; answers its id."""
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    both = {"ServiceId": made["ServiceId"], "VpcEndpointIds": [endpoint_id]}
    ec2.accept_vpc_endpoint_connections(**both)
    ec2.reject_vpc_endpoint_connections(**both)
    acme.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])
    return endpoint_id


def test_the_services_owner_is_told_each_event(ec2, acme, made, inbox):
    topic, read = inbox()
    notify(ec2, topic, ServiceId=made["ServiceId"])
    endpoint_id = live(ec2, acme, made)
    told = read()
    assert [each["event"] for each in told] == ["Connect", "Accept", "Reject", "Delete"]
    for each in told:
        assert each["serviceId"] == made["ServiceId"]
        assert each["vpcEndpointId"] == endpoint_id
        assert each["vpcEndpointOwner"] == "444455556666"


def test_only_the_wanted_events_of_the_wanted_service_are_told(
    client, ec2, producer, acme, made, inbox
):
    topic, read = inbox()
    arn = balancer(client("elbv2"), producer, f"nlb-{next(NUMBER)}")
    other = service(ec2, arn, allowed=["*"], AcceptanceRequired=True)
    notify(ec2, topic, ["Connect"], ServiceId=made["ServiceId"])
    live(ec2, acme, other)
    live(ec2, acme, made)
    assert [(each["event"], each["serviceId"]) for each in read()] == [
        ("Connect", made["ServiceId"])
    ]


def test_an_endpoints_owner_is_told_of_its_own_endpoint(ec2, acme, made, inbox):
    topic, read = inbox("acme")
    mine = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    notify(acme.ec2, topic, VpcEndpointId=mine)
    live(ec2, acme, made)
    ec2.accept_vpc_endpoint_connections(ServiceId=made["ServiceId"], VpcEndpointIds=[mine])
    assert [(each["event"], each["vpcEndpointId"]) for each in read()] == [("Accept", mine)]


def test_a_notification_is_shown_changed_and_deleted(ec2, acme, made, inbox):
    topic, read = inbox()
    other_topic, other_read = inbox()
    created = notify(ec2, topic, ["Connect"], ServiceId=made["ServiceId"])
    assert created["ConnectionNotificationId"].startswith("vpce-nfn-")
    assert created["ConnectionNotificationType"] == "Topic"
    assert created["ConnectionNotificationState"] == "Enabled"
    one = {"ConnectionNotificationId": created["ConnectionNotificationId"]}
    assert shown(ec2, **one) == [created]
    by_service = [{"Name": "service-id", "Values": [made["ServiceId"]]}]
    assert shown(ec2, Filters=by_service) == [created]
    assert shown(acme.ec2, Filters=by_service) == []
    ec2.modify_vpc_endpoint_connection_notification(
        **one, ConnectionNotificationArn=other_topic, ConnectionEvents=["Delete"]
    )
    [changed] = shown(ec2, **one)
    assert changed["ConnectionNotificationArn"] == other_topic
    assert changed["ConnectionEvents"] == ["Delete"]
    live(ec2, acme, made)
    assert read() == []
    assert [each["event"] for each in other_read()] == ["Delete"]
    ids = [created["ConnectionNotificationId"], "vpce-nfn-0"]
    gone = ec2.delete_vpc_endpoint_connection_notifications(ConnectionNotificationIds=ids)
    assert [each["ResourceId"] for each in gone["Unsuccessful"]] == ["vpce-nfn-0"]
    assert shown(ec2, Filters=by_service) == []
    live(ec2, acme, made)
    assert other_read() == []


def test_a_topic_must_exist_and_let_the_service_publish(client, ec2, made, inbox, refused):
    topic, _ = inbox()
    with refused("InvalidParameter", "does not exist"):
        notify(ec2, f"{topic}-not", ServiceId=made["ServiceId"])
    with refused("InvalidParameter", "does not exist"):
        notify(ec2, "events", ServiceId=made["ServiceId"])
    closed = client("sns").create_topic(Name="closed")["TopicArn"]
    with refused("InvalidParameter", "does not let vpce.amazonaws.com publish"):
        notify(ec2, closed, ServiceId=made["ServiceId"])
    allow(client("sns"), closed, principal="events.amazonaws.com")
    with refused("InvalidParameter", "does not let vpce.amazonaws.com publish"):
        notify(ec2, closed, ServiceId=made["ServiceId"])
    condition = {"StringEquals": {"aws:SourceAccount": "111122223333"}}
    allow(client("sns"), closed, Condition=condition)
    assert notify(ec2, closed, ServiceId=made["ServiceId"])


def test_a_topic_that_no_longer_lets_the_service_publish_gets_nothing(
    client, ec2, acme, made, inbox
):
    topic, read = inbox()
    notify(ec2, topic, ServiceId=made["ServiceId"])
    allow(client("sns"), topic, principal="events.amazonaws.com")
    live(ec2, acme, made)
    assert read() == []


def test_requests_for_no_or_two_subjects_or_unknown_events_are_refused(
    ec2, acme, made, inbox, refused
):
    topic, _ = inbox()
    endpoint_id = endpoint(acme, made["ServiceName"])["VpcEndpointId"]
    with refused("InvalidParameter", "Exactly one of ServiceId and VpcEndpointId"):
        notify(ec2, topic)
    with refused("InvalidParameter", "Exactly one of ServiceId and VpcEndpointId"):
        notify(ec2, topic, ServiceId=made["ServiceId"], VpcEndpointId=endpoint_id)
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        notify(acme.ec2, topic, ServiceId=made["ServiceId"])
    with refused("InvalidVpcEndpointId.NotFound"):
        notify(ec2, topic, VpcEndpointId=endpoint_id)
    for events in (["Connected"], []):
        with refused("InvalidParameterValue", "Valid values are Accept, Connect, Delete, Reject"):
            notify(ec2, topic, events, ServiceId=made["ServiceId"])


def key_policy(principal, *actions):
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*",
         "Resource": "*"},
        {"Effect": "Allow", "Principal": {"Service": principal}, "Action": list(actions),
         "Resource": "*"},
    ]  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.mark.parametrize(
    ("policy", "let_in"),
    [
        (key_policy("vpce.amazonaws.com", "kms:GenerateDataKey*", "kms:Decrypt"), True),
        (key_policy("vpce.amazonaws.com", "kms:Decrypt"), False),
        (key_policy("events.amazonaws.com", "kms:GenerateDataKey*", "kms:Decrypt"), False),
        (None, False),
    ],
)
def test_an_encrypted_topic_needs_a_key_that_the_service_may_use(
    client, ec2, made, inbox, refused, policy, let_in
):
    topic, _ = inbox()
    key = "alias/aws/sns"
    if policy:
        key = client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"]
    client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=key
    )
    if let_in:
        assert notify(ec2, topic, ServiceId=made["ServiceId"])
    else:
        with refused("InvalidParameter", "does not let vpce.amazonaws.com publish"):
            notify(ec2, topic, ServiceId=made["ServiceId"])
