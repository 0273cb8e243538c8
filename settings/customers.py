"""The customers of a producer, and how they connect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from components import Customer
from components.customers import check_customers
from components.regions import check_region
from settings import tenants
from settings.reader import PROJECT, Reader, SettingError, entry, text, texts

_EXAMPLE = "{principals: ['444455556666'], endpoints: [vpce-0123456789abcdef0]}"


@dataclass(frozen=True, kw_only=True)
class CustomerSettings:
    """`contact` says whom to write to."""

    admitted: Customer
    contact: str


class PrivateLinkSettings(TypedDict):
    """What `PrivateLinkServiceArgs` takes from the configuration."""

    customers: Mapping[str, Customer]
    acceptance_required: bool
    supported_regions: tuple[str, ...]


def private_link(read: Reader) -> tuple[dict[str, CustomerSettings], PrivateLinkSettings | None]:
    """The customers, and the way in for them; None where other accounts have none."""
    customers = read.map("customers", lambda field, value: _customer(read, field, value))
    check_customers(f"{PROJECT}:customers", {name: one.admitted for name, one in customers.items()})
    regions = read.texts("supportedRegions", "[eu-central-1]")
    for region in regions:
        check_region(f"{PROJECT}:supportedRegions", region)
    settings: PrivateLinkSettings = {
        "customers": {name: one.admitted for name, one in customers.items()},
        "acceptance_required": read.flag("acceptanceRequired"),
        "supported_regions": regions,
    }
    if read.flag("privateLink"):
        return customers, settings
    if customers:
        raise SettingError(
            f"{PROJECT}:customers: want none without {PROJECT}:privateLink; "
            f"got {', '.join(customers)}"
        )
    return customers, None


def _customer(read: Reader, field: str, value: Any) -> CustomerSettings:
    keys = {"principals", "endpoints", "contact", *tenants.KEYS}
    given = entry(field, value, keys, _EXAMPLE)
    principals = texts(f"{field}.principals", given.get("principals", []), "['444455556666']")
    return CustomerSettings(
        admitted=Customer(
            principals=tuple(_principal(read, one) for one in principals),
            endpoint_ids=texts(f"{field}.endpoints", given.get("endpoints", []), "[vpce-0abc]"),
        ),
        contact=text(f"{field}.contact", given["contact"]) if "contact" in given else "",
    )


def _principal(read: Reader, given: str) -> str:
    """An account id stands for the whole account."""
    if not re.fullmatch(r"\d{12}", given):
        return given
    return f"arn:{read.partition()}:iam::{given}:root"
