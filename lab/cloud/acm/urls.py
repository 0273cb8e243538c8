"""Where ACM is served, and the private keys that it hands to load balancers."""

from collections.abc import Mapping

from lab.cloud.acm.models import private_key
from lab.cloud.acm.responses import Response

url_bases = [r"https?://acm\.(.+)\.amazonaws\.com"]

url_paths = {"{0}/$": Response.dispatch}


def key_of_certificate(tail: str, query: Mapping[str, str]) -> bytes:
    return private_key(query.get("arn", ""))


internal_routes = {"acm/private-key": key_of_certificate}
