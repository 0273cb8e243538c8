"""Whether a function's resource policy lets an AWS service invoke it."""

import json

from botocore.exceptions import ClientError

from lab.wire.aws import Accounts
from lab.wire.policy import Call, evaluate


def may_invoke(accounts: Accounts, function_arn: str, service: str, source_arn: str) -> bool:
    """For `service`, such as "apigateway.amazonaws.com", acting for the resource `source_arn`
    ("Using resource-based policies for Lambda"). Raises PolicyError, LookupError.

    The source's account is the one that its ARN names.
    """
    reader = accounts.of_arn(function_arn)
    try:
        policy = reader.call("lambda", "get_policy", FunctionName=function_arn)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return False
    context = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_arn.split(":")[4]}
    call = Call(
        action="lambda:InvokeFunction",
        resource=function_arn,
        context=context,
        principal=("Service", service),
    )
    return evaluate(json.loads(policy), call).allowed
