import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def logs(client):
    return client("logs")


def test_a_log_group_comes_back_with_its_retention(logs):
    logs.create_log_group(logGroupName="/widgets/access")
    logs.put_retention_policy(logGroupName="/widgets/access", retentionInDays=30)
    [got] = logs.describe_log_groups(logGroupNamePrefix="/widgets/access")["logGroups"]
    assert got["retentionInDays"] == 30
    assert got["logGroupArn"] == "arn:aws:logs:eu-west-1:111111111111:log-group:/widgets/access"


def test_a_retention_that_is_not_offered_is_refused(logs):
    logs.create_log_group(logGroupName="/widgets/other")
    with pytest.raises(ClientError, match="Value '31' at 'retentionInDays' failed to satisfy"):
        logs.put_retention_policy(logGroupName="/widgets/other", retentionInDays=31)
    [got] = logs.describe_log_groups(logGroupNamePrefix="/widgets/other")["logGroups"]
    assert "retentionInDays" not in got


@pytest.mark.parametrize("name", ["a b", "a:*", "ä"])
def test_a_name_outside_the_alphabet_is_refused(logs, name):
    with pytest.raises(ClientError, match="at 'logGroupName' failed to satisfy constraint"):
        logs.create_log_group(logGroupName=name)
