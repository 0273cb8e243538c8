"""Where the CloudWatch Logs API answers (moto's form): moto's answers, over this lab's backend."""

from moto.logs.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]
