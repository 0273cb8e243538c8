from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
from pulumi_aws import cloudwatch, lambda_

from components import policies
from components.service_role import ServiceRole, ServiceRoleArgs


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """`code` is a folder, deployed as it stands; `handler` is 'module.function' in it."""

    code: Path
    handler: str
    description: str
    environment: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    memory_mb: int = 256
    timeout_seconds: int = 10
    log_retention_days: int = 90

    def __post_init__(self) -> None:
        if not self.code.is_dir():
            raise ValueError(f"code: want a folder, such as 'widgets'; got '{self.code}'")


class Function(pulumi.ComponentResource):
    """A Python function on arm64 that may write its own log group and traces, and nothing else."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__("mtls:index:Function", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        logs = cloudwatch.LogGroup(
            f"{name}-logs", retention_in_days=args.log_retention_days, opts=mine
        )
        role = ServiceRole(
            f"{name}-execution",
            ServiceRoleArgs(
                service="lambda.amazonaws.com",
                policy=logs.arn.apply(
                    lambda arn: policies.merge(policies.write_logs(arn), policies.write_traces())
                ),
            ),
            mine,
        )
        function = lambda_.Function(
            f"{name}-function",
            description=args.description,
            runtime="python3.13",
            architectures=["arm64"],
            code=pulumi.FileArchive(str(args.code)),
            handler=args.handler,
            role=role.arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            environment={"variables": args.environment} if args.environment else None,
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "Text", "log_group": logs.name},
            opts=mine,
        )
        self.arn = function.arn
        self.register_outputs({"arn": self.arn})
