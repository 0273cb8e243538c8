"""Load balancers: subnets, network interfaces, attributes, deletion protection."""

import re
import secrets
from typing import Any

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.elbv2.exceptions import DuplicateLoadBalancerName, LoadBalancerNotFoundError
from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer

from lab.cloud import changes
from lab.cloud.elbv2 import attributes, log_delivery
from lab.cloud.elbv2.exceptions import ELBError, configuration, constraint, validation

MIN_FREE_ADDRESSES = 8
# "Elastic Load Balancing endpoints and quotas" in the AWS General Reference, by region
HOSTED_ZONES = {
    "us-east-1": "Z35SXDOTRQ7X7K",
    "us-east-2": "Z3AADJGX6KTTL2",
    "us-west-1": "Z368ELLRRE2KJ0",
    "us-west-2": "Z1H1FL5HABSF5",
    "ca-central-1": "ZQSVJUPU6J1EY",
    "eu-central-1": "Z215JYRZR1TBD5",
    "eu-north-1": "Z23TAZ6LKFMNIO",
    "eu-west-1": "Z32O12XQLNTSW2",
    "eu-west-2": "ZHURV8PSTC4K8",
    "eu-west-3": "Z3Q77PNBQS71R4",
    "ap-northeast-1": "Z14GRHDCWA56QT",
    "ap-southeast-1": "Z1LMS91P8CMLE5",
    "ap-southeast-2": "Z1GM3OXH4ZPM65",
}


class LoadBalancer(FakeLoadBalancer):
    """moto's, with its own network interfaces and every attribute an ALB has."""

    def __init__(self, *, region_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.canonical_hosted_zone_id = HOSTED_ZONES[region_name]
        self.attrs = attributes.defaults(attributes.LOAD_BALANCER)
        if self.scheme == "internal":
            self.attrs["ipv6.deny_all_igw_traffic"] = "true"
        self.network_interfaces: dict[str, str] = {}  # subnet id -> interface id

    def activate(self) -> None:
        """Provisioning takes minutes in AWS; here it is over when somebody looks."""
        if self.state == "provisioning":
            self.state = "active"
            changes.changed("elbv2")


class LoadBalancerBackend(ELBv2Backend):
    """The load balancer operations of ELBv2 in one account and region. Application only."""

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
        if loadbalancer_type not in (None, "application"):
            raise NotImplementedError(f"CreateLoadBalancer with Type {loadbalancer_type}")
        if scheme not in (None, "internal", "internet-facing"):
            raise constraint(
                scheme, "scheme", "satisfy enum value set: [internet-facing, internal]"
            )
        if any(each.name == name for each in self.load_balancers.values()):
            raise DuplicateLoadBalancerName()
        if self.region_name not in HOSTED_ZONES:
            raise NotImplementedError(f"CreateLoadBalancer in {self.region_name}")
        wanted = subnet_ids or [each["SubnetId"] for each in subnet_mappings or []]
        subnets = self._subnets(wanted)
        groups = security_groups or [self._default_group(subnets[0].vpc_id)]
        self._check_groups(groups, subnets[0].vpc_id)
        internal = scheme == "internal"
        arn = (
            f"arn:{self.partition}:elasticloadbalancing:{self.region_name}:{self.account_id}:"
            f"loadbalancer/app/{name}/{secrets.token_hex(8)}"
        )
        number = secrets.randbelow(9 * 10**8) + 10**8
        balancer: Any = LoadBalancer(
            region_name=self.region_name,
            name=name,
            security_groups=groups,
            arn=arn,
            scheme="internal" if internal else "internet-facing",
            subnets=subnets,
            vpc_id=subnets[0].vpc_id,
            dns_name=f"{'internal-' if internal else ''}{name}-{number}.{self.region_name}"
            ".elb.amazonaws.com",
            state="provisioning",
            ip_address_type=ip_address_type,
        )
        self._place(balancer)
        self.load_balancers[arn] = balancer
        self.tagging_service.tag_resource(arn, tags)
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
        balancer.subnets = []
        self._place(balancer)
        del self.load_balancers[arn]
        self.tagging_service.delete_all_tags_for_resource(arn)

    def set_security_groups(self, arn: str, sec_groups: list[str]) -> None:
        balancer = self.load_balancer(arn)
        self._check_groups(sec_groups, balancer.vpc_id)
        balancer.security_groups = sec_groups
        for interface_id in balancer.network_interfaces.values():
            self.ec2_backend.modify_network_interface_attribute(interface_id, sec_groups)
        changes.changed("ec2")

    def set_subnets(
        self, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]
    ) -> list[AvailabilityZone]:
        balancer = self.load_balancer(arn)
        wanted = self._subnets(subnets or [each["SubnetId"] for each in subnet_mappings])
        if any(subnet.vpc_id != balancer.vpc_id for subnet in wanted):
            raise configuration("All subnets must belong to the VPC of the load balancer")
        balancer.subnets = wanted
        self._place(balancer)
        return balancer.availability_zones

    def modify_load_balancer_attributes(self, arn: str, attrs: dict[str, Any]) -> dict[str, Any]:
        """Enabling a log, or moving an enabled one, writes its test file to the bucket."""
        balancer = self.load_balancer(arn)
        elsewhere = dict.fromkeys(attributes.NETWORK_ONLY, "load balancers with type 'application'")
        attributes.check("Load balancer", attrs, attributes.LOAD_BALANCER, elsewhere)
        after = {**balancer.attrs, **attrs}
        for log in attributes.LOGS:
            settings = {key for key in attrs if key.startswith(f"{log}.")}
            if settings and after[f"{log}.s3.enabled"] == "true":
                bucket, prefix = after[f"{log}.s3.bucket"], after[f"{log}.s3.prefix"]
                log_delivery.enable(log, bucket, prefix, arn)
        balancer.attrs = after
        return balancer.attrs

    def _subnets(self, ids: list[str]) -> list[Any]:
        """The subnets: one per Availability Zone, at least two, of one VPC."""
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
        if len(zones) < 2:
            raise validation(
                "At least two subnets in two different Availability Zones must be specified"
            )
        if len({subnet.vpc_id for subnet in subnets}) > 1:
            raise configuration("All subnets must belong to the same VPC")
        return subnets

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
                subnet_id, None, balancer.security_groups, f"ELB {balancer_id}", "interface"
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
