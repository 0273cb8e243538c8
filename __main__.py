"""A private API behind mutual TLS: the table of contents of one stack."""

import gc
from pathlib import Path

import pulumi
from pulumi_aws import route53

import components as mtls
from settings import SAMPLE, Settings

# Most of what a program makes lives to its end; looking for garbage in it costs half of a run.
gc.set_threshold(100_000, 50, 100)

settings = Settings.load()
network = mtls.Network("network", settings.network)

authorities = {
    key: mtls.CertificateAuthority(f"ca-{key}", args)
    for key, args in settings.certificate_authorities.items()
}
trust_store_args = settings.trust_store or mtls.TrustStoreArgs(
    authorities={key: authority.certificates for key, authority in authorities.items()},
    force_destroy=not settings.deletion_protection,
)
trust_store = mtls.TrustStore("trust", trust_store_args)

clients: dict[str, dict[str, pulumi.Output[str]]] = {}
for client, signer in settings.test_certificates.items():
    identity_args = mtls.ClientIdentityArgs(
        common_name=client,
        ca_certificates=authorities[signer].certificates,
        ca_private_key=authorities[signer].private_key,
    )
    one = mtls.ClientIdentity(f"client-{client}", identity_args)
    clients[client] = {"certificate_chain": one.certificate_chain, "private_key": one.private_key}

# Of the last deployment: an API that is replaced goes on answering until the new one is called.
stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
before = pulumi.StackReference("before", stack_name=stack)

sample = mtls.FunctionArgs(code=Path("widgets"), handler="handler.handle", description="Sample")
api_args = mtls.PrivateApiArgs(
    vpc_id=network.vpc_id,
    subnet_ids=network.subnet_ids,
    endpoint_ips=network.endpoint_ips,
    backends={
        name: mtls.Function(name, sample).arn if arn == SAMPLE else arn
        for name, arn in settings.backends.items()
    },
    admitted_api_ids=[before.get_output("api_id")],
    **settings.api,
)
api = mtls.PrivateApi("api", api_args)

alb = settings.alb or mtls.AlbArgs(
    vpc_id=network.vpc_id,
    subnet_ids=network.subnet_ids,
    deletion_protection=settings.deletion_protection,
    log_retention_days=settings.log_retention_days,
)
front_args = mtls.MtlsAlbFrontArgs(
    vpc_id=network.vpc_id,
    alb=alb,
    trust_store_arn=trust_store.arn,
    validation_zone_id=route53.get_zone_output(name=settings.public_zone).zone_id,
    api_host=api.api_host,
    stage_name=api.stage_name,
    endpoint_ips=api.endpoint_ips,
    endpoint_security_group_id=api.endpoint_security_group_id,
    **settings.front,
)
front = mtls.MtlsAlbFront("front", front_args)

pulumi.export("url", front.url)
pulumi.export("api_id", api.api_id)
pulumi.export("vpc_endpoint_id", api.endpoint_id)
pulumi.export("alb_arn", front.alb_arn)
pulumi.export("log_bucket", front.log_bucket)
pulumi.export("client_security_group_ids", front.client_security_group_ids)
pulumi.export("clients", clients)
pulumi.export("monthly_usd", {key: ca.monthly_price_usd for key, ca in authorities.items()})
