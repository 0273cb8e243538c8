"""Availability Zones: each account has its own names for them.

"Availability Zone IDs for your AWS resources" (AWS RAM User Guide): `eu-west-1a` of one account may
be another place than `eu-west-1a` of another; the zone id (`euw1-az1`) is the same for everybody.
One account, the one a Cloud is given first, keeps moto's names; every other one has a permutation
that follows from its account id.
"""

import hashlib
import itertools
from typing import Any

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.subnets import Subnet

from lab.cloud.ec2.exceptions import invalid_parameter_value

_unshuffled: set[str] = set()


def keep_names(account_id: str) -> None:
    """From now on `account_id`, and no other account, has moto's names."""
    _unshuffled.clear()
    _unshuffled.add(account_id)


def zones_of(account_id: str, region: str) -> list[Zone]:
    """The region's zones by the account's names, in the order of the names."""
    zones = RegionsAndZonesBackend.zones.get(region, [])
    names = sorted(zone.name for zone in zones)
    ids = [zone.zone_id for zone in sorted(zones, key=lambda zone: zone.name)]
    if account_id not in _unshuffled and len(ids) > 1:
        others = list(itertools.permutations(ids))[1:]
        digest = hashlib.sha256(f"{account_id} {region}".encode()).digest()
        ids = list(others[int.from_bytes(digest[:8], "big") % len(others)])
    return [Zone(name, region, zone_id) for name, zone_id in zip(names, ids, strict=True)]


def name_of(account_id: str, region: str, zone_id: str) -> str:
    """The account's name of a zone."""
    return next(zone.name for zone in zones_of(account_id, region) if zone.zone_id == zone_id)


class ZoneBackend(RegionsAndZonesBackend):
    """Overrides moto's zones, which are the same in every account."""

    account_id: str
    region_name: str

    @property
    def zones(self) -> dict[str, list[Zone]]:  # type: ignore[override]
        return {self.region_name: zones_of(self.account_id, self.region_name)}

    def describe_availability_zones(
        self,
        filters: Any = None,
        zone_names: list[str] | None = None,
        zone_ids: list[str] | None = None,
    ) -> list[Zone]:
        known = super().describe_availability_zones()
        for kind, wanted, there in (
            ("zone", zone_names, {zone.name for zone in known}),
            ("zone-id", zone_ids, {zone.zone_id for zone in known}),
        ):
            unknown = [each for each in wanted or [] if each not in there]
            if unknown:
                raise invalid_parameter_value(
                    f"Invalid availability {kind}: [{', '.join(unknown)}]"
                )
        return super().describe_availability_zones(filters, zone_names, zone_ids)


class ZonedSubnet(Subnet):
    """moto's, which can be looked for by zone id too."""

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name in ("availabilityZoneId", "availability-zone-id"):
            return self.availability_zone_id
        return super().get_filter_value(filter_name, method_name)
