"""Where S3 is served: moto's paths and handlers."""

from moto.s3.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]
