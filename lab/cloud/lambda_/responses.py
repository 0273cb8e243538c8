"""Lambda's answers: moto's, with states that pass and a location for the code (moto's form)."""

import json
from urllib.parse import quote, unquote

from moto.awslambda.responses import LambdaResponse

from lab.cloud.lambda_.models import Backend


class Response(LambdaResponse):
    """Moto's names of the path's parts."""

    backend: Backend  # type: ignore[assignment]

    def get_function(self) -> str:
        self.backend.settle(unquote(self.path.rsplit("/", 1)[-1]))
        answer = json.loads(super().get_function())
        arn = answer["Configuration"]["FunctionArn"]
        answer["Code"] = {
            "RepositoryType": "S3",
            "Location": f"http://{self.headers['Host']}/_lab/lambda/code?arn={quote(arn)}",
        }
        return json.dumps(answer)

    def get_function_configuration(self) -> str:
        self.backend.settle(unquote(self.path.rsplit("/", 2)[-2]))
        return super().get_function_configuration()

    def list_functions(self) -> str:
        for function in self.backend.list_functions():
            self.backend.settle(function.function_name)
        return super().list_functions()
