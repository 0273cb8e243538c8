"""ELBv2's backend: moto's, with what this lab adds or refuses (moto's form)."""

from collections.abc import Iterator
from typing import Any

from moto.core.base_backend import BackendDict
from moto.elbv2.models import elbv2_backends

from lab.cloud.elbv2.health import TargetHealthBackend
from lab.cloud.elbv2.trust_stores import TrustStore


class Backend(TargetHealthBackend):
    """Application and Network Load Balancers; gateway ones are not modelled."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.trust_stores: dict[str, TrustStore] = {}

    def add_listener_certificates(self, arn: str, certificates: list[dict[str, Any]]) -> list[str]:
        for each in certificates:
            self.check_certificate(each["CertificateArn"])
        return super().add_listener_certificates(arn, certificates)

    def _get_resource_by_arn(self, arn: str) -> Any:
        if ":truststore/" in arn:
            return self.trust_store(arn)
        return super()._get_resource_by_arn(arn)

    def certificates_in_use(self) -> dict[str, list[str]]:
        """Certificate ARN -> the load balancers whose listeners use it."""
        used: dict[str, list[str]] = {}
        for balancer in self.load_balancers.values():
            for listener in balancer.listeners.values():
                for arn in listener.certificates:
                    if balancer.arn not in used.setdefault(arn, []):
                        used[arn].append(balancer.arn)
        return used


def trust_stores() -> Iterator[TrustStore]:
    """Every trust store of every account, for the locations that AWS signs and S3 serves."""
    backends: BackendDict[Any] = elbv2_backends
    for _, _, backend in backends.iter_backends():
        yield from getattr(backend, "trust_stores", {}).values()


__all__ = ["Backend", "trust_stores"]
