"""Who judges a client's certificate, as the AWS API says of the front's listener.

In verify the load balancer does, in the handshake; in passthrough the API's authorizer, which
answers 401 where there is no certificate to judge and 403 to one that it does not accept.
"""

from lab.attempt import Answer
from lab.session import Lab

REFUSED_AT_TLS = "refused at TLS (35 or 56)"
REFUSED_BY_API = "401 or 403 from the API"


def passes_through(lab: Lab) -> bool:
    """Whether certificates are passed on instead of verified."""
    listeners = lab.client("elbv2").describe_listeners(LoadBalancerArn=lab.outputs["alb_arn"])
    (mode,) = [
        one["MutualAuthentication"]["Mode"] for one in listeners["Listeners"] if one["Port"] == 443
    ]
    return mode == "passthrough"


def refusal(lab: Lab) -> str:
    """What becomes of a client whose certificate is not accepted."""
    return REFUSED_BY_API if passes_through(lab) else REFUSED_AT_TLS


def is_refused(lab: Lab, answer: Answer) -> bool:
    return answer.status in (401, 403) if passes_through(lab) else answer.refused_at_tls
