"""Notifications: of every event, encrypted, published by PrivateLink alone."""

import json
from typing import Any

import pulumi
import pytest

from components import policies
from components.connection_notifications import (
    ConnectionNotifications,
    ConnectionNotificationsArgs,
)
from tests.components.checks import check_family
from tests.conftest import Deploy, Deployed

SERVICE = "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint-service/vpce-svc-1"
ARGS = ConnectionNotificationsArgs(service_id="vpce-svc-1", service_arn=SERVICE)


@pytest.fixture(scope="module")
def made(deploy: Deploy) -> Deployed:
    def build(opts: pulumi.ResourceOptions) -> dict[str, Any]:
        return {"topic_arn": ConnectionNotifications("c", ARGS, opts).topic_arn}

    return deploy(build)


def test_what_it_makes_is_its_own(deploy: Deploy):
    check_family(deploy, lambda name, opts: ConnectionNotifications(name, ARGS, opts))


def test_every_event_of_the_service_is_told(made: Deployed):
    events = made.one("VpcEndpointConnectionNotification")
    assert events.inputs == {
        "vpcEndpointServiceId": "vpce-svc-1",
        "connectionNotificationArn": "arn:c-topic",
        "connectionEvents": ["Accept", "Connect", "Delete", "Reject"],
    }
    assert made.outputs == {"topic_arn": "arn:c-topic"}


def test_the_first_event_finds_the_policy_in_force(made: Deployed):
    policy = made.one("TopicPolicy")
    assert policy.urn in made.one("VpcEndpointConnectionNotification").depends_on
    assert policy.inputs["arn"] == "arn:c-topic"
    document = json.loads(policy.inputs["policy"])
    assert document == policies.connection_topic("arn:c-topic", SERVICE)


def test_the_topic_is_encrypted_with_a_key_of_its_own_that_rotates(made: Deployed):
    assert made.one("aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == "arn:c-key"
    key = made.one("Key").inputs
    assert key["enableKeyRotation"] is True
    assert json.loads(key["policy"]) == policies.connection_topic_key(SERVICE)
