"""What a VPC's resolver answers.

Sources: "Considerations when working with a private hosted zone" (the zone whose name matches most
specifically answers, also with nothing), "Values specific for alias records", "Interface VPC
endpoints" (endpoint names, private DNS names), "Invoke a private API" (`<api>-<endpoint>` names).

Not modelled: time to live, weighted and other routing policies, health checks, IPv6, public zones.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lab.wire.aws import Reader

if TYPE_CHECKING:
    from lab.wire.network import Interface

_MAX_ALIASES = 8


class Names:
    """Names to addresses, from Route 53, Elastic Load Balancing, EC2 and API Gateway."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def resolve(
        self, vpc_id: str, host: str, interfaces: list["Interface"], depth: int = 0
    ) -> list[str]:
        """The addresses of `host` seen from the VPC; empty when the name has none there."""
        host = _plain(host)
        if depth > _MAX_ALIASES:
            return []
        zone_id = self._zone(vpc_id, host)
        if zone_id is None:
            return self._service(vpc_id, host, interfaces)
        addresses, aliases = self._records(zone_id, host)
        for alias in aliases:
            addresses += self.resolve(vpc_id, alias, interfaces, depth + 1)
        return addresses

    def _zone(self, vpc_id: str, host: str) -> str | None:
        """The private zone of the VPC that answers for the host: the one with the longest name."""
        region = self._reader.region
        answer = self._reader.call(
            "route53", "list_hosted_zones_by_vpc", VPCId=vpc_id, VPCRegion=region
        )
        zones = {
            _plain(zone["Name"]): zone["HostedZoneId"] for zone in answer["HostedZoneSummaries"]
        }
        matching = [name for name in zones if host == name or host.endswith(f".{name}")]
        return zones[max(matching, key=len)] if matching else None

    def _records(self, zone_id: str, host: str) -> tuple[list[str], list[str]]:
        """Addresses, and names to go on with, of the host or else of the wildcard above it."""
        answer = self._reader.call("route53", "list_resource_record_sets", HostedZoneId=zone_id)
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for record in answer["ResourceRecordSets"]:
            if record["Type"] in ("A", "CNAME"):
                by_name.setdefault(_plain(record["Name"]), []).append(record)
        found = next((by_name[name] for name in _candidates(host) if name in by_name), [])
        addresses: list[str] = []
        aliases: list[str] = []
        for record in found:
            if "AliasTarget" in record:
                aliases.append(record["AliasTarget"]["DNSName"])
                continue
            into = addresses if record["Type"] == "A" else aliases
            into += [value["Value"] for value in record["ResourceRecords"]]
        return addresses, aliases

    def _service(self, vpc_id: str, host: str, interfaces: list["Interface"]) -> list[str]:
        """The addresses behind a name that AWS made up."""
        for balancer in self._reader.call("elbv2", "describe_load_balancers")["LoadBalancers"]:
            if host.removeprefix("dualstack.") == balancer["DNSName"].lower():
                marker = f"ELB {balancer['LoadBalancerArn'].partition(':loadbalancer/')[2]}"
                return [i.ip for i in interfaces if i.description == marker]
        for endpoint in self._reader.call("ec2", "describe_vpc_endpoints")["VpcEndpoints"]:
            subnets = self._subnets(endpoint, vpc_id, host)
            if subnets:
                wanted = endpoint["NetworkInterfaceIds"]
                return [
                    i.ip
                    for i in interfaces
                    if i.network_interface_id in wanted and i.subnet_id in subnets
                ]
        return []

    def _subnets(self, endpoint: Mapping[str, Any], vpc_id: str, host: str) -> list[str]:
        """The subnets of the endpoint's interfaces that the host stands for, if any."""
        everywhere: list[str] = endpoint.get("SubnetIds", [])
        for entry in endpoint.get("DnsEntries", ()):
            name = _plain(entry["DnsName"])
            if "vpce-" in name:  # A public name; the zonal one ends its first label in the zone.
                if host == name:
                    return self._in_zone(everywhere, name.partition(".")[0])
            elif endpoint["VpcId"] == vpc_id and (host == name or host.endswith(f".{name}")):
                return everywhere
        return everywhere if host in self._api_names(endpoint["VpcEndpointId"]) else []

    def _in_zone(self, subnet_ids: list[str], label: str) -> list[str]:
        answer = self._reader.call("ec2", "describe_subnets")
        zones = {one["SubnetId"]: one["AvailabilityZone"] for one in answer["Subnets"]}
        zonal = [one for one in subnet_ids if label.endswith(f"-{zones[one]}")]
        return zonal or subnet_ids

    def _api_names(self, endpoint_id: str) -> Iterator[str]:
        """The names of the private APIs that are associated with the endpoint."""
        for api in self._reader.call("apigateway", "get_rest_apis").get("items", ()):
            associated = api.get("endpointConfiguration", {}).get("vpcEndpointIds", ())
            if endpoint_id in associated:
                region = self._reader.region
                yield f"{api['id']}-{endpoint_id}.execute-api.{region}.amazonaws.com"


def _plain(name: str) -> str:
    """Lower case, without the root's dot, with Route 53's escape of `*` undone."""
    return name.rstrip(".").replace("\\052", "*").lower()


def _candidates(host: str) -> Iterable[str]:
    """The name itself, then the wildcards that cover it, the closest first (RFC 4592)."""
    labels = host.split(".")
    return [host, *(".".join(["*", *labels[n:]]) for n in range(1, len(labels)))]
