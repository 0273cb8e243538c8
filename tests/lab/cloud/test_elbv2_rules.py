import pytest

FIXED_404 = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/widgets", "/widgets/*"]}}
HOST = {"Field": "host-header", "HostHeaderConfig": {"Values": ["api.example.com"]}}
HEADER = {
    "Field": "http-header",
    "HttpHeaderConfig": {"HttpHeaderName": "X-Version", "Values": ["2"]},
}


def host_rewrite(regex="^.*$", replace="abc.execute-api.eu-west-1.amazonaws.com"):
    rewrites = [{"Regex": regex, "Replace": replace}]
    return {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": rewrites}}


def url_rewrite(regex="^/(.*)$", replace="/v1/$1"):
    rewrites = [{"Regex": regex, "Replace": replace}]
    return {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": rewrites}}


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def listener(elbv2, create_balancer):
    answer = elbv2.create_listener(
        LoadBalancerArn=create_balancer("rules"),
        Protocol="HTTP",
        Port=80,
        DefaultActions=[FIXED_404],
    )
    return answer["Listeners"][0]["ListenerArn"]


@pytest.fixture
def create(elbv2, listener):
    """`create(priority, …)` creates a rule, which goes when the test ends."""
    created = []

    def create(priority, **arguments):
        settings = {
            "ListenerArn": listener,
            "Priority": priority,
            "Conditions": [PATH],
            "Actions": [FIXED_404],
        }
        created.append(elbv2.create_rule(**(settings | arguments))["Rules"][0])
        return created[-1]

    yield create
    for each in created:
        elbv2.delete_rule(RuleArn=each["RuleArn"])


def rules(elbv2, listener):
    return elbv2.describe_rules(ListenerArn=listener)["Rules"]


def test_a_rule_with_transforms_comes_back_as_it_was_sent(elbv2, listener, create):
    transforms = [host_rewrite(), url_rewrite()]
    created = create(10, Conditions=[HOST, PATH, HEADER], Transforms=transforms)
    assert created["Conditions"] == [HOST, PATH, HEADER]
    assert created["Transforms"] == transforms
    assert created["Priority"] == "10"
    assert rules(elbv2, listener)[0] == created
    assert elbv2.describe_rules(RuleArns=[created["RuleArn"]])["Rules"] == [created]


def test_rules_are_listed_by_priority_with_the_default_last(elbv2, listener, create):
    for priority in (300, 20, 100):
        create(priority)
    found = [rule["Priority"] for rule in rules(elbv2, listener)]
    assert found == ["20", "100", "300", "default"]


def test_a_modify_changes_what_is_given_and_resets_transforms_when_asked(elbv2, create):
    created = create(10, Transforms=[host_rewrite()])
    arn = created["RuleArn"]
    changed = elbv2.modify_rule(RuleArn=arn, Transforms=[url_rewrite()])["Rules"][0]
    assert changed == {**created, "Transforms": [url_rewrite()]}
    changed = elbv2.modify_rule(RuleArn=arn, Conditions=[HOST])["Rules"][0]
    assert changed == {**created, "Conditions": [HOST], "Transforms": [url_rewrite()]}
    changed = elbv2.modify_rule(RuleArn=arn, ResetTransforms=True)["Rules"][0]
    assert changed.get("Transforms", []) == []


@pytest.mark.parametrize(
    ("transforms", "words"),
    [
        ([host_rewrite(), host_rewrite()], "only have one 'host-header-rewrite' transform"),
        ([url_rewrite("(")], "The regex .* is not valid"),
        ([url_rewrite("a" * 1025)], "1 to 1024 characters"),
        ([url_rewrite("")], "1 to 1024 characters"),
        ([url_rewrite(replace="a" * 1025)], "1 to 1024 characters"),
        ([url_rewrite("^/", "/$1")], "refers to a group that is not in"),
        ([{"Type": "url-rewrite"}], "must have exactly one rewrite"),
        ([{**url_rewrite(), "Type": "host-header-rewrite"}], "cannot be specified for a transform"),
        ([{"Type": "query-rewrite"}], "enum value set"),
    ],
    ids=["two", "regex", "long", "empty", "long replace", "group", "none", "other", "type"],
)
def test_a_transform_that_albs_do_not_take_is_refused(create, refused, transforms, words):
    with refused("ValidationError", words):
        create(10, Transforms=transforms)


def test_transforms_and_their_reset_exclude_each_other(elbv2, create, refused):
    arn = create(10)["RuleArn"]
    with refused("ValidationError", "cannot be specified at the same time"):
        elbv2.modify_rule(RuleArn=arn, Transforms=[url_rewrite()], ResetTransforms=True)
    with refused("ValidationError", "must be specified"):
        elbv2.modify_rule(RuleArn=arn)


def test_the_default_rule_stays_as_it_is(elbv2, listener, refused):
    arn = rules(elbv2, listener)[-1]["RuleArn"]
    with refused("OperationNotPermitted", "cannot be modified"):
        elbv2.modify_rule(RuleArn=arn, Transforms=[url_rewrite()])
    with refused("OperationNotPermitted", "cannot be deleted"):
        elbv2.delete_rule(RuleArn=arn)
    with refused("OperationNotPermitted", "cannot be changed"):
        elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": arn, "Priority": 5}])


def test_a_priority_is_used_once(elbv2, create, refused):
    first = create(10)["RuleArn"]
    second = create(11)["RuleArn"]
    with refused("PriorityInUse"):
        create(10)
    with refused("PriorityInUse"):
        elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": second, "Priority": 10}])
    elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": first, "Priority": 12}])
    assert elbv2.describe_rules(RuleArns=[first])["Rules"][0]["Priority"] == "12"


@pytest.mark.parametrize(
    ("priority", "words"), [(0, "greater than or equal to 1"), (50001, "or equal to 50000")]
)
def test_a_priority_beyond_50000_is_refused(elbv2, create, refused, priority, words):
    with refused("ValidationError", words):
        create(priority)
    arn = create(10)["RuleArn"]
    with refused("ValidationError", words):
        elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": arn, "Priority": priority}])


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([PATH, PATH], "only have one 'path-pattern' condition"),
        (
            [{"Field": "path-pattern", "PathPatternConfig": {"Values": list("123456")}}],
            "only have '5' condition values",
        ),
        ([{"Field": "host-header", "Values": ["a b"]}], "contains a character that is not valid"),
        ([{"Field": "path-pattern", "Values": ["/<"]}], "contains a character that is not valid"),
        ([{**HOST, "Values": ["a.b"]}], "both Values and 'HostHeaderConfig'"),
        ([{"Field": "path-pattern", "Values": ["/" + "a" * 128]}], "too long"),
        (
            [
                {
                    "Field": "http-header",
                    "HttpHeaderConfig": {"HttpHeaderName": "Host", "Values": ["a"]},
                }
            ],
            "cannot be used for the host header",
        ),
        ([{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["("]}}], "regex"),
        (
            [{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["a" * 129]}}],
            "regex value is too long",
        ),
        ([{"Field": "nonsense", "Values": ["a"]}], "Condition field 'nonsense' must be one of"),
    ],
    ids=[
        "twice",
        "six",
        "host",
        "path",
        "both",
        "long",
        "host header",
        "regex",
        "long regex",
        "field",
    ],
)
def test_a_condition_that_albs_do_not_take_is_refused(create, refused, conditions, words):
    with refused("ValidationError", words):
        create(10, Conditions=conditions)


def test_a_regex_condition_comes_back(create):
    condition = {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/v[12]/"]}}
    assert create(10, Conditions=[condition])["Conditions"] == [condition]


def test_a_rule_forwards_to_a_target_group_that_exists(create, refused):
    arn = "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/none/1"
    with refused("TargetGroupNotFound", "'.*' not found"):
        create(10, Actions=[{"Type": "forward", "TargetGroupArn": arn}])


def test_a_rule_that_is_not_there_is_refused(elbv2, listener, refused):
    arn = listener.replace(":listener/", ":listener-rule/") + "/0"
    with refused("RuleNotFound"):
        elbv2.delete_rule(RuleArn=arn)
    with refused("RuleNotFound"):
        elbv2.modify_rule(RuleArn=arn, Conditions=[HOST])


def test_rules_beyond_the_quota_are_refused(elbv2, create_balancer, refused):
    listener = elbv2.create_listener(
        LoadBalancerArn=create_balancer("full"),
        Protocol="HTTP",
        Port=80,
        DefaultActions=[FIXED_404],
    )["Listeners"][0]["ListenerArn"]
    settings = {"ListenerArn": listener, "Conditions": [PATH], "Actions": [FIXED_404]}
    for priority in range(1, 101):
        elbv2.create_rule(Priority=priority, **settings)
    with refused("TooManyRules"):
        elbv2.create_rule(Priority=101, **settings)
