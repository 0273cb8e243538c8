"""base64url without padding (RFC 7515 §2), one text for each value."""

import binascii

# What base64 has and this alphabet has not becomes "!", of no alphabet.
_TO_BASE64 = bytes.maketrans(b"-_+/=", b"+/!!!")


def decode(text: bytes) -> bytes:
    """Raises ValueError for padding, a foreign character, and spare bits that are not zero."""
    padded = text.translate(_TO_BASE64) + b"=" * (-len(text) % 4)
    value = binascii.a2b_base64(padded)
    if binascii.b2a_base64(value, newline=False) != padded:
        # Foreign characters are passed over, and spare bits too.
        raise ValueError("not the canonical text")
    return value


def encode(value: bytes) -> str:
    text = binascii.b2a_base64(value, newline=False).rstrip(b"=")
    return text.translate(bytes.maketrans(b"+/", b"-_")).decode("ascii")
