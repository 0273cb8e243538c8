"""ACM's backend: moto's, with DNS validation against Route 53 and real certificates."""

import hashlib
import re
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from moto.acm.exceptions import AWSValidationException, CertificateNotFound
from moto.acm.models import AWSCertificateManagerBackend, CertBundle, TagHolder, acm_backends
from moto.acm.utils import make_arn_for_certificate
from moto.apigateway.models import apigateway_backends
from moto.core.exceptions import AWSError
from moto.core.utils import utcnow
from moto.elbv2.models import elbv2_backends

from lab.cloud import changes, public_dns
from lab.cloud.acm.authority import KEY_ALGORITHMS, Authority, new_key

# DomainNameString in the API reference
DOMAIN = re.compile(
    r"(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])"
)
MAX_DOMAIN = 253
MAX_COMMON_NAME = 64


class RequestedCertificate(CertBundle):
    """Pending until the CNAME of every domain is in a public zone; then signed and issued."""

    def __init__(
        self, account_id: str, region: str, domains: list[str], algorithm: str, root: Authority
    ) -> None:
        # Not CertBundle's: it wants a certificate, which there is none of before the validation.
        self.account_id = account_id
        self.arn = make_arn_for_certificate(account_id, region)
        self.sans = domains
        self.common_name = domains[0]
        self.key_algorithm = algorithm
        self.created_at = utcnow()
        self.tags = TagHolder()
        self.type = "AMAZON_ISSUED"
        self.status = "PENDING_VALIDATION"
        self.cert_authority_arn = None
        self.in_use_by: list[str] = []
        self.cert_options: dict[str, Any] = {
            "CertificateTransparencyLoggingPreference": "ENABLED",
            "Export": "DISABLED",
        }
        self._root = root

    def check(self) -> None:
        """Issues the certificate when every domain is validated by now."""
        if self.status != "PENDING_VALIDATION" or not all(map(self._is_validated, self.sans)):
            return
        self._key = new_key(self.key_algorithm)
        self.key = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.cert = self._root.issue(self.sans, self._key)
        self._cert = x509.load_pem_x509_certificate(self.cert)
        self.chain = self._root.certificate_pem
        self.issued_at = utcnow()
        self.status = "ISSUED"
        changes.changed("acm")

    def validation_record(self, domain: str) -> dict[str, str]:
        """The CNAME that proves control of `domain`: the same for each request of an account."""
        bare = domain.removeprefix("*.")
        digest = hashlib.sha256(f"{self.account_id} {bare}".encode()).hexdigest()
        suffix = "".join(chr(ord("a") + int(digit, 16)) for digit in digest[-10:])
        value = f"_{digest[32:64]}.{suffix}.acm-validations.aws."
        return {"Name": f"_{digest[:32]}.{bare}.", "Type": "CNAME", "Value": value}

    def describe(self) -> dict[str, Any]:
        """Everything of DescribeCertificate but InUseBy."""
        detail: dict[str, Any] = {
            "CertificateArn": self.arn,
            "DomainName": self.common_name,
            "SubjectAlternativeNames": self.sans,
            "DomainValidationOptions": [self._validation(domain) for domain in self.sans],
            "Subject": f"CN={self.common_name}",
            "Issuer": "Amazon",
            "CreatedAt": self.created_at.timestamp(),
            "Status": self.status,
            "KeyAlgorithm": self.key_algorithm,
            "SignatureAlgorithm": "SHA256WITHRSA",
            "InUseBy": self.in_use_by,
            "Type": self.type,
            "KeyUsages": [],
            "ExtendedKeyUsages": [],
            "RenewalEligibility": "INELIGIBLE",
            "Options": self.cert_options,
        }
        if self.status == "ISSUED":
            detail |= {
                "IssuedAt": self.issued_at.timestamp(),
                "Serial": self._cert.serial_number.to_bytes(20).hex(":"),
                "NotBefore": self._cert.not_valid_before_utc.timestamp(),
                "NotAfter": self._cert.not_valid_after_utc.timestamp(),
                "KeyUsages": [{"Name": "DIGITAL_SIGNATURE"}],
                "ExtendedKeyUsages": [
                    {"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}
                ],
            }
        return {"Certificate": detail}

    def _validation(self, domain: str) -> dict[str, Any]:
        done = self.status == "ISSUED" or self._is_validated(domain)
        return {
            "DomainName": domain,
            "ValidationDomain": domain,
            "ValidationStatus": "SUCCESS" if done else "PENDING_VALIDATION",
            "ValidationMethod": "DNS",
            "ResourceRecord": self.validation_record(domain),
        }

    def _is_validated(self, domain: str) -> bool:
        wanted = self.validation_record(domain)
        found = public_dns.values("CNAME", wanted["Name"])
        return any(public_dns.same_name(value, wanted["Value"]) for value in found)


class Backend(AWSCertificateManagerBackend):
    """Public certificates by DNS validation, and imported ones."""

    root: Authority

    def request_public_certificate(
        self,
        domain_name: str,
        alternative_names: list[str],
        algorithm: str,
        token: str | None,
        tags: list[dict[str, str]],
        options: dict[str, Any],
    ) -> str:
        """The ARN of a pending certificate. Raises ValidationException."""
        for place, domain in enumerate([domain_name, *alternative_names]):
            path = f"subjectAlternativeNames.{place}.member" if place else "domainName"
            check_domain(domain, path)
        if len(domain_name) > MAX_COMMON_NAME:
            raise AWSValidationException(
                f"The first domain name can be no longer than {MAX_COMMON_NAME} characters"
            )
        if algorithm not in KEY_ALGORITHMS:
            raise AWSValidationException(
                f"Key algorithm {algorithm} is not supported for requested certificates; it must "
                f"be one of [{', '.join(KEY_ALGORITHMS)}]"
            )
        if token and (arn := self._get_arn_from_idempotency_token(token)):
            return arn
        domains = list(dict.fromkeys([domain_name, *alternative_names]))
        certificate: Any = RequestedCertificate(
            self.account_id, self.region_name, domains, algorithm, self.root
        )
        certificate.cert_options.update(options)
        certificate.tags.add(tags)
        self._certificates[certificate.arn] = certificate
        if token:
            self._set_idempotency_token_arn(token, certificate.arn)
        return certificate.arn

    def get_certificate(self, arn: str) -> CertBundle:
        """moto's, with who uses the certificate now."""
        certificate = super().get_certificate(arn)
        balancers: Any = elbv2_backends[self.account_id][self.region_name]
        gateway: Any = apigateway_backends[self.account_id][self.region_name]
        certificate.in_use_by = [
            *balancers.certificates_in_use().get(arn, []),
            *gateway.certificates_of_domains().get(arn, []),
        ]
        return certificate

    def delete_certificate(self, arn: str) -> None:
        if self.get_certificate(arn).in_use_by:
            raise AWSError(
                f"Certificate {arn} in account {self.account_id} is in use.",
                "ResourceInUseException",
            )
        super().delete_certificate(arn)

    def import_certificate(
        self,
        certificate: bytes,
        private_key: bytes,
        chain: bytes | None,
        arn: str | None,
        tags: list[dict[str, str]],
    ) -> str:
        """The chain stays as it was given; moto adds a root to it."""
        imported = super().import_certificate(certificate, private_key, chain, arn, tags)
        self._certificates[imported].chain = chain or b""
        return imported


def start() -> None:
    """A new root for a new API."""
    Backend.root = Authority()


def check_domain(domain: str, path: str) -> None:
    if len(domain) > MAX_DOMAIN:
        rule = f"Member must have length less than or equal to {MAX_DOMAIN}"
    elif not DOMAIN.fullmatch(domain):
        rule = f"Member must satisfy regular expression pattern: {DOMAIN.pattern}"
    else:
        return
    raise AWSValidationException(
        f"1 validation error detected: Value '{domain}' at '{path}' failed to satisfy "
        f"constraint: {rule}"
    )


def private_key(arn: str) -> bytes:
    """The PEM private key of an issued or imported certificate, which ALBs get and nobody else.

    Raises LookupError.
    """
    try:
        region, account_id = arn.split(":")[3:5]
        certificate = acm_backends[account_id][region].get_certificate(arn)
    except (ValueError, KeyError, CertificateNotFound):
        raise LookupError(f"no certificate {arn}") from None
    if certificate.status != "ISSUED":
        raise LookupError(f"certificate {arn} is {certificate.status}")
    return certificate.key
