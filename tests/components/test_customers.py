"""Customers: who is none, and what two cannot share."""

import pytest

from components.customers import Customer, check_customers, principal_label
from tests.components.checks import refused

ROOT = "arn:aws:iam::444455556666:root"
OTHER = "arn:aws:iam::777788889999:root"
ENDPOINT = "vpce-0123456789abcdef0"


def check(**customers: Customer) -> None:
    check_customers("customers", customers)


@pytest.mark.parametrize(
    "principal",
    [
        ROOT,
        "arn:aws:iam::444455556666:role/deploy/Deployer",
        "arn:aws:iam::444455556666:user/anna@example.com",
        "arn:aws-cn:iam::444455556666:root",
        "arn:aws-us-gov:iam::444455556666:root",
    ],
)
def test_accounts_roles_and_users_may_ask_to_connect(principal: str):
    check(acme=Customer(principals=(principal,)))


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        "444455556666",
        "arn:aws:iam::*:root",
        "arn:aws:iam::444455556666:*",
        "arn:aws:iam::444455556666:role/*",
        "arn:aws:iam::444455556666:role/Dep?oyer",
        "arn:aws:iam::444455556666:group/all",
        "arn:aws:sts::444455556666:assumed-role/Deployer/anna",
        f"{ROOT}\n",
        "",
    ],
)
def test_everybody_and_whatever_else_is_no_principal_is_refused(principal: str):
    with refused(f"customers.acme.principals: want values such as '{ROOT}'; got {principal!r}"):
        check(acme=Customer(principals=(ROOT, principal)))


def test_a_customer_without_principals_is_refused():
    with refused(f"customers.acme.principals: want at least one, such as '{ROOT}'; got none"):
        check(acme=Customer(principals=()))


@pytest.mark.parametrize("name", ["acme corp", "Acme", "acme/eu", "-acme", "", "a" * 64])
def test_a_name_that_does_not_fit_into_names_is_refused(name: str):
    with refused(
        "customers: want names of at most 63 lower-case letters, digits and hyphens, "
        f"such as 'acme'; got {name!r}"
    ):
        check_customers("customers", {name: Customer(principals=(ROOT,))})
    check_customers("customers", {"acme-2": Customer(principals=(ROOT,))})


@pytest.mark.parametrize("endpoint", ["vpce-1", "vpce-svc-0123456789abcdef0", "eni-01234567"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str):
    with refused(
        f"customers.acme.endpoint_ids: want values such as '{ENDPOINT}'; got '{endpoint}'"
    ):
        check(acme=Customer(principals=(ROOT,), endpoint_ids=(ENDPOINT, endpoint)))


def test_two_customers_with_one_principal_are_refused():
    with refused(
        f"customers.globex.principals: want values of its own; got '{ROOT}', which acme has"
    ):
        check(acme=Customer(principals=(ROOT,)), globex=Customer(principals=(OTHER, ROOT)))


def test_two_customers_with_one_endpoint_are_refused():
    with refused(
        f"customers.globex.endpoint_ids: want values of its own; got '{ENDPOINT}', which acme has"
    ):
        check(
            acme=Customer(principals=(ROOT,), endpoint_ids=(ENDPOINT,)),
            globex=Customer(principals=(OTHER,), endpoint_ids=(ENDPOINT,)),
        )


def test_a_principal_given_twice_is_refused():
    with refused(
        f"customers.acme.principals: want values of its own; got '{ROOT}', which acme has"
    ):
        check(acme=Customer(principals=(ROOT, ROOT)))


def test_an_account_goes_by_its_number_and_a_role_by_its_path():
    assert principal_label(ROOT) == "444455556666"
    role = "arn:aws:iam::444455556666:role/deploy/Deployer"
    assert principal_label(role) == "444455556666:role/deploy/Deployer"
