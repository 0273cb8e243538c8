"""Lambda's backend: moto's storage of functions, with Lambda's checks and states (moto's form).

Functions are not run here; see `lab/wire`. "Lambda function states" (Developer Guide): a new
function is pending, a changed one in progress, until it is next looked at.
"""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from moto.awslambda.exceptions import UnknownPolicyException
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from lab.cloud.lambda_.exceptions import (
    InvalidParameterValueException,
    PolicyLengthExceededException,
    ResourceConflictException,
    ResourceNotFoundException,
    invalid_value,
)
from lab.cloud.lambda_.settings import check_code, check_settings, logging_config
from lab.cloud.lambda_.versions import LATEST, VersionBackend, check_snap_start
from lab.cloud.policies import trusts_service

MAX_POLICY_BYTES = 20_480
ACCOUNT_CONCURRENCY = 1_000
LEAST_UNRESERVED_CONCURRENCY = 100
STATEMENT_ID = re.compile(r"[a-zA-Z0-9-_]{1,100}")
PRINCIPAL = re.compile(r"\*|\d{12}|[a-z0-9.-]+\.amazonaws\.com|arn:aws:iam::\d{12}:.+")


class Function(LambdaFunction):
    """A function with a zip archive, or a version of it: one published has `source_revision`."""

    published: "Function | None" = None
    source_revision = ""

    def __init__(self, account_id: str, spec: dict[str, Any], region: str) -> None:
        super().__init__(account_id, spec, region, LATEST)
        self.snap_start: str = spec.get("SnapStart", {}).get("ApplyOn", "None")
        self.qualified_policies: dict[str, Any] = {}
        self.state = "Pending"
        self.last_update_status = "Successful"
        self.revision_id = str(uuid.uuid4())
        self.logging_config = logging_config(self.function_name, spec.get("LoggingConfig", {}))

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        configuration = super().get_configuration(on_create)
        configuration["LastUpdateStatus"] = self.last_update_status
        configuration["LoggingConfig"] = self.logging_config
        configuration["RevisionId"] = self.revision_id
        optimised = self.snap_start == "PublishedVersions" and self.version != LATEST
        configuration["SnapStart"] = {
            "ApplyOn": self.snap_start,
            "OptimizationStatus": "On" if optimised else "Off",
        }
        if self.state == "Pending":
            configuration["StateReason"] = "The function is being created."
            configuration["StateReasonCode"] = "Creating"
        return {name: value for name, value in configuration.items() if value is not None}

    def get_code(self) -> dict[str, Any]:
        answer = super().get_code()
        if self.reserved_concurrency is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": self.reserved_concurrency}
        return answer

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        super().update_configuration(config_updates)
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        if "SnapStart" in config_updates:
            self.snap_start = config_updates["SnapStart"].get("ApplyOn", "None")
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "LoggingConfig" in config_updates:
            self.logging_config = logging_config(
                self.function_name, config_updates["LoggingConfig"]
            )
        return self.changed()

    def update_function_code(self, updated_spec: dict[str, Any]) -> dict[str, Any]:
        if "Architectures" in updated_spec:
            self.architectures = updated_spec["Architectures"]
        super().update_function_code(updated_spec)
        return self.changed()

    def changed(self) -> dict[str, Any]:
        self.last_update_status = "InProgress"
        self.revision_id = str(uuid.uuid4())
        return self.get_configuration()

    def settle(self) -> None:
        self.state, self.last_update_status = "Active", "Successful"


class Backend(VersionBackend, LambdaBackend):
    """One account's functions in one region."""

    def create_function(self, spec: dict[str, Any]) -> Function:
        check_settings(spec)
        check_code(spec["Code"], self._s3)
        if "Handler" not in spec or "Runtime" not in spec:
            raise InvalidParameterValueException(
                "Runtime and Handler are mandatory parameters for functions created with deployment"
                " packages."
            )
        self._check_role(spec["Role"])
        function: Any = Function(self.account_id, spec, self.region_name)
        check_snap_start(function.snap_start, spec["Runtime"], function.ephemeral_storage)
        self._lambdas.put_function(function)
        return self.publish(function) if spec.get("Publish") else function

    @property
    def _s3(self) -> Any:
        return s3_backends[self.account_id][self.partition]

    def settle(self, name: str, qualifier: str | None = None) -> None:
        """Whoever looks at a function finds what was under way finished."""
        function = self.get_function(name, qualifier)
        if isinstance(function, Function):
            function.settle()

    def update_function_code(
        self, function_name: str, qualifier: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        function = self._changeable(function_name)
        check_code(body, self._s3)
        if body.get("DryRun"):
            raise NotImplementedError("UpdateFunctionCode with DryRun")
        updated = function.update_function_code(body)
        return self.publish(function).get_configuration() if body.get("Publish") else updated

    def update_function_configuration(
        self, function_name: str, qualifier: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        function = self._changeable(function_name)
        check_settings(body)
        if "LoggingConfig" in body:
            logging_config(function.function_name, body["LoggingConfig"])
        check_snap_start(
            body.get("SnapStart", {}).get("ApplyOn", function.snap_start),
            body.get("Runtime", function.run_time or ""),
            body.get("EphemeralStorage", {}).get("Size", function.ephemeral_storage),
        )
        if "Role" in body:
            self._check_role(body["Role"])
        return function.update_configuration(body)

    def put_function_concurrency(self, function_name: str, reserved_concurrency: Any) -> Any:
        function = self.get_function(function_name)
        wanted = int(reserved_concurrency)
        others = sum(
            int(each.reserved_concurrency or 0)
            for each in self.list_functions()
            if each.function_name != function.function_name
        )
        if ACCOUNT_CONCURRENCY - others - wanted < LEAST_UNRESERVED_CONCURRENCY:
            raise InvalidParameterValueException(
                "Specified ReservedConcurrentExecutions for function decreases account's"
                " UnreservedConcurrentExecution below its minimum value of"
                f" [{LEAST_UNRESERVED_CONCURRENCY}]."
            )
        function.reserved_concurrency = wanted
        return wanted

    def add_permission(self, function_name: str, qualifier: str | None, raw: str) -> dict[str, Any]:
        request = json.loads(raw)
        check_permission(request)
        policy, qualifier = self.policy_of(function_name, qualifier)
        statement_id = request["StatementId"]
        if any(statement["Sid"] == statement_id for statement in policy.statements):
            raise ResourceConflictException(
                f"The statement id ({statement_id}) provided already exists. Please provide a new"
                " statement id, or remove the existing statement."
            )
        statement, _ = policy.add_statement(raw, qualifier)
        size = len(json.dumps(policy.get_policy()["Policy"], separators=(",", ":")).encode())
        if size > MAX_POLICY_BYTES:
            policy.statements.remove(statement)
            raise PolicyLengthExceededException(
                f"The final policy size ({size}) is bigger than the limit ({MAX_POLICY_BYTES})."
            )
        return statement

    def remove_permission(
        self, function_name: str, sid: str, revision: str = "", qualifier: str | None = None
    ) -> None:
        try:
            self.policy_of(function_name, qualifier)[0].del_statement(sid, revision)
        except UnknownPolicyException:
            raise ResourceNotFoundException(
                f"Statement {sid} is not found in resource policy."
            ) from None

    def invoke(self, *_args: Any) -> str | bytes | None:  # type: ignore[override]
        raise NotImplementedError("Invoke: functions run behind API Gateway, in lab/wire")

    def _changeable(self, name: str) -> Function:
        function = self.get_function(self.split(name)[0])
        assert isinstance(function, Function)  # noqa: S101 (create_function makes no other kind)
        cannot = "The operation cannot be performed at this time."
        if function.state != "Active":
            raise ResourceConflictException(
                f"{cannot} The function is currently in the following state: {function.state}"
            )
        if function.last_update_status == "InProgress":
            raise ResourceConflictException(
                f"{cannot} An update is in progress for resource: {function.function_arn}"
            )
        return function

    def _check_role(self, role_arn: str) -> None:
        """Lambda must be trusted: "Defining Lambda function permissions with an execution role"."""
        roles = iam_backends[self.account_id][self.partition].roles.values()
        if not any(
            role.arn == role_arn
            and trusts_service(role.assume_role_policy_document, "lambda.amazonaws.com")
            for role in roles
        ):
            raise InvalidParameterValueException(
                "The role defined for the function cannot be assumed by Lambda."
            )


def check_permission(request: Mapping[str, Any]) -> None:
    """Raises for a statement id, action or principal that AddPermission refuses."""
    if not STATEMENT_ID.fullmatch(request["StatementId"]):
        raise invalid_value(
            "statementId",
            request["StatementId"],
            "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
        )
    if not re.fullmatch(r"lambda:[*]|lambda:[a-zA-Z]+|[*]", request["Action"]):
        raise invalid_value(
            "action",
            request["Action"],
            "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])",
        )
    if not PRINCIPAL.fullmatch(request["Principal"]):
        raise InvalidParameterValueException(
            "The provided principal was invalid. Please check the principal and try again."
        )
