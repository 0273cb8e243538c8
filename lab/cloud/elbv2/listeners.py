"""Listeners: mutual authentication, security policies, certificates, attributes."""

import secrets
from collections import OrderedDict
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.acm.models import acm_backends
from moto.elbv2.exceptions import DuplicateListenerError
from moto.elbv2.models import FakeAction, FakeListener, FakeRule
from moto.iam.models import iam_backends

from lab.cloud.elbv2 import attributes, ssl_policies
from lab.cloud.elbv2.balancers import LoadBalancer
from lab.cloud.elbv2.exceptions import ELBError, configuration, constraint, validation
from lab.cloud.elbv2.load_balancers import LoadBalancerBackend
from lab.cloud.elbv2.trust_stores import TrustStoreBackend

MAX_VERIFY_LISTENERS = 2
MODES = ("off", "passthrough", "verify")
FINAL_ACTIONS = ("forward", "redirect", "fixed-response")


class Listener(FakeListener):
    """moto's, with mutual authentication (HTTPS only) and rules in the order of their priority."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mutual_authentication: dict[str, Any] | None = None
        self._default_rule[0].transforms = []  # type: ignore[attr-defined]
        self.attributes = attributes.defaults(self.known_attributes)

    @property
    def known_attributes(self) -> dict[str, attributes.Attribute]:
        if self.protocol == "TCP":
            return attributes.TCP_LISTENER
        if self.protocol == "HTTPS":
            return attributes.HTTPS_LISTENER | attributes.HTTP_LISTENER
        return attributes.HTTP_LISTENER

    @property
    def rules(self) -> dict[Any, FakeRule]:
        rules: list[Any] = sorted(
            self._non_default_rules.values(), key=lambda rule: int(rule.priority)
        )
        return OrderedDict((rule.arn, rule) for rule in [*rules, self._default_rule[0]])


class ListenerBackend(TrustStoreBackend, LoadBalancerBackend):
    """The listener operations of ELBv2 in one account and region."""

    def create_listener(  # type: ignore[override]
        self,
        load_balancer_arn: str,
        protocol: str | None,
        port: int | None,
        ssl_policy: str | None,
        certificates: list[dict[str, Any]],
        actions: list[dict[str, Any]],
        mutual_authentication: dict[str, Any] | None,
        tags: list[dict[str, str]] | None = None,
    ) -> Listener:
        balancer = self.load_balancer(load_balancer_arn)
        self._check_protocol(balancer, port, protocol)
        self._check_port(balancer, port, None)
        default_actions = self.checked_actions(balancer, actions)
        policy, arns = self._secured(str(protocol), ssl_policy, certificates)
        base = load_balancer_arn.replace(":loadbalancer/", ":listener/")
        listener: Any = Listener(
            load_balancer_arn=load_balancer_arn,
            arn=f"{base}/{secrets.token_hex(8)}",
            protocol=str(protocol),
            port=port,
            ssl_policy=policy,
            certificate=arns[0] if arns else None,
            default_actions=default_actions,
            alpn_policy=None,
        )
        listener.mutual_authentication = self._mutual_authentication(
            balancer, listener, mutual_authentication
        )
        balancer.listeners[listener.arn] = listener
        self.tagging_service.tag_resource(listener.arn, tags)
        return listener

    def modify_listener(  # type: ignore[override]
        self,
        arn: str,
        port: int | None,
        protocol: str | None,
        ssl_policy: str | None,
        certificates: list[dict[str, Any]],
        actions: list[dict[str, Any]],
        mutual_authentication: dict[str, Any] | None,
    ) -> Listener:
        """Changes what is given, or nothing when any of it is refused."""
        listener = self.listener(arn)
        balancer = self.load_balancer(listener.load_balancer_arn)
        protocol = protocol or str(listener.protocol)
        self._check_protocol(balancer, port or listener.port, protocol)
        self._check_port(balancer, port, listener)
        if port and int(port) != int(listener.port):
            self._check_no_target(listener)
        if protocol == "HTTPS":
            certificates = certificates or [
                {"CertificateArn": each} for each in listener.certificates[:1]
            ]
            ssl_policy = ssl_policy or listener.ssl_policy
        policy, arns = self._secured(protocol, ssl_policy, certificates)
        default_actions = self.checked_actions(balancer, actions) if actions else None
        changed_protocol, listener.protocol = protocol != listener.protocol, protocol
        if mutual_authentication is not None or changed_protocol:
            listener.mutual_authentication = self._mutual_authentication(
                balancer, listener, mutual_authentication
            )
        if changed_protocol:
            listener.attributes = attributes.defaults(listener.known_attributes) | {
                key: value
                for key, value in listener.attributes.items()
                if key in listener.known_attributes
            }
        listener.port = port or listener.port
        listener.ssl_policy = policy
        listener.certificate = arns[0] if arns else None
        listener.certificates = [*arns, *listener.certificates[1:]] if arns else []
        if default_actions:
            listener.default_actions = default_actions
            listener._default_rule[0].actions = default_actions
        return listener

    def delete_listener(self, listener_arn: str) -> Any:
        """Raises ResourceInUse while a target group sends traffic to the listener's port."""
        listener = self.listener(listener_arn)
        self._check_no_target(listener)
        return super().delete_listener(listener_arn)

    def _check_no_target(self, listener: Any) -> None:
        """The words are AWS's."""
        arn = listener.load_balancer_arn
        if any(
            target["Id"] == arn and int(target["Port"]) == int(listener.port)
            for group in self.target_groups.values()
            for target in group.targets.values()
        ):
            raise ELBError(
                "ResourceInUse",
                f"Listener port '{listener.port}' is in use by registered target '{arn}' and"
                " cannot be removed.",
            )

    def listener(self, arn: str) -> Any:
        return self.describe_listeners(None, [arn])[0]

    def modify_listener_attributes(
        self, listener_arn: str, attrs: list[dict[str, str]]
    ) -> dict[str, str]:
        """An empty value brings the default back, as in AWS."""
        listener = self.listener(listener_arn)
        given = {each["Key"]: each.get("Value", "") for each in attrs}
        every = {
            *attributes.HTTPS_LISTENER,
            *attributes.HTTP_LISTENER,
            *attributes.TCP_LISTENER,
            *attributes.OTHER_LISTENERS,
        }
        elsewhere = dict.fromkeys(
            every - listener.known_attributes.keys(),
            f"listeners with protocol '{listener.protocol}'",
        )
        attributes.check("Listener", given, listener.known_attributes, elsewhere)
        listener.attributes = listener.attributes | given
        return listener.attributes

    def checked_actions(self, balancer: LoadBalancer, actions: list[dict[str, Any]]) -> list[Any]:
        """The actions as moto keeps them. Their target groups must exist, in the right VPC."""
        if not actions:
            raise validation("An action must be specified")
        checked: list[Any] = [FakeAction(action) for action in actions]
        self._validate_actions(checked)
        if sum(each.type in FINAL_ACTIONS for each in checked) != 1:
            raise ELBError(
                "InvalidLoadBalancerAction",
                "There must be exactly one action of type forward, redirect or fixed-response",
            )
        arns = [arn for each in checked for arn in self._get_target_group_arns_from(each.data)]
        if balancer.type == "network" and (len(checked) > 1 or len(set(arns)) != 1):
            raise ELBError(
                "InvalidLoadBalancerAction",
                "A listener of a load balancer with type 'network' must have exactly one action,"
                " of type forward to one target group",
            )
        for arn in arns:
            self._check_group(balancer, arn)
        return checked

    def _check_group(self, balancer: LoadBalancer, arn: str) -> None:
        """The group must fit the load balancer, and have no other one ("TargetGroup")."""
        group = self.target_groups[arn]
        if group.target_type != "lambda" and group.vpc_id != balancer.vpc_id:
            raise configuration(
                f"The following target groups are not in the VPC of the load balancer: '{arn}'"
            )
        if (balancer.type == "network") != (group.protocol == "TCP"):
            raise ELBError(
                "IncompatibleProtocols",
                f"A target group with the protocol '{group.protocol}' is not supported on load"
                f" balancers with type '{balancer.type}'",
            )
        if set(self.balancers_using(arn)) - {balancer.arn}:
            raise ELBError(
                "TargetGroupAssociationLimit",
                "The following target groups cannot be associated with more than one load"
                f" balancer: {arn}",
            )

    def balancers_using(self, target_group_arn: str) -> list[str]:
        """The ARNs of the load balancers with a rule that forwards to the group."""
        return [
            balancer.arn
            for balancer in self.load_balancers.values()
            if any(
                target_group_arn in self._get_target_group_arns_from(action.data)
                for listener in balancer.listeners.values()
                for rule in listener.rules.values()
                for action in rule.actions
            )
        ]

    def _check_protocol(self, balancer: LoadBalancer, port: Any, protocol: str | None) -> None:
        self._validate_port_and_protocol(balancer.type, port, protocol)
        if balancer.type == "network" and protocol != "TCP":
            raise NotImplementedError(f"a Network Load Balancer's listener for {protocol}")

    def _check_port(self, balancer: LoadBalancer, port: int | None, itself: Any) -> None:
        if port is None:
            return
        if not 1 <= int(port) <= 65535:
            rule = "have value less than or equal to 65535"
            raise constraint(port, "port", rule)
        others = [each for each in balancer.listeners.values() if each is not itself]
        if any(int(each.port) == int(port) for each in others):
            raise DuplicateListenerError()

    def _secured(
        self, protocol: str, ssl_policy: str | None, certificates: list[dict[str, Any]]
    ) -> tuple[str | None, list[str]]:
        """Security policy and certificate of a listener, checked; none for HTTP."""
        if protocol != "HTTPS":
            if certificates or ssl_policy:
                raise validation(
                    f"Certificates and SSL policies cannot be specified for {protocol} listeners"
                )
            return None, []
        if not certificates:
            raise validation("A certificate must be specified for HTTPS listeners")
        if len(certificates) > 1:
            raise validation("Only one certificate can be specified for a listener")
        policy = ssl_policy or ssl_policies.DEFAULT
        if policy not in ssl_policies.SSL_POLICIES:
            raise ELBError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
        arn = certificates[0]["CertificateArn"]
        self.check_certificate(arn)
        return policy, [arn]

    def check_certificate(self, arn: str) -> None:
        """Raises CertificateNotFound, or UnsupportedCertificate for one not issued (yet)."""
        if ":iam:" in arn:
            pem = iam_backends[self.account_id][self.partition].get_certificate_by_arn(arn)
            found, issued = pem is not None, True
        else:
            certificates = acm_backends[self.account_id][self.region_name]._certificates
            found = arn in certificates
            issued = found and _is_usable(certificates[arn])
        if not found:
            raise ELBError("CertificateNotFound", f"Certificate '{arn}' not found")
        if not issued:
            raise ELBError(
                "UnsupportedCertificate",
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported "
                "signature, and a supported key size.",
            )

    def _mutual_authentication(
        self, balancer: LoadBalancer, listener: Listener, given: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """The attributes as DescribeListeners returns them."""
        given = given or {}
        mode = given.get("Mode", "off")
        if listener.protocol != "HTTPS":
            if mode != "off":
                raise validation(
                    f"Mutual Authentication is not supported for {listener.protocol} listeners"
                )
            return None
        if mode not in MODES:
            raise validation(f"Mutual Authentication mode '{mode}' must be one of {list(MODES)}")
        if mode != "verify":
            check_only_mode(mode, given)
            return {"Mode": mode}
        arn = given.get("TrustStoreArn")
        if not arn:
            raise validation("A trust store ARN must be specified for Mutual Authentication verify")
        if self.trust_store(arn).status != "ACTIVE":
            raise ELBError(
                "TrustStoreNotReady", f"Trust store with ARN '{arn}' is not in ACTIVE state"
            )
        others: list[Any] = [each for each in balancer.listeners.values() if each is not listener]
        modes = [(each.mutual_authentication or {}).get("Mode") for each in others]
        if modes.count("verify") >= MAX_VERIFY_LISTENERS:
            raise configuration(
                f"A load balancer can have at most {MAX_VERIFY_LISTENERS} listeners with Mutual "
                "Authentication mode verify"
            )
        advertise = given.get("AdvertiseTrustStoreCaNames", "off")
        if advertise not in ("on", "off"):
            path = "mutualAuthentication.advertiseTrustStoreCaNames"
            raise constraint(advertise, path, "satisfy enum value set: [on, off]")
        return {
            "Mode": mode,
            "TrustStoreArn": arn,
            "IgnoreClientCertificateExpiry": given.get("IgnoreClientCertificateExpiry", False),
            "TrustStoreAssociationStatus": "active",
            "AdvertiseTrustStoreCaNames": advertise,
        }


def check_only_mode(mode: str, given: dict[str, Any]) -> None:
    """What belongs to `verify` is refused in the other modes."""
    for key, words in (
        ("TrustStoreArn", "trust store"),
        ("IgnoreClientCertificateExpiry", "ignoring client certificate expiry"),
        ("AdvertiseTrustStoreCaNames", "advertising trust store CA names"),
    ):
        if given.get(key) not in (None, "off", False):
            raise validation(f"Mutual Authentication mode {mode} does not support {words}")


def _is_usable(bundle: Any) -> bool:
    """ "SSL certificates for your Application Load Balancer" in its user guide: the key types."""
    bundle.check()
    if bundle.status != "ISSUED":
        return False
    key = x509.load_pem_x509_certificate(bundle.cert).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size in (1024, 2048, 3072, 4096)
    return isinstance(key, ec.EllipticCurvePublicKey)
