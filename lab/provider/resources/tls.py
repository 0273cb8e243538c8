"""tls:*: keys, requests and certificates, made in this process as the tls provider makes them.

Rules and names follow https://registry.terraform.io/providers/hashicorp/tls/latest/docs.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from lab.provider.aws import Aws, GoneError
from lab.provider.resource_type import ResourceType
from lab.provider.schema import RefusalError, integer, nearest, output, table, text

_CURVES = {"P224": ec.SECP224R1, "P256": ec.SECP256R1, "P384": ec.SECP384R1, "P521": ec.SECP521R1}
AnyPrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def one_of(token: str, name: str, value: str, known: tuple[str, ...]) -> None:
    """Raises RefusalError unless `value` is one of `known`."""
    if value not in known:
        raise RefusalError(
            f"{token}: '{name}' must be one of {', '.join(known)}, not {value!r}; "
            f"{nearest(value, known)}"
        )


class TlsType(ResourceType):
    """Made once and kept in the state: there is nothing outside to read, and a change makes a new
    one.
    """

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        if not known:
            raise GoneError
        return dict(known)

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        """Only `earlyRenewalHours` changes without a new certificate; only the state has it."""

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        """There is nothing outside the state."""


class PrivateKey(TlsType):
    urn_type = "tls:index/privateKey:PrivateKey"
    title = "private key"
    properties = table(
        {
            "algorithm": text(required=True, replaces=True),
            "rsaBits": integer(default=2048, replaces=True),
            "ecdsaCurve": text(default="P224", replaces=True),
            "privateKeyPem": output(secret=True, unread=True),
            "privateKeyPemPkcs8": output(secret=True, unread=True),
            "privateKeyOpenssh": output(secret=True, unread=True),
            "publicKeyPem": output(unread=True),
            "publicKeyOpenssh": output(unread=True),
            "publicKeyFingerprintMd5": output(unread=True),
            "publicKeyFingerprintSha256": output(unread=True),
        }
    )

    def validate(self, inputs: Mapping[str, Any]) -> None:
        one_of(self.urn_type, "algorithm", inputs["algorithm"], ("RSA", "ECDSA", "ED25519"))
        one_of(self.urn_type, "ecdsaCurve", inputs["ecdsaCurve"], tuple(_CURVES))

    def make(self, aws: Aws, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = _new_key(inputs)
        public = key.public_key()
        public_pem = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()
        traditional = serialization.PrivateFormat.TraditionalOpenSSL
        if isinstance(key, ed25519.Ed25519PrivateKey):
            traditional = serialization.PrivateFormat.PKCS8
        told = {
            "privateKeyPem": _private_pem(key, traditional),
            "privateKeyPemPkcs8": _private_pem(key, serialization.PrivateFormat.PKCS8),
            "publicKeyPem": public_pem,
            **_openssh(key),
        }
        return hashlib.sha1(public_pem.encode(), usedforsecurity=False).hexdigest(), told


def _new_key(inputs: Mapping[str, Any]) -> AnyPrivateKey:
    if inputs["algorithm"] == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=inputs["rsaBits"])
    if inputs["algorithm"] == "ECDSA":
        return ec.generate_private_key(_CURVES[inputs["ecdsaCurve"]]())
    return ed25519.Ed25519PrivateKey.generate()


def _private_pem(key: AnyPrivateKey, form: serialization.PrivateFormat) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, form, serialization.NoEncryption()
    ).decode()


def _openssh(key: AnyPrivateKey) -> dict[str, str]:
    """The key as OpenSSH writes it; empty for P-224, which OpenSSH does not know."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP224R1):
        names = (
            "privateKeyOpenssh",
            "publicKeyOpenssh",
            "publicKeyFingerprintMd5",
            "publicKeyFingerprintSha256",
        )
        return dict.fromkeys(names, "")
    line = (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )
    blob = base64.b64decode(line.split()[1])
    md5 = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return {
        "privateKeyOpenssh": _private_pem(key, serialization.PrivateFormat.OpenSSH),
        "publicKeyOpenssh": f"{line}\n",
        "publicKeyFingerprintMd5": ":".join(md5[i : i + 2] for i in range(0, 32, 2)),
        "publicKeyFingerprintSha256": f"SHA256:{sha256}",
    }


TYPES = (PrivateKey,)
