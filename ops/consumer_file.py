"""The stack file that a customer deploys in its own account.

It holds what the customer needs and nothing else of the producer: no resource, no account, no other
customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Literal

from ops import yaml_edit
from ops.errors import RefusedError
from ops.stack_file import StackFile

Dns = Literal["private-dns-name", "private-hosted-zone"]
SUBNET_PREFIX = 24
MOST_ZONES = 3


@dataclass(frozen=True, kw_only=True)
class NewVpc:
    """A VPC that the customer's stack makes, a /24 of `cidr` in each of the service's zones."""

    cidr: IPv4Network

    def settings(self, zone_ids: Sequence[str]) -> dict[str, Any]:
        chosen = sorted(zone_ids)[:MOST_ZONES]
        prefix = self.cidr.prefixlen
        if not 16 <= prefix <= SUBNET_PREFIX or 2 ** (SUBNET_PREFIX - prefix) < len(chosen):
            raise RefusedError(
                f"--vpc-cidr {self.cidr} has no room for {len(chosen)} /{SUBNET_PREFIX} subnets in "
                "a VPC, of which /16 is the largest; give one such as 10.30.0.0/16"
            )
        blocks = self.cidr.subnets(new_prefix=SUBNET_PREFIX)
        subnets = {zone: str(block) for zone, block in zip(chosen, blocks, strict=False)}
        return {"mtls:vpcCidr": str(self.cidr), "mtls:subnets": subnets}


@dataclass(frozen=True, kw_only=True)
class ExistingVpc:
    """A VPC of the customer's; its subnets by Availability Zone id."""

    vpc_id: str
    subnet_ids: Mapping[str, str]

    def settings(self, zone_ids: Sequence[str]) -> dict[str, Any]:
        """Raises RefusedError unless every subnet is in a zone of the service."""
        if not set(self.subnet_ids) <= set(zone_ids):
            raise RefusedError(
                f"the subnets are in {', '.join(sorted(self.subnet_ids))}, the service is in "
                f"{', '.join(sorted(zone_ids))}: give subnets in the service's zones only"
            )
        return {"mtls:vpcId": self.vpc_id, "mtls:subnetIds": dict(self.subnet_ids)}


@dataclass(frozen=True, kw_only=True)
class ConsumerStack:
    """What a customer's stack needs to know."""

    name: str
    account: str
    region: str
    domain: str
    service_name: str
    zone_ids: tuple[str, ...]
    vpc: NewVpc | ExistingVpc
    dns: Dns

    def config(self) -> dict[str, Any]:
        return {
            "aws:region": self.region,
            "aws:allowedAccountIds": [self.account],
            "mtls:role": "consumer",
            "mtls:domain": self.domain,
            "mtls:serviceName": self.service_name,
            "mtls:serviceZones": list(self.zone_ids),
            **self.vpc.settings(self.zone_ids),
            "mtls:clients": {self.name: {}},
            "mtls:clientCidrs": [],
            "mtls:dns": self.dns,
        }

    def text(self) -> str:
        head = [
            f"# {self.domain}, from account {self.account} over AWS PrivateLink. In that account:",
            f"#   pulumi stack init {self.name} && pulumi up --stack {self.name}",
            "# mtls:clients names who may connect: {} makes a security group to put the client in,",
            "# {securityGroupId: sg-…} admits one that exists.",
        ]
        return "\n".join([*head, *yaml_edit.block("config", self.config())]) + "\n"


def replacement(there: StackFile, stack: ConsumerStack, *, force: bool) -> str | None:
    """The text to put in place of a stack file that is there; None if it says the same.

    Pulumi's own entries, such as the salt of its secrets, are kept. Raises RefusedError for a file
    that says something else, unless `force`, and for one that is no consumer's.
    """
    wanted, given = stack.config(), there.config
    if dict(given) == wanted:
        return None
    if there.setting("mtls:role") != "consumer":
        raise RefusedError(f"{there.name} is the file of another stack; choose another name")
    if not force:
        keys = {*wanted, *given}
        other = sorted(key for key in keys if wanted.get(key) != given.get(key))
        raise RefusedError(
            f"{there.name} is there and says something else of {', '.join(other)}; "
            "--force replaces it"
        )
    return stack.text() + "".join(
        line + "\n"
        for key, value in yaml_edit.load(there.text).items()
        if key != "config"
        for line in yaml_edit.block(key, value)
    )
