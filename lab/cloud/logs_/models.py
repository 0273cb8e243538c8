"""CloudWatch Logs' backend: moto's, with checks that it leaves out (moto's form).

"CreateLogGroup" and "PutRetentionPolicy" (Amazon CloudWatch Logs API Reference).
"""

import re
from typing import Any

from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogGroup, LogsBackend

GROUP_NAME = re.compile(r"[\.\-_/#A-Za-z0-9]+")
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


class Backend(LogsBackend):
    """One account's log groups in one region."""

    def create_log_group(self, log_group_name: str, *args: Any, **kwargs: Any) -> LogGroup:
        if not GROUP_NAME.fullmatch(log_group_name):
            raise InvalidParameterException(
                constraint=f"Member must satisfy regular expression pattern: {GROUP_NAME.pattern}",
                parameter="logGroupName",
                value=log_group_name,
            )
        return super().create_log_group(log_group_name, *args, **kwargs)

    def put_retention_policy(self, log_group_name: str, retention_in_days: Any) -> None:
        if retention_in_days not in RETENTION_DAYS:
            allowed = ", ".join(map(str, RETENTION_DAYS))
            raise InvalidParameterException(
                constraint=f"Member must satisfy enum value set: [{allowed}]",
                parameter="retentionInDays",
                value=retention_in_days,
            )
        super().put_retention_policy(log_group_name, retention_in_days)
