from dataclasses import dataclass

import pulumi
from pulumi_aws import get_caller_identity_output, get_partition_output, iam

from components.policies import Policy, trust


@dataclass(frozen=True, kw_only=True)
class ServiceRoleArgs:
    """`policy` is all the role may do, unless an `aws_managed_policy` says it: path and name of one
    of AWS's own, such as 'service-role/AmazonAPIGatewayPushToCloudWatchLogs'.

    `for_this_account_only` refuses the service when it acts for another account; give it where the
    service sends `aws:SourceAccount`.
    """

    service: str
    policy: pulumi.Input[Policy] | None = None
    aws_managed_policy: str | None = None
    for_this_account_only: bool = False


class ServiceRole(pulumi.ComponentResource):
    """A role that one AWS service assumes, with the few permissions it needs."""

    arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: ServiceRoleArgs, opts: pulumi.ResourceOptions | None = None
    ):
        super().__init__("mtls:index:ServiceRole", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        trusted: pulumi.Input[Policy] = trust(args.service)
        if args.for_this_account_only:
            caller = get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self))
            trusted = caller.account_id.apply(lambda account: trust(args.service, account))
        role = iam.Role(
            f"{name}-role", assume_role_policy=pulumi.Output.json_dumps(trusted), opts=mine
        )
        # Whoever takes the ARN may act at once, so the ARN waits for the permissions.
        granted: list[pulumi.Output[str]] = []
        if args.policy is not None:
            policy = iam.RolePolicy(
                f"{name}-policy",
                role=role.name,
                policy=pulumi.Output.json_dumps(args.policy),
                opts=mine,
            )
            granted.append(policy.id)
        if args.aws_managed_policy:
            partition = get_partition_output(opts=pulumi.InvokeOptions(parent=self)).partition
            attachment = iam.RolePolicyAttachment(
                f"{name}-managed-policy",
                role=role.name,
                policy_arn=pulumi.Output.format(
                    "arn:{0}:iam::aws:policy/{1}", partition, args.aws_managed_policy
                ),
                opts=mine,
            )
            granted.append(attachment.id)
        self.arn = pulumi.Output.all(role.arn, *granted).apply(lambda values: str(values[0]))
        self.register_outputs({"arn": self.arn})
