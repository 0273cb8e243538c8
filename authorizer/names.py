"""Distinguished names, compared as what they say and not as they are spelt."""

import re

from cryptography import x509
from cryptography.x509.oid import NameOID

DistinguishedName = tuple[frozenset[tuple[str, str | bytes]], ...]
"""The relative names from the root of the tree to the leaf; each is a set of type (OID) and value.

Values are compared exactly: RFC 5280 §7.1 would ignore case, and to tell two names apart that a
certification authority might not is the safe side.
"""

# RFC 4514 §3 names nine types; the others are what OpenSSL and the load balancer write.
_TYPES = {
    "EMAILADDRESS": NameOID.EMAIL_ADDRESS,
    "SERIALNUMBER": NameOID.SERIAL_NUMBER,
    "GIVENNAME": NameOID.GIVEN_NAME,
    "SURNAME": NameOID.SURNAME,
    "TITLE": NameOID.TITLE,
}

_ATTRIBUTE = re.compile(
    r"\s*(?:oid\.)?([a-z0-9.-]+)\s*=\s*((?:\\.|[^\\,+;\"])*?)\s*([,+]|\Z)",
    re.DOTALL | re.IGNORECASE,
)


def of_name(name: x509.Name) -> DistinguishedName:
    return tuple(
        frozenset((attribute.oid.dotted_string, attribute.value) for attribute in relative)
        for relative in name.rdns
    )


def of_text(text: str) -> DistinguishedName:
    """Of an RFC 4514 string, with types in any case and spaces round `=`, `,` and `+`.

    Raises ValueError for what is no name, and for an empty one.
    """
    parts: list[str] = []
    position, separator = 0, ","
    while separator:
        attribute = _ATTRIBUTE.match(text, position)
        if attribute is None:
            raise ValueError("not an RFC 4514 distinguished name")
        kind, value, separator = attribute.groups()
        parts.append(f"{kind.upper()}={value}{separator}")
        position = attribute.end()
    return of_name(x509.Name.from_rfc4514_string("".join(parts), _TYPES))
