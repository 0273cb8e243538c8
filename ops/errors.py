"""What ends a command with exit code 1."""


class RefusedError(Exception):
    """One line: why nothing (more) was done, and what to do about it."""
