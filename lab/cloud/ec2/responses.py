"""EC2's answers: moto's, with this lab's operations (moto's form)."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.utils import add_tag_specification

from lab.cloud.ec2.connections import unsuccessful
from lab.cloud.ec2.interface_endpoint import InterfaceEndpoint
from lab.cloud.ec2.service_offers import find_offer
from lab.cloud.ec2.service_responses import ServiceResponse


class Response(ServiceResponse):
    """Parameters arrive parsed by the botocore model."""

    def create_vpc_endpoint(self) -> ActionResult:
        self.error_on_dryrun()
        request = self._get_params()
        endpoint_type = request.get("VpcEndpointType", "Gateway")
        if endpoint_type != "Interface":
            self.ec2_backend.get_vpc(request["VpcId"])
            find_offer(request["ServiceName"], endpoint_type, self.region, self.who())
            return super().create_vpc_endpoint()
        tags = add_tag_specification(request.get("TagSpecifications", []))
        made = self.ec2_backend.create_interface_endpoint(request, tags, self.who())
        return ActionResult({"VpcEndpoint": made})

    def modify_vpc_endpoint(self) -> ActionResult:
        self.error_on_dryrun()
        request = self._get_params()
        endpoint = self.ec2_backend.vpc_end_points.get(request["VpcEndpointId"])
        if endpoint is not None and not isinstance(endpoint, InterfaceEndpoint):
            return super().modify_vpc_endpoint()
        self.ec2_backend.modify_interface_endpoint(request)
        return ActionResult({"Return": True})

    def describe_vpc_endpoints(self) -> ActionResult:
        """A pending endpoint is available from the first look on."""
        for endpoint in self.ec2_backend.vpc_end_points.values():
            if isinstance(endpoint, InterfaceEndpoint):
                endpoint.settle()
            else:
                endpoint.state = "available"
        return super().describe_vpc_endpoints()

    def delete_vpc_endpoints(self) -> ActionResult:
        self.error_on_dryrun()
        wanted = self._get_param("VpcEndpointIds", [])
        known = [each for each in wanted if each in self.ec2_backend.vpc_end_points]
        self.ec2_backend.delete_vpc_endpoints(known)
        unknown = [each for each in wanted if each not in known]
        code, words = "InvalidVpcEndpoint.NotFound", "The Vpc Endpoint Id '{}' does not exist"
        failed = [unsuccessful(each, code, words.format(each)) for each in unknown]
        return ActionResult({"Unsuccessful": failed})

    def authorize_security_group_ingress(self) -> ActionResult:
        self.error_on_dryrun()
        return self._authorized(self.ec2_backend.authorize_security_group_ingress)

    def authorize_security_group_egress(self) -> ActionResult:
        self.error_on_dryrun()
        return self._authorized(self.ec2_backend.authorize_security_group_egress)

    def _authorized(self, authorize: Any) -> ActionResult:
        """Moto answers only the rules of the last permission."""
        rules = [
            rule
            for permission in self._process_rules_from_querystring()
            for rule in authorize(**permission)[0]
        ]
        return ActionResult({"Return": True, "SecurityGroupRules": rules})

    def delete_security_group(self) -> ActionResult:
        if group_id := self._get_param("GroupId"):
            self.ec2_backend.check_customer_may_delete_group(group_id)
        return super().delete_security_group()

    def create_subnet_cidr_reservation(self) -> ActionResult:
        """Moto drops the description and the tags."""
        self.error_on_dryrun()
        reservation = self.ec2_backend.create_subnet_cidr_reservation(
            self._get_param("SubnetId"),
            self._get_param("ReservationType"),
            self._get_param("Cidr"),
        )
        reservation.description = self._get_param("Description")
        reservation.add_tags(add_tag_specification(self._get_param("TagSpecifications", [])))
        return ActionResult({"SubnetCidrReservation": reservation})
