"""The client's certificate, as the load balancer passes it on in a header.

"Mutual authentication with TLS in Application Load Balancer": URL-encoded PEM with `+=/` as safe
characters. `+` is therefore base64 and never a space.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from authorizer import base64url, names
from authorizer.errors import ForbiddenError
from authorizer.names import DistinguishedName

LEAF_HEADER = "x-client-cert-leaf"
CHAIN_HEADER = "x-client-cert"
"""As the listener renames them; what a client sends under Amazon's own names is not read."""

MAX_HEADER_CHARACTERS = 8_000
"""A private API's limit to all headers together ("Amazon API Gateway quotas").

The chain of passthrough mode must fit in with the token and all the rest: of RSA certificates that
is a leaf and one intermediate, of ECDSA ones all four.
"""

_PEM = re.compile(
    r"(?:-----BEGIN CERTIFICATE-----[\r\n]+[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----[\r\n]*)+"
)


class Identity(NamedTuple):
    """What is told of a certificate. `thumbprint` is its SHA-256 in hex, `confirmation` the same
    as RFC 8705 §3.1 has it in tokens. `sans_dns` are lower case.
    """

    subject: DistinguishedName
    issuer: DistinguishedName
    serial_number: int
    sans_dns: frozenset[str]
    sans_uri: frozenset[str]
    thumbprint: str
    confirmation: str

    @property
    def serial_hex(self) -> str:
        """As the load balancer writes it: upper case, whole bytes."""
        digits = f"{self.serial_number:X}"
        return digits.zfill(len(digits) + len(digits) % 2)


class Checked(NamedTuple):
    """An identity, and the seconds from which and until which (not included) it may be relied on
    without another look.
    """

    identity: Identity
    since: float
    until: float


def only_value(values: list[str]) -> str:
    """The value of a header that is there once.

    AWS does not say that the load balancer removes what a client sends under the same name, so
    a second value may be forged, and no one can say which. Raises ForbiddenError.
    """
    if len(values) != 1:
        raise ForbiddenError("certificate_repeated" if values else "certificate_missing")
    return values[0]


def parse_header(value: str) -> list[x509.Certificate]:
    """The certificates of a header value, in its order. Raises ForbiddenError."""
    if len(value) > MAX_HEADER_CHARACTERS:
        raise ForbiddenError("certificate_malformed")
    pem = unquote(value)
    if not _PEM.fullmatch(pem):
        raise ForbiddenError("certificate_malformed")
    try:
        return x509.load_pem_x509_certificates(pem.encode("ascii"))
    except (ValueError, TypeError, x509.InvalidVersion):
        raise ForbiddenError("certificate_malformed") from None


def identify(certificate: x509.Certificate) -> Identity:
    """Raises ForbiddenError for a certificate that cannot be read to its end."""
    try:
        sans_dns, sans_uri = _alternative_names(certificate)
        subject = names.of_name(certificate.subject)
        issuer = names.of_name(certificate.issuer)
        serial_number = certificate.serial_number
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise ForbiddenError("certificate_malformed") from None
    if serial_number <= 0:
        raise ForbiddenError("certificate_malformed")  # RFC 5280 §4.1.2.2
    digest = certificate.fingerprint(hashes.SHA256())
    return Identity(
        subject=subject,
        issuer=issuer,
        serial_number=serial_number,
        sans_dns=sans_dns,
        sans_uri=sans_uri,
        thumbprint=digest.hex(),
        confirmation=base64url.encode(digest),
    )


def check_leaf(value: str, _now: float) -> Checked:
    """The leaf of verify mode. Its chain, dates and revocation are the load balancer's affair."""
    certificates = parse_header(value)
    if len(certificates) != 1:
        raise ForbiddenError("certificate_malformed")
    return Checked(identify(certificates[0]), float("-inf"), float("inf"))


def _alternative_names(certificate: x509.Certificate) -> tuple[frozenset[str], frozenset[str]]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return frozenset(), frozenset()
    found = extension.value
    dns = frozenset(name.lower() for name in found.get_values_for_type(x509.DNSName))
    return dns, frozenset(found.get_values_for_type(x509.UniformResourceIdentifier))
