"""SNS topics: attributes, policy, encryption, and how changes of them are counted."""

import json
import urllib.request

import pytest


@pytest.fixture
def sns(client):
    return client("sns")


def counted(cloud):
    with urllib.request.urlopen(f"{cloud.endpoint_url}/_lab/changes") as answer:  # noqa: S310
        return json.load(answer).get("sns", 0)


def policy(topic):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_topics_policy_and_key_come_back_and_count_as_changes(cloud, client, sns):
    before = counted(cloud)
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    topic = sns.create_topic(Name="alarms", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(topic))
    got = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert json.loads(got["Policy"]) == json.loads(policy(topic))
    assert got["KmsMasterKeyId"] == key
    assert counted(cloud) == before + 2


@pytest.mark.parametrize("document", ["{", "[]", '{"Statement": [{"Effect": "Maybe"}]}'])
def test_what_is_no_policy_is_refused(sns, refused, document):
    topic = sns.create_topic(Name="policies")["TopicArn"]
    before = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    with refused("InvalidParameter", "Policy Error"):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    with refused("InvalidParameter", "Policy Error"):
        sns.create_topic(Name="other", Attributes={"Policy": document})
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"] == before
