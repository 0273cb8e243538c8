"""Why a request is refused. A reason is a short code; it never holds what the caller sent."""


class RefusedError(Exception):
    """`reason` goes to the log and, for a denial, to the access log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnauthorizedError(RefusedError):
    """No token, or one that must not be accepted (RFC 6750 §3.1 `invalid_token`): 401."""


class ForbiddenError(RefusedError):
    """A caller who may not: 403."""


class ConfigError(ValueError):
    """A file of the deployment package that cannot be used: which field, and what was wanted."""
