"""Customers and their endpoints, as a table and for machines."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.customers import Connection, by_account
from ops.stack_file import Customer

HEADINGS = ("NAME", "PRINCIPALS", "ENDPOINT", "STATE", "IN CONFIG", "CONTACT")
UNKNOWN = "(unknown)"
NO_CONNECTION = "none"
"""State of an endpoint that the stack lists and AWS does not."""


def described(
    customers: Mapping[str, Customer], connections: Sequence[Connection]
) -> dict[str, Any]:
    """By customer, and apart from them the connections of accounts that belong to none."""
    owned = _by_owner(connections)
    return {
        "customers": [
            {
                "name": name,
                "principals": list(customer.principals),
                "accounts": list(customer.accounts),
                "contact": customer.contact,
                "certificate_subjects": list(customer.certificate_subjects),
                "client_ids": list(customer.client_ids),
                "token_subjects": list(customer.token_subjects),
                "endpoints": list(_endpoints(customer, owned)),
            }
            for name, customer in customers.items()
        ],
        "unknown": [
            {"endpoint_id": one.endpoint_id, "owner": one.owner, "state": one.state}
            for one in _unknown(customers, connections)
        ],
    }


def table(
    customers: Mapping[str, Customer], connections: Sequence[Connection]
) -> list[Sequence[str]]:
    """Headings, and a row for each endpoint; a customer's own cells are in its first row."""
    rows: list[Sequence[str]] = [HEADINGS]
    owned = _by_owner(connections)
    for name, customer in customers.items():
        first = (name, ", ".join(customer.principals))
        contact = customer.contact or "-"
        for one in list(_endpoints(customer, owned)) or [{}]:
            configured = "yes" if one.get("configured") else "no" if one else "-"
            cells = (one.get("endpoint_id", "-"), one.get("state", "-"), configured)
            rows.append((*first, *cells, contact))
            first, contact = ("", ""), ""
    for one in _unknown(customers, connections):
        rows.append((UNKNOWN, one.owner, one.endpoint_id, one.state, "-", "-"))
    return rows


def _by_owner(connections: Sequence[Connection]) -> Mapping[str, list[Connection]]:
    owned: defaultdict[str, list[Connection]] = defaultdict(list)
    for one in connections:
        owned[one.owner].append(one)
    return owned


def _endpoints(
    customer: Customer, owned: Mapping[str, list[Connection]]
) -> Iterator[dict[str, Any]]:
    connected = [one for account in customer.accounts for one in owned.get(account, [])]
    for one in connected:
        yield {
            "endpoint_id": one.endpoint_id,
            "owner": one.owner,
            "state": one.state,
            "configured": one.endpoint_id in customer.endpoints,
        }
    known = {one.endpoint_id for one in connected}
    for endpoint_id in customer.endpoints:
        if endpoint_id not in known:
            yield {"endpoint_id": endpoint_id, "state": NO_CONNECTION, "configured": True}


def _unknown(
    customers: Mapping[str, Customer], connections: Sequence[Connection]
) -> list[Connection]:
    known = by_account(customers)
    return [one for one in connections if one.owner not in known]
