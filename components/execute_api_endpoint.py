from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, get_region_output

from components.policies import Policy


@dataclass(frozen=True, kw_only=True)
class ExecuteApiEndpointArgs:
    """`subnet_ids` and `endpoint_ips` go by zone id; `policy` is the endpoint policy."""

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    endpoint_ips: Mapping[str, str]
    policy: pulumi.Input[Policy]


class ExecuteApiEndpoint(pulumi.ComponentResource):
    """The interface endpoint to API Gateway, closed until somebody opens its security group.

    Its addresses are fixed, so that targets and rules that name them are known in a preview.
    Private DNS stays off: it would take over the name of every API in the region for the whole VPC
    (API Gateway developer guide, "Private REST APIs in API Gateway").
    """

    endpoint_id: pulumi.Output[str]
    security_group_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: ExecuteApiEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:ExecuteApiEndpoint", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        group = ec2.SecurityGroup(
            f"{name}-group",
            vpc_id=args.vpc_id,
            description="execute-api endpoint: from the load balancer only",
            opts=mine,
        )
        region = get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        endpoint = ec2.VpcEndpoint(
            f"{name}-vpce",
            vpc_id=args.vpc_id,
            service_name=pulumi.Output.format("com.amazonaws.{0}.execute-api", region),
            vpc_endpoint_type="Interface",
            private_dns_enabled=False,
            policy=pulumi.Output.json_dumps(args.policy),
            security_group_ids=[group.id],
            subnet_ids=list(args.subnet_ids.values()),
            subnet_configurations=[
                {"subnet_id": subnet, "ipv4": args.endpoint_ips[zone]}
                for zone, subnet in args.subnet_ids.items()
            ],
            opts=mine,
        )
        self.endpoint_id = endpoint.id
        self.security_group_id = group.id
        self.register_outputs(
            {"endpoint_id": self.endpoint_id, "security_group_id": self.security_group_id}
        )
