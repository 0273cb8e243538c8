"""aws:route53: hosted zones and records with simple routing."""

import uuid
from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, first
from lab.provider.resource_type import ResourceType, tag_list, tag_map
from lab.provider.schema import blocks, flag, integer, mapping, output, table, text, texts


class _Route53Type(ResourceType):
    service = "route53"
    regional = False

    def wait_in_sync(self, aws: Aws, change: Mapping[str, Any]) -> None:
        client, change_id = aws.client("route53"), change["ChangeInfo"]["Id"]
        if change["ChangeInfo"]["Status"] != "INSYNC":
            aws.wait_until(
                f"Route 53 change ({change_id}) to be in sync",
                lambda: client.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC",
            )


def bare_name(name: str) -> str:
    """A domain name as Pulumi shows it: lower case, no trailing dot, `*` unescaped."""
    return name.replace("\\052", "*").rstrip(".").lower()


def zone_name(aws: Aws, zone_id: str) -> str:
    return bare_name(aws.client("route53").get_hosted_zone(Id=zone_id)["HostedZone"]["Name"])


class Zone(_Route53Type):
    urn_type = "aws:route53/zone:Zone"
    title = "Route 53 Hosted Zone"
    gone = frozenset({"NoSuchHostedZone"})
    properties = table(
        {
            "name": text(required=True, replaces=True),
            "comment": text(default="Managed by Pulumi"),
            "vpcs": blocks(
                {
                    "vpcId": text(required=True, aws="VPCId"),
                    "vpcRegion": text(computed=True, aws="VPCRegion"),
                },
                unordered=True,
            ),
            "forceDestroy": flag(default=False, unread=True),
            "tags": mapping(),
            "arn": output(),
            "zoneId": output(),
            "nameServers": output(many=True),
            "primaryNameServer": output(),
        }
    )

    def _vpcs(self, aws: Aws, inputs: Mapping[str, Any]) -> list[dict[str, str]]:
        vpcs = self.to_aws(inputs, ("vpcs",)).get("Vpcs", [])
        return [{"VPCRegion": aws.region, **vpc} for vpc in vpcs]

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        vpcs = self._vpcs(aws, inputs)
        made = aws.client("route53").create_hosted_zone(
            Name=inputs["name"],
            CallerReference=uuid.uuid4().hex,
            HostedZoneConfig={"Comment": inputs["comment"], "PrivateZone": bool(vpcs)},
            **({"VPC": vpcs[0]} if vpcs else {}),
        )
        self.wait_in_sync(aws, made)
        return made["HostedZone"]["Id"].removeprefix("/hostedzone/")

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        for vpc in self._vpcs(aws, inputs)[1:]:
            aws.client("route53").associate_vpc_with_hosted_zone(HostedZoneId=id_, VPC=vpc)
        if inputs.get("tagsAll"):
            self.retag(aws, id_, {}, inputs["tagsAll"], [])

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        client = aws.client("route53")
        found = client.get_hosted_zone(Id=id_)
        servers = found.get("DelegationSet", {}).get("NameServers", [])
        tags = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=id_)
        return {
            "name": bare_name(found["HostedZone"]["Name"]),
            "comment": found["HostedZone"].get("Config", {}).get("Comment", ""),
            **self.from_aws({"Vpcs": found.get("VPCs", [])}, ("vpcs",)),
            "zoneId": id_,
            "arn": f"arn:{aws.partition}:route53:::hostedzone/{id_}",
            "nameServers": servers,
            "primaryNameServer": servers[0] if servers else None,
            "tagsAll": tag_map(tags["ResourceTagSet"]["Tags"]),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        client = aws.client("route53")
        if "comment" in changed:
            client.update_hosted_zone_comment(Id=id_, Comment=new["comment"])
        if "vpcs" in changed:
            before = {vpc["VPCId"]: vpc for vpc in self._vpcs(aws, old)}
            after = {vpc["VPCId"]: vpc for vpc in self._vpcs(aws, new)}
            for vpc_id in sorted(after.keys() - before.keys()):
                client.associate_vpc_with_hosted_zone(HostedZoneId=id_, VPC=after[vpc_id])
            for vpc_id in sorted(before.keys() - after.keys()):
                client.disassociate_vpc_from_hosted_zone(HostedZoneId=id_, VPC=before[vpc_id])

    def retag(
        self, aws: Aws, id_: str, known: Mapping[str, Any], put: Mapping[str, str], drop: list[str]
    ) -> None:
        changes: dict[str, Any] = {}
        changes |= {"AddTags": tag_list(put)} if put else {}
        changes |= {"RemoveTagKeys": drop} if drop else {}
        if changes:
            client = aws.client("route53")
            client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=id_, **changes)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        client = aws.client("route53")
        if known.get("forceDestroy"):
            pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=id_)
            for page in pages:
                for record in page["ResourceRecordSets"]:
                    apex = bare_name(record["Name"]) == known["name"]
                    if not (apex and record["Type"] in ("NS", "SOA")):
                        _change(client, id_, "DELETE", record)
        client.delete_hosted_zone(Id=id_)


def _change(client: Any, zone_id: str, action: str, record: Mapping[str, Any]) -> dict[str, Any]:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    return client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch=batch)


class Record(_Route53Type):
    """A record set with simple routing. Names are completed with the zone's, as pulumi-aws does."""

    urn_type = "aws:route53/record:Record"
    title = "Route53 Record"
    gone = frozenset({"NoSuchHostedZone"})
    id_parts = ("zoneId", "name", "type")
    id_separator = "_"
    properties = table(
        {
            "zoneId": text(required=True, replaces=True),
            "name": text(required=True, replaces=True),
            "type": text(required=True, replaces=True),
            "ttl": integer(),
            "records": texts(),
            "aliases": blocks(
                {
                    "name": text(required=True, aws="DNSName"),
                    "zoneId": text(required=True, aws="HostedZoneId"),
                    "evaluateTargetHealth": flag(required=True),
                }
            ),
            "allowOverwrite": flag(default=False, unread=True),
            "fqdn": output(),
        }
    )

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, "records", "aliases")
        self.refuse_both(inputs, "ttl", "aliases")

    def _fqdn(self, aws: Aws, zone_id: str, name: str) -> str:
        zone, bare = zone_name(aws, zone_id), bare_name(name)
        return (
            bare
            if bare == zone or bare.endswith(f".{zone}")
            else ".".join(filter(None, (bare, zone)))
        )

    def _record_set(self, aws: Aws, inputs: Mapping[str, Any]) -> dict[str, Any]:
        quoted = inputs["type"] in ("TXT", "SPF")
        record: dict[str, Any] = {
            "Name": self._fqdn(aws, inputs["zoneId"], inputs["name"]),
            "Type": inputs["type"],
        }
        if inputs.get("aliases"):
            return {**record, "AliasTarget": self.to_aws(inputs, ("aliases",))["Aliases"][0]}
        values = [f'"{value}"' if quoted else value for value in inputs["records"]]
        record["ResourceRecords"] = [{"Value": value} for value in values]
        return {**record, "TTL": inputs.get("ttl")}

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        record = self._record_set(aws, inputs)
        action = "UPSERT" if inputs["allowOverwrite"] else "CREATE"
        self.wait_in_sync(aws, _change(aws.client("route53"), inputs["zoneId"], action, record))
        return f"{inputs['zoneId']}_{record['Name']}_{inputs['type']}"

    def _find(self, aws: Aws, known: Mapping[str, Any]) -> dict[str, Any]:
        name = self._fqdn(aws, known["zoneId"], known["name"])
        found = aws.client("route53").list_resource_record_sets(
            HostedZoneId=known["zoneId"],
            StartRecordName=name,
            StartRecordType=known["type"],
            MaxItems="1",
        )["ResourceRecordSets"]
        return first(
            [
                one
                for one in found
                if bare_name(one["Name"]) == name and one["Type"] == known["type"]
            ]
        )

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find(aws, known)
        fqdn = bare_name(record["Name"])
        values = [one["Value"] for one in record.get("ResourceRecords", [])]
        quoted = record["Type"] in ("TXT", "SPF")
        outputs: dict[str, Any] = {
            "zoneId": known["zoneId"],
            "name": known["name"]
            if self._fqdn(aws, known["zoneId"], known["name"]) == fqdn
            else fqdn,
            "type": record["Type"],
            "fqdn": fqdn,
            "ttl": record.get("TTL"),
            "records": [value.strip('"') if quoted else value for value in values] or None,
        }
        if alias := record.get("AliasTarget"):
            alias = {**alias, "DNSName": bare_name(alias["DNSName"])}
            outputs |= self.from_aws({"Aliases": [alias]}, ("aliases",))
        return outputs

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        if changed - {"allowOverwrite"}:
            record = self._record_set(aws, new)
            self.wait_in_sync(aws, _change(aws.client("route53"), new["zoneId"], "UPSERT", record))

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        record = self._find(aws, known)
        self.wait_in_sync(aws, _change(aws.client("route53"), known["zoneId"], "DELETE", record))


TYPES = (Zone, Record)
