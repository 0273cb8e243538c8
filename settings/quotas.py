"""AWS quotas that settings may meet. They can be raised, so going over one is a warning."""

from collections.abc import Iterator
from dataclasses import dataclass

import pulumi

from settings.consumer import ConsumerSettings
from settings.producer import ProducerSettings
from settings.reader import PROJECT

RULES_IN_A_GROUP = 60
"""Inbound rules per security group (VPC user guide, "Amazon VPC quotas")."""

RULES_OF_A_BALANCER = 100
"""Listener rules per Application Load Balancer, without defaults (ELB user guide, "Quotas for your
Application Load Balancers")."""

OWN_RULES_IN_THE_GROUP = 2
"""From the Network Load Balancer, for connections and for health checks."""

OWN_RULES_OF_THE_BALANCER = 13
"""One leads to the API, twelve refuse forged headers."""


@dataclass(frozen=True, kw_only=True)
class Exceeded:
    """A quota by its name in Service Quotas, and the setting that goes over it."""

    setting: str
    wanted: int
    quota: int
    name: str

    def __str__(self) -> str:
        return (
            f"{PROJECT}:{self.setting}: makes {self.wanted} of what AWS allows {self.quota} by "
            f"default; have the quota '{self.name}' raised before you deploy"
        )


def exceeded(settings: ProducerSettings | ConsumerSettings) -> Iterator[Exceeded]:
    """The default quotas that these settings go over."""
    if isinstance(settings, ConsumerSettings):
        rules = len(settings.clients) + len(settings.client_cidrs)
    else:
        linked = OWN_RULES_IN_THE_GROUP if settings.private_link else 0
        rules = len(settings.front["clients"]) + linked
        routes = len(settings.front["path_routes"]) + OWN_RULES_OF_THE_BALANCER
        if routes > RULES_OF_A_BALANCER:
            name = "Rules per Application Load Balancer"
            yield Exceeded(
                setting="pathRoutes", wanted=routes, quota=RULES_OF_A_BALANCER, name=name
            )
    if rules > RULES_IN_A_GROUP:
        name = "Inbound or outbound rules per security group"
        yield Exceeded(setting="clients", wanted=rules, quota=RULES_IN_A_GROUP, name=name)


def warn(settings: ProducerSettings | ConsumerSettings | None) -> None:
    """Says in the preview which quotas are too small."""
    for one in exceeded(settings) if settings else ():
        pulumi.log.warn(str(one))
