"""Lambda's refusals that moto lacks; codes and statuses are those of the "Lambda API Reference"."""

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError

__all__ = [
    "InvalidParameterValueException",
    "PolicyLengthExceededException",
    "ResourceConflictException",
    "ResourceNotFoundException",
    "invalid_value",
]


class ResourceConflictException(LambdaClientError):  # noqa: N818 - AWS's name
    code = 409

    def __init__(self, message: str) -> None:
        super().__init__("ResourceConflictException", message)


class ResourceNotFoundException(LambdaClientError):  # noqa: N818 - AWS's name
    code = 404

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message)


class PolicyLengthExceededException(LambdaClientError):  # noqa: N818 - AWS's name
    def __init__(self, message: str) -> None:
        super().__init__("PolicyLengthExceededException", message)


def invalid_value(name: str, value: object, constraint: str) -> LambdaClientError:
    """The service model's own check of a member."""
    return LambdaClientError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint:"
        f" {constraint}",
    )
