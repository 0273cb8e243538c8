import base64
import hashlib
import io
import json
import urllib.error
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
API_ARN = "arn:aws:execute-api:eu-west-1:111111111111:abc/*/GET/widgets"


def archive(source):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("index.py", source)
    return buffer.getvalue()


def archive_of_size(size, compression):
    """A valid zip whose one file has `size` bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as packed, packed.open("f", "w") as file:
        for _ in range(size // 1_000_000):
            file.write(b"0" * 1_000_000)
    return buffer.getvalue()


ZEROS = archive_of_size(263_000_000, zipfile.ZIP_DEFLATED)
LARGE = archive_of_size(53_000_000, zipfile.ZIP_STORED)
CODE = archive("def handler(event, context): return 1")


@pytest.fixture(scope="module")
def role(client):
    document = json.dumps(TRUST)
    made = client("iam").create_role(RoleName="widgets", AssumeRolePolicyDocument=document)
    return made["Role"]["Arn"]


@pytest.fixture
def functions(client, role):
    """The client, and whatever a test created is gone after it."""
    lambda_ = client("lambda")
    yield lambda_
    for function in lambda_.list_functions()["Functions"]:
        lambda_.delete_function(FunctionName=function["FunctionName"])


def create(functions, role, **settings):
    defaults = {
        "FunctionName": "widgets",
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": role,
        "Code": {"ZipFile": CODE},
        "Architectures": ["arm64"],
    }
    request = defaults | settings
    return functions.create_function(
        **{name: value for name, value in request.items() if value is not None}
    )


def refusal(refused):
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_a_function_comes_back_as_it_was_sent(functions, role):
    sent = {
        "Description": "the widgets",
        "Timeout": 10,
        "MemorySize": 256,
        "Environment": {"Variables": {"TABLE": "widgets"}},
        "TracingConfig": {"Mode": "Active"},
        "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/widgets/function"},
        "Architectures": ["arm64"],
    }
    create(functions, role, **sent)
    got = functions.get_function_configuration(FunctionName="widgets")
    sent["LoggingConfig"] |= {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    assert {name: got[name] for name in sent} == sent
    assert got["CodeSha256"] == base64.b64encode(hashlib.sha256(CODE).digest()).decode()


def test_a_new_function_is_pending_until_it_is_next_looked_at(functions, role):
    assert create(functions, role)["State"] == "Pending"
    with pytest.raises(ClientError) as refused:
        functions.update_function_configuration(FunctionName="widgets", Timeout=5)
    assert refusal(refused) == (
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the"
        " following state: Pending",
    )
    assert functions.get_function(FunctionName="widgets")["Configuration"]["State"] == "Active"


def test_a_second_update_waits_for_the_first(functions, role):
    create(functions, role)
    functions.get_function(FunctionName="widgets")
    answer = functions.update_function_code(FunctionName="widgets", ZipFile=archive("x = 1"))
    assert answer["LastUpdateStatus"] == "InProgress"
    with pytest.raises(ClientError, match="An update is in progress for resource"):
        functions.update_function_configuration(FunctionName="widgets", Timeout=5)
    functions.get_waiter("function_updated").wait(FunctionName="widgets")
    functions.update_function_configuration(
        FunctionName="widgets", Timeout=5, TracingConfig={"Mode": "Active"}
    )
    got = functions.get_function_configuration(FunctionName="widgets")
    assert (got["Timeout"], got["TracingConfig"]["Mode"]) == (5, "Active")


def test_the_location_of_the_code_serves_the_zip_as_deployed(functions, role):
    create(functions, role)
    location = functions.get_function(FunctionName="widgets")["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:  # noqa: S310
        assert answer.read() == CODE
    new = archive("def handler(event, context): return 2")
    functions.update_function_code(FunctionName="widgets", ZipFile=new)
    with urllib.request.urlopen(location) as answer:  # noqa: S310
        assert answer.read() == new
    with pytest.raises(urllib.error.HTTPError) as missing:
        urllib.request.urlopen(location.replace("widgets", "gadgets"))  # noqa: S310
    assert missing.value.code == 404
    missing.value.close()
    with pytest.raises(urllib.error.HTTPError, match="404") as unnamed:
        urllib.request.urlopen(location.partition("?")[0])  # noqa: S310
    unnamed.value.close()
    functions.get_function(FunctionName="widgets")
    with pytest.raises(ClientError, match="the lab does not model it"):
        functions.update_function_code(FunctionName="widgets", ZipFile=CODE, DryRun=True)


def test_code_may_come_from_a_bucket(client, functions, role):
    s3 = client("s3")
    location = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="code", CreateBucketConfiguration=location)
    s3.put_object(Bucket="code", Key="widgets.zip", Body=CODE)
    create(functions, role, Code={"S3Bucket": "code", "S3Key": "widgets.zip"})
    location = functions.get_function(FunctionName="widgets")["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:  # noqa: S310
        assert answer.read() == CODE
    for bucket, words in (("code", "NoSuchKey"), ("none", "NoSuchBucket")):
        with pytest.raises(ClientError, match=f"S3 Error Code: {words}"):
            create(functions, role, FunctionName="o", Code={"S3Bucket": bucket, "S3Key": "o"})


@pytest.mark.parametrize("service", [None, "ec2.amazonaws.com"])
def test_a_role_that_lambda_may_not_assume_is_refused(client, functions, service):
    arn = "arn:aws:iam::111111111111:role/nobody"
    if service:
        trust = json.dumps(TRUST).replace("lambda.amazonaws.com", service)
        arn = client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"][
            "Arn"
        ]
    with pytest.raises(ClientError) as refused:
        create(functions, arn)
    assert refusal(refused) == (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )


def test_a_name_is_taken_once(functions, role):
    create(functions, role)
    with pytest.raises(ClientError, match="Function already exist: widgets") as refused:
        create(functions, role)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"Code": {"ZipFile": b"not a zip"}}, "Could not unzip uploaded file"),
        ({"Code": {"S3Bucket": "b", "S3Key": "k", "S3ObjectVersion": "1"}}, "does not model it"),
        ({"Handler": None}, "Runtime and Handler are mandatory parameters"),
        ({"Code": {"ZipFile": ZEROS}}, "Unzipped size must be smaller than 262144000 bytes"),
        ({"Code": {"ZipFile": LARGE}}, "Request must be smaller than 52428800 bytes"),
        ({"Timeout": 0}, "'timeout' failed to satisfy constraint"),
        ({"Timeout": 901}, "'timeout' failed to satisfy constraint"),
        ({"MemorySize": 10241}, "'memorySize' failed to satisfy constraint"),
        ({"Runtime": "python2.6"}, "'runtime' failed to satisfy constraint"),
        (
            {"Environment": {"Variables": {"AWS_REGION": "x"}}},
            "Reserved keys used in this request: AWS_REGION",
        ),
        ({"Environment": {"Variables": {"A": "x" * 4096}}}, "exceeded the 4KB limit"),
        (
            {"LoggingConfig": {"LogFormat": "Text", "ApplicationLogLevel": "INFO"}},
            "can only be set when LogFormat is JSON",
        ),
        ({"Layers": ["arn:aws:lambda:eu-west-1:1:layer:l:1"]}, "the lab does not model it"),
    ],
)
def test_a_function_is_refused_for(functions, role, settings, words):
    with pytest.raises(ClientError, match=words):
        create(functions, role, **settings)
    assert functions.list_functions()["Functions"] == []


def test_reserved_concurrency_comes_back_even_when_it_is_none_at_all(functions, role):
    create(functions, role)
    functions.put_function_concurrency(FunctionName="widgets", ReservedConcurrentExecutions=0)
    got = functions.get_function(FunctionName="widgets")
    assert got["Concurrency"] == {"ReservedConcurrentExecutions": 0}


def test_a_hundred_executions_stay_unreserved(functions, role):
    create(functions, role)
    functions.put_function_concurrency(FunctionName="widgets", ReservedConcurrentExecutions=900)
    with pytest.raises(ClientError, match="below its minimum value of"):
        functions.put_function_concurrency(FunctionName="widgets", ReservedConcurrentExecutions=901)


def permit(functions, **settings):
    return functions.add_permission(
        **{
            "FunctionName": "widgets",
            "StatementId": "gateway",
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": API_ARN,
        }
        | settings
    )


def test_a_permission_is_a_statement_of_the_functions_policy(functions, role):
    arn = create(functions, role)["FunctionArn"]
    permit(functions)
    policy = json.loads(functions.get_policy(FunctionName="widgets")["Policy"])
    assert policy["Statement"] == [
        {
            "Sid": "gateway",
            "Effect": "Allow",
            "Principal": {"Service": "apigateway.amazonaws.com"},
            "Action": "lambda:InvokeFunction",
            "Resource": arn,
            "Condition": {"ArnLike": {"AWS:SourceArn": API_ARN}},
        }
    ]
    functions.remove_permission(FunctionName="widgets", StatementId="gateway")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        functions.get_policy(FunctionName="widgets")


def test_a_statement_id_is_used_once(functions, role):
    create(functions, role)
    permit(functions)
    with pytest.raises(ClientError) as refused:
        permit(functions)
    assert refusal(refused) == (
        "ResourceConflictException",
        "The statement id (gateway) provided already exists. Please provide a new statement id, or"
        " remove the existing statement.",
    )


def test_a_permission_that_was_never_given_cannot_be_taken_away(functions, role):
    create(functions, role)
    with pytest.raises(ClientError, match="Statement gateway is not found in resource policy"):
        functions.remove_permission(FunctionName="widgets", StatementId="gateway")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"StatementId": "a b"}, "'statementId' failed to satisfy constraint"),
        ({"Action": "s3:GetObject"}, "'action' failed to satisfy constraint"),
        ({"Principal": "nobody"}, "The provided principal was invalid"),
    ],
)
def test_a_permission_is_refused_for(functions, role, settings, words):
    create(functions, role)
    with pytest.raises(ClientError, match=words):
        permit(functions, **settings)


def test_a_policy_has_20_kilobytes(functions, role):
    create(functions, role)
    for number in range(60):
        permit(functions, StatementId=f"s{number}")
    before = functions.get_policy(FunctionName="widgets")["Policy"]
    with pytest.raises(ClientError, match=r"is bigger than the limit \(20480\)"):
        permit(functions, SourceArn=f"arn:aws:execute-api:eu-west-1:1:{'x' * 10_000}")
    assert functions.get_policy(FunctionName="widgets")["Policy"] == before


def test_functions_are_not_run_by_the_api(functions, role):
    create(functions, role)
    with pytest.raises(ClientError, match="functions run behind API Gateway"):
        functions.invoke(FunctionName="widgets")
