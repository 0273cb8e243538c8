"""What DescribeTargetHealth answers, and how the lab's data path says what it found.

"TargetHealth" in the API reference gives states, reason codes and descriptions. `unused` and
`unavailable` follow from the configuration. Nothing here checks a target: whoever does reports each
outcome to

    POST /_lab/elbv2/target-health?target_group_arn=…&id=…&port=…&state=healthy
    POST /_lab/elbv2/target-health?…&state=unhealthy&reason=Target.Timeout

with a `reason` of REASONS, and with `codes=[502]` for Target.ResponseCodeMismatch. An empty 200
answers it; 404 a target that is not registered, or a state or reason that is none. The state holds
while the target is registered and the same load balancers use its group; before, it is `initial`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup, elbv2_backends

from lab.cloud import changes
from lab.cloud.elbv2.target_groups import TargetGroupBackend

REASONS = {
    "initial": {
        "Elb.RegistrationInProgress": "Target registration is in progress",
        "Elb.InitialHealthChecking": "Initial health checks in progress",
    },
    "healthy": {},
    "unhealthy": {
        "Target.ResponseCodeMismatch": "Health checks failed with these codes: {codes}",
        "Target.Timeout": "Request timed out",
        "Target.FailedHealthChecks": "Health checks failed",
        "Elb.InternalError": "Health checks failed due to an internal error on the load balancer",
    },
}
NOT_REGISTERED = "Target is not registered to the target group"
NOT_IN_USE = "Target group is not configured to receive traffic from the load balancer"
NOT_CHECKED = "Health checks are not enabled for this target"


@dataclass(frozen=True)
class Report:
    """What was found, and for which load balancers it holds."""

    balancers: frozenset[str]
    state: str
    reason: str | None
    description: str | None


class TargetHealthBackend(TargetGroupBackend):
    """The health of the targets in one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.reports: dict[tuple[str, str], Report] = {}  # by group's ARN and "id:port"

    def describe_target_health(
        self, target_group_arn: str, targets: list[dict[str, Any]]
    ) -> list[FakeHealthStatus]:
        group = self.target_group(target_group_arn)
        answer: list[Any] = []
        for target in targets or list(group.targets.values()):
            port = target.get("Port") or group.port
            health_port = group.health_check_port
            if health_port == "traffic-port":
                health_port = str(port)
            health = self._health(group, f"{target['Id']}:{port}")
            answer.append(FakeHealthStatus(target["Id"], port, health_port, *health))
        return answer

    def deregister_targets(self, target_group_arn: str, instances: list[dict[str, Any]]) -> None:
        super().deregister_targets(target_group_arn, instances)
        kept = self.target_group(target_group_arn).targets
        for arn, key in list(self.reports):
            if arn == target_group_arn and key not in kept:
                del self.reports[arn, key]

    def _health(self, group: FakeTargetGroup, key: str) -> tuple[str, str | None, str | None]:
        """State, reason and description."""
        if key not in group.targets:
            return "unused", "Target.NotRegistered", NOT_REGISTERED
        balancers = frozenset(self.balancers_using(group.arn))
        if not balancers:
            return "unused", "Target.NotInUse", NOT_IN_USE
        if not group.health_check_enabled:
            return "unavailable", "Target.HealthCheckDisabled", NOT_CHECKED
        report = self.reports.get((group.arn, key))
        if report is not None and report.balancers == balancers:
            return report.state, report.reason, report.description
        reason = "Elb.InitialHealthChecking"
        return "initial", reason, REASONS["initial"][reason]

    def report_target_health(self, query: Mapping[str, str]) -> None:
        """Raises LookupError."""
        arn, key = query["target_group_arn"], f"{query.get('id')}:{query.get('port')}"
        state, reason = query.get("state", ""), query.get("reason")
        if arn not in self.target_groups or key not in self.target_groups[arn].targets:
            raise LookupError(f"no target {key} in {arn}")
        if state not in REASONS or (reason is None) != (state == "healthy"):
            raise LookupError(f"no state {state!r} with reason {reason!r}")
        description = REASONS[state].get(reason) if reason else None
        if reason and description is None:
            raise LookupError(f"no reason {reason!r} for {state}")
        if description:
            description = description.format(codes=query.get("codes", "[]"))
        report = Report(frozenset(self.balancers_using(arn)), state, reason, description)
        if self.reports.get((arn, key)) != report:
            self.reports[arn, key] = report
            changes.changed("elbv2")


def report(tail: str, query: Mapping[str, str]) -> bytes:
    """The internal route `elbv2/target-health`."""
    try:
        region, account_id = query["target_group_arn"].split(":")[3:5]
        backend: Any = elbv2_backends[account_id][region]
    except (KeyError, ValueError):
        raise LookupError("target_group_arn: want the ARN of a target group") from None
    backend.report_target_health(query)
    return b""
