"""ELBv2's operations: parameters in, results out (moto's form)."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.responses import ELBV2Response

from lab.cloud.elbv2 import ssl_policies
from lab.cloud.elbv2.exceptions import ELBError, validation
from lab.cloud.elbv2.models import Backend

MAX_PAGE = 400


def default_certificate(certificates: list[str]) -> list[dict[str, str]] | None:
    """DescribeListeners shows the default certificate only."""
    return [{"CertificateArn": certificates[0]}] if certificates else None


class Response(ELBV2Response):
    """moto's response class, with the operations and parameters that it lacks."""

    RESPONSE_KEY_PATH_TO_TRANSFORMER = {  # noqa: RUF012 - moto's own declaration
        **ELBV2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER,
        **{
            f"{operation}Output.Listeners.Listener.Certificates": default_certificate
            for operation in ("CreateListener", "DescribeListeners", "ModifyListener")
        },
    }

    @property
    def elbv2_backend(self) -> Backend:
        backend: Any = super().elbv2_backend
        return backend

    def create_listener(self) -> ActionResult:
        listener = self.elbv2_backend.create_listener(
            self._get_param("LoadBalancerArn"),
            self._get_param("Protocol"),
            self._get_param("Port"),
            self._get_param("SslPolicy"),
            self._get_param("Certificates", []),
            self._get_param("DefaultActions", []),
            self._get_param("MutualAuthentication"),
            self._get_param("Tags"),
        )
        return ActionResult({"Listeners": [listener]})

    def modify_listener(self) -> ActionResult:
        listener = self.elbv2_backend.modify_listener(
            self._get_param("ListenerArn"),
            self._get_param("Port"),
            self._get_param("Protocol"),
            self._get_param("SslPolicy"),
            self._get_param("Certificates", []),
            self._get_param("DefaultActions", []),
            self._get_param("MutualAuthentication"),
        )
        return ActionResult({"Listeners": [listener]})

    def set_security_groups(self) -> ActionResult:
        balancer = self.elbv2_backend.set_security_groups(
            self._get_param("LoadBalancerArn"),
            self._get_param("SecurityGroups", []),
            self._get_param("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
        )
        enforce = "enforce_security_group_inbound_rules_on_private_link_traffic"
        return ActionResult(
            {
                "SecurityGroupIds": balancer.security_groups,
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": getattr(
                    balancer, enforce, None
                ),
            }
        )

    def create_rule(self) -> ActionResult:
        rule = self.elbv2_backend.create_rule(
            self._get_param("ListenerArn"),
            self._get_param("Conditions", []),
            self._get_param("Priority"),
            self._get_param("Actions", []),
            self._get_param("Transforms", []),
            self._get_param("Tags"),
        )
        return ActionResult({"Rules": [rule]})

    def modify_rule(self) -> ActionResult:
        rule = self.elbv2_backend.modify_rule(
            self._get_param("RuleArn"),
            self._get_param("Conditions", []),
            self._get_param("Actions", []),
            self._get_param("Transforms", []),
            self._get_param("ResetTransforms", False),
        )
        return ActionResult({"Rules": [rule]})

    def modify_target_group_attributes(self) -> ActionResult:
        arn = self._get_param("TargetGroupArn")
        given = {each["Key"]: each["Value"] for each in self._get_param("Attributes", [])}
        self.elbv2_backend.modify_target_group_attributes(arn, given)
        return ActionResult({"Attributes": self.elbv2_backend.target_group(arn).attributes})

    def describe_ssl_policies(self) -> ActionResult:
        names = self._get_param("Names", []) or list(ssl_policies.SSL_POLICIES)
        for name in names:
            if name not in ssl_policies.SSL_POLICIES:
                raise ELBError("SSLPolicyNotFound", f"SSL policy '{name}' not found")
        return ActionResult({"SslPolicies": [ssl_policies.describe(name) for name in names]})

    def create_trust_store(self) -> ActionResult:
        store = self.elbv2_backend.create_trust_store(
            self._get_param("Name"), *self._bundle_parameters(), self._get_param("Tags", [])
        )
        return ActionResult({"TrustStores": [store]})

    def modify_trust_store(self) -> ActionResult:
        store = self.elbv2_backend.modify_trust_store(
            self._get_param("TrustStoreArn"), *self._bundle_parameters()
        )
        return ActionResult({"TrustStores": [store]})

    def delete_trust_store(self) -> ActionResult:
        self.elbv2_backend.delete_trust_store(self._get_param("TrustStoreArn"))
        return EmptyResult()

    def describe_trust_stores(self) -> ActionResult:
        stores = self.elbv2_backend.describe_trust_stores(
            self._get_param("TrustStoreArns", []), self._get_param("Names", [])
        )
        return self._page("TrustStores", stores)

    def describe_trust_store_associations(self) -> ActionResult:
        arns = self.elbv2_backend.trust_store_associations(self._get_param("TrustStoreArn"))
        return self._page("TrustStoreAssociations", [{"ResourceArn": arn} for arn in arns])

    def get_trust_store_ca_certificates_bundle(self) -> ActionResult:
        store = self.elbv2_backend.trust_store(self._get_param("TrustStoreArn"))
        return ActionResult({"Location": self._location(f"bundles/{store.location_id}")})

    def add_trust_store_revocations(self) -> ActionResult:
        added = self.elbv2_backend.add_trust_store_revocations(
            self._get_param("TrustStoreArn"), self._get_param("RevocationContents", [])
        )
        return ActionResult({"TrustStoreRevocations": added})

    def describe_trust_store_revocations(self) -> ActionResult:
        revocations = self.elbv2_backend.describe_trust_store_revocations(
            self._get_param("TrustStoreArn"), self._get_param("RevocationIds", [])
        )
        return self._page("TrustStoreRevocations", revocations)

    def get_trust_store_revocation_content(self) -> ActionResult:
        revocation = self.elbv2_backend.revocation(
            self._get_param("TrustStoreArn"), self._get_param("RevocationId")
        )
        return ActionResult({"Location": self._location(f"revocations/{revocation.location_id}")})

    def remove_trust_store_revocations(self) -> ActionResult:
        self.elbv2_backend.remove_trust_store_revocations(
            self._get_param("TrustStoreArn"), self._get_param("RevocationIds", [])
        )
        return EmptyResult()

    def _bundle_parameters(self) -> tuple[str, str, str | None]:
        return (
            self._get_param("CaCertificatesBundleS3Bucket"),
            self._get_param("CaCertificatesBundleS3Key"),
            self._get_param("CaCertificatesBundleS3ObjectVersion"),
        )

    def _location(self, path: str) -> str:
        return f"http://{self.headers['Host']}/_lab/elbv2/{path}"

    def _page(self, key: str, items: list[Any]) -> ActionResult:
        """One page; the marker is the place of the next item."""
        size = self._get_int_param("PageSize", MAX_PAGE)
        marker = self._get_param("Marker", "0")
        if not marker.isdecimal():
            raise validation(f"The marker '{marker}' is not valid")
        end = int(marker) + size
        following = str(end) if end < len(items) else None
        return ActionResult({key: items[int(marker) : end], "NextMarker": following})
