"""Who may connect to whom: rules between security groups, and groups to put clients in."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, vpc


@dataclass(frozen=True, kw_only=True)
class Client:
    """Who may connect: an existing `security_group_id`, or None for a new one to put clients in."""

    security_group_id: pulumi.Input[str] | None = None


def edge(
    name: str,
    source: pulumi.Input[str],
    target: pulumi.Input[str],
    port: int,
    opts: pulumi.ResourceOptions,
) -> None:
    """Lets `source` connect to `target`: out of the one group, and into the other."""
    egress(name, source, target, port, opts)
    vpc.SecurityGroupIngressRule(
        f"{name}-in",
        security_group_id=target,
        referenced_security_group_id=source,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        opts=opts,
    )


def egress(
    name: str,
    source: pulumi.Input[str],
    target: pulumi.Input[str],
    port: int,
    opts: pulumi.ResourceOptions,
) -> None:
    """The way out of `source` alone, where somebody else opens `target`."""
    vpc.SecurityGroupEgressRule(
        f"{name}-out",
        security_group_id=source,
        referenced_security_group_id=target,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        opts=opts,
    )


def client_groups(
    name: str,
    clients: Mapping[str, Client],
    vpc_id: pulumi.Input[str],
    target: pulumi.Input[str],
    description: str,
    opts: pulumi.ResourceOptions,
) -> dict[str, pulumi.Output[str]]:
    """By client: its group, given or made, from which `target` takes HTTPS connections.

    `description` says in a new group what its members may do; AWS never lets it be changed.
    """
    groups: dict[str, pulumi.Output[str]] = {}
    for key, client in clients.items():
        if client.security_group_id is not None:
            groups[key] = pulumi.Output.from_input(client.security_group_id)
        else:
            groups[key] = ec2.SecurityGroup(
                f"{name}-client-{key}",
                vpc_id=vpc_id,
                description=f"Client {key}: {description}",
                opts=opts,
            ).id
        edge(f"{name}-from-{key}", groups[key], target, 443, opts)
    return groups
