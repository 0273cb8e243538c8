from typing import Any

import pytest

from lab.wire.messages import Request
from lab.wire.rules import (
    Arrival,
    NotModelledError,
    TransformError,
    choose,
    transform,
)


def arrival(target: str = "/", host: str = "api.example.com", **headers: str) -> Arrival:
    pairs = (("Host", host), *((name.replace("_", "-"), value) for name, value in headers.items()))
    request = Request(method="GET", target=target, headers=pairs)
    return Arrival(request=request, source_ip="10.0.0.9", protocol="HTTPS")


def holds(condition: dict[str, Any], request: Arrival) -> bool:
    rules = [rule("1", condition), rule("default")]
    return choose(rules, request)["Priority"] == "1"


def rule(priority: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    default = priority == "default"
    return {"Priority": priority, "IsDefault": default, "Conditions": list(conditions)}


def hosts(*values: str) -> dict[str, Any]:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def paths(*values: str) -> dict[str, Any]:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def test_the_lowest_priority_that_matches_is_chosen() -> None:
    rules = [rule("default"), rule("100", paths("/a*")), rule("20", paths("/a/b"))]
    assert choose(rules, arrival("/a/b"))["Priority"] == "20"
    assert choose(rules, arrival("/a/c"))["Priority"] == "100"


def test_the_default_rule_takes_the_rest() -> None:
    assert choose([rule("default"), rule("1", paths("/a"))], arrival("/b"))["IsDefault"]


def test_all_conditions_of_a_rule_must_hold() -> None:
    rules = [rule("1", paths("/a"), hosts("api.example.com")), rule("default")]
    assert choose(rules, arrival("/a", host="other.example.com"))["IsDefault"]


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("api.example.com", "API.Example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("ap?.example.com", "api.example.com", True),
        ("ap?.example.com", "ap.example.com", False),
        ("api.example.com", "api.example.com:443", True),
        ("api.example.com", "api.example.com:8443", False),
        ("api.example.com", "apixexample.com", False),
    ],
)
def test_a_host_is_compared_without_case(pattern: str, host: str, expected: bool) -> None:
    assert holds(hosts(pattern), arrival(host=host)) is expected


@pytest.mark.parametrize(
    ("pattern", "target", "expected"),
    [
        ("/img/*", "/img/a/b.png", True),
        ("/img/*", "/IMG/a", False),
        ("/img", "/img?x=1", True),
        ("/img/*", "/?/img/", False),
        ("/a.b", "/axb", False),
    ],
)
def test_a_path_is_compared_with_case_and_without_the_query(
    pattern: str, target: str, expected: bool
) -> None:
    assert holds(paths(pattern), arrival(target)) is expected


def test_values_may_stand_in_the_condition_itself() -> None:
    assert holds({"Field": "path-pattern", "Values": ["/a"]}, arrival("/a"))


def test_regular_expressions_are_searched_for() -> None:
    condition = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": [r"^/v\d+/"]}}
    assert holds(condition, arrival("/v12/a"))
    assert not holds(condition, arrival("/va/a"))


def test_any_of_a_headers_values_will_do() -> None:
    config = {"HttpHeaderName": "X-Tenant", "Values": ["acme*"]}
    condition = {"Field": "http-header", "HttpHeaderConfig": config}
    assert holds(condition, arrival(x_tenant="ACME-1"))
    assert not holds(condition, arrival(x_other="acme"))


def test_a_method_is_compared_exactly() -> None:
    condition = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}
    assert holds(condition, arrival())
    assert not holds({**condition, "HttpRequestMethodConfig": {"Values": ["get"]}}, arrival())


@pytest.mark.parametrize(
    ("wanted", "query", "expected"),
    [
        ({"Key": "version", "Value": "v1"}, "a=b&version=V1", True),
        ({"Key": "version", "Value": "v1"}, "other=v1", False),
        ({"Value": "v?"}, "anything=v2", True),
        ({"Key": "q", "Value": r"what\?"}, "q=what?", True),
        ({"Key": "q", "Value": r"what\?"}, "q=whats", False),
        ({"Key": "q", "Value": "a b"}, "q=a%20b", True),
    ],
)
def test_a_query_parameter_is_compared_without_case(
    wanted: dict[str, str], query: str, expected: bool
) -> None:
    condition = {"Field": "query-string", "QueryStringConfig": {"Values": [wanted]}}
    assert holds(condition, arrival(f"/?{query}")) is expected


def test_a_source_address_is_compared_with_ranges() -> None:
    condition = {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/24"]}}
    assert holds(condition, arrival())
    assert not holds({**condition, "SourceIpConfig": {"Values": ["10.0.1.0/24"]}}, arrival())


def test_an_unknown_condition_is_an_error_and_never_ignored() -> None:
    with pytest.raises(NotModelledError, match="jwt"):
        holds({"Field": "jwt"}, arrival())


def host_rewrite(regex: str, replace: str) -> dict[str, Any]:
    config = {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    return {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": config}


def url_rewrite(regex: str, replace: str) -> dict[str, Any]:
    config = {"Rewrites": [{"Regex": regex, "Replace": replace}]}
    return {"Type": "url-rewrite", "UrlRewriteConfig": config}


def test_the_documented_host_rewrite() -> None:
    request = arrival(host="mywebsite-example.com").request
    rewrite = host_rewrite("^mywebsite-(.+).com$", "internal.dev.$1.myweb.com")
    result = transform(request, [rewrite])
    assert result.request.header("Host") == result.host == "internal.dev.example.myweb.com"


def test_the_documented_url_rewrite() -> None:
    rewrite = url_rewrite("^/dp/([A-Za-z0-9]+)/?$", "/product.php?id=$1")
    result = transform(arrival("/dp/B09G3HRMW").request, [rewrite])
    assert result.request.target == result.uri == "/product.php?id=B09G3HRMW"


def test_only_the_first_match_is_replaced_and_the_rest_stays() -> None:
    result = transform(arrival("/x/a/a?b").request, [url_rewrite("/a", "/b")])
    assert result.uri == "/x/b/a?b"


def test_an_expression_for_everything_replaces_it_once() -> None:
    result = transform(arrival().request, [host_rewrite("^.*$", "a.b")])
    assert result.host == "a.b"


def test_the_query_string_is_part_of_what_is_rewritten() -> None:
    result = transform(arrival("/widgets?a=1").request, [url_rewrite("^/(.*)$", "/v1/$1")])
    assert result.uri == "/v1/widgets?a=1"


def test_without_a_match_the_request_stays_as_it_is() -> None:
    request = arrival("/a").request
    result = transform(request, [url_rewrite("^/b", "/c"), host_rewrite("nothing", "a.b")])
    assert (result.request, result.host, result.uri) == (request, None, None)


@pytest.mark.parametrize(
    ("rewrite", "status"),
    [
        (url_rewrite("^/(.*)$", "/$2"), "TransformReplaceError"),
        (url_rewrite("^/a", "b"), "TransformInvalidPath"),
        (url_rewrite("^/a", "/b c"), "TransformInvalidPath"),
        (host_rewrite("^.*$", "a/b"), "TransformInvalidHost"),
        (host_rewrite("^.*$", ""), "TransformInvalidHost"),
    ],
)
def test_a_match_that_cannot_be_rewritten_fails(rewrite: dict[str, Any], status: str) -> None:
    with pytest.raises(TransformError) as failure:
        transform(arrival("/a").request, [rewrite])
    assert failure.value.status == status


def test_an_unknown_transform_is_an_error_and_never_ignored() -> None:
    with pytest.raises(NotModelledError, match="body-rewrite"):
        transform(arrival().request, [{"Type": "body-rewrite"}])
