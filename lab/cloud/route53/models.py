"""Route 53's backend: moto's, with what this lab refuses (moto's form)."""

import copy
from typing import Any

from moto.ec2.models import ec2_backends
from moto.route53.exceptions import (
    DnsNameInvalidForZone,
    ResourceRecordAlreadyExists,
    Route53ClientError,
)
from moto.route53.models import FakeZone, Route53Backend


class Backend(Route53Backend):
    """Hosted zones of one account."""

    def create_hosted_zone(
        self,
        name: str,
        private_zone: bool,
        caller_reference: str | None = None,
        vpcid: str | None = None,
        vpcregion: str | None = None,
        comment: str | None = None,
        delegation_set_id: str | None = None,
    ) -> FakeZone:
        """Raises HostedZoneAlreadyExists, InvalidVPCId, ConflictingDomainExists or InvalidInput."""
        zones = list(self.zones.values())
        if any(zone.caller_reference == caller_reference for zone in zones):
            raise Route53ClientError(
                "HostedZoneAlreadyExists",
                f"A hosted zone has already been created with the caller reference "
                f"{caller_reference}",
            )
        if private_zone and not vpcid:
            raise Route53ClientError(
                "InvalidInput", "When you're creating a private hosted zone you must specify a VPC"
            )
        if vpcid:
            self.check_vpc(vpcid, vpcregion, name)
        return super().create_hosted_zone(
            name, private_zone, caller_reference, vpcid, vpcregion, comment, delegation_set_id
        )

    def associate_vpc_with_hosted_zone(self, zone_id: str, vpcid: str, vpcregion: str) -> FakeZone:
        self.check_vpc(vpcid, vpcregion, self.get_hosted_zone(zone_id).name)
        return super().associate_vpc_with_hosted_zone(zone_id, vpcid, vpcregion)

    def check_vpc(self, vpc_id: str, region: str | None, name: str) -> None:
        """The VPC must be this account's, and have no zone of that name yet."""
        regions = ec2_backends[self.account_id]
        if not region or region not in regions or vpc_id not in regions[region].vpcs:
            raise Route53ClientError(
                "InvalidVPCId", f"The VPC ID {vpc_id} in region {region} is not valid"
            )
        for zone in self.zones.values():
            if zone.name == name and any(vpc.get("vpc_id") == vpc_id for vpc in zone.vpcs):
                raise Route53ClientError(
                    "ConflictingDomainExists",
                    f"A conflicting domain is already associated with the given VPC or Delegation "
                    f"Set: {vpc_id}",
                )

    def change_resource_record_sets(self, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        """All changes or none. Raises InvalidChangeBatch."""
        zone = self.get_hosted_zone(zoneid)
        for change in change_list:
            check_change(zone, change)
            # moto's journal takes a record that was deleted since for one that is there.
            while change["Action"] == "CREATE" and change in zone.rr_changes:
                zone.rr_changes.remove(change)
        before = copy.copy(zone.rrsets)
        try:
            super().change_resource_record_sets(zoneid, change_list)
        except Exception:
            zone.rrsets = before
            raise


def check_change(zone: FakeZone, change: dict[str, Any]) -> None:
    record = change["ResourceRecordSet"]
    name, kind = record["Name"].rstrip(".") + ".", record["Type"]
    if not f".{name}".endswith(f".{zone.name}"):
        raise DnsNameInvalidForZone(name=name, zone_name=zone.name)
    others = [each for each in zone.rrsets if each.name == name and not each.set_identifier]
    if change["Action"] == "CREATE" and any(each.type == kind for each in others):
        raise ResourceRecordAlreadyExists(name=name, _type=kind)
    kinds = {each.type for each in others} - {kind}
    clash = kind == "CNAME" or "CNAME" in kinds
    if change["Action"] != "DELETE" and kinds and clash:
        raise Route53ClientError(
            "InvalidChangeBatch",
            f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with "
            f"other records with the same DNS name in zone {zone.name}",
        )
