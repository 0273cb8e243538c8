"""Where ELBv2 is served, and the locations that it hands out."""

from collections.abc import Mapping

from moto.elb.urls import api_version_elb_backend

from lab.cloud.elbv2.health import report
from lab.cloud.elbv2.models import trust_stores
from lab.cloud.elbv2.responses import Response

__all__ = ["Response", "internal_routes", "url_bases", "url_paths"]

url_bases = [r"https?://elasticloadbalancing\.(.+)\.amazonaws.com"]

url_paths = {"{0}/$": api_version_elb_backend}


def bundle(tail: str, query: Mapping[str, str]) -> bytes:
    for store in trust_stores():
        if store.location_id == tail:
            return store.bundle
    raise LookupError(f"no CA certificates bundle at {tail}")


def revocations(tail: str, query: Mapping[str, str]) -> bytes:
    for store in trust_stores():
        for each in store.revocations.values():
            if each.location_id == tail:
                return each.content
    raise LookupError(f"no revocation list at {tail}")


internal_routes = {
    "elbv2/bundles": bundle,
    "elbv2/revocations": revocations,
    "elbv2/target-health": report,
}
