import os
from pathlib import Path

import pytest

from ops import stack_file
from ops.errors import RefusedError
from ops.stack_file import Customer, StackFile

TEXT = """\
config:
  aws:region: eu-west-1
  mtls:domain: api.example.com  # what clients call
  mtls:customers:
    globex:
      principals: ["777788889999", 'arn:aws:iam::012345678901:role/in/a/path']
      endpoints: [vpce-01]
      contact: ops@globex.example
      certificates: {}
    initech: { principals: [012345678901] }
"""


@pytest.fixture
def stack(tmp_path: Path) -> StackFile:
    (tmp_path / "Pulumi.prod.yaml").write_text(TEXT)
    file = StackFile.read("prod", tmp_path)
    assert file
    return file


def read(folder: Path, text: str) -> StackFile:
    (folder / "Pulumi.x.yaml").write_text(text)
    file = StackFile.read("x", folder)
    assert file
    return file


def test_a_stack_file_says_its_settings_and_customers(stack: StackFile):
    assert (stack.name, stack.stack) == ("Pulumi.prod.yaml", "prod")
    assert stack.setting("mtls:domain") == "api.example.com"
    assert stack.setting("mtls:role") == ""
    assert stack.customers["globex"] == Customer(
        principals=("777788889999", "arn:aws:iam::012345678901:role/in/a/path"),
        endpoints=("vpce-01",),
        contact="ops@globex.example",
    )
    assert stack.customers["globex"].accounts == ("777788889999", "012345678901")


def test_an_account_without_quotes_keeps_its_leading_zero(stack: StackFile):
    assert stack.customers["initech"].accounts == ("012345678901",)


def test_no_file_is_none(tmp_path: Path):
    assert StackFile.read("prod", tmp_path) is None


def test_no_customers_is_an_empty_map(tmp_path: Path):
    assert read(tmp_path, "config:\n  mtls:customers:\n").customers == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config: [", "not YAML"),
        ("a: b\n", "under 'config:'"),
        ("config: x\n", "under 'config:'"),
        ("\x00", "not YAML"),
    ],
)
def test_what_is_no_stack_file_is_refused_in_one_line(tmp_path: Path, text: str, words: str):
    with pytest.raises(RefusedError, match=words) as refusal:
        read(tmp_path, text)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("customers", "words"),
    [
        ("[acme]", "mtls:customers: want a map by customer"),
        ("{acme: [a]}", r"mtls:customers\.acme: want {principals"),
        ("{acme: {principals: a}}", r"acme\.principals: want a list"),
        ("{acme: {endpoints: {a: b}}}", r"acme\.endpoints: want a list"),
        ("{acme: {certificates: [a]}}", r"acme: want a map for certificates\.subjects; got \['a'"),
        ("{acme: {tokens: {clientIds: a}}}", r"acme\.tokens\.clientIds: want a list of text"),
        ("{acme: {principals: ['*']}}", r"acme\.principals: want account ids.*got '\*'"),
        ("{acme: {principals: [1234]}}", "got '1234'"),
        ("{acme: {principals: [٤٤٤٤٥٥٥٥٦٦٦٦]}}", r"acme\.principals"),
        (
            "{acme: {principals: ['arn:aws:sts::444455556666:assumed-role/a/b']}}",
            r"acme\.principals",
        ),
    ],
)
def test_customers_that_cannot_be_used_are_refused(tmp_path: Path, customers: str, words: str):
    with pytest.raises(RefusedError, match=words):
        _ = read(tmp_path, f"config:\n  mtls:customers: {customers}\n").customers


def test_a_customers_other_rules_stay_as_they_are(tmp_path: Path):
    rules = "{certificates: {thumbprints: [ab], subjects: }, tokens: , binding: off}"
    file = read(tmp_path, f"config:\n  mtls:customers:\n    acme: {rules}\n")
    assert file.customers["acme"] == Customer(principals=())
    assert "thumbprints: [ab]" in file.with_customer("other", Customer(principals=("1",)))


def test_changes_are_made_to_the_text_and_not_to_the_file(stack: StackFile):
    one = Customer(principals=("444455556666",), contact="Ann")
    added = StackFile(stack.path, stack.with_customer("acme", one))
    assert added.customers == {**stack.customers, "acme": one}
    more = StackFile(stack.path, added.with_endpoints("acme", ("vpce-02", "vpce-03")))
    assert more.customers["acme"].endpoints == ("vpce-02", "vpce-03")
    less = StackFile(stack.path, more.without_endpoints("acme", ("vpce-03", "vpce-02")))
    assert less.customers["acme"].endpoints == ()
    assert stack.path.read_text() == TEXT


def test_what_cannot_be_edited_is_refused_with_what_to_write(tmp_path: Path):
    text = 'config:\n  mtls:customers:\n    a: &a { principals: ["444455556666"] }\n    b: *a\n'
    with pytest.raises(RefusedError, match=r"customers\.b\.endpoints: .* by hand: vpce-01"):
        read(tmp_path, text).with_endpoints("b", ("vpce-01",))


def test_producers_stacks_are_those_that_are_no_customers(tmp_path: Path):
    (tmp_path / "Pulumi.yaml").write_text("name: mtls\n")
    (tmp_path / "Pulumi.prod.yaml").write_text(TEXT)
    (tmp_path / "Pulumi.broken.yaml").write_text("config: [")
    (tmp_path / "Pulumi.acme.yaml").write_text("config: {mtls:role: consumer}\n")
    assert stack_file.producer_stacks(tmp_path) == ["prod"]


def test_a_file_is_replaced_with_its_mode_kept(tmp_path: Path):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("a")
    path.chmod(0o640)
    stack_file.write(path, "b\r\n", "a")
    assert path.read_bytes() == b"b\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path):
    (tmp_path / "there.yaml").write_text("a")
    (tmp_path / "link.yaml").symlink_to("there.yaml")
    stack_file.write(tmp_path / "link.yaml", "b", "a")
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "there.yaml").read_text() == "b"


@pytest.mark.parametrize("replaces", [None, "as it was read"])
def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path, replaces: str | None):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("somebody else's")
    with pytest.raises(RefusedError, match="changed meanwhile"):
        stack_file.write(path, "ours", replaces)
    assert path.read_text() == "somebody else's"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("a")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        stack_file.write(path, "b", "a")
    assert path.read_text() == "a"
    assert list(tmp_path.iterdir()) == [path]
