"""Domain names."""

import re

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def check_domain(field: str, domain: str) -> None:
    """Refuse what is not a lower-case, fully qualified host name without a trailing dot.

    Raises ValueError naming `field`. RFC 1123 §2.1; ACM takes up to 64 characters as first name.
    """
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > 64 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            f"{field}: want a lower-case host name of at most 64 characters, no trailing dot, "
            f"such as 'api.example.com'; got {domain!r}"
        )
