"""The URL stays when the API behind it is replaced, while clients go on calling it."""

import json
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from lab.attempt import curl
from lab.session import Lab
from tests.conftest import ROOT

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def lab(cli: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(ROOT, ["dev"], tmp_path_factory.mktemp("lab"), engine="pulumi") as lab:
        yield lab


def test_the_url_stays_when_the_api_is_replaced(lab: Lab):
    client = lab.clients()[0]
    before = lab.outputs["api_id"]
    statuses: Counter[int] = Counter()
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            statuses[curl(client.door, client.files, "/widgets").status] += 1

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        replaced = lab.engines["dev"].up(replace=["api-rest-api"])
    finally:
        done.set()
        for caller in callers:
            caller.join()
    assert replaced.outputs["api_id"] != before
    assert replaced.outputs["url"] == "https://api.example.com"
    assert set(statuses) == {200}
    assert statuses[200] > 10, "calls went on all the while"
    for _ in range(20):
        assert curl(client.door, client.files, "/widgets").status == 200


def test_the_next_deployment_shuts_the_endpoint_to_the_api_that_is_gone(lab: Lab):
    tidied = lab.engines["dev"].up()
    assert [(step.operation, step.name) for step in tidied.changing] == [
        ("update", "api-endpoint-vpce")
    ]
    (endpoint,) = lab.client("ec2").describe_vpc_endpoints(
        VpcEndpointIds=[lab.outputs["vpc_endpoint_id"]]
    )["VpcEndpoints"]
    (statement,) = json.loads(endpoint["PolicyDocument"])["Statement"]
    assert statement["Resource"].endswith(f":{tidied.outputs['api_id']}/*")
    assert lab.engines["dev"].up().changing == []
