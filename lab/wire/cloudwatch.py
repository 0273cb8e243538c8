"""Lines into CloudWatch log groups, as AWS services write them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lab.wire.aws import Reader

_BATCH = 1000


def put_lines(reader: Reader, group: str, stream: str, lines: Sequence[str]) -> None:
    """Appends log events, now. Makes the stream if need be.

    Empty lines are left out: an event has at least one character (PutLogEvents, `InputLogEvent`).
    Raises ClientError (ResourceNotFoundException) if the log group does not exist.
    """
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines if line]
    client = reader.client("logs")
    where = {"logGroupName": group, "logStreamName": stream}
    for start in range(0, len(events), _BATCH):
        batch = {**where, "logEvents": events[start : start + _BATCH]}
        try:
            client.put_log_events(**batch)
        except ClientError as error:
            if not is_missing(error):
                raise
            _make(client.create_log_stream, **where)
            client.put_log_events(**batch)


def make_group(reader: Reader, group: str) -> None:
    """Makes a log group unless it is there."""
    _make(reader.client("logs").create_log_group, logGroupName=group)


def is_missing(error: ClientError) -> bool:
    """Whether the log group or stream is not there."""
    return error.response["Error"]["Code"] == "ResourceNotFoundException"


def _make(create: Callable[..., Any], **what: str) -> None:
    """Creates, unless another thread was quicker."""
    try:
        create(**what)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
