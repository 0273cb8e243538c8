"""Which host names are taken."""

import pytest

from components.domains import check_domain
from tests.components.checks import refused

LONGEST = f"{'a' * 52}.example.com"


@pytest.mark.parametrize(
    "domain", ["a.b", "api.example.com", "x1-y2.eu-west-1.example.co.uk", "1.example.com", LONGEST]
)
def test_a_host_name_is_taken(domain: str):
    check_domain("domain", domain)


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "localhost",
        "api.example.com.",
        ".example.com",
        "api..example.com",
        "API.example.com",
        "*.example.com",
        "-api.example.com",
        "api-.example.com",
        "a_b.example.com",
        "api.example.com\n",
        "https://api.example.com",
        "münchen.example.com",
        f"{'a' * 64}.com",
        f"a{LONGEST}",
    ],
)
def test_what_is_no_host_name_or_one_of_another_form_is_refused(domain: str):
    with refused(
        "domain: want a lower-case host name of at most 64 characters, no trailing dot, "
        f"such as 'api.example.com'; got {domain!r}"
    ):
        check_domain("domain", domain)
