"""Load balancers: subnets, network interfaces, attributes, deletion protection."""

import re
import secrets
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidSubnetIdError
from moto.elbv2.exceptions import DuplicateLoadBalancerName, LoadBalancerNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend

from lab.cloud import changes
from lab.cloud.elbv2 import attributes, log_delivery
from lab.cloud.elbv2.balancers import TYPES, LoadBalancer, NetworkLoadBalancer
from lab.cloud.elbv2.exceptions import ELBError, configuration, constraint, validation

MIN_FREE_ADDRESSES = 8
ON_OR_OFF = ("on", "off")


class LoadBalancerBackend(ELBv2Backend):
    """The load balancer operations of ELBv2 in one account and region, gateway ones aside."""

    load_balancers: dict[str, Any]

    def create_load_balancer(
        self,
        name: str,
        security_groups: list[str],
        subnet_ids: list[str],
        subnet_mappings: list[dict[str, str]] | None = None,
        scheme: str | None = None,
        loadbalancer_type: str | None = None,
        ip_address_type: str = "ipv4",
        tags: list[dict[str, str]] | None = None,
    ) -> LoadBalancer:
        """Raises ValidationError, InvalidConfigurationRequest, SubnetNotFound, InvalidSubnet,
        InvalidSecurityGroup or DuplicateLoadBalancerName."""
        check_name(name)
        kind = TYPES.get(loadbalancer_type or "application")
        if kind is None:
            raise NotImplementedError(f"CreateLoadBalancer with Type {loadbalancer_type}")
        if scheme not in (None, "internal", "internet-facing"):
            raise constraint(
                scheme, "scheme", "satisfy enum value set: [internet-facing, internal]"
            )
        if any(each.name == name for each in self.load_balancers.values()):
            raise DuplicateLoadBalancerName()
        if self.region_name not in kind.hosted_zones:
            raise NotImplementedError(f"CreateLoadBalancer in {self.region_name}")
        mappings = {each["SubnetId"]: each for each in subnet_mappings or []}
        subnets = self._subnets(subnet_ids or list(mappings), kind.min_zones)
        groups = security_groups
        if not groups and kind is LoadBalancer:
            groups = [self._default_group(subnets[0].vpc_id)]
        self._check_groups(groups, subnets[0].vpc_id)
        internal = scheme == "internal"
        number = secrets.token_hex(8)
        balancer: Any = kind(
            region_name=self.region_name,
            name=name,
            security_groups=groups,
            arn=f"arn:{self.partition}:elasticloadbalancing:{self.region_name}:{self.account_id}:"
            f"loadbalancer/{kind.path}/{name}/{number}",
            scheme="internal" if internal else "internet-facing",
            subnets=subnets,
            vpc_id=subnets[0].vpc_id,
            dns_name=kind.name_in_dns(name, number, self.region_name, internal),
            state="provisioning",
            ip_address_type=ip_address_type,
        )
        balancer.addresses = self._fixed_addresses(balancer, mappings)
        self._place(balancer)
        self.load_balancers[balancer.arn] = balancer
        self.tagging_service.tag_resource(balancer.arn, tags)
        return balancer

    def load_balancer(self, arn: str) -> LoadBalancer:
        if arn not in self.load_balancers:
            raise LoadBalancerNotFoundError()
        return self.load_balancers[arn]

    def delete_load_balancer(self, arn: str) -> None:
        """With its listeners and interfaces; what does not exist is deleted too, as in AWS."""
        balancer = self.load_balancers.get(arn)
        if balancer is None:
            return
        if balancer.attrs["deletion_protection.enabled"] == "true":
            raise ELBError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        if self._serves(arn):
            raise ELBError(
                "ResourceInUse",
                f"Load balancer '{arn}' cannot be deleted because it is currently associated with"
                " another service",
            )
        balancer.subnets = []
        self._place(balancer)
        del self.load_balancers[arn]
        self.tagging_service.delete_all_tags_for_resource(arn)

    def _serves(self, arn: str) -> bool:
        """Whether an endpoint service or a target group depends on the load balancer."""
        services: Any = self.ec2_backend.configurations.values()
        return any(arn in each.network_load_balancer_arns for each in services) or any(
            target["Id"] == arn
            for group in self.target_groups.values()
            for target in group.targets.values()
        )

    def set_security_groups(  # type: ignore[override]
        self, arn: str, sec_groups: list[str], enforce: str | None = None
    ) -> LoadBalancer:
        """`enforce`: whether inbound rules hold for PrivateLink traffic too, "on" or "off"."""
        balancer = self.load_balancer(arn)
        if isinstance(balancer, NetworkLoadBalancer):
            if not balancer.security_groups:
                raise configuration(
                    "You cannot set security groups on a Network Load Balancer which was created"
                    " without any security groups."
                )
            if enforce not in (None, *ON_OR_OFF):
                path = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
                raise constraint(enforce, path, "satisfy enum value set: [on, off]")
        elif enforce is not None:
            raise configuration(
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is not supported on load"
                " balancers with type 'application'"
            )
        if not sec_groups:
            raise validation("At least one security group must be specified")
        self._check_groups(sec_groups, balancer.vpc_id)
        balancer.security_groups = sec_groups
        if enforce is not None and isinstance(balancer, NetworkLoadBalancer):
            balancer.enforce_security_group_inbound_rules_on_private_link_traffic = enforce
        for interface_id in balancer.network_interfaces.values():
            self.ec2_backend.modify_network_interface_attribute(interface_id, sec_groups)
        changes.changed("ec2")
        return balancer

    def set_subnets(
        self, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]
    ) -> list[AvailabilityZone]:
        balancer = self.load_balancer(arn)
        mappings = {each["SubnetId"]: each for each in subnet_mappings}
        wanted = self._subnets(subnets or list(mappings), balancer.min_zones)
        if any(subnet.vpc_id != balancer.vpc_id for subnet in wanted):
            raise configuration("All subnets must belong to the VPC of the load balancer")
        addresses = self._fixed_addresses(balancer, mappings)
        balancer.subnets = wanted
        balancer.addresses = {**balancer.addresses, **addresses}
        self._place(balancer)
        return balancer.availability_zones

    def modify_load_balancer_attributes(self, arn: str, attrs: dict[str, Any]) -> dict[str, Any]:
        """Enabling a log, or moving an enabled one, writes its test file to the bucket."""
        balancer = self.load_balancer(arn)
        others = {*attributes.LOAD_BALANCER, *attributes.NETWORK_LOAD_BALANCER}
        elsewhere = dict.fromkeys(
            others - balancer.known_attributes.keys(),
            f"load balancers with type '{balancer.type}'",
        )
        attributes.check("Load balancer", attrs, balancer.known_attributes, elsewhere)
        after = {**balancer.attrs, **attrs}
        for log in attributes.LOGS:
            settings = {key for key in attrs if key.startswith(f"{log}.")}
            if settings and after[f"{log}.s3.enabled"] == "true":
                bucket, prefix = after[f"{log}.s3.bucket"], after[f"{log}.s3.prefix"]
                log_delivery.enable(log, bucket, prefix, arn)
        balancer.attrs = after
        return balancer.attrs

    def _subnets(self, ids: list[str], min_zones: int) -> list[Any]:
        """The subnets: one per Availability Zone, of one VPC."""
        subnets = []
        for subnet_id in ids:
            try:
                subnets.append(self.ec2_backend.get_subnet(subnet_id))
            except InvalidSubnetIdError:
                raise ELBError(
                    "SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist"
                ) from None
        zones = [subnet.availability_zone for subnet in subnets]
        if len(zones) != len(set(zones)):
            raise configuration(
                "A load balancer cannot be attached to multiple subnets in the same "
                "Availability Zone"
            )
        if len(zones) < min_zones:
            raise validation(
                "At least two subnets in two different Availability Zones must be specified"
                if min_zones == 2
                else "At least one subnet must be specified"
            )
        if len({subnet.vpc_id for subnet in subnets}) > 1:
            raise configuration("All subnets must belong to the same VPC")
        return subnets

    def _fixed_addresses(
        self, balancer: LoadBalancer, mappings: dict[str, dict[str, str]]
    ) -> dict[str, str]:
        """The address by subnet id that a Network Load Balancer is to have, checked."""
        addresses: dict[str, str] = {}
        for subnet_id, mapping in mappings.items():
            for name in ("AllocationId", "IPv6Address", "SourceNatIpv6Prefix"):
                if name in mapping:
                    raise NotImplementedError(f"a load balancer's subnet mapping with {name}")
            if "PrivateIPv4Address" not in mapping:
                continue
            if not isinstance(balancer, NetworkLoadBalancer) or balancer.scheme != "internal":
                raise configuration(
                    "A private IPv4 address can be specified only for an internal Network Load"
                    " Balancer"
                )
            addresses[subnet_id] = mapping["PrivateIPv4Address"]
            self._check_address(balancer, subnet_id, addresses[subnet_id])
        return addresses

    def _check_address(self, balancer: LoadBalancer, subnet_id: str, address: str) -> None:
        """A free address, or the one that the load balancer has in the subnet already."""
        ec2: Any = self.ec2_backend
        placed = balancer.network_interfaces.get(subnet_id)
        if placed is not None:
            if ec2.get_network_interface(placed).private_ip_address != address:
                raise configuration(
                    f"The private IPv4 address in the subnet '{subnet_id}' cannot be changed"
                )
            return
        try:
            ec2.check_address(ec2.get_subnet(subnet_id), address)
        except EC2ClientError as error:
            raise configuration(error.message) from None

    def _default_group(self, vpc_id: str) -> str:
        ec2: Any = self.ec2_backend
        return ec2.get_security_group_from_name("default", vpc_id).id

    def _check_groups(self, group_ids: list[str], vpc_id: str) -> None:
        for group_id in group_ids:
            group = self.ec2_backend.get_security_group_from_id(group_id)
            if group is None:
                raise ELBError(
                    "InvalidSecurityGroup", f"The security group '{group_id}' does not exist"
                )
            if group.vpc_id != vpc_id:
                raise configuration(
                    f"One or more security groups are invalid: '{group_id}' is not in '{vpc_id}'"
                )

    def _place(self, balancer: LoadBalancer) -> None:
        """Gives the load balancer an interface in each of its subnets and in no other."""
        ec2: Any = self.ec2_backend
        balancer_id = "/".join(balancer.arn.split("/")[1:])
        wanted = {subnet.id: subnet for subnet in balancer.subnets}
        new = [each for each in wanted if each not in balancer.network_interfaces]
        for subnet_id in new:
            if wanted[subnet_id].available_ip_address_count < MIN_FREE_ADDRESSES:
                raise ELBError(
                    "InvalidSubnet",
                    f"Not enough IP space available in {subnet_id}. ELB requires at least "
                    f"{MIN_FREE_ADDRESSES} free IP addresses in each subnet.",
                )
        for subnet_id in [each for each in balancer.network_interfaces if each not in wanted]:
            ec2.remove_managed_network_interface(balancer.network_interfaces.pop(subnet_id))
        for subnet_id in new:
            interface = ec2.create_managed_network_interface(
                subnet_id,
                balancer.addresses.get(subnet_id),
                balancer.security_groups,
                f"ELB {balancer_id}",
                balancer.interface_type,
            )
            interface.requester_id = "amazon-elb"
            balancer.network_interfaces[subnet_id] = interface.id
        changes.changed("ec2")


def check_name(name: str) -> None:
    """ "CreateLoadBalancer" in the API reference: letters, digits and inner hyphens, 32 at most."""
    if len(name) > 32:
        raise validation(f"The load balancer name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[a-zA-Z0-9-]+", name):
        raise validation(
            f"The load balancer name '{name}' can only contain characters that are alphanumeric "
            "characters and hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        raise validation(f"The load balancer name '{name}' cannot begin or end with '-'")
    if name.startswith("internal-"):
        raise validation(f"The load balancer name '{name}' cannot begin with 'internal-'")
