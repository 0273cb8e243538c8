"""Domain name access associations: who may reach a private custom domain name."""

import json

import pytest

from .domains import named, patch
from .privatelink import build


def execute_api_endpoint(place, service="execute-api"):
    return place.ec2.create_vpc_endpoint(
        VpcId=place.vpc_id,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.eu-west-1.{service}",
        SubnetIds=list(place.subnets.values()),
        SecurityGroupIds=[place.group_id],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]


def associate(gateway, domain, source, **arguments):
    settings = {
        "domainNameArn": domain["domainNameArn"],
        "accessAssociationSourceType": "VPCE",
        "accessAssociationSource": source,
    }
    return gateway.create_domain_name_access_association(**(settings | arguments))


def associations(gateway, owner="SELF"):
    answer = gateway.get_domain_name_access_associations(resourceOwner=owner)
    return [each["domainNameAccessAssociationArn"] for each in answer["items"]]


@pytest.fixture(scope="module")
def here(client):
    return build(client("ec2"), "euw1-az1")


@pytest.fixture(scope="module")
def there(client):
    return build(client("ec2", "acme"), "euw1-az1")


def test_an_endpoint_of_the_account_is_associated(gateway, private, here, refused):
    domain, source = private(), execute_api_endpoint(here)
    made = associate(gateway, domain, source, tags={"a": "b"})
    arn = made["domainNameAccessAssociationArn"]
    assert arn == (
        "arn:aws:apigateway:eu-west-1:111122223333:/domainnameaccessassociations/domainname/"
        f"{domain['domainName']}+{domain['domainNameId']}/vpcesource/{source}"
    )
    assert made["domainNameArn"] == domain["domainNameArn"]
    assert made["accessAssociationSource"] == source
    assert made["tags"] == {"a": "b"}
    assert arn in associations(gateway)
    assert arn not in associations(gateway, "OTHER_ACCOUNTS")
    with refused("ConflictException", "already exists"):
        associate(gateway, domain, source)
    with refused("ConflictException", "has domain name access associations"):
        gateway.delete_domain_name(**named(domain))
    with refused("NotFoundException"):
        gateway.reject_domain_name_access_association(
            domainNameAccessAssociationArn=arn, domainNameArn=domain["domainNameArn"]
        )
    gateway.delete_domain_name_access_association(domainNameAccessAssociationArn=arn)
    assert arn not in associations(gateway)
    with refused("NotFoundException", "access association identifier"):
        gateway.delete_domain_name_access_association(domainNameAccessAssociationArn=arn)
    gateway.delete_domain_name(**named(domain))


def test_only_endpoints_for_execute_api_and_private_names_are_associated(
    gateway, private, regional, here, there, refused
):
    domain, source = private(), execute_api_endpoint(here)
    for wrong in ("vpce-0", execute_api_endpoint(here, "logs"), execute_api_endpoint(there)):
        with refused("BadRequestException", "is not an interface endpoint for"):
            associate(gateway, domain, wrong)
    with refused("BadRequestException", "source type"):
        associate(gateway, domain, source, accessAssociationSourceType="VPC")
    public = f"arn:aws:apigateway:eu-west-1::/domainnames/{regional()['domainName']}"
    with refused("NotFoundException", "Invalid domain name identifier"):
        associate(gateway, domain, source, domainNameArn=public)


def open_to(gateway, domain, principal, **statement):
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": principal},
             "Action": "apigateway:CreateAccessAssociation", "Resource": domain["domainNameArn"],
             **statement}
        ],
    }  # fmt: skip
    return patch(gateway, domain, managementPolicy=json.dumps(policy))


def test_another_account_needs_the_management_policy(client, gateway, private, there, refused):
    domain, source = private(), execute_api_endpoint(there)
    acme = client("apigateway", "acme")
    with refused("NotFoundException", "Invalid domain name identifier"):
        associate(acme, domain, source)
    other = private()
    for principal, statement in (
        ("arn:aws:iam::777788889999:root", {}),
        ("arn:aws:iam::444455556666:root", {"Action": "apigateway:GET"}),
        ("arn:aws:iam::444455556666:root", {"Resource": other["domainNameArn"]}),
    ):
        open_to(gateway, domain, principal, **statement)
        with refused("NotFoundException"):
            associate(acme, domain, source)
    shown = open_to(gateway, domain, "arn:aws:iam::444455556666:root")
    assert "444455556666" in shown["managementPolicy"]
    arn = associate(acme, domain, source)["domainNameAccessAssociationArn"]
    assert arn.split(":")[4] == "444455556666"
    assert arn in associations(acme)
    assert arn in associations(gateway, "OTHER_ACCOUNTS")
    found = acme.get_domain_names(resourceOwner="OTHER_ACCOUNTS")["items"]
    assert [each["domainNameArn"] for each in found] == [domain["domainNameArn"]]


def test_the_names_owner_rejects_what_another_account_made(
    client, gateway, private, there, refused
):
    domain, source = private(), execute_api_endpoint(there)
    open_to(gateway, domain, "444455556666")
    acme = client("apigateway", "acme")
    arn = associate(acme, domain, source)["domainNameAccessAssociationArn"]
    both = {"domainNameAccessAssociationArn": arn, "domainNameArn": domain["domainNameArn"]}
    for other in (client("apigateway", "globex"), acme):
        with refused("NotFoundException"):
            other.reject_domain_name_access_association(**both)
    with refused("NotFoundException"):
        gateway.delete_domain_name_access_association(domainNameAccessAssociationArn=arn)
    gateway.reject_domain_name_access_association(**both)
    assert arn not in associations(acme)
    gateway.delete_domain_name(**named(domain))


def test_tags_of_names_and_associations_change(client, gateway, private, regional):
    here = build(client("ec2"), "euw1-az1")
    secret, public = private(tags={"a": "1"}), regional()
    association = associate(gateway, secret, execute_api_endpoint(here))
    for arn in (
        secret["domainNameArn"],
        f"arn:aws:apigateway:eu-west-1::/domainnames/{public['domainName']}",
        association["domainNameAccessAssociationArn"],
    ):
        gateway.tag_resource(resourceArn=arn, tags={"a": "2", "b": "3"})
        gateway.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert gateway.get_tags(resourceArn=arn)["tags"] == {"b": "3"}
    assert gateway.get_domain_name(**named(secret))["tags"] == {"b": "3"}
