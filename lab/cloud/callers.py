"""Who makes a call: the user or the assumed role behind an access key.

"AWS JSON policy elements: Principal" (IAM User Guide) gives the names that a policy may use.
"""

from dataclasses import dataclass

from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import sts_backends

PARTITION = "aws"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """`arn` is what GetCallerIdentity answers; `role_arn` that of the role behind a session."""

    account_id: str
    arn: str
    role_arn: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """What a policy's principal may call this caller, `*` aside."""
        root = f"arn:{PARTITION}:iam::{self.account_id}:root"
        return frozenset({self.account_id, root, self.arn, self.role_arn or self.arn})


def caller(access_key_id: str) -> Caller:
    """The caller that a known access key stands for."""
    account_id = get_account_id_from(access_key_id)
    session = sts_backends[account_id][PARTITION].get_assumed_role_from_access_key(access_key_id)
    if session is not None:
        return Caller(account_id=account_id, arn=session.arn, role_arn=session.role_arn)
    user = iam_backends[account_id][PARTITION].get_user_from_access_key_id(access_key_id)
    assert user is not None  # noqa: S101 (the server refuses unknown keys before)
    return Caller(account_id=account_id, arn=user.arn)
