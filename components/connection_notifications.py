from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, kms, sns

from components import policies

EVENTS = ("Accept", "Connect", "Delete", "Reject")
"""All that PrivateLink tells of: 'Connect' is a customer's endpoint that asks to be accepted."""


@dataclass(frozen=True, kw_only=True)
class ConnectionNotificationsArgs:
    """The endpoint service whose connections are told of."""

    service_id: pulumi.Input[str]
    service_arn: pulumi.Input[str]


class ConnectionNotifications(pulumi.ComponentResource):
    """A topic that says when a customer's endpoint connects, is accepted, rejected or deleted.

    PrivateLink, for this service alone, may publish to it, and nobody else may. Nobody is
    subscribed: who wants to know subscribes to `topic_arn`. Its key is its own, since a service
    cannot use the one that AWS manages for SNS (SNS developer guide, "Enable compatibility between
    event sources from AWS services and encrypted topics").
    """

    topic_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: ConnectionNotificationsArgs,
        opts: pulumi.ResourceOptions | None = None,
    ):
        super().__init__("mtls:index:ConnectionNotifications", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        service_arn = pulumi.Output.from_input(args.service_arn)
        key = kms.Key(
            f"{name}-key",
            description="Encrypts notifications of PrivateLink connections",
            enable_key_rotation=True,
            policy=pulumi.Output.json_dumps(service_arn.apply(policies.connection_topic_key)),
            opts=mine,
        )
        topic = sns.Topic(f"{name}-topic", kms_master_key_id=key.arn, opts=mine)
        document = pulumi.Output.all(topic.arn, service_arn).apply(
            lambda arns: policies.connection_topic(*arns)
        )
        policy = sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(document),
            opts=mine,
        )
        ec2.VpcEndpointConnectionNotification(
            f"{name}-events",
            vpc_endpoint_service_id=args.service_id,
            connection_notification_arn=topic.arn,
            connection_events=list(EVENTS),
            # What happened before PrivateLink may publish would go untold.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.topic_arn = topic.arn
        self.register_outputs({"topic_arn": self.topic_arn})
