"""`python -m ops`: customers of a private API, from their line of configuration to a connection."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from ops import customer_commands
from ops.arguments import EXAMPLES
from ops.errors import RefusedError
from ops.output import say

SIGNED_OUT = ("ExpiredToken", "InvalidClientTokenId", "AuthFailure", "RequestExpired")
EPILOG = """\
Run it in the folder of Pulumi.yaml, with credentials of the producer's account.
Data goes to stdout, narration to stderr. Exit code: 0 done, 1 refused or failed, 2 usage.

examples:
  python -m ops customer add acme --account 444455556666
  python -m ops customer list
  AWS_ENDPOINT_URL=http://127.0.0.1:5000 python -m ops customer list --stack dev   # in the lab
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit 0 done, 1 refused or failed; argparse exits with 2 for usage."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (RefusedError, OSError) as error:
        say(f"error: {error}")
    except ClientError as error:
        say(f"error: {_refusal(error)}")
    except BotoCoreError as error:
        say(f"error: {error}; check --profile, --region and --endpoint-url")
    except KeyboardInterrupt:
        say("stopped; run it again to go on")
    else:
        return 0
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops", description=__doc__, epilog=EPILOG, formatter_class=EXAMPLES
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    customer_commands.add_to(commands)
    return parser


def _refusal(error: ClientError) -> str:
    """AWS's words, and what to do where it is not in them."""
    said = cast("dict[str, str]", cast("Any", error).response.get("Error", {}))
    code = said.get("Code", "")
    cure = "; sign in again" if code in SIGNED_OUT else ""
    if code in ("UnauthorizedOperation", "AccessDenied"):
        cure = f"; allow this identity {error.operation_name}"
    return f"AWS refused {error.operation_name}: {code}: {said.get('Message', '')}{cure}"


if __name__ == "__main__":
    sys.exit(main())
