"""aws:lb: trust stores, load balancers, target groups and their targets."""

from collections.abc import Mapping
from typing import Any

from lab.provider.aws import Aws, UnfinishedError, first
from lab.provider.resource_type import Autoname
from lab.provider.resources.elbv2_attributes import (
    Attribute,
    ElbType,
    attribute_properties,
    attribute_text,
)
from lab.provider.schema import (
    Kind,
    block,
    blocks,
    flag,
    holds_unknown,
    mapping,
    output,
    table,
    text,
    texts,
)


class TrustStore(ElbType):
    """ELB copies the bundle when told to; it never shows where the copy came from."""

    urn_type = "aws:lb/trustStore:TrustStore"
    title = "ELBv2 Trust Store"
    gone = frozenset({"TrustStoreNotFound"})
    autoname = Autoname(limit=32)
    properties = table(
        {
            "name": text(replaces=True),
            "caCertificatesBundleS3Bucket": text(required=True, unread=True),
            "caCertificatesBundleS3Key": text(required=True, unread=True),
            "caCertificatesBundleS3ObjectVersion": text(unread=True),
            "tags": mapping(),
            "arn": output(aws="TrustStoreArn"),
            "arnSuffix": output(),
        }
    )
    _bundle = (
        "caCertificatesBundleS3Bucket",
        "caCertificatesBundleS3Key",
        "caCertificatesBundleS3ObjectVersion",
    )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(inputs, ("name", *self._bundle))
        made = aws.client("elbv2").create_trust_store(**asked, **self.tag_arguments(inputs))
        return first(made["TrustStores"])["TrustStoreArn"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        aws.wait_until(
            f"ELBv2 Trust Store ({id_}) to become active",
            lambda: self._describe(aws, id_)["Status"] == "ACTIVE",
        )

    def _describe(self, aws: Aws, id_: str) -> dict[str, Any]:
        return first(aws.client("elbv2").describe_trust_stores(TrustStoreArns=[id_])["TrustStores"])

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        store = self._describe(aws, id_)
        return {
            **self.from_aws(store),
            "arnSuffix": id_.rpartition(":")[2],
            "tagsAll": self.tags(aws, id_),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        bundle = self.to_aws(new, self._bundle)
        aws.client("elbv2").modify_trust_store(TrustStoreArn=id_, **bundle)
        self.settle(aws, id_, new)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("elbv2").delete_trust_store(TrustStoreArn=id_)


_LOGS = {"bucket": text(required=True), "prefix": text(), "enabled": flag(default=False)}
_LOG_KEYS = {
    "accessLogs": "access_logs.s3",
    "connectionLogs": "connection_logs.s3",
    "healthCheckLogs": "health_check_logs.s3",
}
_LB_ATTRIBUTES = {
    "enableDeletionProtection": Attribute(
        key="deletion_protection.enabled", kind=Kind.FLAG, default=False
    ),
    "enableCrossZoneLoadBalancing": Attribute(
        key="load_balancing.cross_zone.enabled", kind=Kind.FLAG, default=False
    ),
    "enableZonalShift": Attribute(key="zonal_shift.config.enabled", kind=Kind.FLAG, default=False),
    "idleTimeout": Attribute(key="idle_timeout.timeout_seconds", kind=Kind.INTEGER, default=60),
    "clientKeepAlive": Attribute(key="client_keep_alive.seconds", kind=Kind.INTEGER, default=3600),
    "desyncMitigationMode": Attribute(
        key="routing.http.desync_mitigation_mode", default="defensive"
    ),
    "dropInvalidHeaderFields": Attribute(
        key="routing.http.drop_invalid_header_fields.enabled", kind=Kind.FLAG, default=False
    ),
    "preserveHostHeader": Attribute(
        key="routing.http.preserve_host_header.enabled", kind=Kind.FLAG, default=False
    ),
    "enableTlsVersionAndCipherSuiteHeaders": Attribute(
        key="routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        kind=Kind.FLAG,
        default=False,
    ),
    "enableXffClientPort": Attribute(
        key="routing.http.xff_client_port.enabled", kind=Kind.FLAG, default=False
    ),
    "xffHeaderProcessingMode": Attribute(
        key="routing.http.xff_header_processing.mode", default="append"
    ),
    "enableHttp2": Attribute(key="routing.http2.enabled", kind=Kind.FLAG, default=True),
    "enableWafFailOpen": Attribute(key="waf.fail_open.enabled", kind=Kind.FLAG, default=False),
}


_ENFORCE = "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"


class LoadBalancer(ElbType):
    """Application and Network Load Balancers. Of a network one the groups and subnets can change
    in place only as `must_replace` leaves it.
    """

    urn_type = "aws:lb/loadBalancer:LoadBalancer"
    title = "ELBv2 Load Balancer"
    gone = frozenset({"LoadBalancerNotFound"})
    autoname = Autoname(limit=32)
    attributes = _LB_ATTRIBUTES
    attribute_calls = (
        "modify_load_balancer_attributes",
        "describe_load_balancer_attributes",
        "LoadBalancerArn",
    )
    properties = table(
        {
            "name": text(replaces=True, aws="LoadBalancerName"),
            "loadBalancerType": text(default="application", replaces=True, aws="Type"),
            "internal": flag(default=False, replaces=True),
            "securityGroups": texts(computed=True),
            _ENFORCE: text(computed=True),
            "subnets": texts(computed=True, follows=("subnetMappings",)),
            "subnetMappings": blocks(
                {
                    "subnetId": text(required=True),
                    "privateIpv4Address": text(aws="PrivateIPv4Address"),
                    "allocationId": text(),
                },
                unordered=True,
                computed=True,
                follows=("subnets",),
            ),
            **attribute_properties(_LB_ATTRIBUTES),
            **{name: block(_LOGS) for name in _LOG_KEYS},
            "tags": mapping(),
            "arn": output(aws="LoadBalancerArn"),
            "arnSuffix": output(),
            "dnsName": output(aws="DNSName"),
            "ipAddressType": output(),
            "vpcId": output(),
            "zoneId": output(aws="CanonicalHostedZoneId"),
        }
    )

    def validate(self, inputs: Mapping[str, Any]) -> None:
        self.refuse_unless_one(inputs, "subnets", "subnetMappings")

    def must_replace(
        self, old: Mapping[str, Any], new: Mapping[str, Any], changed: frozenset[str]
    ) -> frozenset[str]:
        """Of a network load balancer: subnets that are not only more, other or fewer addresses in
        them, the first security group and none any more.
        """
        if new.get("loadBalancerType") != "network":
            return frozenset()
        before = {name: old.get(name) or [] for name in changed}
        after = {name: new.get(name) or [] for name in changed}
        forced = {
            "subnets": lambda was, now: len(now) <= len(was),
            "subnetMappings": lambda was, now: any(one not in now for one in was),
            "securityGroups": lambda was, now: bool(was) != bool(now),
        }
        return frozenset(
            name
            for name in forced.keys() & changed
            if not holds_unknown(after[name]) and forced[name](before[name], after[name])
        )

    def create(self, aws: Aws, inputs: Mapping[str, Any]) -> str:
        asked = self.to_aws(
            inputs, ("loadBalancerType", "securityGroups", "subnets", "subnetMappings")
        )
        asked |= {"Name": inputs["name"], **self.tag_arguments(inputs)}
        asked["Scheme"] = "internal" if inputs["internal"] else "internet-facing"
        made = aws.client("elbv2").create_load_balancer(**asked)
        return first(made["LoadBalancers"])["LoadBalancerArn"]

    def settle(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        self._wait_active(aws, id_)
        logs = [pair for name in _LOG_KEYS for pair in self._log_pairs(name, inputs.get(name))]
        wanted = [(key, value) for key, value in logs if value not in ("", "false")]
        self.set_attributes(aws, id_, [*self.initial_pairs(inputs), *wanted])
        if inputs.get(_ENFORCE):
            self._set_groups(aws, id_, inputs)

    def _set_groups(self, aws: Aws, id_: str, inputs: Mapping[str, Any]) -> None:
        asked = self.to_aws(inputs, ("securityGroups", _ENFORCE))
        aws.client("elbv2").set_security_groups(LoadBalancerArn=id_, **asked)

    def _wait_active(self, aws: Aws, id_: str) -> None:
        def active() -> bool:
            state = self._describe(aws, id_).get("State", {})
            if state.get("Code") == "failed":
                raise UnfinishedError(
                    f"unexpected state 'failed', wanted 'active': {state.get('Reason')}"
                )
            return state.get("Code") in ("active", "active_impaired")

        aws.wait_until(f"ELBv2 Load Balancer ({id_}) to become active", active)

    def _describe(self, aws: Aws, id_: str) -> dict[str, Any]:
        found = aws.client("elbv2").describe_load_balancers(LoadBalancerArns=[id_])
        return first(found["LoadBalancers"])

    def _log_pairs(self, name: str, logs: Mapping[str, Any] | None) -> list[tuple[str, str]]:
        """A log setting as attributes.

        Switching it off says nothing of bucket and prefix, as pulumi-aws does.
        """
        stem = _LOG_KEYS[name]
        if not logs or not logs["enabled"]:
            return [(f"{stem}.enabled", "false")]
        return [
            (f"{stem}.{part}", attribute_text(logs.get(part)))
            for part in ("enabled", "bucket", "prefix")
        ]

    def read(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> dict[str, Any]:
        balancer = self._describe(aws, id_)
        described = self.described_attributes(aws, id_)
        zones = balancer.get("AvailabilityZones", [])
        logs = {}
        for name, stem in _LOG_KEYS.items():
            if described.get(f"{stem}.bucket"):
                logs[name] = {
                    "bucket": described[f"{stem}.bucket"],
                    "prefix": described.get(f"{stem}.prefix") or None,
                    "enabled": described.get(f"{stem}.enabled") == "true",
                }
            elif known.get(name) and not known[name]["enabled"]:
                logs[name] = known[name]
        return {
            **self.from_aws(
                balancer, ("name", "loadBalancerType", "ipAddressType", "vpcId", "zoneId")
            ),
            **self.from_aws(balancer, ("arn", "dnsName", "securityGroups", _ENFORCE)),
            **self.read_attributes(described),
            **logs,
            "internal": balancer["Scheme"] == "internal",
            "arnSuffix": id_.partition(":loadbalancer/")[2],
            "subnets": [zone["SubnetId"] for zone in zones],
            "subnetMappings": [_subnet_mapping(zone) for zone in zones],
            "tagsAll": self.tags(aws, id_),
        }

    def update(
        self,
        aws: Aws,
        id_: str,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        changed: frozenset[str],
    ) -> None:
        client = aws.client("elbv2")
        logs = [
            pair
            for name in _LOG_KEYS
            if name in changed
            for pair in self._log_pairs(name, new.get(name))
        ]
        self.set_attributes(aws, id_, [*self.attribute_pairs(new, sorted(changed)), *logs])
        if changed & {"securityGroups", _ENFORCE}:
            self._set_groups(aws, id_, new)
        if changed & {"subnets", "subnetMappings"}:
            client.set_subnets(
                LoadBalancerArn=id_, **self.to_aws(new, ("subnets", "subnetMappings"))
            )
        self._wait_active(aws, id_)

    def delete(self, aws: Aws, id_: str, known: Mapping[str, Any]) -> None:
        aws.client("elbv2").delete_load_balancer(LoadBalancerArn=id_)
        what = f"ELBv2 Load Balancer ({id_})"
        self.wait_until_gone(aws, what, lambda: self._describe(aws, id_))


def _subnet_mapping(zone: Mapping[str, Any]) -> dict[str, str]:
    addresses = zone.get("LoadBalancerAddresses") or [{}]
    pinned = {"privateIpv4Address": addresses[0].get("PrivateIPv4Address")}
    return {"subnetId": zone["SubnetId"], **{key: one for key, one in pinned.items() if one}}


TYPES = (TrustStore, LoadBalancer)
