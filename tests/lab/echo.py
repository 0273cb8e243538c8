"""Functions made beside a running lab, such as one that answers with the event it got."""

from typing import Any

from lab.session import Lab
from lab.wire.aws import Reader
from tests.lab.wire.private_api import ECHO, make_function


def make_echo(lab: Lab) -> str:
    """Answers its ARN; nobody may invoke it yet."""
    return make_beside(lab, "echo", ECHO)


def make_beside(lab: Lab, name: str, source: str) -> str:
    """A function of the producer's that no stack has; answers its ARN."""
    key = lab.cloud.credentials["producer"]
    reader = Reader(lab.cloud.endpoint_url, lab.region, key.access_key_id, key.secret_access_key)
    try:
        return make_function(reader, name, source)
    finally:
        reader.close()


def headers_of(event: dict[str, Any]) -> dict[str, str]:
    """The headers that a function got, by name in lower case."""
    return {name.lower(): value for name, value in event["headers"].items()}
