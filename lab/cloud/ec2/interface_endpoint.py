"""One interface VPC endpoint: its interfaces, its names and its state.

"Access an AWS service using an interface VPC endpoint" and "Share your services" (AWS PrivateLink).
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.utils import random_resource_id, random_vpc_ep_id

from lab.cloud import changes
from lab.cloud.ec2.policies import DEFAULT_POLICY
from lab.cloud.ec2.service_offers import Offer


class InterfaceEndpoint(VPCEndPoint):
    """One interface endpoint; its interfaces are kept by subnet id."""

    def __init__(
        self,
        backend: Any,
        offer: Offer,
        request: Mapping[str, Any],
        private_name: str | None,
        tags: dict[str, str],
    ) -> None:
        super().__init__(
            backend,
            random_vpc_ep_id(),
            request["VpcId"],
            request["ServiceName"],
            "Interface",
            request.get("PolicyDocument") or DEFAULT_POLICY,
            route_table_ids=[],
            security_group_ids=list(request.get("SecurityGroupIds", [])),
            client_token=request.get("ClientToken"),
            private_dns_enabled=private_name is not None,
        )
        self.offer = offer
        self.private_name = private_name
        self.service_region: str = backend.region_name
        self.state = "pendingAcceptance" if offer.acceptance_required else "pending"
        self.ip_address_type = request.get("IpAddressType", "ipv4")
        self.dns_options = {"DnsRecordIpType": self.ip_address_type} | request.get("DnsOptions", {})
        self.requester_managed = False
        self._label = random_resource_id(8)
        self.interfaces: dict[str, Any] = {}
        self.add_tags(tags)

    @property
    def network_interface_ids(self) -> list[str]:
        return [interface.id for interface in self.interfaces.values()]

    @network_interface_ids.setter
    def network_interface_ids(self, _ids: list[str]) -> None:
        """Moto's constructor assigns the list; here it follows from the interfaces."""

    @property
    def subnet_ids(self) -> list[str]:
        return list(self.interfaces)

    @subnet_ids.setter
    def subnet_ids(self, _ids: list[str] | None) -> None:
        """As above."""

    @property
    def private_dns_enabled(self) -> bool:
        return self.private_name is not None

    @private_dns_enabled.setter
    def private_dns_enabled(self, _enabled: bool) -> None:
        """As above: it follows from the private name."""

    @property
    def public_dns_entries(self) -> list[dict[str, str]]:
        """The regional name and one for each zone, by the account's name of the zone."""
        zone_id = hosted_zone_id(f"vpce.{self.service_region}")
        zones = [interface.subnet.availability_zone for interface in self.interfaces.values()]
        hosts = [self._label, *(f"{self._label}-{zone}" for zone in zones)]
        return [
            {
                "DnsName": f"{self.id}-{host}.{self.offer.dns_suffix}.vpce.amazonaws.com",
                "HostedZoneId": zone_id,
            }
            for host in hosts
        ]

    @property
    def dns_entries(self) -> list[dict[str, str]]:
        entries = self.public_dns_entries
        if self.private_name is not None:
            zone_id = hosted_zone_id(f"{self.id} {self.private_name}")
            entries.append({"DnsName": self.private_name, "HostedZoneId": zone_id})
        return entries

    @dns_entries.setter
    def dns_entries(self, _entries: list[dict[str, str]] | None) -> None:
        """As above."""

    def settle(self) -> None:
        """Creation and acceptance take a moment in AWS; here it is over when somebody looks."""
        if self.state == "pending":
            self.state = "available"
            changes.changed("ec2")

    def place(self, subnet_id: str, address: str | None) -> None:
        """Puts the endpoint's interface into a subnet, in place of the one it may have there."""
        backend = self.ec2_backend
        present = self.interfaces.get(subnet_id)
        if present is not None and address in (None, present.private_ip_address):
            return
        interface = backend.create_managed_network_interface(
            subnet_id,
            address,
            self.security_group_ids,
            f"VPC Endpoint Interface {self.id}",
            "vpc_endpoint",
        )
        if present is not None:
            backend.remove_managed_network_interface(present.id)
        self.interfaces[subnet_id] = interface

    def leave(self, subnet_id: str) -> None:
        self.ec2_backend.remove_managed_network_interface(self.interfaces.pop(subnet_id).id)


def hosted_zone_id(of: str) -> str:
    """The same zone has the same id: one per region for all endpoints, one per private name."""
    return "Z" + hashlib.sha256(of.encode()).hexdigest()[:13].upper()
