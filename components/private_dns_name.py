from dataclasses import dataclass

import pulumi
from pulumi_aws import route53, vpc


@dataclass(frozen=True, kw_only=True)
class PrivateDnsNameArgs:
    """`record_name`, a label below `domain`, and `record_value` are what the service asks for.

    `validation_zone_id` is a public hosted zone that `domain` lies in.
    """

    domain: str
    service_id: pulumi.Input[str]
    record_name: pulumi.Input[str]
    record_value: pulumi.Input[str]
    validation_zone_id: pulumi.Input[str]


class PrivateDnsName(pulumi.ComponentResource):
    """Proof, by a TXT record, that the private DNS name of an endpoint service is its provider's.

    Until it is verified no customer can turn private DNS on. The record must be public (AWS
    PrivateLink guide, "Manage DNS names for VPC endpoint services").
    """

    domain: pulumi.Output[str]
    """Known once it is verified."""

    def __init__(
        self, name: str, args: PrivateDnsNameArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:PrivateDnsName", name, None, opts)
        record = route53.Record(
            f"{name}-proof",
            zone_id=args.validation_zone_id,
            name=pulumi.Output.format("{0}.{1}", args.record_name, args.domain),
            type="TXT",
            records=[args.record_value],
            ttl=1800,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # The domain is part of the name, since another one has to be verified anew.
        verified = vpc.EndpointServicePrivateDnsVerification(
            f"{name}-verified-{args.domain}",
            service_id=args.service_id,
            wait_for_verification=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[record]),
        )
        self.domain = verified.service_id.apply(lambda _: args.domain)
        self.register_outputs({"domain": self.domain})
