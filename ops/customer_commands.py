"""`python -m ops customer …`: read, plan, say, do."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ops import arguments, stack_file
from ops.consumer_file import ExistingVpc, NewVpc
from ops.customers import (
    Connection,
    EndpointService,
    Request,
    plan_accept,
    plan_add,
    plan_reject,
)
from ops.endpoint_service import Producer
from ops.errors import RefusedError
from ops.listing import described, table
from ops.output import put_json, put_plan, put_table, say
from ops.plan import AcceptConnections, AwaitAvailable, Plan, RejectConnections, WriteFile
from ops.stack_file import StackFile

Planner = Callable[
    [StackFile, str, str | None, EndpointService, Sequence[Connection]],
    Plan,
]

EXAMPLES = {
    "customer": """\
examples, in the order of a customer's life:
  python -m ops customer add acme --account 444455556666 --contact ops@acme.example \\
      --certificate-subject CN=acme,O=Acme --client-id acme
  python -m ops customer list
  python -m ops customer accept acme
  python -m ops customer reject acme --yes
""",
    "add": """\
The customer's file says nothing of the producer but the service's name, zones and domain; give it
to the customer with this program. A second run goes on where the first one stopped.

examples:
  python -m ops customer add acme --account 444455556666 --dry-run
  python -m ops customer add acme --account 444455556666 \\
      --role arn:aws:iam::444455556666:role/deploy
  python -m ops customer add acme --account 444455556666 \\
      --vpc vpc-0a1b2c3d --subnets euw1-az1=subnet-0a1b euw1-az2=subnet-0c2d
""",
    "list": """\
Accounts that connect and belong to no customer are marked (unknown).

examples:
  python -m ops customer list
  python -m ops customer list --json --stack prod
""",
    "accept": """\
Waits until what it accepted is available.

examples:
  python -m ops customer accept acme --dry-run
  python -m ops customer accept acme
  python -m ops customer accept acme --endpoint vpce-0a1b2c3d
""",
    "reject": """\
This cuts the customer off, at once.

examples:
  python -m ops customer reject acme --dry-run
  python -m ops customer reject acme --endpoint vpce-0a1b2c3d --yes
""",
}


def add_to(commands: Any) -> None:
    """`customer` and what is below it."""
    text = "let customers in: their accounts, their stack files, their connections"
    parser = _parser(commands, "customer", text)
    below = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_options(_leaf(below, "add", _add, "put a customer into the stack and write its own file"))
    _leaf(below, "list", _list, "show customers and their endpoints", name=False, plans=False)
    accept = _leaf(below, "accept", _accept, "accept a customer's endpoints, and list them")
    reject = _leaf(
        below, "reject", _reject, "cut a customer's endpoints off, and list them no more"
    )
    for leaf in (accept, reject):
        leaf.add_argument("--endpoint", type=arguments.endpoint_id, help="this one; default: all")
    reject.add_argument("--yes", action="store_true", help="really cut the customer off")


def _parser(commands: Any, name: str, text: str, **settings: Any) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EXAMPLES[name],
        formatter_class=arguments.EXAMPLES,
        **settings,
    )


def _leaf(
    commands: Any,
    command: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
    *,
    name: bool = True,
    plans: bool = True,
) -> argparse.ArgumentParser:
    leaf = _parser(commands, command, text, parents=[arguments.common(plans=plans)])
    leaf.set_defaults(run=run, usage_error=leaf.error)
    if name:
        leaf.add_argument("name", metavar="NAME", type=arguments.customer_name)
    return leaf


def _add_options(leaf: argparse.ArgumentParser) -> None:
    leaf.add_argument(
        "--account", required=True, type=arguments.account_id, help="the customer's AWS account"
    )
    leaf.add_argument(
        "--role",
        nargs="+",
        default=[],
        type=arguments.role_arn,
        metavar="ARN",
        help="only these roles of it may connect; default: the whole account",
    )
    leaf.add_argument(
        "--vpc-cidr",
        type=arguments.ipv4_block,
        metavar="CIDR",
        help="block of the VPC that the customer's stack makes; default: 10.30.0.0/16",
    )
    leaf.add_argument("--vpc", type=arguments.vpc_id, help="a VPC of the customer's instead")
    leaf.add_argument(
        "--subnets",
        nargs="+",
        default=[],
        type=arguments.zone_and_subnet,
        metavar="ZONE=SUBNET",
        help="its subnets, by Availability Zone id",
    )
    leaf.add_argument(
        "--dns",
        choices=("private-dns-name", "private-hosted-zone"),
        help="how the customer's VPC resolves the domain; default: private-dns-name once AWS has "
        "verified it, else private-hosted-zone",
    )
    leaf.add_argument("--contact", type=arguments.one_line, help="whom to ask")
    for option, metavar, text in (
        ("--certificate-subject", "DN", "subjects of its certificates, such as CN=acme,O=Acme"),
        ("--client-id", "ID", "client ids that its tokens are issued to"),
        ("--token-subject", "SUB", "subjects ('sub') of its tokens"),
    ):
        leaf.add_argument(
            option, nargs="+", default=[], type=arguments.one_line, metavar=metavar, help=text
        )
    leaf.add_argument("--force", action="store_true", help="replace the customer's file")


def _add(options: argparse.Namespace) -> None:
    if bool(options.certificate_subject) != bool(options.client_id or options.token_subject):
        options.usage_error(
            "--certificate-subject, --client-id, --token-subject: want a customer's certificates "
            "and its tokens, or neither"
        )
    request = Request(
        name=options.name,
        account=options.account,
        vpc=_vpc(options),
        roles=tuple(options.role),
        contact=options.contact or "",
        certificate_subjects=tuple(options.certificate_subject),
        client_ids=tuple(options.client_id),
        token_subjects=tuple(options.token_subject),
        dns=options.dns,
        force=options.force,
    )
    stack = _stack(options)
    consumer = StackFile.read(request.name, Path.cwd())
    with _producer(options, stack) as producer:
        service = producer.find(_domain(stack))
        if service is None:
            say(f"no endpoint service for {_domain(stack)} in {producer.place()}")
        plan = plan_add(stack, request, producer.region, service, consumer)
        _carry_out(options, plan, producer)


def _vpc(options: argparse.Namespace) -> NewVpc | ExistingVpc:
    subnets = dict(pair.split("=") for pair in options.subnets)
    if bool(options.vpc) != bool(subnets):
        options.usage_error("--vpc and --subnets: want both or neither")
    if len(subnets) != len(options.subnets):
        options.usage_error("--subnets: want one for each zone")
    if options.vpc and options.vpc_cidr:
        options.usage_error("--vpc and --vpc-cidr: want one of the two")
    if options.vpc:
        return ExistingVpc(vpc_id=options.vpc, subnet_ids=subnets)
    return NewVpc(cidr=options.vpc_cidr or arguments.ipv4_block("10.30.0.0/16"))


def _list(options: argparse.Namespace) -> None:
    stack = _stack(options)
    with _producer(options, stack) as producer:
        service = producer.find(_domain(stack))
        if service is None:
            say(f"no endpoint service for {_domain(stack)} in {producer.place()}")
        connections = producer.connections(service.service_id) if service else []
    if options.json:
        put_json(described(stack.customers, connections))
    else:
        put_table(table(stack.customers, connections))


def _accept(options: argparse.Namespace) -> None:
    _connect(options, plan_accept)


def _reject(options: argparse.Namespace) -> None:
    _connect(options, plan_reject)


def _connect(options: argparse.Namespace, planner: Planner) -> None:
    stack = _stack(options)
    with _producer(options, stack) as producer:
        service = producer.find(_domain(stack))
        if service is None:
            raise RefusedError(
                f"no endpoint service for {_domain(stack)} in {producer.place()}; "
                f"deploy the stack first (pulumi up --stack {stack.stack})"
            )
        connections = producer.connections(service.service_id)
        plan = planner(stack, options.name, options.endpoint, service, connections)
        _carry_out(options, plan, producer)


def _carry_out(options: argparse.Namespace, plan: Plan, producer: Producer) -> None:
    """Print the plan, and unless this is a dry run, do it."""
    if not options.json:
        put_plan(plan)
    cuts = any(isinstance(step, RejectConnections) for step in plan.steps)
    if cuts and not (options.dry_run or options.yes):
        raise RefusedError(f"this cuts {options.name} off; to do it, run it again with --yes")
    if not plan.steps:
        say("nothing to do")
    elif not options.dry_run:
        _perform(plan, producer)
        say("done")
    if options.json:
        put_json(plan.described(performed=not options.dry_run))
    for line in plan.next:
        say(f"next: {line}")


def _perform(plan: Plan, producer: Producer) -> None:
    for step in plan.steps:
        match step:
            case WriteFile():
                stack_file.write(step.path, step.text, step.replaces)
            case AcceptConnections():
                producer.accept(step.service_id, step.endpoint_ids)
            case RejectConnections():
                producer.reject(step.service_id, step.endpoint_ids)
            case AwaitAvailable():
                producer.await_available(step.service_id, step.endpoint_ids, say)


def _stack(options: argparse.Namespace) -> StackFile:
    stack = StackFile.read(options.stack, Path.cwd())
    if stack is None:
        known = ", ".join(stack_file.producer_stacks(Path.cwd())) or "none"
        raise RefusedError(f"no Pulumi.{options.stack}.yaml here; --stack can be: {known}")
    if stack.setting("mtls:role") == "consumer":
        raise RefusedError(f"{stack.name} is a customer's; give the producer's --stack")
    return stack


def _domain(stack: StackFile) -> str:
    domain = stack.setting("mtls:domain")
    if not domain:
        raise RefusedError(f"{stack.name}: mtls:domain: want the name that clients call; got none")
    return domain


def _producer(options: argparse.Namespace, stack: StackFile) -> Producer:
    region = options.region or stack.setting("aws:region")
    if not region:
        raise RefusedError(f"{stack.name} has no aws:region; set it, or give --region")
    return Producer(options.profile, region, options.endpoint_url)
