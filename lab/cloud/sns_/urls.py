"""Where SNS answers (moto's form): moto's own answers, over this lab's backend."""

from moto.sns.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]
