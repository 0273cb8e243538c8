import pytest


@pytest.fixture(scope="module")
def route53(client):
    return client("route53")


@pytest.fixture(scope="module")
def vpc(network):
    return {"VPCRegion": "eu-west-1", "VPCId": network.vpc_id}


@pytest.fixture(scope="module")
def zone_id(route53, vpc):
    answer = route53.create_hosted_zone(Name="api.test", CallerReference="api", VPC=vpc)
    return answer["HostedZone"]["Id"]


def record(name, kind="CNAME", **more):
    settings = more or {"TTL": 60, "ResourceRecords": [{"Value": "target.test."}]}
    return {"Name": name, "Type": kind, **settings}


def change(route53, zone_id, *changes):
    batch = [{"Action": action, "ResourceRecordSet": each} for action, each in changes]
    return route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": batch})


def names(route53, zone_id):
    found = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return [each["Name"] for each in found if each["Type"] not in ("NS", "SOA")]


def test_a_zone_with_a_vpc_is_private_and_lists_it(route53, zone_id, vpc):
    answer = route53.get_hosted_zone(Id=zone_id)
    assert answer["HostedZone"]["Config"]["PrivateZone"] is True
    assert answer["VPCs"] == [vpc]


def test_an_alias_comes_back_and_its_change_is_in_sync(route53, zone_id):
    target = {
        "HostedZoneId": "Z32O12XQLNTSW2",
        "DNSName": "internal-alb-1.eu-west-1.elb.amazonaws.com.",
        "EvaluateTargetHealth": True,
    }
    alias = record("api.test.", "A", AliasTarget=target)
    info = change(route53, zone_id, ("UPSERT", alias))["ChangeInfo"]
    assert route53.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    found = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    assert alias in found
    change(route53, zone_id, ("DELETE", alias))
    assert names(route53, zone_id) == []


def test_a_vpc_must_exist(route53, refused):
    vpc = {"VPCRegion": "eu-west-1", "VPCId": "vpc-00000000000000000"}
    with refused("InvalidVPCId"):
        route53.create_hosted_zone(Name="x.test", CallerReference="x", VPC=vpc)


def test_two_zones_of_a_name_in_a_vpc_are_refused(route53, zone_id, vpc, refused):
    with refused("ConflictingDomainExists"):
        route53.create_hosted_zone(Name="api.test", CallerReference="again", VPC=vpc)


def test_a_private_zone_needs_a_vpc(route53, refused):
    with refused("InvalidInput", "must specify a VPC"):
        route53.create_hosted_zone(
            Name="y.test", CallerReference="y", HostedZoneConfig={"PrivateZone": True}
        )


def test_a_caller_reference_is_used_once(route53, zone_id, refused):
    with refused("HostedZoneAlreadyExists"):
        route53.create_hosted_zone(Name="z.test", CallerReference="api")


def test_a_second_record_of_a_name_and_type_is_refused(route53, zone_id, refused):
    change(route53, zone_id, ("CREATE", record("one.api.test")))
    other = {**record("one.api.test"), "TTL": 30}
    with refused("InvalidChangeBatch", "but it already exists"):
        change(route53, zone_id, ("CREATE", other))
    change(route53, zone_id, ("DELETE", record("one.api.test")))


def test_a_cname_stands_alone(route53, zone_id, refused):
    change(route53, zone_id, ("CREATE", record("two.api.test", "TXT")))
    with refused("InvalidChangeBatch", "conflicts with other records"):
        change(route53, zone_id, ("CREATE", record("two.api.test")))
    change(route53, zone_id, ("DELETE", record("two.api.test", "TXT")))


@pytest.mark.parametrize("name", ["other.test", "notapi.test"])
def test_a_name_outside_the_zone_is_refused_and_its_batch_with_it(route53, zone_id, refused, name):
    with refused("InvalidChangeBatch", "is not permitted in zone"):
        change(route53, zone_id, ("CREATE", record("ok.api.test")), ("CREATE", record(name)))
    assert names(route53, zone_id) == []


def test_a_batch_that_fails_late_leaves_nothing_behind(route53, zone_id, refused):
    with refused("InvalidInput"):
        change(
            route53,
            zone_id,
            ("CREATE", record("ok.api.test")),
            ("DELETE", record("never.api.test")),
        )
    assert names(route53, zone_id) == []


def test_a_zone_with_records_is_not_deleted(route53, refused):
    zone_id = route53.create_hosted_zone(Name="full.test", CallerReference="full")["HostedZone"][
        "Id"
    ]
    change(route53, zone_id, ("CREATE", record("a.full.test")))
    with refused("HostedZoneNotEmpty"):
        route53.delete_hosted_zone(Id=zone_id)


def test_a_record_that_was_deleted_can_be_created_again_next_to_others(client):
    route53 = client("route53")
    zone = route53.create_hosted_zone(Name="again.test", CallerReference="again")["HostedZone"]

    def change(action: str, name: str) -> None:
        record = {"Name": name, "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x.y"}]}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch=batch)

    change("CREATE", "a.again.test")
    change("CREATE", "b.again.test")
    change("DELETE", "a.again.test")
    change("CREATE", "a.again.test")
    found = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    names = {one["Name"] for one in found if one["Type"] == "CNAME"}
    assert names == {"a.again.test.", "b.again.test."}
