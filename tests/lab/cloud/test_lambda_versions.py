import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.lab.cloud.test_lambda_functions import CODE, archive, create, functions, permit, role

__all__ = ["functions", "role"]

ARN = "arn:aws:lambda:eu-west-1:111111111111:function:widgets"
OTHER = archive("def handler(event, context): return 2")


@pytest.fixture
def published(functions, role):
    """The client, with a function of which version 1 is published."""
    create(functions, role, Publish=True)
    functions.get_function(FunctionName="widgets")
    return functions


def versions(functions):
    listed = functions.list_versions_by_function(FunctionName="widgets")["Versions"]
    return [version["Version"] for version in listed]


def changed(functions, **settings):
    functions.update_function_configuration(FunctionName="widgets", **settings)
    functions.get_function(FunctionName="widgets")


def code_of(functions, name):
    location = functions.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:  # noqa: S310
        return answer.read()


def test_a_version_stays_as_it_was_published(published):
    published.update_function_code(FunctionName="widgets", ZipFile=OTHER)
    published.get_function(FunctionName="widgets")
    changed(published, Timeout=20)
    old = published.get_function(FunctionName="widgets", Qualifier="1")["Configuration"]
    assert (old["Version"], old["Timeout"], old["FunctionArn"]) == ("1", 3, f"{ARN}:1")
    assert code_of(published, f"{ARN}:1") == CODE
    assert code_of(published, ARN) == OTHER
    assert published.publish_version(FunctionName="widgets")["Version"] == "2"
    assert versions(published) == ["$LATEST", "1", "2"]


def test_what_has_not_changed_is_not_published_again(published):
    assert published.publish_version(FunctionName="widgets")["Version"] == "1"
    changed(published, Timeout=20)
    assert published.publish_version(FunctionName="widgets")["Version"] == "2"
    assert published.publish_version(FunctionName="widgets")["Version"] == "2"


def test_new_code_can_be_published_at_once(published):
    answer = published.update_function_code(FunctionName="widgets", ZipFile=OTHER, Publish=True)
    assert (answer["Version"], answer["FunctionArn"]) == ("2", f"{ARN}:2")


def test_an_update_under_way_is_not_published(published):
    published.update_function_configuration(FunctionName="widgets", Timeout=20)
    with pytest.raises(ClientError, match="An update is in progress for resource"):
        published.publish_version(FunctionName="widgets")


def test_an_alias_is_its_version_under_its_own_arn(published):
    where = {"FunctionName": "widgets", "Name": "live"}
    made = published.create_alias(**where, FunctionVersion="1")
    assert made["AliasArn"] == f"{ARN}:live"
    published.update_function_code(FunctionName="widgets", ZipFile=OTHER)
    got = published.get_function(FunctionName=f"{ARN}:live")["Configuration"]
    assert (got["FunctionArn"], got["Version"]) == (f"{ARN}:live", "1")
    assert code_of(published, f"{ARN}:live") == CODE
    published.get_function(FunctionName="widgets")
    published.publish_version(FunctionName="widgets")
    assert published.update_alias(**where, FunctionVersion="2")["FunctionVersion"] == "2"
    assert code_of(published, f"{ARN}:live") == OTHER
    assert published.update_alias(**where, Description="x")["FunctionVersion"] == "2"
    published.delete_alias(**where)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        published.get_function(FunctionName=f"{ARN}:live")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"Name": "1"}, "'name' failed to satisfy constraint"),
        ({"Name": "a b"}, "'name' failed to satisfy constraint"),
        ({"FunctionVersion": "9"}, f"Function not found: {ARN}:9"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}}, "does not model it"),
    ],
)
def test_an_alias_is_refused_for(published, settings, words):
    request = {"FunctionName": "widgets", "Name": "live", "FunctionVersion": "1"} | settings
    with pytest.raises(ClientError, match=words):
        published.create_alias(**request)
    assert published.list_aliases(FunctionName="widgets")["Aliases"] == []


def test_an_alias_has_a_policy_of_its_own(published):
    where = {"FunctionName": "widgets", "Name": "live"}
    published.create_alias(**where, FunctionVersion="1")
    permit(published, FunctionName=f"{ARN}:live")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        published.get_policy(FunctionName="widgets")
    permit(published)  # the same statement id, of another policy
    for name, settings, arn in (
        ("widgets", {}, ARN),
        (f"{ARN}:live", {}, f"{ARN}:live"),
        ("widgets", {"Qualifier": "live"}, f"{ARN}:live"),
    ):
        policy = json.loads(published.get_policy(FunctionName=name, **settings)["Policy"])
        assert [statement["Resource"] for statement in policy["Statement"]] == [arn]
    published.remove_permission(FunctionName="widgets", Qualifier="live", StatementId="gateway")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        published.get_policy(FunctionName=f"{ARN}:live")
    assert published.get_policy(FunctionName="widgets")
    permit(published, Qualifier="live")
    published.delete_alias(**where)
    published.create_alias(**where, FunctionVersion="1")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        published.get_policy(FunctionName=f"{ARN}:live")
    with pytest.raises(ClientError, match=f"Function not found: {ARN}:dead"):
        permit(published, Qualifier="dead")


SNAP_START = {"ApplyOn": "PublishedVersions"}


def test_snap_start_is_on_for_versions_published_with_it(functions, role):
    create(functions, role, SnapStart=SNAP_START)
    got = functions.get_function_configuration(FunctionName="widgets")["SnapStart"]
    assert got == SNAP_START | {"OptimizationStatus": "Off"}
    assert functions.publish_version(FunctionName="widgets")["State"] == "Pending"
    got = functions.get_function_configuration(FunctionName="widgets", Qualifier="1")
    assert (got["State"], got["SnapStart"]["OptimizationStatus"]) == ("Active", "On")
    changed(functions, SnapStart={"ApplyOn": "None"})
    assert functions.publish_version(FunctionName="widgets")["State"] == "Active"
    got = functions.get_function_configuration(FunctionName="widgets", Qualifier="2")
    assert got["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}


NOT_SUPPORTED = "is not supported for SnapStart enabled functions"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"Runtime": "python3.11"}, f"python3.11 {NOT_SUPPORTED}"),
        ({"Runtime": "nodejs22.x"}, f"nodejs22.x {NOT_SUPPORTED}"),
        (
            {"EphemeralStorage": {"Size": 513}},
            f"EphemeralStorage of more than 512 MB {NOT_SUPPORTED}",
        ),
        ({"SnapStart": {"ApplyOn": "Always"}}, "'snapStart.applyOn' failed to satisfy constraint"),
    ],
)
def test_snap_start_is_refused_for(functions, role, settings, words):
    with pytest.raises(ClientError, match=words):
        create(functions, role, **{"SnapStart": SNAP_START} | settings)
    assert functions.list_functions()["Functions"] == []
    snap_start = settings.pop("SnapStart", SNAP_START)
    create(functions, role, **settings)
    functions.get_function(FunctionName="widgets")
    with pytest.raises(ClientError, match=words):
        functions.update_function_configuration(FunctionName="widgets", SnapStart=snap_start)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("runtime", ["python3.12", "python3.14"])
def test_snap_start_goes_with_newer_pythons_on_both_architectures(
    functions, role, runtime, architecture
):
    made = create(
        functions, role, Runtime=runtime, Architectures=[architecture], SnapStart=SNAP_START
    )
    assert made["Architectures"] == [architecture]


@pytest.mark.parametrize("architectures", [["arm"], ["arm64", "x86_64"], []])
def test_a_function_has_one_of_two_architectures(functions, role, architectures):
    with pytest.raises(ClientError, match="'architectures' failed to satisfy constraint"):
        create(functions, role, Architectures=architectures)
