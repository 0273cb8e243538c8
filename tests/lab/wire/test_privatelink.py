"""From customers' VPCs over PrivateLink to the producer's API, by unmodified curl."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.certificates import Authority, Issued
from tests.lab.wire.link import CUSTOMERS, Consumer, Link, client_interface, group, tcp
from tests.lab.wire.stack import DOMAIN


@pytest.fixture(scope="module")
def acme(link: Link) -> Consumer:
    return link.consumers["acme"]


@pytest.fixture(scope="module")
def globex(link: Link) -> Consumer:
    return link.consumers["globex"]


@contextmanager
def without(consumer: Consumer, direction: str, of: str, other: str) -> Iterator[None]:
    """One edge of a customer's security groups taken away meanwhile."""
    ec2, ids = consumer.client("ec2"), consumer.ids
    rule = {
        "GroupId": ids[of],
        "IpPermissions": [tcp(443, UserIdGroupPairs=[{"GroupId": ids[other]}])],
    }
    getattr(ec2, f"revoke_security_group_{direction}")(**rule)
    yield
    getattr(ec2, f"authorize_security_group_{direction}")(**rule)


def test_every_customer_reaches_the_api_by_its_certificate(link: Link, trusted: Issued) -> None:
    for consumer in link.consumers.values():
        event = link.event(consumer.call(trusted))
        assert event["headers"]["X-Amzn-Mtls-Clientcert-Subject"] == "CN=client-1"
        stranger = Authority.create("Other").issue("client-1")
        for refused in (None, stranger):
            assert consumer.call(refused).returncode in (35, 56)


def test_the_producer_sees_a_node_of_its_own_and_never_the_customer(
    link: Link, acme: Consumer, trusted: Issued
) -> None:
    nodes = {one.ip for one in link.nodes()}
    client = link.network.peer(acme.ids["client"])
    assert client.ip not in nodes, "or the test would show nothing"
    link.stack.set_balancer(routing__http__xff_client_port__enabled="true")
    event = link.event(acme.call(trusted, "-H", "X-Forwarded-For: 1.2.3.4"))
    link.stack.set_balancer(routing__http__xff_client_port__enabled="false")
    claimed, seen, _ = event["headers"]["X-Forwarded-For"].split(", ")
    assert claimed == "1.2.3.4", "what the client says of itself stays in front"
    address, _, port = seen.partition(":")
    assert address in nodes
    (connection,) = link.stack.log("connection_logs", int(port))
    (access,) = link.stack.log("access_logs", int(port))
    assert (connection[1], access[3]) == (address, seen)
    assert not any(client.ip in field for line in (connection, access) for field in line)


def test_the_private_name_is_known_where_it_was_enabled(
    link: Link, acme: Consumer, globex: Consumer, trusted: Issued
) -> None:
    assert link.network.resolve(acme.ids["vpc"], DOMAIN) == []
    ec2, endpoint = acme.client("ec2"), acme.ids["endpoint"]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=True)
    own = sorted(one.ip for one in acme.interfaces())
    assert sorted(link.network.resolve(acme.ids["vpc"], DOMAIN)) == own
    assert link.network.resolve(acme.ids["vpc"], f"sub.{DOMAIN}") == []
    assert link.network.resolve(globex.ids["vpc"], DOMAIN) == []
    assert link.event(acme.call(trusted, to=DOMAIN))["path"] == "/widgets"
    assert globex.call(trusted, to=DOMAIN).returncode == 35
    # The producer's own private zone goes on leading to the load balancer there.
    assert len(link.network.resolve(link.ids["vpc"], DOMAIN)) == 2
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=False)
    assert link.network.resolve(acme.ids["vpc"], DOMAIN) == []


def test_a_private_name_is_more_specific_than_a_zone_above_it(
    link: Link, acme: Consumer, trusted: Issued
) -> None:
    route53, ec2 = acme.client("route53"), acme.client("ec2")
    zone = route53.create_hosted_zone(
        Name="internal",
        VPC={"VPCRegion": "eu-west-1", "VPCId": acme.ids["vpc"]},
        HostedZoneConfig={"PrivateZone": True},
        CallerReference="above",
    )["HostedZone"]["Id"]
    ec2.modify_vpc_endpoint(VpcEndpointId=acme.ids["endpoint"], PrivateDnsEnabled=True)
    assert acme.call(trusted, to=DOMAIN).returncode == 0
    ec2.modify_vpc_endpoint(VpcEndpointId=acme.ids["endpoint"], PrivateDnsEnabled=False)
    route53.delete_hosted_zone(Id=zone)


def test_a_customers_own_zone_may_name_the_endpoint(
    link: Link, globex: Consumer, trusted: Issued
) -> None:
    entry = globex.endpoint["DnsEntries"][0]
    alias = {
        "DNSName": entry["DnsName"],
        "HostedZoneId": entry["HostedZoneId"],
        "EvaluateTargetHealth": False,
    }
    route53 = globex.client("route53")
    zone = route53.create_hosted_zone(
        Name=DOMAIN,
        VPC={"VPCRegion": "eu-west-1", "VPCId": globex.ids["vpc"]},
        HostedZoneConfig={"PrivateZone": True},
        CallerReference="own",
    )["HostedZone"]["Id"]
    record = {"Name": DOMAIN, "Type": "A", "AliasTarget": alias}
    for action in ("CREATE", "DELETE"):
        route53.change_resource_record_sets(
            HostedZoneId=zone,
            ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},
        )
        answered = globex.call(trusted, to=DOMAIN).returncode
        assert answered == (0 if action == "CREATE" else 35)
    route53.delete_hosted_zone(Id=zone)


def test_zonal_names_are_by_the_customers_names_of_the_zones(
    link: Link, acme: Consumer, trusted: Issued
) -> None:
    ec2 = acme.client("ec2")
    own = {
        z["ZoneName"]: z["ZoneId"] for z in ec2.describe_availability_zones()["AvailabilityZones"]
    }
    producers = {
        z["ZoneName"]: z["ZoneId"]
        for z in link.client("ec2").describe_availability_zones()["AvailabilityZones"]
    }
    assert own != producers, "or the test would show nothing"
    places = {one.ip: one.zone_id for one in acme.interfaces()}
    zonal = [entry["DnsName"] for entry in acme.endpoint["DnsEntries"][1:]]
    assert len(zonal) == 2
    for name in zonal:
        (address,) = link.network.resolve(acme.ids["vpc"], name)
        label = name.partition(".")[0]
        (zone,) = [one for one in own if label.endswith(f"-{one}")]
        assert places[address] == own[zone]
        assert acme.call(trusted, to=name).returncode == 0


def test_the_same_zone_by_its_id_is_where_the_load_balancer_is_entered(
    link: Link, acme: Consumer, trusted: Issued
) -> None:
    zones = {one.ip: one.zone_id for one in link.nodes()}
    for entered in acme.interfaces():
        for _ in range(3):
            event = link.event(acme.call(trusted, to=entered.ip))
            node = event["headers"]["X-Forwarded-For"].split(", ")[0]
            assert zones[node] == entered.zone_id


def test_the_endpoints_group_must_admit_the_client(acme: Consumer, trusted: Issued) -> None:
    with without(acme, "ingress", "endpoint_group", "client_group"):
        assert acme.dropped(trusted)
    assert acme.call(trusted).returncode == 0


def test_the_clients_group_must_let_it_out(acme: Consumer, trusted: Issued) -> None:
    with without(acme, "egress", "client_group", "endpoint_group"):
        assert acme.dropped(trusted)
    assert acme.call(trusted).returncode == 0


def test_another_interface_of_the_customer_is_not_admitted(
    link: Link, acme: Consumer, trusted: Issued
) -> None:
    ec2 = acme.client("ec2")
    other = group(ec2, acme.ids["vpc"], "other")
    anywhere = tcp(443, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    ec2.authorize_security_group_egress(GroupId=other, IpPermissions=[anywhere])
    interface = client_interface(acme, 0, other)
    assert link.dropped(interface, acme.regional_name, trusted)


def test_one_customers_endpoint_is_nothing_to_another(
    link: Link, acme: Consumer, globex: Consumer, trusted: Issued
) -> None:
    own = sorted(one.ip for one in acme.interfaces())
    assert sorted(link.network.resolve(globex.ids["vpc"], acme.regional_name)) == own
    assert link.dropped(globex.ids["client"], acme.regional_name, trusted)


def test_inbound_rules_count_where_they_are_enforced(
    link: Link, acme: Consumer, trusted: Issued
) -> None:
    def enforce(setting: str) -> None:
        link.client("elbv2").set_security_groups(
            LoadBalancerArn=link.ids["nlb"],
            SecurityGroups=[link.ids["nlb_group"]],
            EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=setting,
        )

    ec2, client = link.client("ec2"), link.network.peer(acme.ids["client"])
    enforce("on")
    assert acme.dropped(trusted)
    rule = {
        "GroupId": link.ids["nlb_group"],
        "IpPermissions": [tcp(443, IpRanges=[{"CidrIp": f"{client.ip}/32"}])],
    }
    ec2.authorize_security_group_ingress(**rule)
    assert acme.call(trusted).returncode == 0
    ec2.revoke_security_group_ingress(**rule)
    enforce("off")
    assert acme.call(trusted).returncode == 0


def test_a_connection_waits_for_its_acceptance(link: Link, acme: Consumer, trusted: Issued) -> None:
    ec2 = acme.client("ec2")
    waiting = Consumer(link, "acme", dict(acme.ids))
    waiting.ids["endpoint"] = ec2.create_vpc_endpoint(
        VpcId=acme.ids["vpc"],
        ServiceName=link.ids["service_name"],
        VpcEndpointType="Interface",
        SubnetIds=acme.ids["subnets"],
        SecurityGroupIds=[acme.ids["endpoint_group"]],
        PrivateDnsEnabled=False,
    )["VpcEndpoint"]["VpcEndpointId"]
    assert waiting.endpoint["State"] == "pendingAcceptance"
    assert waiting.dropped(trusted)
    link.decide("accept", waiting)
    assert waiting.call(trusted).returncode == 0
    link.decide("reject", waiting)
    assert waiting.dropped(trusted)
    assert acme.call(trusted).returncode == 0, "the other endpoint is not touched"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[waiting.ids["endpoint"]])


def test_a_principal_taken_away_leaves_accepted_endpoints_working(
    link: Link, globex: Consumer, trusted: Issued
) -> None:
    principal = [f"arn:aws:iam::{CUSTOMERS['globex']}:root"]
    change = link.client("ec2").modify_vpc_endpoint_service_permissions
    change(ServiceId=link.ids["service"], RemoveAllowedPrincipals=principal)
    assert globex.call(trusted).returncode == 0
    change(ServiceId=link.ids["service"], AddAllowedPrincipals=principal)


def test_rejection_ends_connections_that_are_open(
    link: Link, acme: Consumer, globex: Consumer, trusted: Issued
) -> None:
    folder = link.stack.folder
    (folder / "open.pem").write_text(trusted.chain_pem + trusted.key_pem)
    context = ssl.create_default_context(cafile=str(folder / "web.pem"))
    context.load_cert_chain(folder / "open.pem")
    port = link.stack.wire.door(globex.ids["client"], globex.regional_name, 443)
    with (
        socket.create_connection(("127.0.0.1", port), 5) as sock,
        context.wrap_socket(sock, server_hostname=DOMAIN) as stream,
    ):
        connection = http.client.HTTPConnection(DOMAIN)
        connection.sock = stream
        for _ in range(2):
            connection.request("GET", "/widgets")
            assert connection.getresponse().read()
        link.decide("reject", globex)
        connection.request("GET", "/widgets")
        with pytest.raises(ConnectionError):
            connection.getresponse()
    assert globex.dropped(trusted)
