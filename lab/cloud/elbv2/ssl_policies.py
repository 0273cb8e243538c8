"""The predefined security policies of Application Load Balancers: protocols and ciphers.

"Security policies for your Application Load Balancer" in its user guide
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html).
Not here: the policies for RFC 9151.
"""

TLS13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
TLS13_FIPS = TLS13[:2]
GCM_128 = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]
CBC_128 = ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"]
SHA1_128 = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"]
GCM_256 = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"]
CBC_256 = ["ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"]
SHA1_256 = ["ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA"]
RSA_128, RSA_128_SHA1 = ["AES128-GCM-SHA256", "AES128-SHA256"], ["AES128-SHA"]
RSA_256, RSA_256_SHA1 = ["AES256-GCM-SHA384", "AES256-SHA256"], ["AES256-SHA"]

RESTRICTED = GCM_128 + GCM_256
SHA2 = GCM_128 + CBC_128 + GCM_256 + CBC_256
FORWARD_SECRET = GCM_128 + CBC_128 + SHA1_128 + GCM_256 + CBC_256 + SHA1_256
SHA2_AND_RSA = SHA2 + RSA_128 + RSA_256
ALL = FORWARD_SECRET + RSA_128 + RSA_128_SHA1 + RSA_256 + RSA_256_SHA1

FROM_1_0 = ["TLSv1.2", "TLSv1.1", "TLSv1"]
FROM_1_1 = ["TLSv1.2", "TLSv1.1"]
ONLY_1_2 = ["TLSv1.2"]

# the part of a TLS 1.3 policy's name that says what it offers -> older protocols, older ciphers
WITH_1_3: dict[str, tuple[list[str], list[str]]] = {
    "1-3": ([], []),
    "1-2-Res": (ONLY_1_2, RESTRICTED),
    "1-2": (ONLY_1_2, SHA2),
    "1-2-Ext1": (ONLY_1_2, SHA2_AND_RSA),
    "1-2-Ext2": (ONLY_1_2, ALL),
    "1-1": (FROM_1_1, ALL),
    "1-0": (FROM_1_0, ALL),
}
WITH_1_3_FIPS = {**WITH_1_3, "1-2-Ext0": (ONLY_1_2, FORWARD_SECRET)}

WITHOUT_1_3 = {
    "ELBSecurityPolicy-2016-08": (FROM_1_0, ALL),
    "ELBSecurityPolicy-TLS-1-0-2015-04": (FROM_1_0, [*ALL, "DES-CBC3-SHA"]),
    "ELBSecurityPolicy-TLS-1-1-2017-01": (FROM_1_1, ALL),
    "ELBSecurityPolicy-TLS-1-2-2017-01": (ONLY_1_2, SHA2_AND_RSA),
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06": (ONLY_1_2, ALL),
    "ELBSecurityPolicy-FS-2018-06": (FROM_1_0, FORWARD_SECRET),
    "ELBSecurityPolicy-FS-1-1-2019-08": (FROM_1_1, FORWARD_SECRET),
    "ELBSecurityPolicy-FS-1-2-2019-08": (ONLY_1_2, FORWARD_SECRET),
    "ELBSecurityPolicy-FS-1-2-Res-2019-08": (ONLY_1_2, SHA2),
    "ELBSecurityPolicy-FS-1-2-Res-2020-10": (ONLY_1_2, RESTRICTED),
}

DEFAULT = "ELBSecurityPolicy-2016-08"  # of every way to create a listener but the console


def _policies() -> dict[str, tuple[list[str], list[str]]]:
    policies: dict[str, tuple[list[str], list[str]]] = {}
    for part, (older, ciphers) in WITH_1_3.items():
        offer = (["TLSv1.3", *older], TLS13 + ciphers)
        policies[f"ELBSecurityPolicy-TLS13-{part}-2021-06"] = offer
        if part != "1-1":
            policies[f"ELBSecurityPolicy-TLS13-{part}-PQ-2025-09"] = offer
    for part, (older, ciphers) in WITH_1_3_FIPS.items():
        offer = (["TLSv1.3", *older], TLS13_FIPS + ciphers)
        policies[f"ELBSecurityPolicy-TLS13-{part}-FIPS-2023-04"] = offer
        if part != "1-1":
            policies[f"ELBSecurityPolicy-TLS13-{part}-FIPS-PQ-2025-09"] = offer
    return policies | WITHOUT_1_3


SSL_POLICIES = _policies()


def describe(name: str) -> dict[str, object]:
    """One policy in the API's shape. Raises KeyError for an unknown name."""
    protocols, ciphers = SSL_POLICIES[name]
    return {
        "Name": name,
        "SslProtocols": protocols,
        "Ciphers": [{"Name": each, "Priority": n} for n, each in enumerate(ciphers, 1)],
        "SupportedLoadBalancerTypes": ["application", "network"],
    }
