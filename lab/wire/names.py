"""What a VPC's resolver answers.

Sources: "Considerations when working with a private hosted zone" (the zone whose name matches most
specifically answers, also with nothing), "Values specific for alias records", "Interface VPC
endpoints" (endpoint names, private DNS names), "Manage DNS names for VPC endpoint services" (an
endpoint's private name is a hosted zone of AWS's own in the VPC), "Network Load Balancers" (zonal
names), "Invoke a private API" (`<api>-<endpoint>` names).

Not modelled: time to live, weighted and other routing policies, health checks (a Network Load
Balancer's name leads to its nodes in every zone, healthy or not), IPv6, public zones.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.wire.aws import Accounts, Reader

if TYPE_CHECKING:
    from lab.wire.network import Interface

_MAX_ALIASES = 8


@dataclass(frozen=True, kw_only=True)
class _Zone:
    """A private hosted zone with the reader of the account that it belongs to."""

    name: str
    zone_id: str
    reader: Reader


class Names:
    """Names to addresses, from Route 53, Elastic Load Balancing, EC2 and API Gateway."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def resolve(
        self, vpc_id: str, host: str, interfaces: list["Interface"], depth: int = 0
    ) -> list[str]:
        """The addresses of `host` seen from the VPC; empty when the name has none there."""
        host = _plain(host)
        if depth > _MAX_ALIASES:
            return []
        zone = self._zone(vpc_id, host)
        endpoint, name = self._private_name(vpc_id, host)
        if endpoint is not None and len(name) > len(zone.name if zone else ""):
            return _addresses(endpoint, endpoint["SubnetIds"], interfaces)
        if zone is None:
            return self._public(host, interfaces)
        addresses, aliases = self._records(zone, host)
        for alias in aliases:
            addresses += self.resolve(vpc_id, alias, interfaces, depth + 1)
        return addresses

    def _zone(self, vpc_id: str, host: str) -> _Zone | None:
        """The private zone of the VPC that answers for the host: the one with the longest name.

        Every account is asked, as a zone may be another one's than the VPC.
        """
        answers = self._accounts.each(
            "route53", "list_hosted_zones_by_vpc", VPCId=vpc_id, VPCRegion=self._accounts.region
        )
        zones = [
            _Zone(
                name=_plain(zone["Name"]),
                zone_id=zone["HostedZoneId"],
                reader=self._accounts.of(zone["Owner"]["OwningAccount"]),
            )
            for _, answer in answers
            for zone in answer["HostedZoneSummaries"]
        ]
        matching = [zone for zone in zones if _within(host, zone.name)]
        return max(matching, key=lambda zone: len(zone.name), default=None)

    @staticmethod
    def _records(zone: _Zone, host: str) -> tuple[list[str], list[str]]:
        """Addresses, and names to go on with, of the host or else of the wildcard above it."""
        answer = zone.reader.call("route53", "list_resource_record_sets", HostedZoneId=zone.zone_id)
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

    def _endpoints(self) -> Iterator[tuple[Reader, Mapping[str, Any]]]:
        for reader, answer in self._accounts.each("ec2", "describe_vpc_endpoints"):
            for endpoint in answer["VpcEndpoints"]:
                if endpoint.get("DnsEntries"):
                    yield reader, endpoint

    def _private_name(self, vpc_id: str, host: str) -> tuple[Mapping[str, Any] | None, str]:
        """The endpoint of the VPC with a private name that covers the host, and that name.

        An AWS service's name covers what is below it; one of an endpoint service covers itself, or
        with `*.` in front what is below it.
        """
        best: tuple[Mapping[str, Any] | None, str] = (None, "")
        for _, endpoint in self._endpoints():
            if endpoint["VpcId"] != vpc_id or not available(endpoint):
                continue
            for name in map(_plain, _private_names(endpoint)):
                apex = name.removeprefix("*.")
                if is_endpoint_service(endpoint["ServiceName"]):
                    covered = name in _candidates(host)
                else:
                    covered = _within(host, apex)
                if covered and len(apex) > len(best[1]):
                    best = (endpoint, apex)
        return best

    def _public(self, host: str, interfaces: list["Interface"]) -> list[str]:
        """The addresses behind a name that AWS made up, the same ones from everywhere."""
        for reader, answer in self._accounts.each("elbv2", "describe_load_balancers"):
            for balancer in answer["LoadBalancers"]:
                found = _of_balancer(balancer, host.removeprefix("dualstack."))
                if found is not None:
                    marker = f"ELB {balancer['LoadBalancerArn'].partition(':loadbalancer/')[2]}"
                    zones = _zone_names(reader) if found else {}
                    return [
                        i.ip
                        for i in interfaces
                        if i.description == marker and found in ("", zones.get(i.subnet_id))
                    ]
        for reader, endpoint in self._endpoints():
            subnets = self._subnets(reader, endpoint, host)
            if subnets:
                return _addresses(endpoint, subnets, interfaces)
        return []

    def _subnets(self, reader: Reader, endpoint: Mapping[str, Any], host: str) -> list[str]:
        """The subnets of the endpoint's interfaces that the host stands for, if any."""
        everywhere: list[str] = endpoint.get("SubnetIds", [])
        if host in [_plain(entry["DnsName"]) for entry in endpoint["DnsEntries"]]:
            label = host.partition(".")[0]
            if not label.startswith("vpce-"):
                return []  # the private name: it exists in the endpoint's VPC only
            zones = _zone_names(reader)
            # The zonal name ends its first label in the zone.
            return [one for one in everywhere if label.endswith(f"-{zones[one]}")] or everywhere
        return everywhere if host in self._api_names(endpoint["VpcEndpointId"]) else []

    def _api_names(self, endpoint_id: str) -> Iterator[str]:
        """The names of the private APIs that are associated with the endpoint."""
        for _, answer in self._accounts.each("apigateway", "get_rest_apis"):
            for api in answer.get("items", ()):
                associated = api.get("endpointConfiguration", {}).get("vpcEndpointIds", ())
                if endpoint_id in associated:
                    region = self._accounts.region
                    yield f"{api['id']}-{endpoint_id}.execute-api.{region}.amazonaws.com"


def available(endpoint: Mapping[str, Any]) -> bool:
    """Whether an endpoint is in use: accepted, where its service wants that, and not rejected."""
    return endpoint["State"].lower() == "available"


def is_endpoint_service(service_name: str) -> bool:
    """Whether that is the name of somebody's endpoint service and not of an AWS service."""
    return ".vpce-svc-" in service_name


def _private_names(endpoint: Mapping[str, Any]) -> list[str]:
    if not endpoint.get("PrivateDnsEnabled"):
        return []
    names = [entry["DnsName"] for entry in endpoint["DnsEntries"]]
    return [name for name in names if not name.lower().startswith("vpce-")]


def _addresses(
    endpoint: Mapping[str, Any], subnet_ids: Iterable[str], interfaces: list["Interface"]
) -> list[str]:
    wanted = endpoint["NetworkInterfaceIds"]
    return [
        i.ip for i in interfaces if i.network_interface_id in wanted and i.subnet_id in subnet_ids
    ]


def _of_balancer(balancer: Mapping[str, Any], host: str) -> str | None:
    """ "" for a load balancer's name, the zone for a zonal one, None for any other host."""
    name = balancer["DNSName"].lower()
    if host == name:
        return ""
    zonal = balancer["Type"] == "network" and host.endswith(f".{name}")
    return host.removesuffix(f".{name}") if zonal else None


def _zone_names(reader: Reader) -> dict[str, str]:
    """The zone of each subnet, by the account's own name for it."""
    answer = reader.call("ec2", "describe_subnets")
    return {one["SubnetId"]: one["AvailabilityZone"] for one in answer["Subnets"]}


def _plain(name: str) -> str:
    """Lower case, without the root's dot, with Route 53's escape of `*` undone."""
    return name.rstrip(".").replace("\\052", "*").lower()


def _within(host: str, zone: str) -> bool:
    return host == zone or host.endswith(f".{zone}")


def _candidates(host: str) -> list[str]:
    """The name itself, then the wildcards that cover it, the closest first (RFC 4592)."""
    labels = host.split(".")
    return [host, *(".".join(["*", *labels[n:]]) for n in range(1, len(labels)))]
