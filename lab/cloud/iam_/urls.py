"""Where the IAM API answers (moto's form): moto's own answers, over this lab's backend."""

from moto.iam.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]
