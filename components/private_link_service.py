from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from components.addresses import check_zones
from components.connection_notifications import ConnectionNotifications, ConnectionNotificationsArgs
from components.customers import Customer, check_customers, principal_label
from components.domains import check_domain
from components.nlb import Nlb, NlbArgs
from components.private_dns_name import PrivateDnsName, PrivateDnsNameArgs
from components.regions import check_cross_region_zones, check_region


@dataclass(frozen=True, kw_only=True)
class PrivateLinkServiceArgs:
    """`customers` go by a name of yours, `subnet_ids` by zone id.

    `alb_arn`, its group, its HTTPS listener and its certificate are what stands behind.
    `private_dns_name` is the name that customers call it by in their own VPC; `validation_zone_id`
    is the public hosted zone that proves it. Without it customers give it a name themselves.
    `supported_regions` are further regions that customers may connect from.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    alb_arn: pulumi.Input[str]
    alb_security_group_id: pulumi.Input[str]
    listener_arn: pulumi.Input[str]
    certificate_arn: pulumi.Input[str]
    customers: Mapping[str, Customer]
    private_dns_name: str | None = None
    validation_zone_id: pulumi.Input[str] | None = None
    acceptance_required: bool = True
    supported_regions: tuple[str, ...] = ()
    deletion_protection: bool = True

    def __post_init__(self) -> None:
        check_zones("subnet_ids", self.subnet_ids)
        check_customers("customers", self.customers)
        if self.private_dns_name is not None:
            check_domain("private_dns_name", self.private_dns_name)
            if self.validation_zone_id is None:
                raise ValueError(
                    "validation_zone_id: want the public hosted zone of "
                    f"{self.private_dns_name!r}, such as 'Z0123456789ABCDEFGHIJ'; got none"
                )
        for region in self.supported_regions:
            check_region("supported_regions", region)
        if self.supported_regions:
            check_cross_region_zones("subnet_ids", self.subnet_ids)


class PrivateLinkService(pulumi.ComponentResource):
    """An endpoint service: the door through which customers' accounts reach the load balancer.

    Only the principals of listed customers find it, and each connection waits until its endpoint is
    listed too. The name of a customer, of its principal and of its endpoint are part of resource
    names, so one more or less touches no other. To rename a customer is to let it go and take it
    back: in one step the second half would undo the first.
    """

    service_id: pulumi.Output[str]
    service_name: pulumi.Output[str]
    """What a customer makes its endpoint to."""
    zone_ids: list[str]
    """Where the service is: a customer's endpoint must be in one of these."""
    private_dns_name: pulumi.Output[str] | None
    """Known once it is verified; None where customers name it themselves."""
    nlb_arn: pulumi.Output[str]
    topic_arn: pulumi.Output[str]
    """Tells of connections asked for, accepted, rejected and deleted."""

    def __init__(
        self, name: str, args: PrivateLinkServiceArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:PrivateLinkService", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        nlb_args = NlbArgs(
            vpc_id=args.vpc_id,
            subnet_ids=args.subnet_ids,
            alb_arn=args.alb_arn,
            alb_security_group_id=args.alb_security_group_id,
            listener_arn=args.listener_arn,
            certificate_arn=args.certificate_arn,
            deletion_protection=args.deletion_protection,
        )
        nlb = Nlb(f"{name}-nlb", nlb_args, mine)
        service = ec2.VpcEndpointService(
            f"{name}-service",
            acceptance_required=args.acceptance_required,
            network_load_balancer_arns=[nlb.arn],
            private_dns_name=args.private_dns_name,
            supported_regions=list(args.supported_regions) or None,
            # Nobody connects before the way through is complete, nor after it is taken apart.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[nlb]),
        )
        for customer, its in args.customers.items():
            self._admit(name, customer, its, service)
        told = ConnectionNotificationsArgs(service_id=service.id, service_arn=service.arn)
        self.service_id = service.id
        self.service_name = service.service_name
        self.zone_ids = sorted(args.subnet_ids)
        self.private_dns_name = self._give_name(name, args, service)
        self.nlb_arn = nlb.arn
        self.topic_arn = ConnectionNotifications(f"{name}-connections", told, mine).topic_arn
        self.register_outputs(
            {
                "service_id": self.service_id,
                "service_name": self.service_name,
                "zone_ids": self.zone_ids,
                "private_dns_name": self.private_dns_name,
                "nlb_arn": self.nlb_arn,
                "topic_arn": self.topic_arn,
            }
        )

    def _admit(
        self, name: str, customer: str, its: Customer, service: ec2.VpcEndpointService
    ) -> None:
        mine = pulumi.ResourceOptions(parent=self)
        for principal in its.principals:
            # By principal and not by count: when one becomes two the first keeps its name. Under
            # another it would be allowed anew first, and then no longer.
            ec2.VpcEndpointServiceAllowedPrinciple(
                f"{name}-allow-{customer}-{principal_label(principal)}",
                vpc_endpoint_service_id=service.id,
                principal_arn=principal,
                opts=mine,
            )
        for endpoint_id in its.endpoint_ids:
            ec2.VpcEndpointConnectionAccepter(
                f"{name}-accept-{customer}-{endpoint_id}",
                vpc_endpoint_service_id=service.id,
                vpc_endpoint_id=endpoint_id,
                opts=mine,
            )

    def _give_name(
        self, name: str, args: PrivateLinkServiceArgs, service: ec2.VpcEndpointService
    ) -> pulumi.Output[str] | None:
        if args.private_dns_name is None or args.validation_zone_id is None:
            return None
        # A service has one private DNS name, so one proof, whatever its values turn out to be.
        proof = service.private_dns_name_configurations[0]
        named = PrivateDnsNameArgs(
            domain=args.private_dns_name,
            service_id=service.id,
            record_name=proof.name,
            record_value=proof.value,
            validation_zone_id=args.validation_zone_id,
        )
        mine = pulumi.ResourceOptions(parent=self)
        return PrivateDnsName(f"{name}-dns", named, mine).domain
