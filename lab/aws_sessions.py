"""boto3 sessions that read botocore's data files once a process, not once a session."""

import boto3
import botocore.session
from botocore.loaders import create_loader

_LOADER = create_loader()


def aws_session(
    access_key_id: str, secret_access_key: str, region: str, session_token: str | None = None
) -> boto3.Session:
    """A session with these credentials in this region; `session_token` is an assumed role's."""
    core = botocore.session.get_session()
    core.register_component("data_loader", _LOADER)
    return boto3.Session(
        access_key_id, secret_access_key, session_token, region, botocore_session=core
    )
