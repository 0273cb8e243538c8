from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, lb

from components.addresses import check_zones
from components.private_bucket import PrivateBucket, PrivateBucketArgs


@dataclass(frozen=True, kw_only=True)
class AlbArgs:
    """`subnet_ids` go by zone id.

    `client_keep_alive_seconds` bounds how long a connection lives after its certificate is revoked:
    revocation is looked at when a client connects, and never again on that connection.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    deletion_protection: bool = True
    log_retention_days: int = 90
    client_keep_alive_seconds: int = 300

    def __post_init__(self) -> None:
        check_zones("subnet_ids", self.subnet_ids)
        # ELB user guide, "Application Load Balancers", load balancer attributes.
        if not 60 <= self.client_keep_alive_seconds <= 604_800:
            raise ValueError(
                "client_keep_alive_seconds: want 60 to 604800, such as 300; "
                f"got {self.client_keep_alive_seconds}"
            )


@dataclass(frozen=True, kw_only=True)
class ExistingAlbArgs:
    """An internal load balancer that is there already and has no listener on port 443.

    `security_group_id` is one of its groups; rules are added to it. Logs and attributes stay as
    they are.
    """

    arn: pulumi.Input[str]
    security_group_id: pulumi.Input[str]


class Alb(pulumi.ComponentResource):
    """An internal Application Load Balancer without listeners, and the bucket of all its logs.

    Its security group lets nothing in or out until rules are added. The connection log is the only
    place where a refused client certificate can be seen.
    """

    arn: pulumi.Output[str]
    dns_name: pulumi.Output[str]
    zone_id: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    log_bucket: pulumi.Output[str] | None
    """None for an existing load balancer."""

    def __init__(
        self,
        name: str,
        args: AlbArgs | ExistingAlbArgs,
        opts: pulumi.ResourceOptions | None = None,
    ):
        super().__init__("mtls:index:Alb", name, None, opts)
        if isinstance(args, AlbArgs):
            self._create(name, args)
        else:
            self._adopt(args)
        self.register_outputs(
            {
                "arn": self.arn,
                "dns_name": self.dns_name,
                "zone_id": self.zone_id,
                "security_group_id": self.security_group_id,
                "log_bucket": self.log_bucket,
            }
        )

    def _adopt(self, args: ExistingAlbArgs) -> None:
        known = lb.get_load_balancer_output(
            arn=args.arn, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        self.arn = known.arn
        self.dns_name = known.dns_name
        self.zone_id = known.zone_id
        self.security_group_id = pulumi.Output.from_input(args.security_group_id)
        self.log_bucket = None

    def _create(self, name: str, args: AlbArgs) -> None:
        mine = pulumi.ResourceOptions(parent=self)
        group = ec2.SecurityGroup(
            f"{name}-group",
            vpc_id=args.vpc_id,
            description="Load balancer: from listed clients, to its targets",
            opts=mine,
        )
        logs = PrivateBucket(
            f"{name}-logs",
            PrivateBucketArgs(
                load_balancer_logs=True,
                expire_after_days=args.log_retention_days,
                force_destroy=not args.deletion_protection,
            ),
            mine,
        )
        balancer = lb.LoadBalancer(
            f"{name}-lb",
            load_balancer_type="application",
            internal=True,
            subnets=list(args.subnet_ids.values()),
            security_groups=[group.id],
            access_logs={"bucket": logs.bucket, "enabled": True},
            connection_logs={"bucket": logs.bucket, "enabled": True},
            health_check_logs={"bucket": logs.bucket, "enabled": True},
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            client_keep_alive=args.client_keep_alive_seconds,
            enable_deletion_protection=args.deletion_protection,
            opts=mine,
        )
        self.arn = balancer.arn
        self.dns_name = balancer.dns_name
        self.zone_id = balancer.zone_id
        self.security_group_id = group.id
        self.log_bucket = logs.bucket
