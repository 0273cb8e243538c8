"""What API Gateway answers to an `Authorization` header that it reads as an AWS signature (SigV4).

The lab knows no IAM caller at an endpoint: a well-formed signature is refused like one with an
unknown key.
"""

import base64
import hashlib

from lab.wire.exchange import Refusal
from lab.wire.messages import Request

_PARTS = ("Credential", "Signature", "SignedHeaders")


def refusal_of(request: Request) -> Refusal | None:
    """The refusal for the request's Authorization header; None when it sends none.

    "How do I troubleshoot HTTP 403 errors from API Gateway?" (IncompleteSignatureException):
    whatever is not `ALGORITHM key=value, …` with the three parts and a date is an incomplete
    signature.
    """
    header = request.header("Authorization")
    if not header:
        return None
    algorithm, _, rest = header.partition(" ")
    if "=" in algorithm:
        text = (
            "Authorization header must begin with the algorithm name,"
            " which cannot include an equal-sign"
        )
        return _incomplete(
            f"{text} (hashed with SHA-256 and encoded with Base64): '{_hash(header)}'."
        )
    parts = [part.strip() for part in rest.split(",") if part.strip()]
    if any("=" not in part for part in parts):
        return _incomplete(
            "Invalid key=value pair (missing equal-sign) in Authorization header"
            f" (hashed with SHA-256 and encoded with Base64): '{_hash(header)}'."
        )
    names = {part.partition("=")[0] for part in parts}
    missing = [
        f"Authorization header requires '{name}' parameter." for name in _PARTS if name not in names
    ]
    if not (request.header("X-Amz-Date") or request.header("Date")):
        missing.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if missing:
        text = " ".join(missing)
        return _incomplete(
            f"{text} (Hashed with SHA-256 and encoded with Base64) Authorization={_hash(algorithm)}"
        )
    text = "The security token included in the request is invalid."
    return Refusal.of("INVALID_SIGNATURE", 403, "UnrecognizedClientException", text)


def _incomplete(message: str) -> Refusal:
    return Refusal.of("INVALID_SIGNATURE", 403, "IncompleteSignatureException", message)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
