"""Interfaces, security groups and names of VPCs, as EC2's API says they are.

Sources: "Security groups for your VPC" (rules allow; groups are stateful; a rule that names a group
means its interfaces' private addresses), "Update the security groups for your Network Load
Balancer" (one made without any has none ever, and is not filtered). Routes always exist within a
VPC and never between two: network ACLs, route tables, peering, prefix lists and IPv6 are not
modelled, and a rule that names a prefix list admits nothing.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lab.wire.aws import Accounts
from lab.wire.messages import Peer
from lab.wire.names import Names


@dataclass(frozen=True, kw_only=True)
class Interface(Peer):
    """A network interface and what it belongs to. `zone_id` means the same in every account."""

    account_id: str
    subnet_id: str
    zone_id: str
    description: str


class Network:
    """What is reachable from where."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._names = Names(accounts)
        self._known: tuple[int, list[Interface]] = (-1, [])

    def interfaces(self) -> list[Interface]:
        """Those of every account."""
        (version,) = self._accounts.versions("ec2")
        if self._known[0] != version:
            self._known = (version, self._read())
        return self._known[1]

    def _read(self) -> list[Interface]:
        zones: dict[str, str] = {
            subnet["SubnetId"]: subnet["AvailabilityZoneId"]
            for _, answer in self._accounts.each("ec2", "describe_subnets")
            for subnet in answer["Subnets"]
        }
        return [
            Interface(
                ip=one["PrivateIpAddress"],
                vpc_id=one["VpcId"],
                network_interface_id=one["NetworkInterfaceId"],
                security_group_ids=frozenset(group["GroupId"] for group in one["Groups"]),
                account_id=reader.account_id,
                subnet_id=one["SubnetId"],
                zone_id=zones[one["SubnetId"]],
                description=one.get("Description", ""),
            )
            for reader, answer in self._accounts.each("ec2", "describe_network_interfaces")
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

    def nodes(self, load_balancer_arn: str) -> list[Interface]:
        """The network interfaces of a load balancer."""
        marker = node_description(load_balancer_arn)
        return [one for one in self.interfaces() if one.description == marker]

    def admits(self, source: Peer, destination: Peer, port: int) -> bool:
        """Whether a TCP connection from one interface reaches the other one's port.

        The source's groups must let it out and the destination's let it in; what is answered on an
        admitted connection passes both.
        """
        return (
            source.vpc_id == destination.vpc_id
            and self._allowed(source, destination, port, "IpPermissionsEgress")
            and self.lets_in(destination, source, port)
        )

    def lets_in(self, own: Peer, other: Peer, port: int) -> bool:
        """Whether the interface's groups admit the other to the port."""
        return self._allowed(own, other, port, "IpPermissions")

    def _allowed(self, own: Peer, other: Peer, port: int, direction: str) -> bool:
        return not own.security_group_ids or any(
            _matches(rule, other, port)
            for _, answer in self._accounts.each("ec2", "describe_security_groups")
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


def node_description(load_balancer_arn: str) -> str:
    """What the description of a load balancer's network interfaces says."""
    return f"ELB {load_balancer_arn.partition(':loadbalancer/')[2]}"


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
