"""What an argument may look like; anything else is a usage error (exit code 2)."""

import argparse
import re
from collections.abc import Callable
from ipaddress import IPv4Network

from ops.stack_file import PRINCIPAL

EXAMPLES = argparse.RawDescriptionHelpFormatter


def matching(pattern: str, wanted: str) -> Callable[[str], str]:
    """An argparse type: text that `pattern` matches as a whole."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise argparse.ArgumentTypeError(f"want {wanted}; got {value!r}")
        return value

    return check


customer_name = matching(
    r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?",
    "1 to 32 lower-case letters, digits and inner hyphens, a letter first, such as acme",
)
account_id = matching(r"\d{12}", "12 digits, such as 444455556666")
vpc_id = matching(r"vpc-[0-9a-f]+", "an id such as vpc-0a1b2c3d")
endpoint_id = matching(r"vpce-[0-9a-f]+", "an id such as vpce-0a1b2c3d")
zone_and_subnet = matching(
    r"[a-z0-9-]+-az\d+=subnet-[0-9a-f]+",
    "an Availability Zone id (not a name, which means another zone in each account) and a subnet, "
    "such as euw1-az1=subnet-0a1b2c3d",
)
one_line = matching(r"[^\x00-\x1f\x7f]{1,200}", "one line of at most 200 characters")


def role_arn(value: str) -> str:
    """The ARN of an IAM role, which is what AWS PrivateLink takes for a role."""
    if not PRINCIPAL.fullmatch(value) or ":role/" not in value:
        raise argparse.ArgumentTypeError(
            f"want a role's ARN, such as arn:aws:iam::444455556666:role/deploy; got {value!r}"
        )
    return value


def ipv4_block(value: str) -> IPv4Network:
    try:
        return IPv4Network(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"want a block such as 10.30.0.0/16; got {value!r} ({error})"
        ) from error


def common(*, plans: bool) -> argparse.ArgumentParser:
    """The options of every command; `plans` adds `--dry-run`."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("where, and how")
    group.add_argument(
        "--stack",
        default="prod",
        help="the producer's stack, in Pulumi.<stack>.yaml; default: prod",
    )
    group.add_argument("--profile", help="AWS profile; default: AWS_PROFILE")
    group.add_argument("--region", help="AWS region; default: the stack's aws:region")
    group.add_argument(
        "--endpoint-url",
        metavar="URL",
        help="the AWS API, such as the lab's; default: AWS_ENDPOINT_URL",
    )
    group.add_argument("--json", action="store_true", help="for machines")
    if plans:
        group.add_argument("--dry-run", action="store_true", help="print the plan and do nothing")
    return parser
