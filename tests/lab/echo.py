"""A function that answers with the event it got, made beside a running lab."""

from typing import Any

from lab.session import Lab
from lab.wire.aws import Reader
from tests.lab.wire.private_api import ECHO, make_function


def make_echo(lab: Lab) -> str:
    """Answers its ARN; nobody may invoke it yet."""
    key = lab.cloud.credentials["producer"]
    reader = Reader(lab.cloud.endpoint_url, lab.region, key.access_key_id, key.secret_access_key)
    try:
        return make_function(reader, "echo", ECHO)
    finally:
        reader.close()


def headers_of(event: dict[str, Any]) -> dict[str, str]:
    """The headers that a function got, by name in lower case."""
    return {name.lower(): value for name, value in event["headers"].items()}
