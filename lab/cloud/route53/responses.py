"""Route 53's operations: parameters in, results out (moto's form)."""

from moto.core.responses import ActionResult
from moto.route53.responses import Route53


class Response(Route53):
    """moto's response class; naming a VPC makes a zone private, as in AWS."""

    def create_hosted_zone(self) -> ActionResult:
        if self._get_param("VPC.VPCId"):
            self.params.setdefault("HostedZoneConfig", {})["PrivateZone"] = True
        return super().create_hosted_zone()
