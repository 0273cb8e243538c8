"""Target groups of type `lambda`: the one function that answers.

"Use Lambda functions as targets of an Application Load Balancer" in the Application Load Balancer
user guide: one function a group, of the group's account and Region, which lets Elastic Load
Balancing invoke it for this group before it is registered.
"""

from collections.abc import Iterable
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.elbv2.models import FakeTargetGroup

from lab.cloud.elbv2.exceptions import ELBError, validation
from lab.cloud.evaluation import Attempt, allows

SERVICE = "elasticloadbalancing.amazonaws.com"


def check(group: FakeTargetGroup, target: dict[str, Any]) -> None:
    """Raises ValidationError or AccessDenied; the words of the latter are AWS's."""
    arn, account_id, region = target["Id"], group.account_id, group.region_name
    if not arn.startswith(f"arn:aws:lambda:{region}:{account_id}:function:"):
        raise validation(f"'{arn}' is not the ARN of a Lambda function of this account and Region")
    context = {"aws:SourceArn": group.arn, "aws:SourceAccount": account_id}
    attempt = Attempt(
        action="lambda:InvokeFunction", resource=arn, service=SERVICE, context=context
    )
    if not allows({"Statement": _statements(arn, account_id, region)}, attempt):
        raise ELBError(
            "AccessDenied",
            f"elasticloadbalancing principal does not have permission to invoke {arn} from target "
            f"group {group.arn}",
        )


def check_number(group: FakeTargetGroup, targets: Iterable[dict[str, Any]]) -> None:
    """Raises TooManyTargets for a second function."""
    known = {each["Id"] for each in group.targets.values()}
    if len(known | {each["Id"] for each in targets}) > 1:
        raise ELBError("TooManyTargets", "You've reached the limit on the number of targets")


def _statements(arn: str, account_id: str, region: str) -> list[Any]:
    """The function's resource policy; empty for one that is not there."""
    backend: Any = lambda_backends[account_id][region]
    try:
        return backend.get_function(arn).policy.statements
    except UnknownFunctionException:
        return []
