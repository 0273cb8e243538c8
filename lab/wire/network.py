"""Interfaces, security groups and names of a VPC, as EC2's API says they are.

Sources: "Security groups for your VPC" (rules allow; groups are stateful; a rule that names a group
means its interfaces' private addresses). Routes always exist within a VPC and never between two:
network ACLs, route tables, peering, prefix lists and IPv6 are not modelled, and a rule that names a
prefix list admits nothing.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.wire.aws import Reader
from lab.wire.messages import Peer
from lab.wire.names import Names


@dataclass(frozen=True, kw_only=True)
class Interface(Peer):
    """A network interface and what it belongs to."""

    subnet_id: str
    description: str


class Network:
    """What is reachable from where."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._names = Names(reader)

    def interfaces(self) -> list[Interface]:
        """All of the account's."""
        answer = self._reader.call("ec2", "describe_network_interfaces")
        return [
            Interface(
                ip=one["PrivateIpAddress"],
                vpc_id=one["VpcId"],
                network_interface_id=one["NetworkInterfaceId"],
                security_group_ids=frozenset(group["GroupId"] for group in one["Groups"]),
                subnet_id=one["SubnetId"],
                description=one.get("Description", ""),
            )
            for one in answer["NetworkInterfaces"]
        ]

    def peer(self, network_interface_id: str) -> Interface:
        """The interface of that id. Raises LookupError."""
        for interface in self.interfaces():
            if interface.network_interface_id == network_interface_id:
                return interface
        raise LookupError(f"no network interface {network_interface_id}")

    def interface_at(self, vpc_id: str, ip: str) -> Interface | None:
        """Whose address that is in the VPC."""
        return next((i for i in self.interfaces() if (i.vpc_id, i.ip) == (vpc_id, ip)), None)

    def admits(self, source: Peer, destination: Peer, port: int) -> bool:
        """Whether a TCP connection from one interface reaches the other one's port.

        The source's groups must let it out and the destination's let it in; what is answered on an
        admitted connection passes both.
        """
        return (
            source.vpc_id == destination.vpc_id
            and self._allowed(source, destination, port, "IpPermissionsEgress")
            and self._allowed(destination, source, port, "IpPermissions")
        )

    def _allowed(self, own: Peer, other: Peer, port: int, direction: str) -> bool:
        answer = self._reader.call("ec2", "describe_security_groups")
        return any(
            _matches(rule, other, port)
            for group in answer["SecurityGroups"]
            if group["GroupId"] in own.security_group_ids
            for rule in group[direction]
        )

    def resolve(self, vpc_id: str, host: str) -> list[str]:
        """The addresses that the VPC's resolver gives for a name, or the address itself.

        Empty when there is none.
        """
        try:
            return [str(ipaddress.IPv4Address(host))]
        except ipaddress.AddressValueError:
            return self._names.resolve(vpc_id, host, self.interfaces())


def _matches(rule: Mapping[str, Any], other: Peer, port: int) -> bool:
    return _covers(rule, port) and (
        any(pair["GroupId"] in other.security_group_ids for pair in _groups(rule))
        or any(
            ipaddress.ip_address(other.ip) in ipaddress.ip_network(one["CidrIp"])
            for one in rule.get("IpRanges", ())
        )
    )


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    """Protocol -1 is every port of every protocol; 6 is TCP."""
    if rule["IpProtocol"] == "-1":
        return True
    if rule["IpProtocol"] not in ("tcp", "6"):
        return False
    return rule["FromPort"] <= port <= rule["ToPort"]


def _groups(rule: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return rule.get("UserIdGroupPairs", ())
