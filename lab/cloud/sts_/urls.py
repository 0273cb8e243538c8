"""Where STS is served (moto's form)."""

from moto.sts.urls import url_bases

from lab.cloud.sts_.responses import Response

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": Response.dispatch}
