"""Lambda's answers: moto's, with states that pass and a location for the code (moto's form)."""

import json
from typing import Any
from urllib.parse import quote, unquote

from moto.awslambda.responses import LambdaResponse
from moto.core.common_types import TYPE_RESPONSE

from lab.cloud.lambda_.models import Backend
from lab.cloud.lambda_.versions import LATEST


class Response(LambdaResponse):
    """Moto's names of the path's parts."""

    backend: Backend  # type: ignore[assignment]

    def get_function(self) -> str:
        name = self._looked_at(-1)
        answer = json.loads(super().get_function())
        self._name(answer["Configuration"], name)
        arn = answer["Configuration"]["FunctionArn"]
        answer["Code"] = {
            "RepositoryType": "S3",
            "Location": f"http://{self.headers['Host']}/_lab/lambda/code?arn={quote(arn)}",
        }
        return json.dumps(answer)

    def get_function_configuration(self) -> str:
        name = self._looked_at(-2)
        return json.dumps(self._name(json.loads(super().get_function_configuration()), name))

    def _looked_at(self, position: int) -> str:
        """The function's name or ARN at that place of the path; what was under way is settled."""
        name = unquote(self.path.split("/")[position])
        self.backend.settle(name, self._get_param("Qualifier", None))
        return name

    def _name(self, configuration: dict[str, Any], name: str) -> dict[str, Any]:
        """An alias is answered under its own ARN, and not under its version's."""
        plain, qualifier = self.backend.split(name, self._get_param("Qualifier", None))
        if qualifier and qualifier != LATEST:
            arn = self.backend.get_function(plain).function_arn
            configuration["FunctionArn"] = f"{arn}:{qualifier}"
        return configuration

    def remove_permission(self) -> TYPE_RESPONSE:
        parts = self.path.split("/")
        self.backend.remove_permission(
            unquote(parts[-3]),
            unquote(parts[-1]),
            self.querystring.get("RevisionId", [""])[0],
            self.querystring.get("Qualifier", [None])[0],
        )
        return 204, {"status": "204"}, "{}"

    def list_functions(self) -> str:
        for function in self.backend.list_functions():
            self.backend.settle(function.function_name)
        return super().list_functions()
