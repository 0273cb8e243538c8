"""The private DNS name of an endpoint service, and the proof that its domain is the owner's.

"Manage DNS names for VPC endpoint services" (AWS PrivateLink): a TXT record `<name>.<domain>` with
the value `vpce:…` in public DNS, where the domain is that of the private name or a parent of it.
The verification is over when it starts; one that failed can be started again.
"""

import re
import secrets
import string

from lab.cloud import public_dns
from lab.cloud.ec2.exceptions import invalid_parameter

NAME = re.compile(
    r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)
MAX_CHARACTERS = 253
TOKEN_CHARACTERS = 20


class PrivateDnsName:
    """A name with its own proof: another name, or the same one set anew, needs another record."""

    def __init__(self, name: str) -> None:
        if not NAME.fullmatch(name) or len(name) > MAX_CHARACTERS:
            raise invalid_parameter(f"The private DNS name {name} is not valid.")
        self.name = name
        self.record_name = f"_{_token(string.ascii_lowercase)}"
        self.record_value = f"vpce:{_token(string.ascii_letters)}"
        self.state = "pendingVerification"

    @property
    def configuration(self) -> dict[str, str]:
        """PrivateDnsNameConfiguration."""
        return {
            "State": self.state,
            "Type": "TXT",
            "Value": self.record_value,
            "Name": self.record_name,
        }

    def verify(self) -> None:
        """`verified` when the record is there, else `failed`."""
        labels = self.name.removeprefix("*.").split(".")
        domains = [".".join(labels[n:]) for n in range(len(labels) - 1)]
        found = any(
            self.record_value == value.strip('"')
            for domain in domains
            for value in public_dns.values("TXT", f"{self.record_name}.{domain}")
        )
        self.state = "verified" if found else "failed"


def _token(letters: str) -> str:
    return "".join(secrets.choice(letters + string.digits) for _ in range(TOKEN_CHARACTERS))
