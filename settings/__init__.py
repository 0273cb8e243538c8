"""The stack's configuration, read once: typed, checked, and refused before anything is created."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from components import JwtAuthorizerArgs
from settings import consumer, producer, quotas, tenants
from settings.consumer import ConsumerSettings
from settings.customers import CustomerSettings
from settings.producer import SAMPLE, ProducerSettings
from settings.reader import PROJECT, Reader, SettingError

__all__ = [
    "SAMPLE",
    "ConsumerSettings",
    "CustomerSettings",
    "ProducerSettings",
    "SettingError",
    "Settings",
]

Role = Literal["producer", "consumer", "all-in-one"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One stack's settings, in the words of `Pulumi.yaml`, which holds every default.

    A producer has no `consumer` settings and a consumer no `producer` settings; all-in-one has a
    producer's, and a consumer's where it is to be its own customer.
    """

    role: Role
    region: str
    producer: ProducerSettings | None = None
    consumer: ConsumerSettings | None = None

    @classmethod
    def load(cls, root: Path = Path()) -> "Settings":
        """Read the configuration of the running stack; files it names lie below `root`.

        Raises SettingError naming the key, what was wanted with an example, and what was given.
        """
        read = Reader(root)
        try:
            settings = _load(read)
            read.refuse_unknown((*producer.DEFAULTED, "dns"))
        except SettingError:
            raise
        except ValueError as error:
            raise SettingError(str(error)) from error
        if settings.producer and isinstance(settings.producer.authorizer, JwtAuthorizerArgs):
            tenants.warn(settings.producer.tenants)
        quotas.warn(settings.producer)
        quotas.warn(settings.consumer)
        return settings


def _load(read: Reader) -> Settings:
    role: Role = read.one_of("role", get_args(Role))
    region = read.region()
    if role == "consumer":
        read.refuse(producer.KEYS, role)
        settings = consumer.consumer_settings(read)
        return Settings(role=role, region=region, consumer=settings)
    read.refuse(consumer.KEYS, role)
    produced = producer.producer_settings(read, role)
    if role == "producer":
        read.refuse(["consumerVpcCidr", "consumerSubnets"], role)
        return Settings(role=role, region=region, producer=produced)
    own = consumer.own_customer(read, produced.front["domain"])
    if own and (produced.private_link is None or produced.private_link["acceptance_required"]):
        raise SettingError(
            f"{PROJECT}:consumerVpcCidr: want {PROJECT}:privateLink true and "
            f"{PROJECT}:acceptanceRequired false, since nobody is there to accept"
        )
    return Settings(role=role, region=region, producer=produced, consumer=own)
