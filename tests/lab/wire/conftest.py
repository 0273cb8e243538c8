"""The lab's AWS API with a private API deployed in it, per test module."""

import json
import threading
from collections.abc import Iterator

import pytest

from lab.certificates import Issued
from tests.lab.wire import link as links
from tests.lab.wire import stack as front
from tests.lab.wire.private_api import (
    ACCOUNT,
    ECHO,
    LOG_FORMAT,
    REGION,
    Lab,
    PrivateApi,
    make_api,
    make_function,
    running,
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running() as both:
        yield both


@pytest.fixture(scope="module")
def api(lab: Lab) -> PrivateApi:
    """An API whose function answers with the event it got."""
    echo = make_function(lab[0], "echo", ECHO)
    api = make_api(*lab)
    for path in ("/widgets", "/widgets/new", "/widgets/{id}", "/files/{proxy+}"):
        api.lambda_method(path, "GET", echo)
    api.lambda_method("/", "ANY", echo)
    api.allow(echo)
    fails = make_function(lab[0], "fails", "def handler(event, context): raise ValueError")
    api.lambda_method("/fails", "GET", fails)
    api.allow(fails)
    lab[0].client("logs").create_log_group(logGroupName="/api/access")
    destination = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/api/access"
    api.client.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": _log_role(lab)}]
    )
    api.deploy(variables={"colour": "red"})
    api.patch_stage(
        ("/accessLogSettings/destinationArn", destination),
        ("/accessLogSettings/format", LOG_FORMAT),
    )
    return api


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[front.Stack]:
    """A private API behind a load balancer with mutual TLS, served by a wire."""
    before = set(threading.enumerate())
    with front.running(tmp_path_factory.mktemp("stack")) as running_stack:
        yield running_stack
    assert set(threading.enumerate()) <= before, "the wire left threads behind"


@pytest.fixture(scope="module")
def good(stack: front.Stack) -> Issued:
    """A client certificate that the stack trusts."""
    return stack.root.issue("client-1")


def _log_role(lab: Lab) -> str:
    iam = lab[0].client("iam")
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [allow | {"Principal": {"Service": "apigateway.amazonaws.com"}}],
    }
    role = iam.create_role(RoleName="logs", AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(
        RoleName="logs",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    )
    return role["Role"]["Arn"]


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[links.Link]:
    """The stack behind a Network Load Balancer and an endpoint service, with two customers."""
    before = set(threading.enumerate())
    with links.running(tmp_path_factory.mktemp("link")) as running_link:
        yield running_link
    assert set(threading.enumerate()) <= before, "the wire left threads behind"


@pytest.fixture(scope="module")
def trusted(link: links.Link) -> Issued:
    """A client certificate that the stack behind the link trusts."""
    return link.stack.root.issue("client-1")
