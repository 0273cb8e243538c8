"""ELBv2's errors: codes of the botocore model, messages as AWS words them."""

from moto.core.errors import COMMON_ERROR_CODES
from moto.elbv2.exceptions import ELBClientError

# AWS answers with them although its model does not declare them; moto warns of such codes.
COMMON_ERROR_CODES.extend(["AccessDenied", "UnsupportedCertificate"])


class ELBError(ELBClientError):
    """`ELBError(code, message)`; the HTTP status comes from the service model."""


def constraint(value: object, path: str, rule: str) -> ELBError:
    """What every AWS query API says when a parameter breaks the model: pattern, range or enum."""
    return ELBError(
        "ValidationError",
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        f"Member must {rule}",
    )


def validation(message: str) -> ELBError:
    return ELBError("ValidationError", message)


def configuration(message: str) -> ELBError:
    return ELBError("InvalidConfigurationRequest", message)


def trust_store_not_found(arn: str) -> ELBError:
    return ELBError("TrustStoreNotFound", f"Trust store '{arn}' not found")
