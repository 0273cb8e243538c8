"""API Gateway's refusals that moto lacks or words otherwise.

Codes and statuses are those of the service model ("API Gateway REST API Reference").
"""

from moto.apigateway.exceptions import ApiGatewayException, BadRequestException, ConflictException

__all__ = ["BadRequestException", "ConflictException", "NotFoundException"]


class NotFoundException(ApiGatewayException):
    code = 404

    def __init__(self, message: str) -> None:
        super().__init__("NotFoundException", message)
