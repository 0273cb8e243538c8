"""Whether an AWS service may publish to a topic.

"Enable compatibility between event sources from AWS services and encrypted topics" (Amazon SNS
Developer Guide): the topic's policy must let the service publish, and the policy of the key of an
encrypted topic must let it use the key, which that of the AWS managed key `alias/aws/sns` does not.
"""

import json
from typing import Any

from moto.kms.models import kms_backends
from moto.sns.models import sns_backends

from lab.cloud.evaluation import Attempt, allows

KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")
AWS_MANAGED_KEY = "alias/aws/sns"


def find_topic(arn: str) -> Any:
    """The topic, in whichever account; None when there is none."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[:3] != ["arn", "aws", "sns"] or parts[4] not in sns_backends:
        return None
    regions: Any = sns_backends[parts[4]]
    return regions[parts[3]].topics.get(arn) if parts[3] in regions else None


def may_publish(topic: Any, service: str, source_arn: str) -> bool:
    """Whether `service` (`vpce.amazonaws.com`) may, on behalf of the resource `source_arn`."""
    context = {
        "aws:SourceArn": source_arn,
        "aws:SourceAccount": source_arn.split(":")[4],
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": service,
    }
    attempt = Attempt(action="sns:Publish", resource=topic.arn, service=service, context=context)
    return allows(json.loads(topic.policy), attempt) and _may_use_key(topic, service, context)


def _may_use_key(topic: Any, service: str, context: dict[str, str]) -> bool:
    name = topic.kms_master_key_id
    if not name:
        return True
    if name.endswith(AWS_MANAGED_KEY):
        return False
    region, account_id = topic.arn.split(":")[3:5]
    backend: Any = kms_backends[account_id][region]
    key = backend.keys.get(backend.any_id_to_key_id(name))
    return key is not None and all(
        allows(
            json.loads(key.policy),
            Attempt(action=action, resource=key.arn, service=service, context=context),
        )
        for action in KEY_ACTIONS
    )
