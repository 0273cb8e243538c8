"""Who may connect to an endpoint service from another account."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)", re.ASCII)
_ENDPOINT = re.compile(r"vpce-[0-9a-f]{8}([0-9a-f]{9})?")


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Another account's `principals`, which may ask to connect, and its accepted `endpoint_ids`.

    A principal is the ARN of an account's root, of a role or of a user. An endpoint's id is known
    once the customer made it and told; where no acceptance is required none is needed. Taking an id
    out cuts the connection off; taking a principal out does not (AWS PrivateLink guide, "Configure
    an endpoint service").
    """

    principals: tuple[str, ...]
    endpoint_ids: tuple[str, ...] = ()


def principal_label(principal: str) -> str:
    """A principal in short, for names: 'arn:aws:iam::444455556666:root' is '444455556666'."""
    return principal.partition(":iam::")[2].removesuffix(":root")


def check_customers(field: str, customers: Mapping[str, Customer]) -> None:
    """Refuse a name, principal or endpoint that is none, or that two customers share.

    Everybody ('*') is no principal here: whoever may ask to connect is to be known. Raises
    ValueError naming the entry of `field`.
    """
    principals: dict[str, str] = {}
    endpoints: dict[str, str] = {}
    for name, customer in customers.items():
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{field}: want names of at most 63 lower-case letters, digits and hyphens, "
                f"such as 'acme'; got {name!r}"
            )
        where = f"{field}.{name}.principals"
        if not customer.principals:
            raise ValueError(
                f"{where}: want at least one, such as 'arn:aws:iam::444455556666:root'; got none"
            )
        _check(where, customer.principals, _PRINCIPAL, "arn:aws:iam::444455556666:root")
        _claim(where, name, customer.principals, principals)
        where = f"{field}.{name}.endpoint_ids"
        _check(where, customer.endpoint_ids, _ENDPOINT, "vpce-0123456789abcdef0")
        _claim(where, name, customer.endpoint_ids, endpoints)


def _check(field: str, values: tuple[str, ...], form: re.Pattern[str], example: str) -> None:
    for value in values:
        if not form.fullmatch(value):
            raise ValueError(f"{field}: want values such as {example!r}; got {value!r}")


def _claim(field: str, name: str, values: tuple[str, ...], taken: dict[str, str]) -> None:
    for value in values:
        if other := taken.get(value):
            raise ValueError(f"{field}: want values of its own; got {value!r}, which {other} has")
        taken[value] = name
