"""Which private address a network interface gets.

"Subnet CIDR blocks" and "Subnet CIDR reservations" in the Amazon VPC User Guide: the first four
addresses and the last one of every subnet are AWS's; EC2 never hands out an address of a
reservation by itself.
"""

import ipaddress
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface

from lab.cloud.ec2.exceptions import address_in_use, invalid_parameter, invalid_parameter_value

AWS_FIRST_ADDRESSES = 4


class NetworkInterfaceBackend:
    """Network interfaces whose addresses are really their own."""

    enis: dict[str, NetworkInterface]

    def create_network_interface(
        self,
        subnet: Any,
        private_ip_address: str | list[str] | None = None,
        private_ip_addresses: list[dict[str, Any]] | None = None,
        group_ids: list[str] | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        delete_on_termination: bool | None = False,
        **kwargs: Any,
    ) -> NetworkInterface:
        """`private_ip_address` if it is free; for None, the lowest address that EC2 may choose.

        Raises InvalidParameterValue, InvalidIPAddress.InUse, InsufficientFreeAddressesInSubnet,
        InvalidGroup.NotFound or InvalidParameter (a security group of another VPC).
        """
        subnet = self.get_subnet(subnet) if isinstance(subnet, str) else subnet  # type: ignore[attr-defined]
        self.check_groups(group_ids or [], subnet)
        address = private_ip_address
        if isinstance(address, list):
            address = address[0] if address else None
        wanted = [entry["PrivateIpAddress"] for entry in private_ip_addresses or []]
        if address:
            wanted.append(address)
        for each in wanted:
            self.check_address(subnet, each)
        interface = super().create_network_interface(  # type: ignore[misc]
            subnet,
            address if wanted else self.free_address(subnet),
            private_ip_addresses,
            group_ids,
            description,
            tags,
            delete_on_termination,
            **kwargs,
        )
        interface.availability_zone_id = subnet.availability_zone_id
        return interface

    def create_managed_network_interface(
        self,
        subnet_id: str,
        address: str | None,
        group_ids: list[str],
        description: str,
        interface_type: str,
    ) -> NetworkInterface:
        """An interface that an AWS service keeps in a customer's subnet, and alone removes."""
        interface = self.create_network_interface(
            subnet_id, address, group_ids=group_ids, description=description
        )
        interface.interface_type = interface_type
        interface.requester_managed = True
        interface.status = "in-use"
        return interface

    def delete_network_interface(self, eni_id: str) -> None:
        interface = self.get_network_interface(eni_id)  # type: ignore[attr-defined]
        if interface.requester_managed or interface.attachment_id:
            raise invalid_parameter_value(f"Network interface '{eni_id}' is currently in use.")
        super().delete_network_interface(eni_id)  # type: ignore[misc]

    def remove_managed_network_interface(self, eni_id: str) -> None:
        """What the service that owns the interface does; a customer's own call is refused."""
        del self.enis[eni_id]

    def check_groups(self, group_ids: list[str], subnet: Any) -> None:
        for group_id in group_ids:
            group = self.get_security_group_from_id(group_id)  # type: ignore[attr-defined]
            if group is None:
                raise EC2ClientError(
                    "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
                )
            if group.vpc_id != subnet.vpc_id:
                raise invalid_parameter(
                    f"Security group {group_id} and subnet {subnet.id} belong to different"
                    " networks."
                )

    def addresses_in_use(self, subnet: Any) -> set[str]:
        of_interfaces = {
            entry["PrivateIpAddress"]
            for interface in list(self.enis.values())
            if interface.subnet.id == subnet.id
            for entry in interface.private_ip_addresses
        }
        return of_interfaces | set(subnet._subnet_ips)

    def check_address(self, subnet: Any, address: str) -> None:
        """Raises unless a customer may ask for `address` in `subnet`."""
        try:
            wanted = ipaddress.IPv4Address(address)
        except ValueError:
            raise invalid_parameter_value(f"Invalid IP address: {address}") from None
        if wanted not in subnet.cidr:
            raise invalid_parameter_value("Address does not fall within the subnet's address range")
        if is_aws_address(subnet.cidr, wanted) or any(
            reservation.reservation_type == "prefix" and wanted in reservation.cidr
            for reservation in subnet._cidr_reservations
        ):
            raise invalid_parameter_value("Address is in subnet's reserved address range")
        if address in self.addresses_in_use(subnet):
            raise address_in_use(address)

    def free_address(self, subnet: Any) -> str:
        """The lowest address of `subnet` that EC2 may give away unasked."""
        taken = self.addresses_in_use(subnet)
        for address in subnet.cidr:
            if (
                not is_aws_address(subnet.cidr, address)
                and str(address) not in taken
                and not any(address in each.cidr for each in subnet._cidr_reservations)
            ):
                return str(address)
        raise EC2ClientError(
            "InsufficientFreeAddressesInSubnet",
            "The specified subnet does not have enough free addresses to satisfy the request.",
        )


def is_aws_address(cidr: ipaddress.IPv4Network, address: ipaddress.IPv4Address) -> bool:
    return (
        int(address) - int(cidr.network_address) < AWS_FIRST_ADDRESSES
        or address == cidr.broadcast_address
    )
