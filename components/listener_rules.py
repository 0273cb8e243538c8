"""The rules of the front's listener: what is refused, and what leads where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import lb

API_PRIORITY = 50_000
"""The highest a rule may have: path routes come before the API, which takes all the rest."""

MAX_PATTERNS = 4
"""Of a path route: one of the five values that a rule may compare with is the host name."""


@dataclass(frozen=True, kw_only=True)
class ApiTarget:
    """A stage of a private API, picked by writing its host name and stage into the request.

    `host` is the API's own, as in 'abc123.execute-api.eu-west-1.amazonaws.com', so its default
    endpoint must not be disabled.
    """

    host: pulumi.Input[str]
    stage_name: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class PathRoute:
    """Layer 7 routing by path, to a target group or to a further private API: give one of the two.

    `priority` (100 to 49999) is yours to choose and unique. For a target group: the load balancer
    may connect to `security_group_id` on `port`; leave it out for targets without one, such as
    Lambda functions. An `api` is reached through the same endpoint, which must let it pass, and
    sees the whole path.
    """

    path_patterns: tuple[str, ...]
    priority: int
    target_group_arn: pulumi.Input[str] | None = None
    api: ApiTarget | None = None
    security_group_id: pulumi.Input[str] | None = None
    port: int = 443


def answer(status: int) -> lb.ListenerRuleActionArgsDict:
    """A fixed response without a body."""
    return {
        "type": "fixed-response",
        "fixed_response": {"status_code": str(status), "content_type": "text/plain"},
    }


def refuse_headers(
    name: str, listener: lb.Listener, headers: Sequence[str], opts: pulumi.ResourceOptions
) -> None:
    """Answers 403, before any other rule, to a request that carries one of `headers`.

    There may be 99. A rule looks at a request as the client sent it.
    """
    for priority, header in enumerate(headers, start=1):
        lb.ListenerRule(
            f"{name}-refuse-{header.lower()}",
            listener_arn=listener.arn,
            priority=priority,
            conditions=[{"http_header": {"http_header_name": header, "values": ["*"]}}],
            actions=[answer(403)],
            opts=opts,
        )


def route_paths(
    name: str,
    listener: lb.Listener,
    domain: str,
    routes: Mapping[str, PathRoute],
    endpoint: lb.TargetGroup,
    opts: pulumi.ResourceOptions,
) -> None:
    """`endpoint` is the way to every API: which one answers is up to the request it gets."""
    for key, route in routes.items():
        paths: lb.ListenerRuleConditionArgsDict = {
            "path_pattern": {"values": list(route.path_patterns)}
        }
        to = endpoint.arn if route.target_group_arn is None else route.target_group_arn
        lb.ListenerRule(
            f"{name}-route-{key}",
            listener_arn=listener.arn,
            priority=route.priority,
            conditions=[_for(domain), paths],
            actions=[{"type": "forward", "target_group_arn": to}],
            transforms=_rewrite(route.api),
            opts=opts,
        )


def route_api(
    name: str,
    listener: lb.Listener,
    domain: str,
    api: ApiTarget | None,
    endpoint: lb.TargetGroup,
    opts: pulumi.ResourceOptions,
) -> None:
    """Whatever of `domain` no other rule takes; without `api` it arrives as it was sent."""
    lb.ListenerRule(
        f"{name}-api",
        listener_arn=listener.arn,
        priority=API_PRIORITY,
        conditions=[_for(domain)],
        actions=[{"type": "forward", "target_group_arn": endpoint.arn}],
        transforms=_rewrite(api),
        opts=opts,
    )


def _for(domain: str) -> lb.ListenerRuleConditionArgsDict:
    return {"host_header": {"values": [domain]}}


def _rewrite(api: ApiTarget | None) -> list[lb.ListenerRuleTransformArgsDict] | None:
    if api is None:
        return None
    stage_path = pulumi.Output.concat("/", api.stage_name, "/$1")
    return [
        {
            "type": "host-header-rewrite",
            "host_header_rewrite_config": {"rewrite": {"regex": "^.*$", "replace": api.host}},
        },
        {
            "type": "url-rewrite",
            "url_rewrite_config": {"rewrite": {"regex": "^/(.*)$", "replace": stage_path}},
        },
    ]


def check_path_routes(field: str, routes: Mapping[str, PathRoute]) -> None:
    """Refuse routes that do not fit beside the front's own rules. Raises ValueError."""
    taken: dict[int, str] = {}
    for key, route in routes.items():
        where = f"{field}.{key}"
        if not 100 <= route.priority < API_PRIORITY:
            raise ValueError(
                f"{where}.priority: want 100 to {API_PRIORITY - 1}; got {route.priority}"
            )
        if other := taken.get(route.priority):
            raise ValueError(
                f"{where}.priority: want one of its own; got {route.priority}, which {other} has"
            )
        taken[route.priority] = key
        _check_patterns(f"{where}.path_patterns", route.path_patterns)
        _check_target(where, route)


def check_passes_through(field: str, routes: Mapping[str, PathRoute]) -> None:
    """Refuse path routes where the load balancer verifies nobody: what they lead to is not behind
    the API's authorizer, and would be open to clients without a certificate. Raises ValueError.
    """
    if routes:
        raise ValueError(
            f"{field}: want none in mode 'passthrough', in which they lead past the authorizer "
            f"that verifies certificates; got {', '.join(routes)}"
        )


def _check_patterns(field: str, patterns: tuple[str, ...]) -> None:
    """Refuse path patterns that a listener rule does not take beside its host name.

    ELB user guide, "Quotas for your Application Load Balancers": five values in the conditions of a
    rule. Raises ValueError naming `field`.
    """
    if not 1 <= len(patterns) <= MAX_PATTERNS:
        raise ValueError(
            f"{field}: want 1 to {MAX_PATTERNS}, such as '/reports/*'; "
            f"got {len(patterns) or 'none'}"
        )
    for pattern in patterns:
        if not pattern.startswith(("/", "*")):
            raise ValueError(f"{field}: want a path such as '/reports/*'; got {pattern!r}")


def _check_target(field: str, route: PathRoute) -> None:
    if (route.target_group_arn is None) == (route.api is None):
        raise ValueError(
            f"{field}: want target_group_arn or api; "
            f"got {'neither' if route.api is None else 'both'}"
        )
    if route.api is not None and route.security_group_id is not None:
        raise ValueError(
            f"{field}.security_group_id: want none beside api, which the endpoint's group covers"
        )
