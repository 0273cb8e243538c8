"""IAM's backend: moto's, with the checks of a role's policies that it leaves out (moto's form).

"CreateRole" (IAM API Reference), "IAM and AWS STS quotas" (IAM User Guide).
"""

import json
import re
from copy import copy
from typing import Any, ClassVar

from moto.iam.exceptions import LimitExceededException, MalformedPolicyDocument
from moto.iam.models import IAMBackend, ManagedPolicy, Role
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from lab.cloud.policies import listed

MAX_TRUST_POLICY_CHARACTERS = 2_048
MAX_INLINE_POLICIES_CHARACTERS = 10_240
SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")


class Backend(IAMBackend):
    """One account's identities.

    AWS's managed policies are the same in every account, and reading them takes longer than the
    rest of a start, so they are read once.
    """

    _aws_policies: ClassVar[list[ManagedPolicy]] = []

    def _init_aws_policies(self) -> list[ManagedPolicy]:
        if not self._aws_policies:
            self._aws_policies.extend(super()._init_aws_policies())
        own = [copy(policy) for policy in self._aws_policies]
        for policy in own:
            policy.account_id = self.account_id
        return own

    def create_role(
        self, role_name: str, assume_role_policy_document: str, *args: Any, **kwargs: Any
    ) -> Role:
        check_trust_policy(assume_role_policy_document)
        return super().create_role(role_name, assume_role_policy_document, *args, **kwargs)

    def update_assume_role_policy(self, role_name: str, policy_document: str) -> None:
        self.get_role(role_name)
        check_trust_policy(policy_document)
        super().update_assume_role_policy(role_name, policy_document)

    def put_role_policy(self, role_name: str, policy_name: str, policy_json: str) -> None:
        others = self.get_role(role_name).policies.items()
        documents = [policy_json, *(text for name, text in others if name != policy_name)]
        if sum(map(characters, documents)) > MAX_INLINE_POLICIES_CHARACTERS:
            raise LimitExceededException(
                f"Maximum policy size of {MAX_INLINE_POLICIES_CHARACTERS} bytes exceeded for role"
                f" {role_name}"
            )
        super().put_role_policy(role_name, policy_name, policy_json)


def check_trust_policy(document: str) -> None:
    """Raises MalformedPolicyDocument or LimitExceeded for what is no trust policy."""
    IAMTrustPolicyDocumentValidator(document).validate()
    for statement in listed(json.loads(document)["Statement"]):
        principal = statement.get("Principal")
        if principal is None and "NotPrincipal" not in statement:
            raise MalformedPolicyDocument("Missing required field Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        for service in listed(services):
            if not SERVICE.fullmatch(service):
                raise MalformedPolicyDocument(f'Invalid principal in policy: "SERVICE":"{service}"')
    if characters(document) > MAX_TRUST_POLICY_CHARACTERS:
        raise LimitExceededException(
            f"Cannot exceed quota for ACLSizePerRole: {MAX_TRUST_POLICY_CHARACTERS}"
        )


def characters(document: str) -> int:
    """IAM does not count white space."""
    return len(re.sub(r"\s", "", document))
