"""The attributes of load balancers, listeners and target groups: keys, defaults, values.

"LoadBalancerAttribute", "ListenerAttribute" and "TargetGroupAttribute" in the Elastic Load
Balancing API reference; "HTTP header modification for your Application Load Balancer" in its user
guide.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lab.cloud.elbv2.exceptions import ELBError, configuration, constraint, validation

MAX_ATTRIBUTES_PER_CALL = 20


@dataclass(frozen=True)
class Attribute:
    """`one_of` or `between` (inclusive) limits the values; else any string that `like` matches."""

    default: str
    one_of: tuple[str, ...] = ()
    between: tuple[int, int] | None = None
    like: str = r".*"


def _flag(default: bool) -> Attribute:
    return Attribute("true" if default else "false", one_of=("true", "false"))


LOGS = ("access_logs", "connection_logs", "health_check_logs")
LOAD_BALANCER = {
    "deletion_protection.enabled": _flag(False),
    # "can't be changed" for an Application Load Balancer
    "load_balancing.cross_zone.enabled": Attribute("true", one_of=("true",)),
    **{f"{log}.s3.enabled": _flag(False) for log in LOGS},
    **{f"{log}.s3.bucket": Attribute("") for log in LOGS},
    **{f"{log}.s3.prefix": Attribute("") for log in LOGS},
    "ipv6.deny_all_igw_traffic": _flag(False),
    "zonal_shift.config.enabled": _flag(False),
    "idle_timeout.timeout_seconds": Attribute("60", between=(1, 4000)),
    "client_keep_alive.seconds": Attribute("3600", between=(60, 604800)),
    "routing.http.desync_mitigation_mode": Attribute(
        "defensive", one_of=("monitor", "defensive", "strictest")
    ),
    "routing.http.drop_invalid_header_fields.enabled": _flag(False),
    "routing.http.preserve_host_header.enabled": _flag(False),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _flag(False),
    "routing.http.xff_client_port.enabled": _flag(False),
    "routing.http.xff_header_processing.mode": Attribute(
        "append", one_of=("append", "preserve", "remove")
    ),
    "routing.http2.enabled": _flag(True),
    "waf.fail_open.enabled": _flag(False),
}
NETWORK_LOAD_BALANCER = {
    "deletion_protection.enabled": _flag(False),
    "load_balancing.cross_zone.enabled": _flag(False),
    "access_logs.s3.enabled": _flag(False),
    "access_logs.s3.bucket": Attribute(""),
    "access_logs.s3.prefix": Attribute(""),
    "ipv6.deny_all_igw_traffic": _flag(False),
    "zonal_shift.config.enabled": _flag(False),
    "dns_record.client_routing_policy": Attribute(
        "any_availability_zone",
        one_of=(
            "availability_zone_affinity",
            "partial_availability_zone_affinity",
            "any_availability_zone",
        ),
    ),
    "secondary_ips.auto_assigned.per_subnet": Attribute("0", between=(0, 7)),
}

RENAMED = "x_amzn_mtls_clientcert"
HEADER_NAME = Attribute("", like=r"[A-Za-z0-9_-]{0,1024}")
HEADER_VALUE = Attribute("", like=r"[A-Za-z0-9_ :;.,\\/'?!(){}\[\]@<>=\-+*#&`|~^%\"]{0,1024}")
HTTPS_LISTENER = {
    f"routing.http.request.{header}.header_name": HEADER_NAME
    for header in (
        f"{RENAMED}_serial_number",
        f"{RENAMED}_issuer",
        f"{RENAMED}_subject",
        f"{RENAMED}_validity",
        f"{RENAMED}_leaf",
        RENAMED,
        "x_amzn_tls_version",
        "x_amzn_tls_cipher_suite",
    )
}
HTTP_LISTENER = {
    "routing.http.response.server.enabled": _flag(True),
    **{
        f"routing.http.response.{header}.header_value": HEADER_VALUE
        for header in (
            "strict_transport_security",
            "access_control_allow_origin",
            "access_control_allow_methods",
            "access_control_allow_headers",
            "access_control_allow_credentials",
            "access_control_expose_headers",
            "access_control_max_age",
            "content_security_policy",
            "x_content_type_options",
            "x_frame_options",
        )
    },
}
TCP_LISTENER = {"tcp.idle_timeout.seconds": Attribute("350", between=(60, 6000))}
OTHER_LISTENERS: tuple[str, ...] = ("send_tcp_reset.on_idle_timeout.enabled",)

DNS_FAILOVER = "target_group_health.dns_failover.minimum_healthy_targets"
ALL_TARGETS = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
OFF_OR_PERCENT = Attribute("off", like=r"off|[1-9][0-9]?|100")
TARGET_GROUP = {
    "deregistration_delay.timeout_seconds": Attribute("300", between=(0, 3600)),
    "stickiness.enabled": _flag(False),
    "stickiness.type": Attribute("lb_cookie", one_of=("lb_cookie", "app_cookie")),
    "stickiness.app_cookie.cookie_name": Attribute("", like=r"(?!AWSALB).*"),
    "stickiness.app_cookie.duration_seconds": Attribute("86400", between=(1, 604800)),
    "stickiness.lb_cookie.duration_seconds": Attribute("86400", between=(1, 604800)),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration",
        one_of=("true", "false", "use_load_balancer_configuration"),
    ),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", one_of=("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", one_of=("on", "off")),
    "slow_start.duration_seconds": Attribute("0", like=r"0|[3-9][0-9]|[1-8][0-9]{2}|900"),
    f"{DNS_FAILOVER}.count": Attribute("1", like=r"off|[1-9][0-9]*"),
    f"{DNS_FAILOVER}.percentage": OFF_OR_PERCENT,
    f"{ALL_TARGETS}.count": Attribute("1", like=r"[1-9][0-9]*"),
    f"{ALL_TARGETS}.percentage": OFF_OR_PERCENT,
}
# What a group of an ALB has and cannot change ("Edit target group attributes for your Network Load
# Balancer" in its user guide)
ALB_TARGET_GROUP = {
    key: TARGET_GROUP[key]
    for key in (
        "deregistration_delay.timeout_seconds",
        "stickiness.enabled",
        "load_balancing.cross_zone.enabled",
        f"{DNS_FAILOVER}.count",
        f"{DNS_FAILOVER}.percentage",
        f"{ALL_TARGETS}.count",
        f"{ALL_TARGETS}.percentage",
    )
} | {"stickiness.type": Attribute("source_ip", one_of=("source_ip",))}


# A group of functions has no other ("TargetGroupAttribute"; "Edit target group attributes for your
# Application Load Balancer" in its user guide).
LAMBDA_TARGET_GROUP = {"lambda.multi_value_headers.enabled": _flag(False)}


def defaults(known: Mapping[str, Attribute]) -> dict[str, str]:
    return {key: attribute.default for key, attribute in known.items()}


def check(
    kind: str,
    given: Mapping[str, str],
    known: Mapping[str, Attribute],
    elsewhere: Mapping[str, str],
) -> None:
    """Refuses unknown keys and values. `elsewhere`: keys of other kinds -> what they do not fit."""
    if len(given) > MAX_ATTRIBUTES_PER_CALL:
        raise constraint(
            f"[{', '.join(given)}]", "attributes", "have length less than or equal to 20"
        )
    for key, value in given.items():
        if key in elsewhere:
            raise configuration(
                f"{kind} attribute key '{key}' is not supported on {elsewhere[key]}"
            )
        if key not in known:
            raise validation(f"{kind} attribute key '{key}' is not recognized")
        if fault := _fault(key, value, known[key]):
            raise fault


def _fault(key: str, value: str, rule: Attribute) -> ELBError | None:
    if rule.one_of and value not in rule.one_of:
        return validation(f"'{key}' value '{value}' must be one of [{', '.join(rule.one_of)}]")
    if rule.between:
        low, high = rule.between
        if not value.isdecimal() or not low <= int(value) <= high:
            return validation(f"'{key}' value '{value}' must be between '{low}-{high}' inclusive")
    if not re.fullmatch(rule.like, value):
        return validation(f"'{key}' value '{value}' is not valid")
    return None
