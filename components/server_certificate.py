from dataclasses import dataclass

import pulumi
from pulumi_aws import acm, route53


@dataclass(frozen=True, kw_only=True)
class ServerCertificateArgs:
    """`validation_zone_id` is a public hosted zone that `domain` lies in.

    The name becomes public with it: certificate transparency logs list every public certificate.
    """

    domain: str
    validation_zone_id: pulumi.Input[str]


class ServerCertificate(pulumi.ComponentResource):
    """A public certificate from ACM, validated by DNS and renewed as long as the record stays.

    `arn` is known once the certificate is issued.
    """

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: ServerCertificateArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:ServerCertificate", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        certificate = acm.Certificate(
            f"{name}-certificate", domain_name=args.domain, validation_method="DNS", opts=mine
        )
        # One name, so one record: the list has one entry whatever its values turn out to be.
        proof = certificate.domain_validation_options[0]
        record = route53.Record(
            f"{name}-validation",
            zone_id=args.validation_zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            opts=mine,
        )
        issued = acm.CertificateValidation(
            f"{name}-issued",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=mine,
        )
        self.arn = issued.certificate_arn
        self.register_outputs({"arn": self.arn})
