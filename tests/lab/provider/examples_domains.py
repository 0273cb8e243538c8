"""Examples of API Gateway's domain names, and of the record that proves one."""

from . import places, places_privatelink
from .conftest import World
from .examples import TAGS, Example, Examples

EXAMPLES = Examples()


@EXAMPLES.of("aws:apigateway/domainName:DomainName#regional")
def _regional(world: World) -> Example:
    first, second = places_privatelink.certificates(world, "new-regional")
    return Example(
        inputs={
            "domainName": "new-regional.example.com",
            "regionalCertificateArn": first,
            "endpointConfiguration": {"types": "REGIONAL"},
            "securityPolicy": "TLS_1_2",
            "tags": {"team": "a"},
        },
        changes=[
            {"regionalCertificateArn": second},
            {"securityPolicy": "TLS_1_0"},
            {"endpointConfiguration": {"types": "REGIONAL", "ipAddressType": "ipv4"}},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:apigateway/domainName:DomainName#private")
def _private(world: World) -> Example:
    first, second = places_privatelink.certificates(world, "new-private")
    return Example(
        inputs={
            "domainName": "new-private.example.com",
            "certificateArn": first,
            "endpointConfiguration": {"types": "PRIVATE"},
            "policy": places_privatelink.domain_policy("vpce-1"),
            "securityPolicy": "TLS_1_2",
            "tags": {"team": "a"},
        },
        changes=[
            {"certificateArn": second},
            {"policy": places_privatelink.domain_policy("vpce-2")},
            {"policy": None},
            *TAGS,
        ],
    )


@EXAMPLES.of("aws:apigateway/basePathMapping:BasePathMapping#regional")
def _mapping(world: World) -> Example:
    return Example(
        inputs={
            "domainName": places_privatelink.regional_domain(world)["domainName"],
            "restApi": places.rest_api(world)["id"],
        },
        changes=[
            {"stageName": places.stage(world)["stageName"]},
            {"basePath": "v1"},
            {"basePath": None},
            {"restApi": places.scratch_api(world)["id"], "stageName": None},
        ],
    )


@EXAMPLES.of("aws:apigateway/basePathMapping:BasePathMapping#private")
def _private_mapping(world: World) -> Example:
    domain = places_privatelink.private_domain(world)
    return Example(
        inputs={
            "domainName": domain["domainName"],
            "domainNameId": domain["domainNameId"],
            "basePath": "v1",
            "restApi": places_privatelink.private_api(world),
        },
        changes=[{"basePath": "v2"}, {"restApi": places_privatelink.private_api(world)}],
    )


@EXAMPLES.of("aws:apigateway/domainNameAccessAssociation:DomainNameAccessAssociation")
def _association(world: World) -> Example:
    return Example(
        inputs={
            "accessAssociationSource": places.endpoint(world),
            "accessAssociationSourceType": "VPCE",
            "domainNameArn": places_privatelink.private_domain(world)["arn"],
            "tags": {"team": "a"},
        },
        changes=TAGS,
    )


@EXAMPLES.of("aws:route53/record:Record#TXT")
def _proof(world: World) -> Example:
    return Example(
        inputs={
            "zoneId": places.zone(world),
            "name": "_token.api.example.com",
            "type": "TXT",
            "records": ["vpce:AbC123"],
            "ttl": 1800,
        },
        changes=[{"records": ["vpce:DeF456"]}],
    )
