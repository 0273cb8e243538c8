"""Target groups of type `alb`: a Network Load Balancer's way to one Application Load Balancer.

"Use Application Load Balancers as targets of a Network Load Balancer" and "Health checks for
Network Load Balancer target groups" in the Network Load Balancer user guide: TCP only; one target,
an Application Load Balancer of the account and the VPC with a listener on the target's port, which
may be in the groups of two Network Load Balancers; health checks by HTTP or HTTPS only.
"""

from collections.abc import Iterable
from typing import Any

from moto.elbv2.models import FakeTargetGroup

from lab.cloud.elbv2.exceptions import ELBError, validation

MAX_GROUPS_PER_LOAD_BALANCER = 2
DEFAULT_TIMEOUT_SECONDS = {"HTTP": 6, "HTTPS": 10}


def complete(settings: dict[str, Any]) -> None:
    """Refuses what a group of this type cannot be, and fills in its defaults."""
    protocol = settings.get("protocol")
    if protocol not in (None, "TCP"):
        raise validation(
            f"The protocol '{protocol}' is not supported for target groups with target type 'alb'"
        )
    if settings.get("protocol_version") is not None:
        raise validation("A protocol version cannot be specified for target groups with TCP")
    check_protocol = settings.get("healthcheck_protocol") or "HTTP"
    settings["healthcheck_protocol"] = check_protocol
    if settings.get("healthcheck_timeout_seconds") is None:
        settings["healthcheck_timeout_seconds"] = DEFAULT_TIMEOUT_SECONDS.get(check_protocol)


def check(backend: Any, group: FakeTargetGroup, target: dict[str, Any]) -> None:
    """Raises ValidationError, InvalidTarget or TooManyRegistrationsForTargetId.

    The words on the listener are AWS's; the others say the same in ours.
    """
    arn = target["Id"]
    balancer = backend.load_balancers.get(arn)
    if balancer is None or balancer.type != "application":
        raise validation(
            f"'{arn}' is not the ARN of an Application Load Balancer of this account and Region"
        )
    if balancer.vpc_id != group.vpc_id:
        raise ELBError(
            "InvalidTarget",
            f"The following targets are not in the VPC of the target group: '{arn}'",
        )
    if target.get("AvailabilityZone") is not None:
        raise validation("An Availability Zone cannot be specified for targets of type 'alb'")
    port = int(target.get("Port") or group.port)
    if port not in [int(listener.port) for listener in balancer.listeners.values()]:
        raise validation(
            "If the target type is ALB, the target must have at least one listener that matches"
            " the target group port or any specified port overrides"
        )
    others = [
        each
        for each in backend.target_groups.values()
        if each is not group and any(one["Id"] == arn for one in each.targets.values())
    ]
    if len(others) >= MAX_GROUPS_PER_LOAD_BALANCER:
        raise ELBError(
            "TooManyRegistrationsForTargetId",
            f"You've reached the limit on the number of times a target can be registered: '{arn}'",
        )


def check_number(group: FakeTargetGroup, targets: Iterable[dict[str, Any]]) -> None:
    """Raises TooManyTargets for a second target: another load balancer, or another port."""
    keys = {f"{target['Id']}:{target.get('Port') or group.port}" for target in targets}
    if len({*group.targets, *keys}) > 1:
        raise ELBError("TooManyTargets", "You've reached the limit on the number of targets")
