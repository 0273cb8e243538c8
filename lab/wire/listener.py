"""A load balancer's listener as the API describes it, and the TLS it was given."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lab.wire.aws import Accounts, Reader
from lab.wire.chain import TrustStore
from lab.wire.network import Interface, node_description
from lab.wire.rules import NotModelledError, Rule
from lab.wire.tls import Policy, Server, ServerCertificate

# Set in listener attributes when it differs from its default, the header's own name.
_RENAMED = "routing.http.request.{}.header_name"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener with what decides how it treats connections and requests."""

    balancer: Mapping[str, Any]
    listener: Mapping[str, Any]
    balancer_attributes: Mapping[str, str]
    attributes: Mapping[str, str]
    rules: tuple[Rule, ...]

    @property
    def arn(self) -> str:
        return self.listener["ListenerArn"]

    @property
    def protocol(self) -> str:
        return self.listener["Protocol"]

    @property
    def port(self) -> int:
        return self.listener["Port"]

    @property
    def balancer_id(self) -> str:
        """The load balancer's resource id, `app/<name>/<id>`."""
        return self.balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]

    @property
    def account_id(self) -> str:
        return self.balancer["LoadBalancerArn"].split(":")[4]

    @property
    def mutual(self) -> Mapping[str, Any]:
        return self.listener.get("MutualAuthentication") or {"Mode": "off"}

    @property
    def idle_seconds(self) -> float:
        return float(self.balancer_attributes["idle_timeout.timeout_seconds"])

    @property
    def cross_zone(self) -> bool:
        """Whether a node of a Network Load Balancer sends to targets in every zone."""
        return self.balancer_attributes.get("load_balancing.cross_zone.enabled") == "true"

    def enabled(self, attribute: str) -> bool:
        """Whether a flag of the load balancer or of the listener is set."""
        return {**self.balancer_attributes, **self.attributes}.get(attribute) == "true"

    def header_name(self, default: str) -> str:
        """The name that a certificate or TLS header goes by at this listener."""
        attribute = _RENAMED.format(default.lower().replace("-", "_"))
        return self.attributes.get(attribute) or default


class Listeners:
    """Finds listeners, and makes their TLS servers once per change of what they are made of."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._known: dict[tuple[str, str, int], tuple[int, Listener | None]] = {}
        self._servers: dict[str, tuple[tuple[int, ...], Server]] = {}
        self._lock = threading.Lock()

    def at(self, interface: Interface, port: int) -> Listener | None:
        """What listens on that port of a load balancer's interface."""
        (version,) = self._accounts.versions("elbv2")
        key = (interface.account_id, interface.description, port)
        known = self._known.get(key)
        if known is None or known[0] != version:
            known = self._known[key] = (version, self._find(interface, port))
        return known[1]

    def _find(self, interface: Interface, port: int) -> Listener | None:
        reader = self._accounts.of(interface.account_id)
        for balancer in reader.call("elbv2", "describe_load_balancers")["LoadBalancers"]:
            arn = balancer["LoadBalancerArn"]
            if interface.description != node_description(arn):
                continue
            answer = reader.call("elbv2", "describe_listeners", LoadBalancerArn=arn)
            for listener in answer["Listeners"]:
                if listener["Port"] == port:
                    return self._described(balancer, listener)
        return None

    def _described(self, balancer: Mapping[str, Any], listener: Mapping[str, Any]) -> Listener:
        """A listener with its attributes and rules; those of a Network Load Balancer have none."""
        arn = listener["ListenerArn"]
        read = self._accounts.of_arn(arn).call
        application = balancer["Type"] == "application"
        return Listener(
            balancer=balancer,
            listener=listener,
            balancer_attributes=_attributes(
                read(
                    "elbv2",
                    "describe_load_balancer_attributes",
                    LoadBalancerArn=balancer["LoadBalancerArn"],
                )
            ),
            attributes=_attributes(read("elbv2", "describe_listener_attributes", ListenerArn=arn)),
            rules=tuple(read("elbv2", "describe_rules", ListenerArn=arn)["Rules"])
            if application
            else (),
        )

    def tls(self, listener: Listener) -> Server:
        """The TLS side of an HTTPS listener, as deployed now."""
        versions = self._accounts.versions("elbv2", "acm")
        with self._lock:
            known = self._servers.get(listener.arn)
            if known and known[0] == versions:
                return known[1]
            server = self._server(listener)
            self._servers[listener.arn] = (versions, server)
            return server

    def _server(self, listener: Listener) -> Server:
        reader = self._accounts.of_arn(listener.arn)
        described = reader.call(
            "elbv2", "describe_listener_certificates", ListenerArn=listener.arn
        )["Certificates"]
        default = [one["CertificateArn"] for one in listener.listener["Certificates"]]
        others = [one["CertificateArn"] for one in described]
        arns = list(dict.fromkeys([*default, *others]))
        mode = listener.mutual["Mode"]
        return Server(
            [_certificate(reader, arn) for arn in arns],
            _policy(reader, listener.listener["SslPolicy"]),
            _trust(reader, listener.mutual) if mode == "verify" else None,
            advertise=listener.mutual.get("AdvertiseTrustStoreCaNames") == "on",
            passthrough=mode == "passthrough",
        )


def _certificate(reader: Reader, arn: str) -> ServerCertificate:
    answer = reader.call("acm", "get_certificate", CertificateArn=arn)
    key = load_pem_private_key(reader.fetch(f"/_lab/acm/private-key?arn={arn}"), None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise NotModelledError(f"the kind of private key of {arn}")
    chain = answer.get("CertificateChain") or ""
    return ServerCertificate(
        certificate=x509.load_pem_x509_certificate(answer["Certificate"].encode()),
        key=key,
        chain=tuple(x509.load_pem_x509_certificates(chain.encode())) if chain.strip() else (),
        arn=arn,
    )


def _policy(reader: Reader, name: str) -> Policy:
    answer = reader.call("elbv2", "describe_ssl_policies", Names=[name])
    policy = answer["SslPolicies"][0]
    ciphers = sorted(policy["Ciphers"], key=lambda cipher: cipher["Priority"])
    return Policy(
        protocols=tuple(policy["SslProtocols"]),
        ciphers=tuple(cipher["Name"] for cipher in ciphers),
    )


def _trust(reader: Reader, mutual: Mapping[str, Any]) -> TrustStore:
    arn = mutual["TrustStoreArn"]
    bundle = reader.call("elbv2", "get_trust_store_ca_certificates_bundle", TrustStoreArn=arn)
    revocations = reader.call("elbv2", "describe_trust_store_revocations", TrustStoreArn=arn)[
        "TrustStoreRevocations"
    ]
    return TrustStore(
        certificates=tuple(x509.load_pem_x509_certificates(reader.fetch(bundle["Location"]))),
        revocation_lists=tuple(
            _revocation_list(reader, arn, one["RevocationId"]) for one in revocations
        ),
        ignore_expiry=bool(mutual.get("IgnoreClientCertificateExpiry")),
    )


def _revocation_list(
    reader: Reader, arn: str, revocation_id: int
) -> x509.CertificateRevocationList:
    answer = reader.call(
        "elbv2",
        "get_trust_store_revocation_content",
        TrustStoreArn=arn,
        RevocationId=revocation_id,
    )
    return x509.load_pem_x509_crl(reader.fetch(answer["Location"]))


def _attributes(answer: Mapping[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}
