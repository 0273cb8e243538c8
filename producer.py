"""What a producer deploys: the table of contents of its stack."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pulumi
from pulumi_aws import route53

import components as mtls
from settings import SAMPLE, ProducerSettings
from settings.tenants import described

Authorities = Mapping[str, mtls.CertificateAuthority]


def produce(settings: ProducerSettings) -> mtls.PrivateLinkService | None:
    """The API, its front, and the way in for customers where there is to be one."""
    # First of all: with state in files, the engine may later be writing what this reads.
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    before = pulumi.StackReference("before", stack_name=stack)
    network = mtls.Network("network", settings.network)
    zone_id = route53.get_zone_output(name=settings.public_zone).zone_id
    authorities = {
        key: mtls.CertificateAuthority(f"ca-{key}", args)
        for key, args in settings.certificate_authorities.items()
    }
    api = _api(settings, network, before, authorities)
    alb = settings.alb or mtls.AlbArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.subnet_ids,
        deletion_protection=settings.deletion_protection,
        log_retention_days=settings.log_retention_days,
    )
    front_args = mtls.MtlsAlbFrontArgs(
        vpc_id=network.vpc_id,
        alb=alb,
        trust_store_arn=_trust_store_arn(settings, authorities),
        validation_zone_id=zone_id,
        api=_target(settings, api),
        endpoint_ips=api.endpoint_ips,
        endpoint_security_group_id=api.endpoint_security_group_id,
        **settings.front,
    )
    front = mtls.MtlsAlbFront("front", front_args)

    pulumi.export("url", front.url)
    pulumi.export("api_id", api.api_id)
    pulumi.export("api_selection", settings.api_selection)
    pulumi.export("vpc_endpoint_id", api.endpoint_id)
    pulumi.export("alb_arn", front.alb_arn)
    pulumi.export("log_bucket", front.log_bucket)
    pulumi.export("client_security_group_ids", front.client_security_group_ids)
    pulumi.export("clients", _test_certificates(settings, authorities))
    pulumi.export("monthly_usd", {key: ca.monthly_price_usd for key, ca in authorities.items()})
    return _private_link(settings, network, front, zone_id)


def _trust_store_arn(
    settings: ProducerSettings, authorities: Authorities
) -> pulumi.Output[str] | None:
    if settings.front["mode"] == "passthrough":
        return None
    args = settings.trust_store or mtls.TrustStoreArgs(
        authorities={key: authority.certificates for key, authority in authorities.items()},
        force_destroy=not settings.deletion_protection,
    )
    return mtls.TrustStore("trust", args).arn


def _api(
    settings: ProducerSettings,
    network: mtls.Network,
    before: pulumi.StackReference,
    authorities: Authorities,
) -> mtls.PrivateApi:
    # What the last deployment had goes on answering until the rule leads elsewhere: an API that is
    # replaced, a private domain that is given up.
    sample = mtls.FunctionArgs(code=Path("widgets"), handler="handler.handle", description="Sample")
    args = mtls.PrivateApiArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.subnet_ids,
        endpoint_ips=network.endpoint_ips,
        backends={
            name: mtls.Function(name, sample).arn if arn == SAMPLE else arn
            for name, arn in settings.backends.items()
        },
        authorizer=_authorizer(settings, authorities),
        certificate_header=(
            "X-Client-Cert" if settings.front["mode"] == "passthrough" else "X-Client-Cert-Leaf"
        ),
        admitted_api_ids=[before.get_output("api_id"), *settings.routed_api_ids],
        domain=before.get_output("api_selection").apply(
            lambda kind: _private_domain(settings, kind)
        ),
        **settings.api,
    )
    return mtls.PrivateApi("api", args)


def _authorizer(
    settings: ProducerSettings, authorities: Authorities
) -> mtls.JwtAuthorizerArgs | mtls.ExistingAuthorizerArgs | None:
    args = settings.authorizer
    if settings.front["mode"] == "verify" or not isinstance(args, mtls.JwtAuthorizerArgs):
        return args
    # The load balancer verifies nothing, so the authorizer has to.
    passthrough = mtls.PassthroughArgs(
        authorities={key: authority.certificates for key, authority in authorities.items()},
        revocations=settings.revocations,
    )
    return replace(args, passthrough=passthrough)


def _private_domain(settings: ProducerSettings, selected_before: str | None) -> str | None:
    if "private-domain" in (settings.api_selection, selected_before):
        return settings.front["domain"]
    return None


def _target(
    settings: ProducerSettings, api: mtls.PrivateApi
) -> mtls.ApiTarget | mtls.ApiDomainTarget:
    if settings.api_selection == "rewrite":
        return mtls.ApiTarget(host=api.api_host, stage_name=api.stage_name)
    return mtls.ApiDomainTarget(
        kind=settings.api_selection,
        rest_api_id=api.api_id,
        stage_name=api.stage_name,
        endpoint_id=api.endpoint_id,
    )


def _test_certificates(
    settings: ProducerSettings, authorities: Authorities
) -> dict[str, dict[str, pulumi.Output[str]]]:
    made: dict[str, dict[str, pulumi.Output[str]]] = {}
    for name, signer in settings.test_certificates.items():
        args = mtls.ClientIdentityArgs(
            common_name=name,
            ca_certificates=authorities[signer].certificates,
            ca_private_key=authorities[signer].private_key,
        )
        one = mtls.ClientIdentity(f"client-{name}", args)
        made[name] = {"certificate_chain": one.certificate_chain, "private_key": one.private_key}
    return made


def _private_link(
    settings: ProducerSettings,
    network: mtls.Network,
    front: mtls.MtlsAlbFront,
    zone_id: pulumi.Output[str],
) -> mtls.PrivateLinkService | None:
    if settings.private_link is None:
        return None
    args = mtls.PrivateLinkServiceArgs(
        vpc_id=network.vpc_id,
        subnet_ids=network.subnet_ids,
        alb_arn=front.alb_arn,
        alb_security_group_id=front.alb_security_group_id,
        listener_arn=front.listener_arn,
        certificate_arn=front.certificate_arn,
        private_dns_name=settings.front["domain"],
        validation_zone_id=zone_id,
        deletion_protection=settings.deletion_protection,
        **settings.private_link,
    )
    service = mtls.PrivateLinkService("privatelink", args)
    pulumi.export("service_id", service.service_id)
    pulumi.export("service_name", service.service_name)
    pulumi.export("service_zones", service.zone_ids)
    pulumi.export("private_dns_name", service.private_dns_name)
    pulumi.export("notification_topic_arn", service.topic_arn)
    pulumi.export(
        "customers",
        {
            name: {
                "principals": list(one.admitted.principals),
                "contact": one.contact,
                "certificates": described(settings.tenants[name].certificates),
            }
            for name, one in settings.customers.items()
        },
    )
    return service
