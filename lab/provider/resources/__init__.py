"""The resource types by AWS service, and the registry of them all."""

from lab.provider.registry import Registry
from lab.provider.resources import (
    acm,
    apigateway,
    apigateway_domains,
    apigateway_methods,
    apigateway_stages,
    ec2,
    ec2_endpoint,
    ec2_endpoint_connections,
    ec2_endpoint_service,
    ec2_security,
    elbv2,
    elbv2_listeners,
    elbv2_targets,
    iam,
    kms,
    lambda_,
    logs,
    route53,
    s3,
    s3_object,
    sns,
    tls,
    tls_certificates,
    vpc_private_dns,
    wafv2,
)
from lab.provider.resources.invokes import FUNCTIONS

_MODULES = (
    acm,
    apigateway,
    apigateway_domains,
    apigateway_methods,
    apigateway_stages,
    ec2,
    ec2_endpoint,
    ec2_endpoint_connections,
    ec2_endpoint_service,
    ec2_security,
    elbv2,
    elbv2_listeners,
    elbv2_targets,
    iam,
    kms,
    lambda_,
    logs,
    route53,
    s3,
    s3_object,
    sns,
    tls,
    tls_certificates,
    vpc_private_dns,
    wafv2,
)


def full_registry() -> Registry:
    """Every resource type and function that the lab knows."""
    return Registry((type_() for module in _MODULES for type_ in module.TYPES), FUNCTIONS)
