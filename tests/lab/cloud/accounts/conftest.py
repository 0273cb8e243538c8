"""A running AWS API with a producer's account and two customers'."""

import itertools
import json
from collections.abc import Iterator

import pytest

from lab.cloud import Cloud

from .domains import POLICY

REGION = "eu-west-1"
NUMBER = itertools.count()
ACCOUNTS = {"producer": "111122223333", "acme": "444455556666", "globex": "777788889999"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(ACCOUNTS, REGION) as running:
        yield running


@pytest.fixture(scope="module")
def certify(client):
    """`certify("a.test", …, account="acme")`: the ARN of an issued ACM certificate."""
    zones = {}

    def make(*domains, account="producer", validate=True, **arguments):
        acm, route53 = client("acm", account), client("route53", account)
        arn = acm.request_certificate(
            DomainName=domains[0], SubjectAlternativeNames=list(domains), ValidationMethod="DNS",
            IdempotencyToken=f"t{next(NUMBER)}", **arguments,
        )["CertificateArn"]  # fmt: skip
        options = acm.describe_certificate(CertificateArn=arn)["Certificate"]
        if account not in zones:
            made = route53.create_hosted_zone(Name="test", CallerReference=account)
            zones[account] = made["HostedZone"]["Id"]
        changes = [
            {
                "Action": "UPSERT",
                "ResourceRecordSet": {
                    "Name": option["ResourceRecord"]["Name"],
                    "Type": "CNAME",
                    "TTL": 60,
                    "ResourceRecords": [{"Value": option["ResourceRecord"]["Value"]}],
                },
            }
            for option in options["DomainValidationOptions"]
        ]
        if validate:
            route53.change_resource_record_sets(
                HostedZoneId=zones[account], ChangeBatch={"Changes": changes}
            )
        return arn

    return make


@pytest.fixture(scope="module")
def gateway(client):
    return client("apigateway")


@pytest.fixture(scope="module")
def wildcard(certify):
    return certify("*.widgets.test")


@pytest.fixture
def private(gateway, wildcard):
    """`private("a.widgets.test", …)`: a private custom domain name."""

    def make(name=None, on=gateway, **arguments):
        settings = {
            "domainName": name or f"p{next(NUMBER)}.widgets.test",
            "endpointConfiguration": {"types": ["PRIVATE"]},
            "certificateArn": wildcard,
        }
        return on.create_domain_name(**(settings | arguments))

    return make


@pytest.fixture
def regional(gateway, wildcard):
    def make(name=None, on=gateway, **arguments):
        settings = {
            "domainName": name or f"r{next(NUMBER)}.widgets.test",
            "endpointConfiguration": {"types": ["REGIONAL"]},
            "regionalCertificateArn": wildcard,
        }
        return on.create_domain_name(**(settings | arguments))

    return make


@pytest.fixture
def create_api(gateway):
    """`create_api("PRIVATE")`: an API with a stage `v1`, by id."""

    def make(kind="PRIVATE"):
        private = {"policy": json.dumps(POLICY)} if kind == "PRIVATE" else {}
        api = gateway.create_rest_api(name="w", endpointConfiguration={"types": [kind]}, **private)
        at = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
        gateway.put_method(**at, authorizationType="NONE")
        gateway.put_integration(**at, type="MOCK")
        gateway.create_deployment(restApiId=api["id"], stageName="v1")
        return api["id"]

    return make
