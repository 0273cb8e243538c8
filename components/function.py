import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pulumi
from pulumi_aws import cloudwatch, lambda_

from components import policies
from components.service_role import ServiceRole, ServiceRoleArgs

Architecture = Literal["arm64", "x86_64"]

FIRST_WITH_SNAP_START = 12
"""Python 3.12 (Lambda developer guide, "Improving startup performance with Lambda SnapStart")."""

MEMORY_MB = (128, 10_240)
"""Lambda developer guide, "Configure Lambda function memory"."""


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """`code` is a folder, deployed as it stands, or a built archive; `handler` is 'module.function'
    in it.

    `snap_start` starts from a snapshot of a function that has been initialised, of a version
    published for it, which is paid for as long as it is kept.
    """

    code: Path | pulumi.Output[pulumi.Archive]
    handler: str
    description: str
    environment: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    memory_mb: int = 256
    timeout_seconds: int = 10
    log_retention_days: int = 90
    runtime: str = "python3.13"
    architecture: Architecture = "arm64"
    snap_start: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.code, Path) and not self.code.is_dir():
            raise ValueError(f"code: want a folder, such as 'widgets'; got '{self.code}'")
        check_runtime("runtime", self.runtime, snap_start=self.snap_start)
        check_memory("memory_mb", self.memory_mb)


def check_runtime(field: str, runtime: str, *, snap_start: bool) -> None:
    """Raises ValueError for what is no Python runtime, or has no SnapStart where it is wanted."""
    match = re.fullmatch(r"python3\.([0-9]{1,2})", runtime, re.ASCII)
    first = FIRST_WITH_SNAP_START if snap_start else 0
    if match is None or int(match[1]) < first:
        want = f"python3.{first} or later for SnapStart" if first else "such as 'python3.13'"
        raise ValueError(f"{field}: want a Python runtime, {want}; got {runtime!r}")


def check_memory(field: str, memory_mb: int) -> None:
    """Raises ValueError for what Lambda does not give."""
    least, most = MEMORY_MB
    if not least <= memory_mb <= most:
        raise ValueError(f"{field}: want {least} to {most}; got {memory_mb}")


class Function(pulumi.ComponentResource):
    """A Python function that may write its own log group and traces, and nothing else."""

    arn: pulumi.Output[str]
    """To invoke: the function's, or with SnapStart the one of an alias of its newest version."""

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
        code = pulumi.FileArchive(str(args.code)) if isinstance(args.code, Path) else args.code
        function = lambda_.Function(
            f"{name}-function",
            description=args.description,
            runtime=args.runtime,
            architectures=[args.architecture],
            code=code,
            handler=args.handler,
            role=role.arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            environment={"variables": args.environment} if args.environment else None,
            tracing_config={"mode": "Active"},
            logging_config={"log_format": "Text", "log_group": logs.name},
            publish=True if args.snap_start else None,
            snap_start={"apply_on": "PublishedVersions"} if args.snap_start else None,
            opts=mine,
        )
        self.arn = self._alias(name, function).arn if args.snap_start else function.arn
        self.register_outputs({"arn": self.arn})

    def _alias(self, name: str, function: lambda_.Function) -> lambda_.Alias:
        # Only a published version has a snapshot, and its own ARN changes with each.
        return lambda_.Alias(
            f"{name}-live",
            name="live",
            function_name=function.name,
            function_version=function.version,
            opts=pulumi.ResourceOptions(parent=self),
        )
