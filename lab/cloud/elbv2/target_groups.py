"""Target groups: types, targets, health, attributes."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from moto.elbv2.exceptions import TargetGroupNotFoundError
from moto.elbv2.models import FakeTargetGroup

from lab.cloud.elbv2 import alb_targets, function_targets
from lab.cloud.elbv2.attributes import (
    ALB_TARGET_GROUP,
    LAMBDA_TARGET_GROUP,
    TARGET_GROUP,
    check,
    defaults,
)
from lab.cloud.elbv2.exceptions import ELBError, configuration, constraint, validation
from lab.cloud.elbv2.rules import RuleBackend

ATTRIBUTES = {
    "instance": TARGET_GROUP,
    "ip": TARGET_GROUP,
    "lambda": LAMBDA_TARGET_GROUP,
    "alb": ALB_TARGET_GROUP,
}
PROTOCOLS = ("HTTP", "HTTPS")
# "Register targets" in the ALB user guide: what an ip target outside the VPC may be
PRIVATE = [
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
]
RANGES = {
    "healthcheck_interval_seconds": ("healthCheckIntervalSeconds", 5, 300),
    "healthcheck_timeout_seconds": ("healthCheckTimeoutSeconds", 2, 120),
    "healthy_threshold_count": ("healthyThresholdCount", 2, 10),
    "unhealthy_threshold_count": ("unhealthyThresholdCount", 2, 10),
}


class TargetGroupBackend(RuleBackend):
    """The target group operations of ELBv2 in one account and region."""

    def create_target_group(self, name: str, **kwargs: Any) -> FakeTargetGroup:
        target_type = kwargs.get("target_type") or "instance"
        if target_type not in ATTRIBUTES:
            rule = f"satisfy enum value set: [{', '.join(ATTRIBUTES)}]"
            raise constraint(target_type, "targetType", rule)
        if target_type == "alb":
            alb_targets.complete(kwargs)
        elif kwargs.get("protocol") not in (None, *PROTOCOLS):
            raise NotImplementedError(
                f"CreateTargetGroup for {target_type} targets with {kwargs.get('protocol')}"
            )
        if kwargs.get("port") is not None and not 1 <= int(kwargs["port"]) <= 65535:
            raise constraint(kwargs["port"], "port", "have value less than or equal to 65535")
        check_health_check(kwargs)
        enabled = kwargs.pop("healthcheck_enabled", None)
        check_enabled(target_type, enabled)
        group = super().create_target_group(name, **kwargs)
        group.health_check_enabled = target_type != "lambda" if enabled is None else enabled
        group.attributes = defaults(ATTRIBUTES[target_type])
        return group

    def modify_target_group(self, arn: str, *args: Any, **kwargs: Any) -> FakeTargetGroup:
        names = ("proto", "port", "path", "interval", "timeout", "healthy", "unhealthy", "codes")
        given = dict(zip(names, args, strict=True))
        check_health_check(
            {
                "healthcheck_protocol": given["proto"],
                "healthcheck_port": given["port"],
                "healthcheck_path": given["path"],
                "healthcheck_interval_seconds": given["interval"],
                "healthcheck_timeout_seconds": given["timeout"],
                "healthy_threshold_count": given["healthy"],
                "unhealthy_threshold_count": given["unhealthy"],
            }
        )
        check_enabled(self.target_group(arn).target_type, kwargs.get("health_check_enabled"))
        group = super().modify_target_group(arn, *args, **kwargs)
        if given["codes"] is not None:
            group.matcher = {"HttpCode": given["codes"]}
        return group

    def modify_target_group_attributes(
        self, target_group_arn: str, attributes: dict[str, Any]
    ) -> None:
        group = self.target_group(target_group_arn)
        if group.target_type == "alb":
            raise configuration(
                "Attributes cannot be modified on target groups with target type 'alb'"
            )
        known = ATTRIBUTES[group.target_type]
        if any(
            key in TARGET_GROUP | LAMBDA_TARGET_GROUP and key not in known for key in attributes
        ):
            raise configuration("The provided target group attribute is not supported")
        check("Target group", attributes, known, {})
        super().modify_target_group_attributes(target_group_arn, attributes)
        group.attributes.update(attributes)

    def target_group(self, arn: str) -> FakeTargetGroup:
        if arn not in self.target_groups:
            raise TargetGroupNotFoundError()
        return self.target_groups[arn]

    def describe_target_groups(
        self,
        load_balancer_arn: str | None,
        target_group_arns: list[str],
        names: list[str] | None,
    ) -> Iterable[FakeTargetGroup]:
        for arn, group in self.target_groups.items():
            group.load_balancer_arns = self.balancers_using(arn)
        return super().describe_target_groups(load_balancer_arn, target_group_arns, names)

    def register_targets(self, target_group_arn: str, instances: list[Any]) -> None:
        group = self.target_group(target_group_arn)
        for target in instances:
            if target.get("Port") is not None and not 1 <= int(target["Port"]) <= 65535:
                rule = "have value less than or equal to 65535"
                raise constraint(target["Port"], "targets.1.member.port", rule)
            if group.target_type == "ip":
                self._check_ip_target(group, target)
            elif group.target_type == "alb":
                alb_targets.check(self, group, target)
            elif group.target_type == "lambda":
                function_targets.check(group, target)
            elif group.target_type == "instance" and not target["Id"].startswith("i-"):
                raise ELBError(
                    "InvalidTarget",
                    f"The following targets do not have an instance ID: '{target['Id']}'",
                )
        if group.target_type == "alb":
            alb_targets.check_number(group, instances)
        if group.target_type == "lambda":
            function_targets.check_number(group, instances)
        for target in instances:
            port = target.get("Port") or group.port
            group.targets[f"{target['Id']}:{port}"] = {**target, "Port": port}

    def deregister_targets(self, target_group_arn: str, instances: list[dict[str, Any]]) -> None:
        """Without a port: the target on every port. What is not registered is no error in AWS."""
        group = self.target_group(target_group_arn)
        for target in instances:
            for key, registered in list(group.targets.items()):
                if registered["Id"] == target["Id"] and target.get("Port") in (
                    None,
                    registered["Port"],
                ):
                    del group.targets[key]

    def _check_ip_target(self, group: FakeTargetGroup, target: dict[str, Any]) -> None:
        try:
            address = ipaddress.IPv4Address(target["Id"])
        except ValueError:
            raise validation(
                f"The IP address '{target['Id']}' is not a valid IPv4 address"
            ) from None
        zone = target.get("AvailabilityZone")
        ec2: Any = self.ec2_backend
        subnets = ec2.describe_subnets(filters={"vpc-id": [group.vpc_id]})
        inside = [subnet for subnet in subnets if address in subnet.cidr]
        if inside:
            own = inside[0].availability_zone
            if zone not in (None, own):
                raise validation(
                    f"The IP address '{address}' is within the VPC, and cannot have its "
                    f"Availability Zone overridden to '{zone}' from '{own}'"
                )
            return
        if zone is None:
            raise validation(
                f"The Availability Zone is required for IP address '{address}' because it is not "
                "in the VPC"
            )
        if zone != "all" and zone not in {subnet.availability_zone for subnet in subnets}:
            raise validation(
                "You must specify a valid Availability Zone or select 'all' for all enabled "
                f"Availability zones, since the IP address '{address}' is outside the VPC"
            )
        if not any(address in network for network in PRIVATE):
            raise validation(
                f"The IP address '{address}' must be from the subnets of the VPC for the target "
                f"group, or from {', '.join(str(each) for each in PRIVATE)}"
            )


def check_enabled(target_type: str, enabled: bool | None) -> None:
    """Only functions go without health checks. Raises ValidationError."""
    if enabled is False and target_type != "lambda":
        raise validation(
            f"Health check enabled must be true for target groups with target type '{target_type}'"
        )


def check_health_check(settings: dict[str, Any]) -> None:
    """ "CreateTargetGroup" in the API reference. Raises ValidationError."""
    for key, (path, low, high) in RANGES.items():
        value = settings.get(key)
        if value is not None and not low <= int(value) <= high:
            if int(value) > high:
                raise constraint(value, path, f"have value less than or equal to {high}")
            raise constraint(value, path, f"have value greater than or equal to {low}")
    protocol = settings.get("healthcheck_protocol")
    if protocol not in (None, *PROTOCOLS):
        raise validation(f"Health check protocol '{protocol}' must be one of 'HTTP, HTTPS'")
    path = settings.get("healthcheck_path")
    if path is not None and (not path.startswith("/") or len(path) > 1024):
        raise validation(f"Health check path '{path}' must begin with a '/' character")
    port = settings.get("healthcheck_port")
    if port not in (None, "traffic-port") and not (
        str(port).isdecimal() and 1 <= int(port) <= 65535
    ):
        raise validation(f"Health check port '{port}' must be 'traffic-port' or a port number")
