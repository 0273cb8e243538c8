"""The lab's authorization server: an OAuth 2.0 issuer of JWT access tokens, over HTTP and HTTPS.

`Issuer` serves its metadata (OpenID Connect Discovery 1.0, RFC 8414), its keys (RFC 7517) and a
token endpoint for one grant, client credentials (RFC 6749 §4.4). Access tokens are those of
RFC 9068, bound to the client's certificate where one is registered (RFC 8705 §3). It also mints
any bad token, rotates its keys, and fails on command.

Not modelled: other grants and the authorization endpoint, refresh and ID tokens, introspection,
revocation, mutual TLS. So the token endpoint never sees a client certificate: the thumbprint in a
token is that of the certificate registered for the client, and there is no `tls_client_auth`.
"""

from lab.issuer.clients import ClientRegistration
from lab.issuer.issuer import Address, Issuer
from lab.issuer.keys import ALGORITHMS, make_key
from lab.issuer.server import Outage
from lab.issuer.tokens import compact, thumbprint

__all__ = [
    "ALGORITHMS",
    "Address",
    "ClientRegistration",
    "Issuer",
    "Outage",
    "compact",
    "make_key",
    "thumbprint",
]
