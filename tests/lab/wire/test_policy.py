from typing import Any

import pytest

from lab.wire.policy import Call, Decision, PolicyError, evaluate

ARN = "arn:aws:execute-api:eu-west-1:111111111111:abc123"
ALLOWED = Decision(allowed=True, explicit_deny=False)
DENIED = Decision(allowed=False, explicit_deny=True)
NOTHING_ALLOWS = Decision(allowed=False, explicit_deny=False)


def statement(**changes: Any) -> dict[str, Any]:
    everything: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "*",
    }
    merged = everything | changes
    return {name: value for name, value in merged.items() if value is not None}


def decide(*statements: dict[str, Any], **changes: Any) -> Decision:
    call: dict[str, Any] = {
        "action": "execute-api:Invoke",
        "resource": f"{ARN}/v1/GET/widgets/1",
        "context": {"aws:SourceVpce": "vpce-1", "aws:VpcSourceIp": "10.0.1.9"},
    }
    return evaluate(
        {"Version": "2012-10-17", "Statement": list(statements)}, Call(**call | changes)
    )


def under(operator: str, key: str, value: Any, effect: str = "Allow") -> Decision:
    return decide(statement(Effect=effect, Condition={operator: {key: value}}))


def test_nothing_that_applies_is_an_implicit_deny() -> None:
    assert decide(statement(Action="execute-api:ManageConnections")) == NOTHING_ALLOWS


def test_an_explicit_deny_wins_over_any_allow() -> None:
    deny = statement(Effect="Deny")
    assert decide(statement(), deny) == decide(deny, statement()) == DENIED


def test_one_statement_need_not_be_a_list() -> None:
    policy = {"Statement": statement()}
    assert evaluate(policy, Call(action="execute-api:Invoke", resource=ARN, context={})) == ALLOWED


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::1:root", "*"]}])
def test_a_wildcard_principal_is_an_anonymous_caller_too(principal: Any) -> None:
    assert decide(statement(Principal=principal)) == ALLOWED


@pytest.mark.parametrize(
    "principal",
    [{"AWS": "arn:aws:iam::111111111111:root"}, {"Service": "*"}, {"AWS": "anonymous"}],
)
def test_an_anonymous_caller_is_no_named_principal(principal: Any) -> None:
    assert decide(statement(Principal=principal)) == NOTHING_ALLOWS


def test_an_anonymous_caller_is_everyone_but_a_named_principal() -> None:
    everyone_but = {"AWS": "arn:aws:iam::111111111111:role/admin"}
    deny = statement(Effect="Deny", Principal=None, NotPrincipal=everyone_but)
    assert decide(statement(), deny) == DENIED


def test_a_service_is_matched_by_its_name() -> None:
    caller = ("Service", "apigateway.amazonaws.com")
    allow = statement(Principal={"Service": "apigateway.amazonaws.com"})
    assert decide(allow, principal=caller) == ALLOWED
    assert decide(allow, principal=("Service", "s3.amazonaws.com")) == NOTHING_ALLOWS


@pytest.mark.parametrize("action", ["*", "execute-api:*", "EXECUTE-API:inv?ke", ["a:b", "*"]])
def test_actions_have_wildcards_and_no_case(action: Any) -> None:
    assert decide(statement(Action=action)) == ALLOWED


def test_not_action_is_every_other_action() -> None:
    assert decide(statement(Action=None, NotAction="execute-api:Manage*")) == ALLOWED
    assert decide(statement(Action=None, NotAction="execute-api:*")) == NOTHING_ALLOWS


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (f"{ARN}/*", ALLOWED),
        (f"{ARN}/v1/GET/widgets/?", ALLOWED),
        (f"{ARN}/v1/POST/*", NOTHING_ALLOWS),
        ("arn:aws:execute-api:*:*:abc123/*", ALLOWED),
        ("arn:aws:execute-api", ALLOWED),
        ("arn:aws:s3", NOTHING_ALLOWS),
        ("arn:aws:exec*:abc123/*", NOTHING_ALLOWS),
        ("execute-api:/*", ALLOWED),
        ("execute-api:/v1/GET/widgets/*", ALLOWED),
        ("execute-api:/v2/*", NOTHING_ALLOWS),
        ([f"{ARN}/v2/*", f"{ARN}/v1/*"], ALLOWED),
    ],
)
def test_resources_are_arn_patterns_or_api_gateways_short_form(
    resource: Any, expected: Decision
) -> None:
    assert decide(statement(Resource=resource)) == expected


def test_not_resource_is_every_other_resource() -> None:
    deny = statement(Effect="Deny", Resource=None, NotResource="execute-api:/v1/GET/*")
    assert decide(statement(), deny) == ALLOWED
    other = f"{ARN}/v1/DELETE/widgets/1"
    assert decide(statement(), deny, resource=other) == DENIED


@pytest.mark.parametrize(
    ("operator", "key", "value", "holds"),
    [
        ("StringEquals", "aws:SourceVpce", "vpce-1", True),
        ("StringEquals", "AWS:sourcevpce", ["vpce-2", "vpce-1"], True),
        ("StringEquals", "aws:SourceVpce", "VPCE-1", False),
        ("StringEquals", "aws:SourceVpce", "vpce-*", False),
        ("StringEquals", "aws:SourceVpc", "vpc-1", False),
        ("StringNotEquals", "aws:SourceVpce", "vpce-1", False),
        ("StringNotEquals", "aws:SourceVpce", ["vpce-1", "vpce-2"], False),
        ("StringNotEquals", "aws:SourceVpce", "vpce-2", True),
        ("StringNotEquals", "aws:SourceVpc", "vpc-1", True),
        ("StringEqualsIgnoreCase", "aws:SourceVpce", "VPCE-1", True),
        ("StringNotEqualsIgnoreCase", "aws:SourceVpce", "VPCE-1", False),
        ("StringLike", "aws:SourceVpce", "vpce-?", True),
        ("StringNotLike", "aws:SourceVpce", "vpce-*", False),
        ("StringEqualsIfExists", "aws:SourceVpc", "vpc-1", True),
        ("StringEqualsIfExists", "aws:SourceVpce", "vpce-2", False),
        ("ArnLike", "aws:SourceVpce", "arn:aws:ec2:*:*:*", False),
        ("IpAddress", "aws:VpcSourceIp", ["192.168.0.0/16", "10.0.0.0/16"], True),
        ("IpAddress", "aws:VpcSourceIp", "10.0.1.9", True),
        ("IpAddress", "aws:SourceIp", "0.0.0.0/0", False),
        ("NotIpAddress", "aws:VpcSourceIp", "10.0.0.0/16", False),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/16", True),
        ("Null", "aws:SourceVpce", "false", True),
        ("Null", "aws:SourceVpce", True, False),
        ("Null", "aws:SourceVpc", "true", True),
        ("Bool", "aws:SourceVpce", True, False),
        ("ForAnyValue:StringEquals", "aws:SourceVpce", ["vpce-1"], True),
        ("ForAnyValue:StringNotEquals", "aws:SourceVpc", ["vpc-1"], False),
        ("ForAllValues:StringEquals", "aws:SourceVpc", ["vpc-1"], True),
        ("ForAllValues:StringEquals", "aws:SourceVpce", ["vpce-2"], False),
    ],
)
def test_condition_operators(operator: str, key: str, value: Any, holds: bool) -> None:
    assert under(operator, key, value) == (ALLOWED if holds else NOTHING_ALLOWS)


def test_an_arn_wildcard_does_not_reach_over_a_colon() -> None:
    def like(pattern: str) -> Decision:
        allow = statement(Condition={"ArnLike": {"aws:SourceArn": pattern}})
        return decide(allow, context={"aws:SourceArn": f"{ARN}/v1/GET/widgets"})

    assert like(f"{ARN}/*/GET/*") == ALLOWED
    assert like("arn:aws:execute-api:*:111111111111:*") == ALLOWED
    assert like("arn:*:abc123/*") == NOTHING_ALLOWS


def test_booleans_of_json_are_their_text() -> None:
    allow = statement(Condition={"Bool": {"aws:SecureTransport": True}})
    assert decide(allow, context={"aws:SecureTransport": "true"}) == ALLOWED


def test_every_condition_must_hold() -> None:
    conditions = {
        "StringEquals": {"aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1"},
        "IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"},
    }
    assert decide(statement(Condition=conditions)) == NOTHING_ALLOWS


@pytest.mark.parametrize(
    "changes",
    [
        {"Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}},
        {"Condition": {"ForSomeValues:StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"StringEqualsIfexists": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"StringEquals": {"aws:SourceVpce": "${aws:PrincipalTag/vpce}"}}},
        {"Condition": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/33"}}},
        {"Condition": {"StringEquals": "vpce-1"}},
        {"Condition": []},
        {"Conditions": {}},
        {"Effect": "allow"},
        {"Principal": "arn:aws:iam::111111111111:root"},
        {"NotPrincipal": "*"},
        {"Action": None},
        {"Resource": None},
        {"Resource": [{}]},
    ],
)
def test_what_is_not_known_is_an_error_even_where_another_statement_decides(
    changes: dict[str, Any],
) -> None:
    with pytest.raises(PolicyError):
        decide(statement(Effect="Deny"), statement(**changes))


@pytest.mark.parametrize("policy", [[], {}, {"Statement": [], "Statements": []}, {"Statement": 1}])
def test_a_document_of_another_shape_is_an_error(policy: Any) -> None:
    with pytest.raises(PolicyError):
        evaluate(policy, Call(action="a:b", resource=ARN, context={}))
