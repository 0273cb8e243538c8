"""Routes by path: which are refused, and what each leads to."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi_aws import lb

from components.listener_rules import ApiTarget, PathRoute, check_path_routes, route_paths
from tests.components.checks import refused
from tests.conftest import Deploy

REPORTS = ApiTarget(host="def.execute-api.eu-west-1.amazonaws.com", stage_name="v2")


def check(routes: Mapping[str, PathRoute]) -> None:
    check_path_routes("path_routes", routes)


def route(**changes: Any) -> PathRoute:
    given: dict[str, Any] = {
        "path_patterns": ("/x",),
        "target_group_arn": "arn:x",
        "priority": 100,
    }
    return PathRoute(**given | changes)


@pytest.mark.parametrize("priority", [0, 6, 99, 50_000])
def test_a_priority_among_the_fronts_own_is_refused(priority: int):
    with refused(f"path_routes.x.priority: want 100 to 49999; got {priority}"):
        check({"x": route(priority=priority)})


def test_the_lowest_and_the_highest_priority_are_taken():
    check({"x": route(priority=100), "y": route(priority=49_999)})


def test_a_priority_given_twice_is_refused():
    with refused("path_routes.y.priority: want one of its own; got 100, which x has"):
        check({"x": route(), "y": route()})


@pytest.mark.parametrize(("count", "got"), [(0, "none"), (5, "5")])
def test_more_paths_than_a_rule_takes_or_none_are_refused(count: int, got: str):
    with refused(f"path_routes.x.path_patterns: want 1 to 4, such as '/reports/*'; got {got}"):
        check({"x": route(path_patterns=("/x",) * count)})
    check({"x": route(path_patterns=("/x",) * 4)})


def test_a_path_of_another_form_is_refused():
    with refused("path_routes.x.path_patterns: want a path such as '/reports/*'; got 'reports'"):
        check({"x": route(path_patterns=("/x", "*.pdf", "reports"))})


@pytest.mark.parametrize(
    ("changes", "got"),
    [({"target_group_arn": None}, "neither"), ({"api": REPORTS}, "both")],
    ids=["neither", "both"],
)
def test_a_route_leads_to_a_target_group_or_to_an_api(changes: dict[str, Any], got: str):
    with refused(f"path_routes.x: want target_group_arn or api; got {got}"):
        check({"x": route(**changes)})


def test_a_group_beside_an_api_is_refused():
    with refused(
        "path_routes.x.security_group_id: want none beside api, which the endpoint's group covers"
    ):
        check({"x": route(target_group_arn=None, api=REPORTS, security_group_id="sg-1")})


def test_each_route_leads_where_it_says(deploy: Deploy):
    routes = {
        "reports": route(path_patterns=("/reports/*",), target_group_arn=None, api=REPORTS),
        "legacy": route(priority=200),
    }

    def build(opts: pulumi.ResourceOptions) -> None:
        listener = lb.Listener("l", default_actions=[], load_balancer_arn="arn:lb", opts=opts)
        endpoint = lb.TargetGroup("endpoint", opts=opts)
        route_paths("f", listener, "api.example.com", routes, endpoint, opts)

    deployed = deploy(build)
    reports = deployed.one("ListenerRule", "f-route-reports").inputs
    assert reports["listenerArn"] == "arn:l"
    assert reports["priority"] == 100
    assert reports["conditions"] == [
        {"hostHeader": {"values": ["api.example.com"]}},
        {"pathPattern": {"values": ["/reports/*"]}},
    ]
    assert reports["actions"] == [{"type": "forward", "targetGroupArn": "arn:endpoint"}]
    host, path = reports["transforms"]
    assert host == {
        "type": "host-header-rewrite",
        "hostHeaderRewriteConfig": {
            "rewrite": {"regex": "^.*$", "replace": "def.execute-api.eu-west-1.amazonaws.com"}
        },
    }
    assert path == {
        "type": "url-rewrite",
        "urlRewriteConfig": {"rewrite": {"regex": "^/(.*)$", "replace": "/v2/$1"}},
    }
    legacy = deployed.one("ListenerRule", "f-route-legacy").inputs
    assert legacy["actions"] == [{"type": "forward", "targetGroupArn": "arn:x"}]
    assert "transforms" not in legacy
