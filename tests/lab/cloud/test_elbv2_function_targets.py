import io
import json
import zipfile

import pytest

MULTI_VALUE = "lambda.multi_value_headers.enabled"


@pytest.fixture(scope="module")
def elbv2(client):
    return client("elbv2")


@pytest.fixture(scope="module")
def create_function(client):
    """`create_function("name")` answers the ARN of a function that nobody may invoke."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = client("iam").create_role(
        RoleName="function",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.py", "")

    def create(name):
        return client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=role,
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]

    return create


@pytest.fixture
def group(elbv2):
    made = elbv2.create_target_group(Name="functions", TargetType="lambda")
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    yield arn
    elbv2.delete_target_group(TargetGroupArn=arn)


def admit(client, function, group, **changes):
    client("lambda").add_permission(
        **{
            "FunctionName": function,
            "StatementId": "elb",
            "Action": "lambda:InvokeFunction",
            "Principal": "elasticloadbalancing.amazonaws.com",
            "SourceArn": group,
        }
        | changes
    )


def register(elbv2, group, *functions):
    targets = [{"Id": function} for function in functions]
    elbv2.register_targets(TargetGroupArn=group, Targets=targets)


def health(elbv2, group):
    answer = elbv2.describe_target_health(TargetGroupArn=group)
    (found,) = answer["TargetHealthDescriptions"]
    return found["TargetHealth"]["State"], found["TargetHealth"]["Reason"]


def attributes(answer):
    return {each["Key"]: each["Value"] for each in answer["Attributes"]}


def test_the_one_attribute_is_whether_headers_have_several_values(elbv2, group, refused):
    described = elbv2.describe_target_group_attributes(TargetGroupArn=group)
    assert attributes(described) == {MULTI_VALUE: "false"}
    given = [{"Key": MULTI_VALUE, "Value": "true"}]
    changed = elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=given)
    assert attributes(changed) == {MULTI_VALUE: "true"}
    for key, value, code, words in (
        ("stickiness.enabled", "true", "InvalidConfigurationRequest", "is not supported"),
        (MULTI_VALUE, "yes", "ValidationError", "must be one of"),
        ("nonsense", "1", "ValidationError", "is not recognized"),
    ):
        with refused(code, words):
            elbv2.modify_target_group_attributes(
                TargetGroupArn=group, Attributes=[{"Key": key, "Value": value}]
            )


def test_health_is_unavailable_while_health_checks_are_off(
    client, elbv2, group, create_function, create_balancer
):
    function = create_function("unchecked")
    admit(client, function, group)
    register(elbv2, group, function)
    assert health(elbv2, group) == ("unused", "Target.NotInUse")
    listener = elbv2.create_listener(
        LoadBalancerArn=create_balancer("invoking"),
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )["Listeners"][0]["ListenerArn"]
    assert health(elbv2, group) == ("unavailable", "Target.HealthCheckDisabled")
    elbv2.modify_target_group(TargetGroupArn=group, HealthCheckEnabled=True)
    assert health(elbv2, group) == ("initial", "Elb.InitialHealthChecking")
    elbv2.modify_target_group(TargetGroupArn=group, HealthCheckEnabled=False)
    assert health(elbv2, group) == ("unavailable", "Target.HealthCheckDisabled")
    elbv2.delete_listener(ListenerArn=listener)


@pytest.mark.parametrize(
    "changes",
    [
        None,
        {"SourceArn": "arn:aws:elasticloadbalancing:eu-west-1:111111111111:targetgroup/other/1"},
        {"Principal": "apigateway.amazonaws.com"},
    ],
    ids=["no permission", "another group", "another service"],
)
def test_a_function_that_the_load_balancer_may_not_invoke_is_refused(
    client, elbv2, group, create_function, refused, changes, request
):
    function = create_function(request.node.callspec.id.replace(" ", "-"))
    if changes is not None:
        admit(client, function, group, **changes)
    with refused("AccessDenied", "principal does not have permission to invoke arn:aws:lambda"):
        register(elbv2, group, function)
    admit(client, function, group, StatementId="right")
    register(elbv2, group, function)


def test_a_function_that_is_not_there_is_refused(elbv2, group, refused):
    here = "arn:aws:lambda:eu-west-1:111111111111:function:none"
    with refused("AccessDenied"):
        register(elbv2, group, here)
    for other in ("10.20.0.9", here.replace("eu-west-1", "eu-west-2"), here.replace("1" * 12, "2")):
        with refused("ValidationError", "not the ARN of a Lambda function of this account"):
            register(elbv2, group, other)


def test_a_group_has_one_function(client, elbv2, group, create_function, refused):
    first, second = create_function("first"), create_function("second")
    for function in (first, second):
        admit(client, function, group)
    with refused("TooManyTargets"):
        register(elbv2, group, first, second)
    register(elbv2, group, first)
    register(elbv2, group, first)
    with refused("TooManyTargets"):
        register(elbv2, group, second)
