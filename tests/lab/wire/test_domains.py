"""Custom domain names of both kinds, at the endpoint and in public."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lab.certificates import Authority
from lab.wire.messages import Request, Response
from tests.lab.wire.private_api import (
    ACCOUNT,
    ECHO,
    FORBIDDEN,
    REGION,
    Lab,
    PrivateApi,
    event_of,
    make_api,
    make_endpoint,
    make_function,
    refusal,
    this_endpoint_only,
)

PRIVATE, REGIONAL = "private.example.test", "regional.example.test"


@dataclass
class Domains:
    """An API with one domain name of each kind, without mappings."""

    api: PrivateApi
    certificate: str
    private_id: str = ""
    private_arn: str = ""
    association: str = ""

    def __post_init__(self) -> None:
        self.make_private(PRIVATE)
        self.associate(self.api.endpoint_id)
        self.api.client.create_domain_name(
            domainName=REGIONAL,
            regionalCertificateArn=self.certificate,
            endpointConfiguration={"types": ["REGIONAL"]},
            securityPolicy="TLS_1_2",
        )

    def make_private(self, name: str) -> None:
        made = self.api.client.create_domain_name(
            domainName=name,
            certificateArn=self.certificate,
            endpointConfiguration={"types": ["PRIVATE"]},
            policy=json.dumps(this_endpoint_only(self.api.endpoint_id)),
            securityPolicy="TLS_1_2",
        )
        self.private_id, self.private_arn = made["domainNameId"], made["domainNameArn"]

    def associate(self, endpoint_id: str) -> None:
        self.association = self.api.client.create_domain_name_access_association(
            domainNameArn=self.private_arn,
            accessAssociationSourceType="VPCE",
            accessAssociationSource=endpoint_id,
        )["domainNameAccessAssociationArn"]

    def dissociate(self) -> None:
        self.api.client.delete_domain_name_access_association(
            domainNameAccessAssociationArn=self.association
        )

    def which(self, name: str) -> dict[str, str]:
        identity = {"domainNameId": self.private_id} if name == PRIVATE else {}
        return {"domainName": name, **identity}

    @contextmanager
    def mapped(
        self, name: str, base_path: str = "", stage: str = "v1", api: str = ""
    ) -> Iterator[None]:
        """A mapping meanwhile; without a stage where that is empty."""
        where = {"basePath": base_path or "(none)"}
        chosen = {"stage": stage} if stage else {}
        self.api.client.create_base_path_mapping(
            **self.which(name), **where, **chosen, restApiId=api or self.api.api_id
        )
        yield
        self.api.client.delete_base_path_mapping(**self.which(name), **where)

    def set_policy(self, policy: Any) -> None:
        operation = {"op": "replace", "path": "/policy", "value": json.dumps(policy)}
        self.api.client.update_domain_name(**self.which(PRIVATE), patchOperations=[operation])

    def set_endpoint_policy(self, *resources: str, **condition: Any) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": list(resources),
            **({"Condition": condition} if condition else {}),
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.api.reader.client("ec2").modify_vpc_endpoint(
            VpcEndpointId=self.api.endpoint_id, PolicyDocument=json.dumps(policy)
        )

    def reset_endpoint_policy(self) -> None:
        self.api.reader.client("ec2").modify_vpc_endpoint(
            VpcEndpointId=self.api.endpoint_id, ResetPolicy=True
        )

    def get(self, name: str, target: str, **changes: Any) -> Response:
        return self.api.get("", host=name, target=target, **changes)


@pytest.fixture(scope="module")
def domains(lab: Lab) -> Domains:
    """Its API answers every path with the event it got."""
    echo = make_function(lab[0], "echo", ECHO)
    api = make_api(*lab)
    for path in ("/", "/widgets", "/a/b"):
        api.lambda_method(path, "GET", echo)
    api.allow(echo)
    api.deploy()
    authority = Authority.create("Web CA")
    issued = authority.issue(
        PRIVATE, "rsa-2048", usages=("server_auth",), names=(PRIVATE, REGIONAL, "other.test")
    )
    certificate = (
        lab[0]
        .client("acm")
        .import_certificate(
            Certificate=issued.certificate_pem.encode(),
            PrivateKey=issued.key_pem.encode(),
            CertificateChain=authority.certificate_pem.encode(),
        )["CertificateArn"]
    )
    return Domains(api, certificate)


@pytest.mark.parametrize("name", [PRIVATE, REGIONAL])
def test_a_name_leads_to_what_is_mapped(domains: Domains, name: str) -> None:
    with domains.mapped(name):
        event = event_of(domains.get(name, "/widgets?a=1"))
    assert (event["path"], event["resource"]) == ("/widgets", "/widgets")
    assert event["requestContext"]["stage"] == "v1"
    assert event["requestContext"]["domainName"] == name
    assert event["requestContext"]["path"] == "/widgets"
    assert refusal(domains.get(name, "/widgets")) == FORBIDDEN, "nothing is mapped any more"


@pytest.mark.parametrize("name", [PRIVATE, REGIONAL])
def test_a_base_path_is_taken_off_for_the_api_and_told_to_the_function(
    domains: Domains, name: str
) -> None:
    with domains.mapped(name, "shop"):
        event = event_of(domains.get(name, "/shop/widgets"))
        assert (event["path"], event["resource"]) == ("/shop/widgets", "/widgets")
        assert event_of(domains.get(name, "/shop"))["resource"] == "/"
        for outside in ("/widgets", "/shopping/widgets", "/Shop/widgets", "/"):
            assert refusal(domains.get(name, outside)) == FORBIDDEN


def test_the_longest_base_path_wins_over_the_empty_one(domains: Domains) -> None:
    with domains.mapped(PRIVATE), domains.mapped(PRIVATE, "a"):
        assert event_of(domains.get(PRIVATE, "/a/a/b"))["resource"] == "/a/b"
        assert event_of(domains.get(PRIVATE, "/widgets"))["resource"] == "/widgets"
        assert domains.get(PRIVATE, "/a/b").status == 403, "/b, which is no resource of the API"


def test_a_mapping_without_a_stage_leaves_it_to_the_path(domains: Domains) -> None:
    with domains.mapped(PRIVATE, "shop", stage=""):
        event = event_of(domains.get(PRIVATE, "/shop/v1/widgets"))
        assert (event["resource"], event["requestContext"]["stage"]) == ("/widgets", "v1")
        assert refusal(domains.get(PRIVATE, "/shop/v2/widgets")) == FORBIDDEN


def test_a_private_name_needs_an_association_with_the_endpoint(domains: Domains) -> None:
    with domains.mapped(PRIVATE):
        domains.dissociate()
        assert refusal(domains.get(PRIVATE, "/widgets")) == FORBIDDEN
        domains.associate(domains.api.endpoint_id)
        assert domains.get(PRIVATE, "/widgets").status == 200


def test_another_endpoint_with_no_association_is_turned_away(domains: Domains) -> None:
    other, _ = make_endpoint(domains.api.reader)
    with domains.mapped(PRIVATE):
        assert refusal(domains.get(PRIVATE, "/widgets", endpoint_id=other)) == FORBIDDEN


def denied(response: Response) -> str:
    """Why a policy denied it."""
    assert response.status == 403
    assert response.header("x-amzn-ErrorType") == "AccessDeniedException"
    return json.loads(response.body)["Message"]


def test_the_names_own_policy_is_asked(domains: Domains) -> None:
    with domains.mapped(PRIVATE):
        domains.set_policy(this_endpoint_only("vpce-0123456789abcdef0"))
        text = denied(domains.get(PRIVATE, "/widgets"))
        assert f":/domainnames/{PRIVATE}+{domains.private_id}/widgets" in text
        assert text.endswith("with an explicit deny in a resource-based policy")
        domains.set_policy(this_endpoint_only(domains.api.endpoint_id))
        assert domains.get(PRIVATE, "/widgets").status == 200


def test_the_apis_policy_is_asked_too(domains: Domains) -> None:
    by_name = {"ArnEquals": {"execute-api:viaDomainArn": domains_arn(domains)}}
    policy = this_endpoint_only(domains.api.endpoint_id)
    policy["Statement"][1]["Condition"] = by_name
    with domains.mapped(PRIVATE):
        domains.api.set_policy(policy)
        domains.api.deploy()
        assert "resource-based" in denied(domains.get(PRIVATE, "/widgets"))
        assert domains.api.get("/widgets").status == 200, "not by the domain name"
        domains.api.set_policy(this_endpoint_only(domains.api.endpoint_id))
        domains.api.deploy()
        assert domains.get(PRIVATE, "/widgets").status == 200


def domains_arn(domains: Domains) -> str:
    identity = f"{PRIVATE}+{domains.private_id}"
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:/domainnames/{identity}"


def test_the_endpoint_policy_must_admit_both_the_name_and_the_api(domains: Domains) -> None:
    # With another policy than the default one a signature is wanted where nothing else decides;
    # no Authorization header is sent here.
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{domains.api.api_id}/*"
    name = domains_arn(domains)
    with domains.mapped(PRIVATE), domains.mapped(REGIONAL):
        for resources in ([api], [name], [api, f"{name}/*"], [api, name.rpartition("+")[0]]):
            domains.set_endpoint_policy(*resources)
            assert "VPC endpoint policy" in denied(domains.get(PRIVATE, "/widgets"))
        for resources in ([api, name], [api, f"{name.rpartition('+')[0]}+*"], ["*"]):
            domains.set_endpoint_policy(*resources)
            assert domains.get(PRIVATE, "/widgets").status == 200
        domains.set_endpoint_policy("*", ArnEquals={"execute-api:viaDomainArn": name})
        assert domains.get(PRIVATE, "/widgets").status == 200
        assert domains.api.get("/widgets").status == 403
        # A Regional name is nothing to the endpoint policy.
        domains.set_endpoint_policy(api)
        assert domains.get(REGIONAL, "/widgets").status == 200
    domains.reset_endpoint_policy()


def test_without_the_default_name_the_api_answers_to_domain_names_only(domains: Domains) -> None:
    def disable(value: str) -> None:
        patch = {"op": "replace", "path": "/disableExecuteApiEndpoint", "value": value}
        domains.api.client.update_rest_api(restApiId=domains.api.api_id, patchOperations=[patch])
        domains.api.deploy()

    disable("True")
    with domains.mapped(PRIVATE):
        assert refusal(domains.api.get("/widgets")) == FORBIDDEN
        assert domains.get(PRIVATE, "/widgets").status == 200
    disable("False")
    assert domains.api.get("/widgets").status == 200


def test_a_host_that_is_no_name_of_anything_is_turned_away(domains: Domains) -> None:
    for host in ("nothing.test", "", f"sub.{PRIVATE}"):
        assert refusal(domains.get(host, "/widgets")) == FORBIDDEN


def test_a_name_is_found_in_any_case_and_with_a_port(domains: Domains) -> None:
    with domains.mapped(PRIVATE):
        assert domains.get(f"{PRIVATE.upper()}:443", "/widgets").status == 200


def in_public(domains: Domains, host: str, target: str = "/widgets") -> Response:
    request = Request(method="GET", target=target, headers=(("Host", host),))
    return domains.api.execute_api.handle(request, None, domains.api.source)


def test_in_public_a_regional_name_is_closed_by_the_apis_policy(domains: Domains) -> None:
    with domains.mapped(REGIONAL), domains.mapped(PRIVATE):
        text = denied(in_public(domains, REGIONAL))
        assert text.endswith("with an explicit deny in a resource-based policy")
        assert refusal(in_public(domains, PRIVATE)) == FORBIDDEN
        assert refusal(in_public(domains, domains.api.host, "/v1/widgets")) == FORBIDDEN


def test_in_public_a_policy_that_does_not_ask_for_the_endpoint_lets_everybody_in(
    domains: Domains,
) -> None:
    policy = this_endpoint_only(domains.api.endpoint_id)
    del policy["Statement"][1]
    domains.api.set_policy(policy)
    domains.api.deploy()
    with domains.mapped(REGIONAL):
        event = event_of(in_public(domains, REGIONAL))
    assert event["requestContext"]["identity"]["vpceId"] is None
    domains.api.set_policy(this_endpoint_only(domains.api.endpoint_id))
    domains.api.deploy()
