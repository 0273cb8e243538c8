"""Where Route 53 is served: moto's paths."""

from moto.route53.urls import url_bases
from moto.route53.urls import url_paths as moto_paths

from lab.cloud.route53.responses import Response

__all__ = ["url_bases", "url_paths"]

url_paths = dict.fromkeys(moto_paths, Response.dispatch)
