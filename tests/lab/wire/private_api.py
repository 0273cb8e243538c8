"""A private API with its endpoint and function, made in the lab's AWS API with boto3."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.cloud import Cloud
from lab.wire.aws import Accounts, Reader
from lab.wire.execute_api import ExecuteApi
from lab.wire.functions import Functions
from lab.wire.messages import Peer, Request, Response

ACCOUNT = "111111111111"
REGION = "eu-west-1"
BEARER = ("Authorization", "Bearer abc")
MOCK = {
    "type": "MOCK",
    "requestTemplates": {"application/json": '{"statusCode": 204}'},
}
FORBIDDEN = (403, "ForbiddenException", {"message": "Forbidden"})
MISSING_TOKEN = (
    403,
    "MissingAuthenticationTokenException",
    {"message": "Missing Authentication Token"},
)
TOO_LONG = (413, "RequestEntityTooLargeException", {"message": "Request Too Long"})
INTERNAL = {"message": "Internal server error"}
LOG_FORMAT = json.dumps(
    {
        "id": "$context.requestId",
        "status": "$context.status",
        "ip": "$context.identity.sourceIp",
        "vpce": "$context.identity.vpceId",
        "agent": "$context.identity.userAgent",
        "error": "$context.error.message",
        "path": "$context.resourcePath",
        "why": "$context.integration.error",
        "nothing": "$context.identity.noSuchThing",
    }
)
ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""

Lab = tuple[Reader, Functions]


@contextmanager
def running() -> Iterator[tuple[Reader, Functions]]:
    """A cloud of one account, a reader of it and its functions."""
    with Cloud({"producer": ACCOUNT}, REGION) as cloud:
        key = cloud.credentials["producer"]
        reader = Reader(cloud.endpoint_url, REGION, key.access_key_id, key.secret_access_key)
        functions = Functions(Accounts([reader]))
        try:
            yield reader, functions
        finally:
            functions.close()


def zipped(source: str, name: str = "app.py") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, source)
    return buffer.getvalue()


def make_function(reader: Reader, name: str, source: str, **settings: Any) -> str:
    """A function with `source` as app.py; answers its ARN."""
    iam = reader.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = iam.create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=json.dumps(trust))
    return reader.client("lambda").create_function(
        FunctionName=name,
        Runtime=settings.pop("runtime", "python3.13"),
        Role=role["Role"]["Arn"],
        Handler=settings.pop("handler", "app.handler"),
        Code={"ZipFile": zipped(source)},
        **settings,
    )["FunctionArn"]


def make_endpoint(reader: Reader, policy: Any = None) -> tuple[str, str]:
    """An interface endpoint of execute-api; answers its id and its VPC's."""
    ec2 = reader.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(
        VpcId=vpc_id, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{REGION}a"
    )["Subnet"]["SubnetId"]
    document = {"PolicyDocument": json.dumps(policy)} if policy else {}
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=f"com.amazonaws.{REGION}.execute-api",
        VpcEndpointType="Interface",
        SubnetIds=[subnet_id],
        PrivateDnsEnabled=False,
        **document,
    )["VpcEndpoint"]
    return endpoint["VpcEndpointId"], vpc_id


def invocation_uri(function_arn: str) -> str:
    """How API Gateway names a function to be invoked."""
    path = f"2015-03-31/functions/{function_arn}/invocations"
    return f"arn:aws:apigateway:{REGION}:lambda:path/{path}"


def this_endpoint_only(vpc_endpoint_id: str) -> dict[str, Any]:
    """The resource policy of a private API: everyone, unless by another endpoint."""
    everyone = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    condition = {"StringNotEquals": {"aws:SourceVpce": vpc_endpoint_id}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", **everyone},
            {"Effect": "Deny", **everyone, "Condition": condition},
        ],
    }


@dataclass
class PrivateApi:
    """A deployed API: its id, its client, and requests to it."""

    reader: Reader
    execute_api: ExecuteApi
    api_id: str
    endpoint_id: str
    vpc_id: str
    stage: str = "v1"

    @property
    def client(self) -> Any:
        return self.reader.client("apigateway")

    @property
    def host(self) -> str:
        return f"{self.api_id}.execute-api.{REGION}.amazonaws.com"

    def resource(self, path: str) -> str:
        """The id of the resource at `path`, made with its parents if need be."""
        items = self.client.get_resources(restApiId=self.api_id, limit=500)["items"]
        known = {item["path"]: item["id"] for item in items}
        parent = known["/"]
        walked = ""
        for part in path.strip("/").split("/") if path != "/" else []:
            walked += f"/{part}"
            parent = (
                known.get(walked)
                or (
                    self.client.create_resource(
                        restApiId=self.api_id, parentId=parent, pathPart=part
                    )["id"]
                )
            )
        return parent

    def method(self, path: str, http_method: str, integration: Any, **settings: Any) -> None:
        where = {"restApiId": self.api_id, "resourceId": self.resource(path)}
        self.client.put_method(
            **where, httpMethod=http_method, **{"authorizationType": "NONE"} | settings
        )
        self.client.put_integration(**where, httpMethod=http_method, **integration)

    def lambda_method(
        self, path: str, http_method: str, function_arn: str, **settings: Any
    ) -> None:
        uri = invocation_uri(function_arn)
        proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri}
        self.method(path, http_method, proxy, **settings)

    def allow(self, function_arn: str) -> None:
        """Lets this API invoke the function."""
        self.reader.client("lambda").add_permission(
            FunctionName=function_arn,
            StatementId=f"api-{self.api_id}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self.api_id}/*/*",
        )

    def set_policy(self, policy: Any) -> None:
        patch = {"op": "replace", "path": "/policy", "value": json.dumps(policy)}
        self.client.update_rest_api(restApiId=self.api_id, patchOperations=[patch])

    def deploy(self, **stage: Any) -> None:
        """A new deployment for the stage, which is made with `stage` if need be."""
        deployment = self.client.create_deployment(restApiId=self.api_id)["id"]
        where = {"restApiId": self.api_id, "stageName": self.stage}
        if any(
            item["stageName"] == self.stage
            for item in self.client.get_stages(restApiId=self.api_id)["item"]
        ):
            self.patch_stage(("/deploymentId", deployment))
        else:
            self.client.create_stage(**where, deploymentId=deployment, **stage)

    def patch_stage(self, *patches: tuple[str, str]) -> None:
        """Replaces (path, value) of the stage, in one call."""
        operations = [{"op": "replace", "path": path, "value": value} for path, value in patches]
        self.client.update_stage(
            restApiId=self.api_id, stageName=self.stage, patchOperations=operations
        )

    def get(self, path: str, **changes: Any) -> Response:
        """A request to a path below the stage; `headers` are added to Host."""
        endpoint_id = changes.pop("endpoint_id", self.endpoint_id)
        headers = tuple(changes.pop("headers", ()))
        host = changes.pop("host", self.host)
        request = Request(
            method=changes.pop("method", "GET"),
            target=changes.pop("target", f"/{self.stage}{path}"),
            headers=(("Host", host), *headers),
            body=changes.pop("body", b""),
        )
        assert not changes
        described = self.reader.call("ec2", "describe_vpc_endpoints", VpcEndpointIds=[endpoint_id])
        return self.execute_api.handle(request, described["VpcEndpoints"][0], self.source)

    @property
    def source(self) -> Peer:
        return Peer(
            ip="10.0.1.99",
            vpc_id=self.vpc_id,
            network_interface_id="eni-1",
            security_group_ids=frozenset(),
        )


def make_api(
    reader: Reader, functions: Functions, *, endpoint_policy: Any = None, kind: str = "PRIVATE"
) -> PrivateApi:
    """A private API without methods, that admits a new endpoint only."""
    endpoint_id, vpc_id = make_endpoint(reader, endpoint_policy)
    api_id = reader.client("apigateway").create_rest_api(
        name="widgets", endpointConfiguration={"types": [kind]}
    )["id"]
    execute_api = ExecuteApi(Accounts([reader]), functions)
    api = PrivateApi(reader, execute_api, api_id, endpoint_id, vpc_id)
    if kind == "PRIVATE":
        api.set_policy(this_endpoint_only(endpoint_id))
    return api


def with_function(lab: Lab, name: str, source: str, **settings: Any) -> PrivateApi:
    """A deployed API with GET /widgets answered by `source`."""
    arn = make_function(lab[0], name, source, **settings)
    api = make_api(*lab)
    api.lambda_method("/widgets", "GET", arn)
    api.allow(arn)
    api.deploy()
    return api


def answering(lab: Lab, name: str, answer: str) -> Response:
    api = with_function(lab, name, f"def handler(event, context): return {answer}")
    return api.get("/widgets")


def refusal(response: Response) -> tuple[int, str | None, Any]:
    return response.status, response.header("x-amzn-ErrorType"), json.loads(response.body)


def with_mock(lab: Lab, endpoint_policy: Any = None, **settings: Any) -> PrivateApi:
    """A deployed API with GET /widgets answered 204."""
    api = make_api(*lab, endpoint_policy=endpoint_policy)
    where = {"restApiId": api.api_id, "resourceId": api.resource("/widgets"), "httpMethod": "GET"}
    api.method("/widgets", "GET", MOCK, **settings)
    api.client.put_method_response(**where, statusCode="204")
    api.client.put_integration_response(**where, statusCode="204")
    api.deploy()
    return api


def event_of(response: Response) -> Any:
    assert response.status == 200
    return json.loads(response.body)
