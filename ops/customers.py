"""What adding, accepting and rejecting a customer takes: data in, a plan or a refusal out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ops import yaml_edit
from ops.consumer_file import ConsumerStack, Dns, ExistingVpc, NewVpc, replacement
from ops.errors import RefusedError
from ops.plan import AcceptConnections, AwaitAvailable, Plan, RejectConnections, Step, WriteFile
from ops.stack_file import CUSTOMERS, Customer, StackFile, account_of

PENDING_ACCEPTANCE, PENDING, AVAILABLE, REJECTED = (
    "pendingAcceptance",
    "pending",
    "available",
    "rejected",
)
CONNECTED = (PENDING_ACCEPTANCE, PENDING, AVAILABLE)
"""States in which a connection can still be cut. "DescribeVpcEndpointConnections", EC2 API."""


@dataclass(frozen=True, kw_only=True)
class EndpointService:
    """`zone_ids` are sorted; `verified` tells whether customers can use the private DNS name."""

    service_id: str
    service_name: str
    zone_ids: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A customer's endpoint, the account that owns it, and its state as `pendingAcceptance`."""

    endpoint_id: str
    owner: str
    state: str


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of `customer add`. Without `roles`, the whole account may connect.

    The API knows the customer by `certificate_subjects` together with `client_ids` or
    `token_subjects`; it refuses one without.
    """

    name: str
    account: str
    vpc: NewVpc | ExistingVpc
    roles: tuple[str, ...] = ()
    contact: str = ""
    certificate_subjects: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    token_subjects: tuple[str, ...] = ()
    dns: Dns | None = None
    force: bool = False


def plan_add(
    stack: StackFile,
    request: Request,
    region: str,
    service: EndpointService | None,
    consumer: StackFile | None,
) -> Plan:
    """The customer into the producer's file, and once there is a service, the customer's own file.

    `consumer` is the file that is there already. What is done already is not planned again.
    """
    _check_request(stack, request)
    steps: list[Step] = []
    if _is_new(stack, request):
        principals = request.roles or (request.account,)
        customer = Customer(
            principals=principals,
            contact=request.contact,
            certificate_subjects=request.certificate_subjects,
            client_ids=request.client_ids,
            token_subjects=request.token_subjects,
        )
        change = f"+ {CUSTOMERS}.{request.name}: {yaml_edit.flow(customer.entry())}"
        text = stack.with_customer(request.name, customer)
        steps.append(_edit(stack, text, [change]))
    deploy = f"pulumi up --stack {stack.stack}"
    if service is None:
        enable = "set mtls:privateLink: true, " * (stack.setting("mtls:privateLink") != "true")
        return Plan(
            steps=tuple(steps),
            next=(f"{enable}deploy the stack ({deploy}), then run this again",),
        )
    then = [f"{deploy}  # lets {request.name} in"] if steps else []
    steps += _consumer_steps(stack, request, region, service, consumer)
    then.append(f"in account {request.account}: pulumi up --stack {request.name}")
    then.append(f"python -m ops customer accept {request.name} --stack {stack.stack}")
    return Plan(steps=tuple(steps), next=tuple(then))


def plan_accept(
    stack: StackFile,
    name: str,
    endpoint_id: str | None,
    service: EndpointService,
    connections: Sequence[Connection],
) -> Plan:
    """Accept a customer's endpoints, all that are not rejected or the one, and list them."""
    customer = _customer(stack, name)
    if endpoint_id:
        chosen = [_owned(stack, name, endpoint_id, service, connections)]
    else:
        chosen = [one for one in _of(customer, connections) if one.state in CONNECTED]
    if not chosen:
        raise RefusedError(
            f"no endpoint of {name} (account {', '.join(customer.accounts)}) asks to be connected "
            f"to {service.service_id}; the customer deploys its stack first"
        )
    # A rejected one is accepted only by its id.
    for one in chosen:
        if one.state not in (*CONNECTED, REJECTED):
            raise RefusedError(f"{one.endpoint_id} is {one.state}; the customer makes a new one")
    steps: list[Step] = []
    if ids := _ids(one for one in chosen if one.state in (PENDING_ACCEPTANCE, REJECTED)):
        steps.append(AcceptConnections(service_id=service.service_id, endpoint_ids=ids))
    if new := tuple(one.endpoint_id for one in chosen if one.endpoint_id not in customer.endpoints):
        changes = (f"+ {CUSTOMERS}.{name}.endpoints: {each}" for each in new)
        steps.append(_edit(stack, stack.with_endpoints(name, new), changes))
    if ids := _ids(one for one in chosen if one.state != AVAILABLE):
        steps.append(AwaitAvailable(service_id=service.service_id, endpoint_ids=ids))
    then = (
        f"pulumi up --stack {stack.stack}  # the stack then knows what it accepts",
        f"in account {chosen[0].owner}: pulumi up --refresh --stack {name}  # turns private DNS on",
    )
    return Plan(steps=tuple(steps), next=then if steps else ())


def plan_reject(
    stack: StackFile,
    name: str,
    endpoint_id: str | None,
    service: EndpointService,
    connections: Sequence[Connection],
) -> Plan:
    """Cut a customer's endpoints off, all or the one, and list them no more."""
    customer = _customer(stack, name)
    known = {one.endpoint_id for one in connections}
    if endpoint_id and endpoint_id in customer.endpoints and endpoint_id not in known:
        chosen: list[Connection] = []
    elif endpoint_id:
        chosen = [_owned(stack, name, endpoint_id, service, connections)]
    else:
        chosen = _of(customer, connections)
    steps: list[Step] = []
    if ids := _ids(one for one in chosen if one.state in CONNECTED):
        steps.append(RejectConnections(service_id=service.service_id, endpoint_ids=ids))
    listed = tuple(each for each in customer.endpoints if endpoint_id in (None, each))
    if listed:
        changes = (f"- {CUSTOMERS}.{name}.endpoints: {each}" for each in listed)
        steps.append(_edit(stack, stack.without_endpoints(name, listed), changes))
    then = (f"pulumi up --stack {stack.stack}  # the stack then knows what it no longer accepts",)
    return Plan(steps=tuple(steps), next=then if steps else ())


def by_account(customers: Mapping[str, Customer]) -> dict[str, str]:
    """The name of the customer that each account belongs to."""
    return {account: name for name, one in customers.items() for account in one.accounts}


def _check_request(stack: StackFile, request: Request) -> None:
    if request.name == stack.stack:
        raise RefusedError(f"{request.name} is the producer's stack; choose another name")
    for role in request.roles:
        if account_of(role) != request.account:
            raise RefusedError(f"{role} is not in account {request.account}; give that one's roles")
    owner = by_account(stack.customers).get(request.account, request.name)
    if owner != request.name:
        raise RefusedError(
            f"account {request.account} is of the customer {owner} already, in {stack.name}; "
            "one account is one customer"
        )


def _is_new(stack: StackFile, request: Request) -> bool:
    """False where the customer is there as asked. Raises RefusedError where it is otherwise."""
    there = stack.customers.get(request.name)
    if there is None:
        return True
    if request.account not in there.accounts:
        raise RefusedError(
            f"{request.name} is a customer already, with account {', '.join(there.accounts)} in "
            f"{stack.name}, not {request.account}; choose another name"
        )
    for what, given, said in (
        ("principals", set(request.roles), set(there.principals)),
        ("contact", {request.contact} - {""}, {there.contact}),
        (
            "certificate subjects",
            set(request.certificate_subjects),
            set(there.certificate_subjects),
        ),
        ("client ids", set(request.client_ids), set(there.client_ids)),
        ("token subjects", set(request.token_subjects), set(there.token_subjects)),
    ):
        if given and given != said:
            raise RefusedError(
                f"{stack.name}: {CUSTOMERS}.{request.name} has other {what}: "
                f"{', '.join(sorted(said)) or 'none'}; change them there, or leave the option out"
            )
    return False


def _consumer_steps(
    stack: StackFile,
    request: Request,
    region: str,
    service: EndpointService,
    consumer: StackFile | None,
) -> list[Step]:
    if request.dns == "private-dns-name" and not service.verified:
        raise RefusedError(
            "--dns private-dns-name: AWS has not verified the service's private DNS name yet; wait "
            "until the stack is deployed, or use private-hosted-zone"
        )
    made = ConsumerStack(
        name=request.name,
        account=request.account,
        region=region,
        domain=stack.setting("mtls:domain"),
        service_name=service.service_name,
        zone_ids=service.zone_ids,
        vpc=request.vpc,
        dns=request.dns or ("private-dns-name" if service.verified else "private-hosted-zone"),
    )
    path = stack.path.with_name(f"Pulumi.{request.name}.yaml")
    text = replacement(consumer, made, force=request.force) if consumer else made.text()
    if text is None:
        return []
    said = [line[2:] for line in yaml_edit.block("config", made.config())[1:]]
    there = consumer.text if consumer else None
    return [WriteFile(path=path, text=text, replaces=there, changes=tuple(said))]


def _customer(stack: StackFile, name: str) -> Customer:
    if name not in stack.customers:
        near = get_close_matches(name, stack.customers, n=1)
        known = (
            f"did you mean {near[0]}?" if near else f"it has {', '.join(stack.customers) or '-'}"
        )
        raise RefusedError(f"{stack.name} has no customer {name}; {known}")
    return stack.customers[name]


def _of(customer: Customer, connections: Sequence[Connection]) -> list[Connection]:
    return [one for one in connections if one.owner in customer.accounts]


def _owned(
    stack: StackFile,
    name: str,
    endpoint_id: str,
    service: EndpointService,
    connections: Sequence[Connection],
) -> Connection:
    """The connection of an endpoint. Raises RefusedError unless it is this customer's."""
    found = next((one for one in connections if one.endpoint_id == endpoint_id), None)
    if found is None:
        raise RefusedError(
            f"{service.service_id} has no connection from {endpoint_id}; "
            f"see `python -m ops customer list --stack {stack.stack}`"
        )
    accounts = stack.customers[name].accounts
    if found.owner not in accounts:
        other = by_account(stack.customers).get(found.owner, "no customer")
        raise RefusedError(
            f"{endpoint_id} is of account {found.owner} ({other}), not of {name} "
            f"({', '.join(accounts)})"
        )
    return found


def _ids(connections: Iterable[Connection]) -> tuple[str, ...]:
    return tuple(one.endpoint_id for one in connections)


def _edit(stack: StackFile, text: str, changes: Iterable[str]) -> WriteFile:
    return WriteFile(path=stack.path, text=text, replaces=stack.text, changes=tuple(changes))
