"""Flow logs to CloudWatch Logs by ARN.

"Publish flow logs to CloudWatch Logs" and "Troubleshoot VPC Flow Logs" (Amazon VPC User Guide): a
flow log whose role cannot be assumed or whose group does not exist is created, and reports an
access error.
"""

from typing import Any

from moto.ec2.models.flow_logs import FlowLogs
from moto.iam.models import iam_backends

from lab.cloud.policies import trusts_service


class FlowLogsBackend:
    """Overrides moto's."""

    def create_flow_logs(
        self,
        resource_type: str,
        resource_ids: list[str],
        traffic_type: str,
        deliver_logs_permission_arn: str | None,
        log_destination_type: str | None,
        log_destination: str | None,
        log_group_name: str | None,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[list[FlowLogs], list[Any]]:
        to_cloudwatch = log_destination_type in (None, "cloud-watch-logs")
        if to_cloudwatch and log_destination and not log_group_name:
            log_group_name = log_destination.split(":")[6]
        flow_logs, unsuccessful = super().create_flow_logs(  # type: ignore[misc]
            resource_type,
            resource_ids,
            traffic_type,
            deliver_logs_permission_arn,
            log_destination_type,
            log_destination,
            log_group_name,
            *args,
            **kwargs,
        )
        if to_cloudwatch and not self._assumable(deliver_logs_permission_arn):
            for flow_log in flow_logs:
                flow_log.deliver_logs_status = "FAILED"
                flow_log.deliver_logs_error_message = "Access error"
        return flow_logs, unsuccessful

    def _assumable(self, role_arn: str | None) -> bool:
        backend = iam_backends[self.account_id][self.partition]  # type: ignore[attr-defined]
        trusts = [
            role.assume_role_policy_document
            for role in backend.roles.values()
            if role.arn == role_arn
        ]
        return any(trusts_service(trust, "vpc-flow-logs.amazonaws.com") for trust in trusts)
