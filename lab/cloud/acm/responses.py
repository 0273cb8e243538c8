"""ACM's operations: parameters in, results out (moto's form)."""

from typing import Any

from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult

from lab.cloud.acm.models import Backend

MAX_DOMAINS = 10


class Response(AWSCertificateManagerResponse):
    """moto's response class, with a request's validation method and key algorithm."""

    @property
    def acm_backend(self) -> Backend:
        backend: Any = super().acm_backend
        return backend

    def request_certificate(self) -> ActionResult:
        method = self._get_param("ValidationMethod", "EMAIL")
        if self._get_param("CertificateAuthorityArn") or method != "DNS":
            raise NotImplementedError(f"RequestCertificate by {method} or from a private CA")
        names = self._get_param("SubjectAlternativeNames", [])
        if len(names) > MAX_DOMAINS:
            raise AWSError(
                "Error: Cannot request more certificate domain names. Contact Customer Service "
                "for details.",
                "LimitExceededException",
            )
        arn = self.acm_backend.request_public_certificate(
            self._get_param("DomainName"),
            names,
            self._get_param("KeyAlgorithm", "RSA_2048"),
            self._get_param("IdempotencyToken"),
            self._get_param("Tags", []),
            self._get_param("Options", {}),
        )
        return ActionResult({"CertificateArn": arn})

    def get_certificate(self) -> ActionResult:
        certificate = self.acm_backend.get_certificate(self._get_param("CertificateArn"))
        if certificate.status == "PENDING_VALIDATION":
            raise AWSError(
                "The certificate request is in process and the certificate in your account has "
                "not yet been issued.",
                "RequestInProgressException",
            )
        answer = {"Certificate": certificate.cert.decode()}
        if certificate.chain:
            answer["CertificateChain"] = certificate.chain.decode()
        return ActionResult(answer)
