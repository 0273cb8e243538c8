import difflib

import pytest
import yaml

from ops import yaml_edit
from ops.yaml_edit import EditError

CUSTOMERS = ("config", "mtls:customers")
ENTRY = {"principals": ["444455556666"], "contact": "ops@acme.example"}
LINE = '{principals: ["444455556666"], contact: "ops@acme.example"}'
BLOCK = """\
    acme:
      principals: ["444455556666"]
      contact: "ops@acme.example"
"""

WRITTEN = """\
# The stack of production. Ask platform@example.com before you change it.

config:
  aws:region: 'eu-west-1'   # quoted, and spaced
  mtls:alb: { arn: arn:1,  securityGroupId: "sg-1" }
  mtls:customers:
    # the first one
    globex:
      principals: [ "777788889999" ]
      endpoints:
      - vpce-01   # Dublin
      - 'vpce-02'
      # more to come

    # the one with leading zeros
    initech: {principals: ['012345678901'], endpoints: [vpce-03, "vpce-04",vpce-05]}
    # nobody after this line
  mtls:note: >-
     folded
      text

  mtls:domain:   api.example.com
encryptionsalt: v1:abc=:v1:def
"""


def changes(before: str, after: str) -> str:
    """What a person would see in a review: lines taken away and added."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return "\n".join(line for line in lines if line[0] in "+-")


def config(lines: str) -> str:
    return f"config:\n{lines}"


def test_a_new_entry_is_the_only_change_to_a_file_with_comments_and_quotes_of_its_own():
    after = yaml_edit.add(WRITTEN, (*CUSTOMERS, "acme"), ENTRY)
    added = "\n".join(f"+ {line}" for line in BLOCK.splitlines())
    assert changes(WRITTEN, after) == added
    assert after.index("initech:") < after.index("acme:") < after.index("mtls:note")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("  mtls:a: x\n", f"  mtls:a: x\n  mtls:customers:\n{BLOCK}", id="absent"),
        pytest.param("  mtls:customers: {}\n", f"  mtls:customers:\n{BLOCK}", id="empty"),
        pytest.param("  mtls:customers:\n", f"  mtls:customers:\n{BLOCK}", id="null"),
        pytest.param("  mtls:customers: ~\n", f"  mtls:customers:\n{BLOCK}", id="tilde"),
        pytest.param("  mtls:customers: {}", f"  mtls:customers:\n{BLOCK}", id="no-line-break"),
        pytest.param(
            "  mtls:customers: {}  # none yet\n  mtls:a: x\n",
            f"  mtls:customers:  # none yet\n{BLOCK}  mtls:a: x\n",
            id="empty-with-comment",
        ),
        pytest.param(
            "  mtls:customers: { b: {} }\n",
            f"  mtls:customers: {{ b: {{}}, acme: {LINE} }}\n",
            id="braces",
        ),
        pytest.param(
            "  mtls:customers: {\n    b: {},\n  }\n",
            f"  mtls:customers: {{\n    b: {{}}, acme: {LINE},\n  }}\n",
            id="braces-over-lines",
        ),
        pytest.param(
            "  mtls:customers:\n    b:\n      contact: |\n        B\n\n  mtls:a: x\n",
            f"  mtls:customers:\n    b:\n      contact: |\n        B\n\n{BLOCK}  mtls:a: x\n",
            id="after-a-literal-block",
        ),
        pytest.param(
            "  mtls:customers:\n    b:\n      x: y\n      # of b\n    # of all\n",
            f"  mtls:customers:\n    b:\n      x: y\n      # of b\n{BLOCK}    # of all\n",
            id="after-the-comments-of-the-entry-above",
        ),
    ],
)
def test_an_entry_is_added_however_the_map_is_written(before: str, after: str):
    assert yaml_edit.add(config(before), (*CUSTOMERS, "acme"), ENTRY) == config(after)


def test_in_a_file_of_braces_the_entry_is_in_braces():
    before = "config: {mtls:customers: {}}\n"
    after = yaml_edit.add(before, (*CUSTOMERS, "acme"), ENTRY)
    assert after == f"config: {{mtls:customers: {{acme: {LINE}}}}}\n"


def test_line_breaks_stay_those_of_the_file():
    before = "config:\r\n  mtls:customers:\r\n    b: {}\r\n"
    after = yaml_edit.add(before, (*CUSTOMERS, "acme"), ENTRY)
    assert after == before + BLOCK.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("customer", "change"),
    [
        ("globex", "+       - vpce-09"),
        (
            "initech",
            "-     initech: {principals: ['012345678901'], "
            'endpoints: [vpce-03, "vpce-04",vpce-05]}\n'
            "+     initech: {principals: ['012345678901'], "
            'endpoints: [vpce-03, "vpce-04",vpce-05, vpce-09]}',
        ),
    ],
)
def test_an_item_is_appended_however_the_list_is_written(customer: str, change: str):
    after = yaml_edit.append(WRITTEN, (*CUSTOMERS, customer, "endpoints"), "vpce-09")
    assert changes(WRITTEN, after) == change


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    b:\n      x: y\n", "    b:\n      x: y\n      endpoints: [vpce-1]\n"),
        ("    b:\n      endpoints: []\n", "    b:\n      endpoints: [vpce-1]\n"),
        ("    b:\n      endpoints:\n", "    b:\n      endpoints: [vpce-1]\n"),
        ("    b: {x: y}\n", "    b: {x: y, endpoints: [vpce-1]}\n"),
        ("    b: {endpoints: }\n", "    b: {endpoints: [vpce-1] }\n"),
    ],
)
def test_a_list_is_made_for_its_first_item(before: str, after: str):
    head = "config:\n  mtls:customers:\n"
    assert yaml_edit.append(head + before, (*CUSTOMERS, "b", "endpoints"), "vpce-1") == head + after


@pytest.mark.parametrize(
    ("customer", "item", "there"),
    [
        ("globex", "vpce-01", "- vpce-01   # Dublin\n      "),
        ("globex", "vpce-02", "- 'vpce-02'\n      "),
        ("initech", "vpce-03", "vpce-03, "),
        ("initech", "vpce-04", ', "vpce-04"'),
        ("initech", "vpce-05", ",vpce-05"),
    ],
)
def test_an_item_is_removed_and_nothing_else(customer: str, item: str, there: str):
    after = yaml_edit.remove(WRITTEN, (*CUSTOMERS, customer, "endpoints"), item)
    assert after == WRITTEN.replace(there, "", 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("      x: y\n      endpoints:\n        - vpce-1\n", "      x: y\n"),
        ("      x: y\n      endpoints: [ vpce-1 ]\n", "      x: y\n      endpoints: [  ]\n"),
    ],
)
def test_the_last_item_leaves_no_null_behind(before: str, after: str):
    head = "config:\n  mtls:customers:\n    b:\n"
    keys = (*CUSTOMERS, "b", "endpoints")
    assert yaml_edit.remove(head + before, keys, "vpce-1") == head + after


def test_an_edit_through_an_alias_would_change_two_entries_and_is_refused():
    text = config("  mtls:customers:\n    a: &a {endpoints: [vpce-1]}\n    b: *a\n")
    with pytest.raises(EditError, match="cannot be edited"):
        yaml_edit.append(text, (*CUSTOMERS, "b", "endpoints"), "vpce-2")


def test_a_key_that_is_there_twice_is_refused():
    text = config("  mtls:customers: {}\n  mtls:customers:\n    b: {}\n")
    with pytest.raises(EditError, match="cannot be edited"):
        yaml_edit.add(text, (*CUSTOMERS, "acme"), ENTRY)


@pytest.mark.parametrize("text", ["config: [", "- a\n", "", "a: b\n---\nc: d\n"])
def test_what_is_no_mapping_is_refused(text: str):
    with pytest.raises(EditError):
        yaml_edit.add(text, (*CUSTOMERS, "acme"), ENTRY)


@pytest.mark.parametrize("there", ["[a]", "text"])
def test_a_map_that_is_none_is_refused(there: str):
    with pytest.raises(EditError, match="want a mapping"):
        yaml_edit.add(config(f"  mtls:customers: {there}\n"), (*CUSTOMERS, "acme"), ENTRY)


def test_a_list_that_is_none_is_refused():
    text = config("  mtls:customers: {b: {endpoints: vpce-1}}\n")
    with pytest.raises(EditError, match="want a list"):
        yaml_edit.append(text, (*CUSTOMERS, "b", "endpoints"), "vpce-2")


@pytest.mark.parametrize(
    "text",
    [
        *("012345678901", "444455556666", "1e3", "12:30", "1.10", "2026-01-02", "0x1F"),
        *("on", "y", "no", "null", "~", "", " a", "a:", "a: b", "a #b", "- a", "*", "@a", "{a}"),
        *("arn:aws:iam::444455556666:role/a,b=c", "10.30.0.0/16", "euw1-az1", "mtls:vpcCidr"),
        *('say "hi"', "ünï", "😀"),
    ],
)
def test_text_is_read_back_as_the_same_text_in_every_place(text: str):
    assert yaml.safe_load(yaml_edit.scalar(text)) == text
    assert yaml.safe_load(yaml_edit.flow({"k": [text, text]})) == {"k": [text, text]}
    assert yaml.safe_load("\n".join(yaml_edit.block("k", {text: text}))) == {"k": {text: text}}


@pytest.mark.parametrize("text", ["api.example.com", "10.30.0.0/16", "euw1-az1", "aws:region"])
def test_text_that_needs_no_quotes_has_none(text: str):
    assert yaml_edit.scalar(text) == text


@pytest.mark.parametrize("text", ["y", "N", "1e3", "0o17", "012345678901", "444455556666"])
def test_text_that_some_parser_takes_for_something_else_is_quoted(text: str):
    assert yaml_edit.scalar(text) == f'"{text}"'
