"""JSON, base64url and distinguished names: one reading of each text."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from authorizer import base64url, names
from authorizer.strict_json import parse_object


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":{"a":1,"a":2}}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1}x',
        b"[]",
        b'"a"',
        b"null",
        b"",
        b"{",
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"[" * 100_000,
        b'{"a":' + b"9" * 5_000 + b"}",
    ],
)
def test_what_may_be_read_in_two_ways_is_no_json(text: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        parse_object(text)


def test_an_object_is_read():
    assert parse_object('{"a":[1,{"é":null}]}'.encode()) == {"a": [1, {"é": None}]}


def test_deep_nesting_is_refused_and_not_a_crash():
    with pytest.raises(ValueError, match="deep"):
        parse_object(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")


@pytest.mark.parametrize("value", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_base64url_goes_there_and_back(value: bytes):
    assert base64url.decode(base64url.encode(value).encode()) == value


@pytest.mark.parametrize(
    "text", [b"YQ==", b"Y", b"YR", b"YWJ", b"a+b_", b"a/b-", b"YW\nJj", b"YWJj ", b"YW.j", b"\xc3"]
)
def test_base64url_has_one_text_for_a_value(text: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        base64url.decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "CN=acme,O=Acme Inc\\, Ltd",
        "cn=acme, o=Acme Inc\\, Ltd",
        " CN = acme , O = Acme Inc\\2C Ltd ",
        "2.5.4.3=acme,OID.2.5.4.10=Acme Inc\\, Ltd",
    ],
)
def test_one_name_may_be_spelt_in_several_ways(text: str):
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme Inc, Ltd"),
            x509.NameAttribute(NameOID.COMMON_NAME, "acme"),
        ]
    )
    assert names.of_text(text) == names.of_name(name)
    assert names.of_text(name.rfc4514_string()) == names.of_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=acme", "CN=Acme"),
        ("CN=acme,O=b", "O=b,CN=acme"),
        ("CN=acme+O=b", "CN=acme,O=b"),
        ("CN=acme", "OU=acme"),
        ("CN=acme", "CN=acme\\ "),
        ("CN=acme", "CN=acme,O=b"),
        ("CN=acme\\,O=b", "CN=acme,O=b"),
    ],
)
def test_names_that_differ_in_more_than_spelling_differ(one: str, other: str):
    assert names.of_text(one) != names.of_text(other)


def test_the_order_within_one_relative_name_says_nothing():
    assert names.of_text("CN=a+O=b") == names.of_text("O=b + CN=a")


def test_an_escaped_space_at_the_end_belongs_to_the_value():
    assert names.of_text("CN=a\\  ,O=b\\\\ ") == names.of_text("CN=a\\20,O=b\\5C")


def test_types_beyond_those_of_the_rfc_are_known():
    name = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "it@acme.example")])
    assert names.of_text("emailAddress=it@acme.example") == names.of_name(name)


@pytest.mark.parametrize(
    "text", ["", "acme", "CN=", "CN=a,", "CN=a,,O=b", 'CN="a"', "CN=a;O=b", "XX=a", "CN=a\\"]
)
def test_what_is_no_name_is_refused(text: str):
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        names.of_text(text)
