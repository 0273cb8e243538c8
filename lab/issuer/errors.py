"""The errors of the token endpoint (RFC 6749 §5.2)."""

from http import HTTPStatus


class TokenError(Exception):
    """A token request that is answered with an error: its code, and a description for people."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    @property
    def status(self) -> HTTPStatus:
        if self.error == "invalid_client":
            return HTTPStatus.UNAUTHORIZED
        return HTTPStatus.BAD_REQUEST
