"""What a customer deploys in its own account: the table of contents of its stack."""

from collections.abc import Sequence
from typing import Any

import pulumi

import components as mtls
from settings import ConsumerSettings


def consume(settings: ConsumerSettings) -> None:
    """An endpoint to the producer's service, and who may connect to it."""
    if settings.producer_stack:
        producer = pulumi.StackReference("producer", stack_name=settings.producer_stack)
        service_name = producer.require_output("service_name")
        zone_ids = producer.require_output("service_zones")
    else:
        service_name = settings.service_name
        zone_ids = settings.service_zone_ids
    network = mtls.Network("network", settings.network)
    endpoint = _endpoint("consumer", settings, network, service_name, zone_ids)
    for name, value in _outputs(endpoint).items():
        pulumi.export(name, value)


def consume_own(settings: ConsumerSettings, service: mtls.PrivateLinkService) -> None:
    """The same beside the producer, in a VPC of its own."""
    network = mtls.Network("consumer-network", settings.network)
    endpoint = _endpoint("consumer", settings, network, service.service_name, service.zone_ids)
    pulumi.export("consumer", _outputs(endpoint))


def _endpoint(
    name: str,
    settings: ConsumerSettings,
    network: mtls.Network,
    service_name: pulumi.Input[str],
    service_zone_ids: pulumi.Input[Sequence[str]],
) -> mtls.ConsumerEndpoint:
    args = mtls.ConsumerEndpointArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.subnet_ids,
        domain=settings.domain,
        service_name=service_name,
        service_zone_ids=service_zone_ids,
        service_region=settings.service_region,
        clients=settings.clients,
        client_cidrs=settings.client_cidrs,
        dns=settings.dns,
    )
    return mtls.ConsumerEndpoint(name, args)


def _outputs(endpoint: mtls.ConsumerEndpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "endpoint_id": endpoint.endpoint_id,
        "endpoint_state": endpoint.state,
        "endpoint_dns_name": endpoint.dns_name,
        "client_security_group_ids": endpoint.client_security_group_ids,
    }
