"""AWS regions, and which zones cannot be reached from another one."""

import re
from collections.abc import Collection

NO_CROSS_REGION = frozenset({"use1-az3", "usw1-az2", "apne1-az3", "apne2-az2", "apne2-az4"})
"""Zones without PrivateLink between regions (AWS PrivateLink guide, "Share your services through
AWS PrivateLink", "Cross-Region access")."""

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[1-9]")


def check_region(field: str, region: str) -> None:
    """Refuse what does not look like a region. Raises ValueError naming `field`."""
    if not _REGION.fullmatch(region):
        raise ValueError(f"{field}: want a region such as 'eu-west-1'; got {region!r}")


def check_cross_region_zones(field: str, zones: Collection[str]) -> None:
    """Refuse zones without PrivateLink between regions. Raises ValueError naming `field`."""
    if without := sorted(NO_CROSS_REGION.intersection(zones)):
        raise ValueError(
            f"{field}: want zones with PrivateLink between regions, such as 'euw1-az1'; "
            f"got {', '.join(without)}"
        )
