"""Places in the VPC to call from: network interfaces, as an instance there would have."""

from dataclasses import dataclass, field
from typing import Any

from lab.attempt import Door
from lab.wire.wire import Wire


@dataclass(kw_only=True)
class Vantage:
    """Makes network interfaces in a VPC through the AWS API, and doors that start at them."""

    ec2: Any
    wire: Wire
    subnet_id: str
    _interfaces: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])

    def door(self, host: str, port: int, *security_group_ids: str) -> Door:
        """From an interface in these groups to `host`:`port`, a name or address in the VPC."""
        interface = self._interface(security_group_ids)
        return Door(host=host, port=port, local_port=self.wire.door(interface, host, port))

    def door_to(self, address: str, host: str, *security_group_ids: str) -> Door:
        """As `door`, straight to an address, for a client that calls it `host`."""
        interface = self._interface(security_group_ids)
        return Door(host=host, port=443, local_port=self.wire.door(interface, address, 443))

    def leave(self, security_group_id: str) -> None:
        """Delete the interfaces that are in a group."""
        for groups in [groups for groups in self._interfaces if security_group_id in groups]:
            self.ec2.delete_network_interface(NetworkInterfaceId=self._interfaces.pop(groups))

    def _interface(self, groups: tuple[str, ...]) -> str:
        if groups not in self._interfaces:
            answer = self.ec2.create_network_interface(
                SubnetId=self.subnet_id, Groups=list(groups), Description="A client in the lab"
            )
            self._interfaces[groups] = answer["NetworkInterface"]["NetworkInterfaceId"]
        return self._interfaces[groups]
