"""One JSON object a line, for CloudWatch Logs Insights.

What is written is codes, ids and fingerprints: never a token, a key or a certificate.
"""

import json
import logging
import sys
import time
from typing import TextIO

_LOGGER = logging.getLogger("authorizer")


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "timestamp": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, separators=(",", ":"))


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to the standard output of the moment: Lambda and tests put another in its place."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self.setFormatter(_JsonFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


def set_up() -> None:
    """Gives the authorizer's log a format and a place of its own, once."""
    if not _LOGGER.handlers:
        _LOGGER.addHandler(_Handler())
        _LOGGER.setLevel(logging.INFO)
        # Lambda's own handler on the root would write each line again.
        _LOGGER.propagate = False


def info(message: str, **fields: object) -> None:
    _LOGGER.info(message, extra={"fields": fields})


def warning(message: str, **fields: object) -> None:
    _LOGGER.warning(message, extra={"fields": fields})


def error(message: str, **fields: object) -> None:
    _LOGGER.error(message, extra={"fields": fields})
