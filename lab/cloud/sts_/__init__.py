"""STS: a role is assumed only by whom its trust policy admits."""
