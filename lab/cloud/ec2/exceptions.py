"""EC2's refusals that moto lacks.

Codes are those of "Error codes for the Amazon EC2 API"
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
"""

from moto.ec2.exceptions import EC2ClientError


def invalid_parameter(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidParameter", message)


def invalid_parameter_value(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidParameterValue", message)


def dependency_violation(message: str) -> EC2ClientError:
    return EC2ClientError("DependencyViolation", message)


def address_in_use(address: str) -> EC2ClientError:
    return EC2ClientError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def endpoint_not_found(endpoint_id: str) -> EC2ClientError:
    return EC2ClientError(
        "InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id}' does not exist"
    )


def two_subnets_in_one_zone(subnet_id: str) -> EC2ClientError:
    return EC2ClientError(
        "DuplicateSubnetsInSameZone",
        f"Found another VPC endpoint subnet in the availability zone of {subnet_id}. VPC endpoint"
        " subnets should be in different availability zones supported by the VPC endpoint service.",
    )


def invalid_policy(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidPolicyDocument", message)


def existing_connections(service_id: str) -> EC2ClientError:
    return EC2ClientError(
        "ExistingVpcEndpointConnections",
        f"Service {service_id} has existing active VPC Endpoint connections!",
    )
