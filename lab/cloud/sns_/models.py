"""SNS's backend: moto's, which takes any text for a topic's policy (moto's form)."""

import json

from moto.sns.exceptions import InvalidParameterValue
from moto.sns.models import SNSBackend, Topic

from lab.cloud.policies import resource_policy_fault


class Backend(SNSBackend):
    """One account's topics in one region."""

    def create_topic(
        self,
        name: str,
        attributes: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
    ) -> Topic:
        check_policy((attributes or {}).get("Policy"))
        return super().create_topic(name, attributes, tags)

    def set_topic_attribute(
        self, topic_arn: str, attribute_name: str, attribute_value: str
    ) -> None:
        if attribute_name.lower() == "policy":
            check_policy(attribute_value)
        super().set_topic_attribute(topic_arn, attribute_name, attribute_value)


def check_policy(document: str | None) -> None:
    """Raises InvalidParameter for what is no resource policy."""
    if document is None:
        return
    try:
        fault = resource_policy_fault(json.loads(document))
    except json.JSONDecodeError:
        fault = ""
    if fault is not None:
        raise InvalidParameterValue("Invalid parameter: Policy Error: null")
