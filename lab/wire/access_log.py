"""A stage's access log: one line per request, in the stage's format, in its CloudWatch log group.

Execution logs are not modelled, nor are Firehose destinations.
"""

import hashlib
import json
import logging

from botocore.exceptions import ClientError

from lab.wire.aws import Accounts
from lab.wire.cloudwatch import is_missing, put_lines
from lab.wire.exchange import Exchange

_log = logging.getLogger(__name__)


def write(accounts: Accounts, exchange: Exchange) -> None:
    """Writes the line, if the stage logs ("Set up CloudWatch logging for REST APIs in API
    Gateway").

    A log group deleted since is no error for the caller, as in AWS; the lab's own log says it.
    """
    if exchange.deployment is None:
        return
    stage = exchange.deployment.stage
    settings = stage.get("accessLogSettings") or {}
    destination: str = settings.get("destinationArn", "")
    if ":log-group:" not in destination:
        return
    group = destination.partition(":log-group:")[2].removesuffix(":*")
    stream = hashlib.md5(destination.encode(), usedforsecurity=False).hexdigest()
    reader = accounts.of(str(exchange.context["accountId"]))
    try:
        put_lines(reader, group, stream, [line(settings["format"], exchange)])
    except ClientError as error:
        if not is_missing(error):
            raise
        _log.warning("access log of %s not written: %s", stage["stageName"], error)


def line(template: str, exchange: Exchange) -> str:
    """The format with its `$context` variables replaced; what has no value is "-".

    Values are escaped for JSON, so that a caller cannot end a field, and so not forge one, with
    what it sends.
    """
    return exchange.render(template.strip(), "-", lambda value: json.dumps(value)[1:-1])
