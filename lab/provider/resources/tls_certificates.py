"""tls:*: certificate requests and certificates, as the tls provider signs them with Go's
crypto/x509.

Rules and names follow https://registry.terraform.io/providers/hashicorp/tls/latest/docs.
"""

import datetime
import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.provider.aws import Aws
from lab.provider.resources.tls import AnyPrivateKey, TlsType, one_of
from lab.provider.schema import Kind, RefusalError, block, flag, integer, output, table, text, texts

_KEY_USAGES = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED_USAGES = {
    "any_extended": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code_signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email_protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}
# in the order in which Go's pkix.Name writes them
_SUBJECT = {
    "country": NameOID.COUNTRY_NAME,
    "organization": NameOID.ORGANIZATION_NAME,
    "organizationalUnit": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "locality": NameOID.LOCALITY_NAME,
    "province": NameOID.STATE_OR_PROVINCE_NAME,
    "streetAddresses": NameOID.STREET_ADDRESS,
    "postalCode": NameOID.POSTAL_CODE,
    "commonName": NameOID.COMMON_NAME,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "emailAddress": NameOID.EMAIL_ADDRESS,
}
_SUBJECT_TABLE = {name: texts() if name == "streetAddresses" else text() for name in _SUBJECT}
_NAMES = {
    "dnsNames": texts(replaces=True),
    "ipAddresses": texts(replaces=True),
    "uris": texts(replaces=True),
}
_VALIDITY = {
    "certPem": output(unread=True),
    "validityStartTime": output(unread=True),
    "validityEndTime": output(unread=True),
    "readyForRenewal": output(Kind.FLAG, follows=("earlyRenewalHours",)),
}


def subject_name(subject: Mapping[str, Any] | None) -> x509.Name:
    attributes = []
    for name, oid in _SUBJECT.items():
        value = (subject or {}).get(name)
        for one in value if isinstance(value, list) else [value] if value else []:
            attributes.append(x509.NameAttribute(oid, one))
    return x509.Name(attributes)


def _alternative_names(inputs: Mapping[str, Any]) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in inputs.get("dnsNames", [])),
        *(x509.IPAddress(ipaddress.ip_address(one)) for one in inputs.get("ipAddresses", [])),
        *(x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris", [])),
    ]


def load_key(token: str, pem: str) -> AnyPrivateKey:
    """Raises RefusalError, without the text, for what is no private key."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise RefusalError(
            f"{token}: no private key in the PEM given: {type(error).__name__}"
        ) from None
    return cast(AnyPrivateKey, key)


def _algorithm(key: Any) -> str:
    if isinstance(key, (rsa.RSAPrivateKey, rsa.RSAPublicKey)):
        return "RSA"
    return (
        "ECDSA"
        if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey))
        else "ED25519"
    )


def _digest(key: AnyPrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The hash that Go pairs with a key: by the curve's size, SHA-256 for RSA, none for Ed25519."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size > 256:
        return hashes.SHA384() if key.curve.key_size == 384 else hashes.SHA512()
    return hashes.SHA256()


@dataclass(frozen=True, kw_only=True)
class _Issue:
    """Everything that a certificate says. `issuer` is None for a self-signed one."""

    inputs: Mapping[str, Any]
    subject: x509.Name
    public_key: Any
    names: Sequence[x509.GeneralName]
    signer: AnyPrivateKey
    issuer: x509.Certificate | None = None


def _signed(issue: _Issue) -> tuple[str, dict[str, Any]]:
    inputs = issue.inputs
    start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    end = start + datetime.timedelta(hours=inputs["validityPeriodHours"])
    serial = x509.random_serial_number()
    builder = (
        x509.CertificateBuilder()
        .serial_number(serial)
        .subject_name(issue.subject)
        .issuer_name(issue.issuer.subject if issue.issuer else issue.subject)
        .public_key(issue.public_key)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension, critical in _extensions(issue):
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(issue.signer, _digest(issue.signer))
    return str(serial), {
        "certPem": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "validityStartTime": start.isoformat().replace("+00:00", "Z"),
        "validityEndTime": end.isoformat().replace("+00:00", "Z"),
    }


def _extensions(issue: _Issue) -> Iterable[tuple[x509.ExtensionType, bool]]:
    inputs = issue.inputs
    uses = inputs["allowedUses"]
    named = {attribute: use in uses for use, attribute in _KEY_USAGES.items()}
    if any(named.values()):
        yield x509.KeyUsage(**named), True
    if extended := [oid for use, oid in _EXTENDED_USAGES.items() if use in uses]:
        yield x509.ExtendedKeyUsage(extended), False
    is_ca = inputs["isCaCertificate"]
    length = inputs["maxPathLength"] if is_ca and inputs["maxPathLength"] >= 0 else None
    yield x509.BasicConstraints(ca=is_ca, path_length=length), True
    own = x509.SubjectKeyIdentifier.from_public_key(issue.public_key)
    if inputs["setSubjectKeyId"] or is_ca:
        yield own, False
    if issue.issuer is None:
        if inputs["setAuthorityKeyId"]:
            yield x509.AuthorityKeyIdentifier(own.digest, None, None), False
    elif issue.issuer.subject != issue.subject and (parent := _subject_key_id(issue.issuer)):
        yield x509.AuthorityKeyIdentifier(parent, None, None), False
    if issue.names:
        yield x509.SubjectAlternativeName(issue.names), not issue.subject.rdns


def _subject_key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier
        ).value.digest
    except x509.ExtensionNotFound:
        return None


_ISSUING = {
    "allowedUses": texts(required=True, replaces=True),
    "validityPeriodHours": integer(required=True, replaces=True),
    "earlyRenewalHours": integer(default=0),
    "isCaCertificate": flag(default=False, replaces=True),
    "maxPathLength": integer(default=-1, replaces=True),
    "setSubjectKeyId": flag(default=False, replaces=True),
}


class _Issuing(TlsType):
    """A certificate. One that is ready for renewal says so, but is not replaced for that."""

    def validate(self, inputs: Mapping[str, Any]) -> None:
        for use in inputs["allowedUses"]:
            one_of(self.urn_type, "allowedUses", use, (*_KEY_USAGES, *_EXTENDED_USAGES))
        if inputs["maxPathLength"] >= 0 and not inputs["isCaCertificate"]:
            raise RefusalError(f"{self.urn_type}: 'maxPathLength' needs 'isCaCertificate'")

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        outputs = super().read(aws, id_, known)
        end = datetime.datetime.fromisoformat(outputs["validityEndTime"])
        early = datetime.timedelta(hours=outputs["earlyRenewalHours"])
        ready = datetime.datetime.now(datetime.UTC) >= end - early
        return {**outputs, "readyForRenewal": ready}


class SelfSignedCert(_Issuing):
    urn_type = "tls:index/selfSignedCert:SelfSignedCert"
    title = "self-signed certificate"
    properties = table(
        {
            "privateKeyPem": text(required=True, replaces=True, secret=True),
            "subject": block(_SUBJECT_TABLE, replaces=True),
            **_NAMES,
            **_ISSUING,
            "setAuthorityKeyId": flag(default=False, replaces=True),
            "keyAlgorithm": output(unread=True),
            **_VALIDITY,
        }
    )

    def make(self, aws: Aws, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = load_key(self.urn_type, inputs["privateKeyPem"])
        issue = _Issue(
            inputs=inputs,
            subject=subject_name(inputs.get("subject")),
            public_key=key.public_key(),
            names=_alternative_names(inputs),
            signer=key,
        )
        id_, told = _signed(issue)
        return id_, {**told, "keyAlgorithm": _algorithm(key)}


class CertRequest(TlsType):
    urn_type = "tls:index/certRequest:CertRequest"
    title = "certificate request"
    properties = table(
        {
            "privateKeyPem": text(required=True, replaces=True, secret=True),
            "subject": block(_SUBJECT_TABLE, replaces=True),
            **_NAMES,
            "keyAlgorithm": output(unread=True),
            "certRequestPem": output(unread=True),
        }
    )

    def make(self, aws: Aws, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        key = load_key(self.urn_type, inputs["privateKeyPem"])
        subject = subject_name(inputs.get("subject"))
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        if names := _alternative_names(inputs):
            builder = builder.add_extension(x509.SubjectAlternativeName(names), not subject.rdns)
        request = builder.sign(key, _digest(key))
        pem = request.public_bytes(serialization.Encoding.PEM).decode()
        id_ = hashlib.sha1(pem.encode(), usedforsecurity=False).hexdigest()
        return id_, {"certRequestPem": pem, "keyAlgorithm": _algorithm(key)}


class LocallySignedCert(_Issuing):
    urn_type = "tls:index/locallySignedCert:LocallySignedCert"
    title = "locally signed certificate"
    properties = table(
        {
            "certRequestPem": text(required=True, replaces=True),
            "caCertPem": text(required=True, replaces=True),
            "caPrivateKeyPem": text(required=True, replaces=True, secret=True),
            **_ISSUING,
            "caKeyAlgorithm": output(unread=True),
            **_VALIDITY,
        }
    )

    def make(self, aws: Aws, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        try:
            request = x509.load_pem_x509_csr(inputs["certRequestPem"].encode())
            issuer = x509.load_pem_x509_certificate(inputs["caCertPem"].encode())
        except ValueError as error:
            raise RefusalError(
                f"{self.urn_type}: not a PEM request or certificate: {error}"
            ) from error
        if not request.is_signature_valid:
            raise RefusalError(f"{self.urn_type}: the request's signature does not match its key")
        signer = load_key(self.urn_type, inputs["caPrivateKeyPem"])
        issue = _Issue(
            inputs=inputs,
            subject=request.subject,
            public_key=request.public_key(),
            names=_requested_names(request),
            signer=signer,
            issuer=issuer,
        )
        id_, told = _signed(issue)
        return id_, {**told, "caKeyAlgorithm": _algorithm(signer)}


def _requested_names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    try:
        return list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


TYPES = (SelfSignedCert, CertRequest, LocallySignedCert)
