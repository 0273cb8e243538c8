"""Which VPC: a new one, or one that is there."""

from components import Client, ExistingNetworkArgs, NetworkArgs
from components.addresses import check_endpoint_ips, check_subnets, check_vpc, parse_network
from settings.reader import PROJECT, Reader, SettingError, entry, text


def network(read: Reader, *, fixed_addresses: bool) -> NetworkArgs | ExistingNetworkArgs:
    """The stack's VPC and subnets.

    `fixed_addresses`: in an existing VPC the endpoint's addresses must be named.
    """
    vpc_id, cidr = read.raw("vpcId"), read.raw("vpcCidr")
    subnet_ids = read.map("subnetIds", text)
    endpoint_ips = read.map("endpointIps", text)
    if bool(vpc_id) == bool(cidr):
        raise SettingError(
            f"{PROJECT}:vpcCidr, {PROJECT}:vpcId: want one of the two, a block such as "
            f"'10.20.0.0/16' for a new VPC or the id of an existing one; "
            f"got {'both' if cidr else 'neither'}"
        )
    unused = {"subnetIds": subnet_ids, "endpointIps": endpoint_ips} if cidr else {}
    for key, given in (unused or {"subnets": read.map("subnets", lambda _, block: block)}).items():
        if given:
            raise SettingError(
                f"{PROJECT}:{key}: want none with {PROJECT}:{'vpcCidr' if cidr else 'vpcId'}; "
                f"got {', '.join(given)}"
            )
    if not vpc_id:
        return new_network(read, "vpcCidr", "subnets")
    if fixed_addresses:
        check_endpoint_ips(f"{PROJECT}:endpointIps", subnet_ids, endpoint_ips)
    return ExistingNetworkArgs(vpc_id=vpc_id, subnet_ids=subnet_ids, endpoint_ips=endpoint_ips)


def new_network(read: Reader, cidr_key: str, subnets_key: str) -> NetworkArgs:
    """A VPC to be made, of the blocks that two keys give."""
    block = parse_network(f"{PROJECT}:{cidr_key}", read.text(cidr_key, "10.20.0.0/16"))
    subnets = read.map(subnets_key, lambda field, value: parse_network(field, str(value)))
    check_vpc(f"{PROJECT}:{cidr_key}", block)
    check_subnets(f"{PROJECT}:{subnets_key}", block, subnets)
    return NetworkArgs(cidr_block=block, subnets=subnets, log_retention_days=read.retention())


def clients(read: Reader, *more_keys: str) -> dict[str, Client]:
    """Who may connect, by name; `more_keys` of an entry are somebody else's to read."""

    def client(field: str, value: object) -> Client:
        keys = {"securityGroupId", *more_keys}
        given = entry(field, value, keys, "{securityGroupId: sg-0abc}")
        return Client(security_group_id=given.get("securityGroupId"))

    return read.map("clients", client)
