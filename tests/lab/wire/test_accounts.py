"""What belongs to one account, seen together with what belongs to another."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.certificates import Authority
from lab.cloud import Cloud
from lab.wire.aws import Accounts, Reader
from lab.wire.execute_api import ExecuteApi
from lab.wire.functions import Functions
from lab.wire.messages import Request, Response
from lab.wire.network import Network
from tests.lab.wire.private_api import (
    ACCOUNT,
    FORBIDDEN,
    MOCK,
    REGION,
    PrivateApi,
    make_endpoint,
    refusal,
    this_endpoint_only,
)

CUSTOMER = "444455556666"
NAME = "private.example.test"


@dataclass
class Two:
    """A producer with an API that admits the customer's endpoint only, and nothing else yet."""

    accounts: Accounts
    execute_api: ExecuteApi
    api: PrivateApi

    @property
    def producer(self) -> Reader:
        return self.accounts.of(ACCOUNT)

    @property
    def customer(self) -> Reader:
        return self.accounts.of(CUSTOMER)

    def get(self, host: str, target: str, endpoint_id: str, of: Reader) -> Response:
        request = Request(method="GET", target=target, headers=(("Host", host),))
        described = of.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[endpoint_id])
        return self.execute_api.handle(request, described["VpcEndpoints"][0], self.api.source)


@pytest.fixture(scope="module")
def two() -> Iterator[Two]:
    with Cloud({"producer": ACCOUNT, "customer": CUSTOMER}, REGION) as cloud:
        accounts = Accounts.of_keys(cloud.endpoint_url, REGION, cloud.credentials.values())
        functions = Functions(accounts)
        producer, customer = accounts.readers
        endpoint_id, vpc_id = make_endpoint(customer)
        api_id = producer.client("apigateway").create_rest_api(
            name="widgets", endpointConfiguration={"types": ["PRIVATE"]}
        )["id"]
        execute_api = ExecuteApi(accounts, functions)
        api = PrivateApi(producer, execute_api, api_id, endpoint_id, vpc_id)
        api.set_policy(this_endpoint_only(endpoint_id))
        api.method("/widgets", "GET", MOCK)
        where = {"restApiId": api_id, "resourceId": api.resource("/widgets"), "httpMethod": "GET"}
        api.client.put_method_response(**where, statusCode="204")
        api.client.put_integration_response(**where, statusCode="204")
        api.deploy()
        yield Two(accounts, execute_api, api)
        functions.close()
        accounts.close()


def test_each_reader_sees_its_own_account(two: Two) -> None:
    assert [reader.account_id for reader in two.accounts.readers] == [ACCOUNT, CUSTOMER]
    seen = {
        reader.account_id: len(answer["VpcEndpoints"])
        for reader, answer in two.accounts.each("ec2", "describe_vpc_endpoints")
    }
    assert seen == {ACCOUNT: 0, CUSTOMER: 1}
    assert two.accounts.of_arn(f"arn:aws:lambda:{REGION}:{CUSTOMER}:function:f") is two.customer
    with pytest.raises(LookupError, match="999999999999"):
        two.accounts.of("999999999999")


def test_interfaces_of_every_account_are_on_the_network(two: Two) -> None:
    owners = {one.vpc_id: one.account_id for one in Network(two.accounts).interfaces()}
    assert owners[two.api.vpc_id] == CUSTOMER


def test_an_api_answers_at_another_accounts_endpoint_that_its_policy_admits(two: Two) -> None:
    path = "/v1/widgets"
    assert two.get(two.api.host, path, two.api.endpoint_id, two.customer).status == 204
    other, _ = make_endpoint(two.customer)
    assert two.get(two.api.host, path, other, two.customer).status == 403


def make_domain(two: Two) -> dict[str, Any]:
    """A private name of the producer's, which the customer may join its endpoint to."""
    authority = Authority.create("Web CA")
    issued = authority.issue(NAME, "rsa-2048", usages=("server_auth",), names=(NAME,))
    certificate = two.producer.client("acm").import_certificate(
        Certificate=issued.certificate_pem.encode(),
        PrivateKey=issued.key_pem.encode(),
        CertificateChain=authority.certificate_pem.encode(),
    )["CertificateArn"]
    domain = two.api.client.create_domain_name(
        domainName=NAME,
        certificateArn=certificate,
        endpointConfiguration={"types": ["PRIVATE"]},
        policy=json.dumps(this_endpoint_only(two.api.endpoint_id)),
    )
    which = {"domainName": NAME, "domainNameId": domain["domainNameId"]}
    two.api.client.create_base_path_mapping(**which, restApiId=two.api.api_id, stage="v1")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CUSTOMER}:root"},
        "Action": "apigateway:CreateAccessAssociation",
        "Resource": domain["domainNameArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    operation = {"op": "replace", "path": "/managementPolicy", "value": policy}
    two.api.client.update_domain_name(**which, patchOperations=[operation])
    return domain


def test_a_private_name_answers_where_the_customer_joined_its_endpoint(two: Two) -> None:
    domain = make_domain(two)
    endpoint_id = two.api.endpoint_id
    assert refusal(two.get(NAME, "/widgets", endpoint_id, two.customer)) == FORBIDDEN
    two.customer.client("apigateway").create_domain_name_access_association(
        domainNameArn=domain["domainNameArn"],
        accessAssociationSourceType="VPCE",
        accessAssociationSource=endpoint_id,
    )
    assert two.get(NAME, "/widgets", endpoint_id, two.customer).status == 204
