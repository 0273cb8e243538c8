"""The providers as the engine speaks to them, without the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from lab.provider.grpc_values import received, sent
from lab.provider.schema import UNKNOWN
from tests.engine.conftest import REGION, Account
from tests.engine.inventory import inventory

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
FUNCTION = "aws:lambda/function:Function"
VPC = "aws:ec2/vpc:Vpc"
KEY = "tls:index/privateKey:PrivateKey"


@contextmanager
def connection(account: Account, package: str = "aws", **config: Any) -> Iterator[Any]:
    """A configured provider: as from the engine, each has a connection of its own."""
    address = f"127.0.0.1:{account.providers.ports[package]}"
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        answer = stub.Configure(provider_pb2.ConfigureRequest(args=sent(config)))
        assert (answer.acceptSecrets, answer.supportsPreview) == (True, True)
        yield stub


@pytest.fixture
def aws(account: Account) -> Iterator[Any]:
    with connection(account, region=REGION) as stub:
        yield stub


def check(stub: Any, token: str, **inputs: Any) -> Struct:
    answer = stub.Check(provider_pb2.CheckRequest(type=token, name="it", news=sent(inputs)))
    assert [failure.reason for failure in answer.failures] == []
    return answer.inputs


def create(stub: Any, token: str, **inputs: Any) -> tuple[str, Struct, Struct]:
    checked = check(stub, token, **inputs)
    made = stub.Create(provider_pb2.CreateRequest(type=token, name="it", properties=checked))
    return made.id, checked, made.properties


def diff(stub: Any, token: str, old: Struct, new: Struct) -> Any:
    return stub.Diff(provider_pb2.DiffRequest(type=token, name="it", old_inputs=old, news=new))


def test_values_survive_the_way_there_and_back():
    values = {"n": 3, "f": 0.5, "b": True, "none": None, "list": [1, {"x": []}], "u": UNKNOWN}
    back = received(sent(values, {"list"}))
    assert back.values == values
    assert back.secrets == {"list"}


def test_a_secret_deep_inside_marks_its_property():
    struct = Struct()
    struct.update({"outer": {"inner": rpc.wrap_rpc_secret("s")}, "open": 1})
    assert received(struct).secrets == {"outer"}
    assert received(struct).values == {"outer": {"inner": "s"}, "open": 1}


def test_what_is_not_known_yet_is_not_judged(aws: Any):
    checked = received(check(aws, VPC, cidrBlock=UNKNOWN, tags={"Name": UNKNOWN})).values
    assert checked["cidrBlock"] is UNKNOWN
    assert checked["tags"] == {"Name": UNKNOWN}


def test_what_the_type_does_not_take_is_a_failure_of_the_resource(aws: Any):
    request = provider_pb2.CheckRequest(type=VPC, name="it", news=sent({"cidrBlok": "10.0.0.0/16"}))
    (failure,) = aws.Check(request).failures
    assert "unknown property 'cidrBlok'" in failure.reason


def test_a_preview_of_a_creation_makes_nothing_and_says_what_it_cannot_know(
    account: Account, aws: Any
):
    before = inventory(account.client)
    checked = check(aws, VPC, cidrBlock="10.0.0.0/16")
    request = provider_pb2.CreateRequest(type=VPC, name="it", properties=checked, preview=True)
    answer = aws.Create(request)
    planned = received(answer.properties).values
    assert (answer.id, planned["arn"], planned["cidrBlock"]) == ("", UNKNOWN, "10.0.0.0/16")
    assert planned["region"] == REGION
    assert inventory(account.client) == before


def test_a_difference_names_its_path_and_whether_it_replaces(aws: Any):
    old = check(aws, VPC, cidrBlock="10.0.0.0/16", tags={"a": "1", "b.c": "2"})
    new = check(aws, VPC, cidrBlock="10.1.0.0/16", tags={"a": "2", "d": "3"})
    answer = diff(aws, VPC, old, new)
    kinds = provider_pb2.PropertyDiff
    detail = {path: one.kind for path, one in answer.detailedDiff.items() if "tagsAll" not in path}
    assert detail == {
        "cidrBlock": kinds.UPDATE_REPLACE,
        "tags.a": kinds.UPDATE,
        'tags["b.c"]': kinds.DELETE,
        "tags.d": kinds.ADD,
    }
    assert list(answer.replaces) == ["cidrBlock"]
    assert not diff(aws, VPC, old, old).detailedDiff


def test_an_unknown_value_of_what_forces_a_replacement_forces_it_in_a_preview(aws: Any):
    old = check(aws, VPC, cidrBlock="10.0.0.0/16")
    answer = diff(aws, VPC, old, check(aws, VPC, cidrBlock=UNKNOWN))
    assert list(answer.replaces) == ["cidrBlock"]


def test_a_resource_lives_and_is_gone(aws: Any):
    id_, checked, made = create(aws, LOG_GROUP, retentionInDays=7)
    assert received(made).values["retentionInDays"] == 7
    wider = sent({**received(checked).values, "retentionInDays": 30})
    updated = aws.Update(
        provider_pb2.UpdateRequest(
            type=LOG_GROUP, name="it", id=id_, olds=made, old_inputs=checked, news=wider
        )
    )
    assert received(updated.properties).values["retentionInDays"] == 30
    refresh = provider_pb2.ReadRequest(
        type=LOG_GROUP, name="it", id=id_, properties=updated.properties, inputs=wider
    )
    read = aws.Read(refresh)
    assert (read.properties, read.inputs) == (updated.properties, wider)
    aws.Delete(provider_pb2.DeleteRequest(type=LOG_GROUP, id=id_, properties=made))
    assert aws.Read(refresh).id == ""


def test_a_refresh_shows_drift_in_the_inputs(account: Account, aws: Any):
    id_, checked, made = create(aws, LOG_GROUP, retentionInDays=7)
    account.client("logs").put_retention_policy(logGroupName=id_, retentionInDays=14)
    request = provider_pb2.ReadRequest(
        type=LOG_GROUP, name="it", id=id_, properties=made, inputs=checked
    )
    drifted = aws.Read(request)
    assert received(drifted.inputs).values["retentionInDays"] == 14
    assert list(diff(aws, LOG_GROUP, drifted.inputs, checked).diffs) == ["retentionInDays"]


def test_an_import_by_id_gives_inputs_that_differ_from_the_programs_in_nothing(aws: Any):
    id_, checked, made = create(aws, VPC, cidrBlock="10.0.0.0/16", tags={"Name": "it"})
    read = aws.Read(provider_pb2.ReadRequest(type=VPC, name="it", id=id_))
    assert read.properties == made
    assert diff(aws, VPC, read.inputs, checked).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_each_connection_keeps_its_own_configuration(account: Account, aws: Any):
    tags = '{"tags": {"who": "other"}}'
    with connection(account, region="us-east-1", defaultTags=tags) as other:
        theirs = received(create(other, LOG_GROUP, name="same")[2]).values
        ours = received(create(aws, LOG_GROUP, name="same")[2]).values
    assert (theirs["arn"].split(":")[3], theirs["tagsAll"]) == ("us-east-1", {"who": "other"})
    assert (ours["arn"].split(":")[3], ours["tagsAll"]) == (REGION, {})


def test_a_connection_that_was_never_configured_is_refused(account: Account):
    address = f"127.0.0.1:{account.providers.ports['aws']}"
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        with pytest.raises(grpc.RpcError, match="not configured"):
            stub.Check(provider_pb2.CheckRequest(type=VPC, name="it"))


def test_another_region_for_a_provider_replaces_it(aws: Any):
    request = provider_pb2.DiffRequest(
        old_inputs=sent({"region": REGION}), news=sent({"region": "us-east-1"})
    )
    assert list(aws.DiffConfig(request).replaces) == ["region"]


def test_configuration_that_is_not_modelled_is_refused(aws: Any):
    answer = aws.CheckConfig(provider_pb2.CheckRequest(news=sent({"regoin": REGION})))
    assert "'region'" in answer.failures[0].reason


def test_what_stopped_half_way_is_told_with_its_id_and_goes_on_from_there(aws: Any):
    checked = check(aws, LOG_GROUP, name="half", retentionInDays=2)
    with pytest.raises(grpc.RpcError) as failure:
        aws.Create(provider_pb2.CreateRequest(type=LOG_GROUP, name="it", properties=checked))
    kept = _init_failure(failure.value)
    assert kept.id == "half"
    assert "InvalidParameterException" in kept.reasons[0]
    mended = check(aws, LOG_GROUP, name="half", retentionInDays=3)
    request = provider_pb2.DiffRequest(
        type=LOG_GROUP, name="it", olds=kept.properties, old_inputs=mended, news=mended
    )
    assert aws.Diff(request).changes == provider_pb2.DiffResponse.DIFF_SOME
    updated = aws.Update(
        provider_pb2.UpdateRequest(
            type=LOG_GROUP,
            name="it",
            id="half",
            olds=kept.properties,
            old_inputs=mended,
            news=mended,
        )
    )
    values = received(updated.properties).values
    assert (values["retentionInDays"], "__incomplete" in values) == (3, False)


def _init_failure(error: grpc.RpcError) -> Any:
    metadata: dict[Any, Any] = dict(error.trailing_metadata())  # type: ignore[attr-defined]
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    told = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(told)
    return told


def test_a_refusal_is_told_as_aws_words_it(aws: Any):
    checked = check(aws, VPC, cidrBlock="10.0.0.0/8")
    with pytest.raises(grpc.RpcError, match=r"api error InvalidVpc\.Range"):
        aws.Create(provider_pb2.CreateRequest(type=VPC, name="it", properties=checked))


def test_a_private_key_is_secret_whatever_the_program_says(account: Account):
    with connection(account, "tls") as tls:
        _, _, made = create(tls, KEY, algorithm="ECDSA")
    back = received(made)
    assert {"privateKeyPem", "privateKeyPemPkcs8"} <= back.secrets
    assert back.values["privateKeyPem"].startswith("-----BEGIN EC PRIVATE KEY-----")


def test_an_archive_is_compared_by_its_hash_and_comes_back_as_it_was(aws: Any, tmp_path):
    (tmp_path / "handler.py").write_text("def handle(event, context): pass\n")
    old, other = _archive(str(tmp_path), "1"), _archive(str(tmp_path), "2")
    answer = diff(aws, FUNCTION, old, other)
    assert list(answer.diffs) == ["code"]
    assert not diff(aws, FUNCTION, old, old).diffs
    request = provider_pb2.CreateRequest(type=FUNCTION, name="it", properties=old, preview=True)
    assert aws.Create(request).properties.fields["code"] == old.fields["code"]


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({}, set()),
        ({"code": "2"}, {"lastModified", "codeSha256", "sourceCodeSize"}),
        ({"timeout": 9}, {"lastModified"}),
        ({"timeout": 9, "publish": True}, {"lastModified", "version"}),
        ({"tags": {"a": "b"}}, set()),
    ],
)
def test_a_preview_of_a_function_knows_what_its_update_leaves(
    aws: Any, tmp_path: Path, change: dict[str, Any], unknown: set[str]
):
    decided = {"arn": "arn:f", "version": "$LATEST", "lastModified": "t", "codeSha256": "x"}
    inputs = {"name": "f", "role": "arn:r", "timeout": 3, "tags": {}}
    olds = sent({**inputs, **decided, "sourceCodeSize": 1})
    olds.MergeFrom(_archive(str(tmp_path), "1"))
    news = sent({**inputs, **change})
    news.fields["code"].Clear()
    news.MergeFrom(_archive(str(tmp_path), str(change.get("code", "1"))))
    request = provider_pb2.UpdateRequest(
        type=FUNCTION, name="it", id="f", olds=olds, old_inputs=olds, news=news, preview=True
    )
    planned = received(aws.Update(request).properties).values
    assert {name for name in (*decided, "sourceCodeSize") if planned[name] is UNKNOWN} == unknown


def _archive(path: str, digest: str) -> Struct:
    struct = Struct()
    mark = "4dabf18193072939515e22adb298388d"
    archive = {mark: "0def7320c3a5731c473e5ecbe6d01bc7", "path": path, "hash": digest}
    struct.update({"code": archive})
    return struct


def test_functions_answer(aws: Any):
    request = provider_pb2.InvokeRequest(tok="aws:index/getRegion:getRegion")
    assert received(getattr(aws.Invoke(request), "return")).values["region"] == REGION


def test_a_provider_says_its_version_and_what_it_models(aws: Any):
    assert aws.GetPluginInfo(empty_pb2.Empty()).version.startswith("7.")
    schema = aws.GetSchema(provider_pb2.GetSchemaRequest()).schema
    assert VPC in schema
    assert KEY not in schema
