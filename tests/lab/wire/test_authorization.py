import json
import time
from dataclasses import replace
from typing import Any

import pytest

from lab.wire import authorization
from lab.wire.messages import Response
from tests.lab.wire.private_api import (
    ACCOUNT,
    ECHO,
    REGION,
    Lab,
    PrivateApi,
    event_of,
    invocation_uri,
    make_api,
    make_function,
    refusal,
)

CERTIFICATE = "X-Client-Cert-Leaf"
SOURCES = f"method.request.header.Authorization,method.request.header.{CERTIFICATE}"
UNAUTHORIZED = (401, "UnauthorizedException", {"message": "Unauthorized"})
UNUSABLE = (500, "AuthorizerConfigurationException", {"message": None})
# Answers what the request says in the header Answer, and how often it has been asked so far.
SCRIPTED = """
import json, time
asked = 0
def handler(event, context):
    global asked
    asked += 1
    answer = json.loads(event["headers"].get("Answer", "{}"))
    if "raise" in answer:
        raise Exception(answer["raise"])
    time.sleep(answer.pop("sleep", 0))
    if "answer" in answer:
        return answer["answer"]
    effect = answer.get("effect", "Allow")
    resource = answer.get("resource", event["methodArn"].split("/")[0] + "/*")
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    told = {"token": event["headers"].get("Authorization", ""), "asked": asked}
    if "long" in answer:
        told["long"] = "x" * answer["long"]
    return {
        "principalId": event["headers"].get("X-Client-Cert-Leaf", "nobody"),
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {**told, **answer.get("context", {})},
    }
"""
EVENT_TELLER = """
import json
def handler(event, context):
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {
        "principalId": "me",
        "policyDocument": {"Version": "2012-10-17", "Statement": [allow]},
        "context": {"event": json.dumps(event)},
    }
"""


def arn_of(api: PrivateApi) -> str:
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.api_id}"


def make_authorizer(api: PrivateApi, name: str, function_arn: str, **settings: Any) -> str:
    """An authorizer of the API, which it may invoke; answers its id."""
    authorizer_id = api.client.create_authorizer(
        restApiId=api.api_id,
        name=name,
        type="REQUEST",
        authorizerUri=invocation_uri(function_arn),
        **{"identitySource": SOURCES} | settings,
    )["id"]
    api.reader.client("lambda").add_permission(
        FunctionName=function_arn,
        StatementId=f"authorizer-{authorizer_id}",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"{arn_of(api)}/authorizers/{authorizer_id}",
    )
    return authorizer_id


@pytest.fixture(scope="module")
def echo(lab: Lab) -> str:
    return make_function(lab[0], "behind", ECHO)


@pytest.fixture(scope="module")
def scripted(lab: Lab) -> str:
    return make_function(lab[0], "scripted", SCRIPTED)


@pytest.fixture
def guarded(lab: Lab, echo: str, scripted: str) -> PrivateApi:
    return make_guarded(lab, echo, scripted)


def make_guarded(lab: Lab, echo: str, authorizer: str, **settings: Any) -> PrivateApi:
    """A deployed API of which each method asks the authorizer."""
    api = make_api(*lab)
    id_ = make_authorizer(api, "jwt", authorizer, **settings)
    for path in ("/widgets", "/widgets/{id}"):
        api.lambda_method(path, "GET", echo, authorizationType="CUSTOM", authorizerId=id_)
    api.allow(echo)
    api.deploy()
    return api


def ask(api: PrivateApi, path: str = "/widgets", who: str = "acme", **answer: Any) -> Response:
    """A request with token and certificate of `who`, for which the authorizer is to answer so."""
    headers = [("Authorization", f"Bearer {who}"), (CERTIFICATE, who)]
    return api.get(path, headers=[*headers, ("Answer", json.dumps(answer))])


def told(response: Response) -> Any:
    return event_of(response)["requestContext"]["authorizer"]


def asked(response: Response) -> int:
    """How often the authorizer had been asked when it gave this answer."""
    return int(told(response)["asked"])


def test_the_function_behind_learns_who_calls_as_text(guarded: PrivateApi) -> None:
    authorizer = told(ask(guarded, context={"flag": True, "ratio": 0.5, "text": "é"}))
    latency = authorizer.pop("integrationLatency")
    assert isinstance(latency, int)
    assert authorizer.pop("asked").isdecimal()
    assert authorizer == {
        "principalId": "acme",
        "token": "Bearer acme",
        "flag": "true",
        "ratio": "0.5",
        "text": "é",
    }


def test_the_authorizer_is_told_the_request_without_its_body(lab: Lab, echo: str) -> None:
    api = make_guarded(lab, echo, make_function(lab[0], "teller", EVENT_TELLER))
    headers = [("Authorization", "Bearer a"), (CERTIFICATE, "leaf"), ("X", "1"), ("X", "2")]
    response = api.get("/widgets/7", headers=headers, body=b"secret")
    event = json.loads(told(response)["event"])
    assert event["type"] == "REQUEST"
    assert event["methodArn"] == (f"{arn_of(api)}/v1/GET/widgets/7")
    assert (event["resource"], event["path"]) == ("/widgets/{id}", "/widgets/7")
    assert event["headers"]["X"] == "2"
    assert event["multiValueHeaders"]["X"] == ["1", "2"]
    assert event["pathParameters"] == {"id": "7"}
    assert event["queryStringParameters"] == event["stageVariables"] == {}
    assert event["requestContext"]["identity"]["vpceId"] == api.endpoint_id
    assert event["requestContext"]["stage"] == "v1"
    assert "authorizer" not in event["requestContext"]
    assert not {"body", "isBase64Encoded"} & event.keys()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer a")],
        [(CERTIFICATE, "leaf")],
        [("Authorization", "Bearer a"), (CERTIFICATE, "")],
        [("Authorization", ""), (CERTIFICATE, "leaf")],
    ],
)
def test_without_one_of_the_identity_sources_nobody_is_asked(
    guarded: PrivateApi, headers: list[tuple[str, str]]
) -> None:
    before = asked(ask(guarded, who="before"))
    assert refusal(guarded.get("/widgets", headers=headers)) == UNAUTHORIZED
    assert asked(ask(guarded, who="after")) == before + 1


def test_a_source_is_found_whatever_the_case_of_its_header(guarded: PrivateApi) -> None:
    headers = [("authorization", "Bearer a"), (CERTIFICATE.lower(), "leaf")]
    assert guarded.get("/widgets", headers=headers).status == 200


def test_unauthorized_is_401_and_not_remembered(guarded: PrivateApi) -> None:
    assert refusal(ask(guarded, **{"raise": "Unauthorized"})) == UNAUTHORIZED
    assert ask(guarded).status == 200


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"effect": "Deny"}, " with an explicit deny in an identity-based policy"),
        ({"resource": "arn:aws:execute-api:*:*:*/v1/POST/*"}, ""),
    ],
)
def test_a_caller_who_may_not_is_told_so_in_awss_words(
    guarded: PrivateApi, answer: Any, words: str
) -> None:
    message = f"User is not authorized to access this resource{words}"
    assert refusal(ask(guarded, **answer)) == (403, "AccessDeniedException", {"Message": message})


def _policy(**changes: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"} | changes
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    "answer",
    [
        {"raise": "unauthorized"},
        {"raise": "Unauthorized: expired"},
        {"answer": None},
        {"answer": "Allow"},
        {"answer": {"isAuthorized": True}},
        {"answer": {"policyDocument": _policy()}},
        {"answer": {"principalId": "", "policyDocument": _policy()}},
        {"answer": {"principalId": 7, "policyDocument": _policy()}},
        {"answer": {"principalId": "a"}},
        {"answer": {"principalId": "a", "policyDocument": {"Statement": []}}},
        {"answer": {"principalId": "a", "policyDocument": {"Statement": ["Allow"]}}},
        {"answer": {"principalId": "a", "policyDocument": _policy(Effect="allow")}},
        {"answer": {"principalId": "a", "policyDocument": _policy(Principal="*")}},
        {"answer": {"principalId": "a", "policyDocument": _policy(Resource="arn:" + "x" * 509)}},
        {"answer": {"principalId": "a", "policyDocument": _policy(), "isAuthorized": True}},
        {"answer": {"principalId": "a", "policyDocument": _policy(), "context": ["a"]}},
        {"context": {"list": []}},
        {"context": {"null": None}},
        {"long": 8192},
    ],
)
def test_an_unusable_answer_closes_the_api_and_tells_nothing(
    guarded: PrivateApi, answer: Any
) -> None:
    assert refusal(ask(guarded, **answer)) == UNUSABLE
    assert ask(guarded).status == 200, "and is not remembered"


def test_an_authorizer_that_ends_or_takes_too_long_closes_the_api(
    guarded: PrivateApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorization, "TIMEOUT_SECONDS", 0.3)
    assert refusal(ask(guarded, sleep=1)) == UNUSABLE


def test_only_the_authorizers_own_permission_lets_it_be_asked(
    lab: Lab, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    closed = make_function(lab[0], "closed", SCRIPTED)
    api = make_guarded(lab, echo, closed)
    client = lab[0].client("lambda")
    statement = json.loads(client.get_policy(FunctionName=closed)["Policy"])["Statement"][0]
    client.remove_permission(FunctionName=closed, StatementId=statement["Sid"])
    assert refusal(ask(api)) == UNUSABLE
    client.add_permission(
        FunctionName=closed,
        StatementId="methods",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"{arn_of(api)}/v1/GET/*",
    )
    assert refusal(ask(api)) == UNUSABLE
    assert f"Invalid permissions on Lambda function {closed}" in caplog.text


def test_an_alias_of_a_version_can_be_the_authorizer(lab: Lab, echo: str) -> None:
    make_function(lab[0], "versioned", SCRIPTED, Publish=True)
    alias = (
        lab[0]
        .client("lambda")
        .create_alias(FunctionName="versioned", Name="live", FunctionVersion="1")["AliasArn"]
    )
    api = make_guarded(lab, echo, alias)
    assert ask(api).status == 200
    lab[0].client("lambda").delete_alias(FunctionName="versioned", Name="live")
    assert refusal(ask(api, who="later")) == UNUSABLE


def test_two_clients_on_one_path_never_get_each_others_answer(guarded: PrivateApi) -> None:
    allowed = {"acme": 200, "shop": 403}
    for _ in range(5):
        for who, status in allowed.items():
            response = ask(guarded, who=who, effect="Allow" if status == 200 else "Deny")
            assert response.status == status
            if status == 200:
                assert told(response)["principalId"] == who
    # One's token with the other's certificate is a third caller, and so are they the other way.
    for token, certificate in (("acme", "shop"), ("shop", "acme")):
        headers = [("Authorization", f"Bearer {token}"), (CERTIFICATE, certificate)]
        answer = told(guarded.get("/widgets", headers=headers))
        assert (answer["token"], answer["principalId"]) == (f"Bearer {token}", certificate)


def test_an_answer_is_remembered_for_every_method_and_judged_for_each(guarded: PrivateApi) -> None:
    only_7 = "arn:aws:execute-api:*:*:*/v1/GET/widgets/7"
    first = asked(ask(guarded, "/widgets/7", resource=only_7))
    again = ask(guarded, "/widgets/7", effect="Deny")
    assert (again.status, asked(again)) == (200, first)
    assert told(again)["integrationLatency"] == 0
    assert ask(guarded, "/widgets/8").status == ask(guarded).status == 403


def test_an_answer_is_forgotten_after_its_time(lab: Lab, echo: str, scripted: str) -> None:
    api = make_guarded(lab, echo, scripted, authorizerResultTtlInSeconds=1)
    first = asked(ask(api))
    assert asked(ask(api)) == first
    time.sleep(1.1)
    assert asked(ask(api)) == first + 1


def test_without_the_cache_each_request_is_asked_for_whatever_it_lacks(
    lab: Lab, echo: str, scripted: str
) -> None:
    api = make_guarded(lab, echo, scripted, authorizerResultTtlInSeconds=0)
    first = asked(ask(api))
    assert asked(ask(api)) == first + 1
    assert told(api.get("/widgets"))["principalId"] == "nobody"


def test_another_stage_remembers_its_own(guarded: PrivateApi) -> None:
    first = asked(ask(guarded))
    other = replace(guarded, stage="v2")
    other.deploy()
    assert asked(ask(other)) == first + 1


def test_a_deployment_forgets_only_with_the_identity_sources(guarded: PrivateApi) -> None:
    first = asked(ask(guarded))
    guarded.deploy()
    assert asked(ask(guarded)) == first
    (authorizer,) = guarded.client.get_authorizers(restApiId=guarded.api_id)["items"]
    patch = {"op": "replace", "path": "/identitySource", "value": SOURCES.split(",")[0]}
    guarded.client.update_authorizer(
        restApiId=guarded.api_id, authorizerId=authorizer["id"], patchOperations=[patch]
    )
    assert asked(ask(guarded)) == first
    guarded.deploy()
    assert asked(ask(guarded)) == first + 1


def test_gateway_responses_say_what_the_authorizer_said(guarded: PrivateApi) -> None:
    realm = {"gatewayresponse.header.WWW-Authenticate": "'Bearer realm=\"widgets\"'"}
    guarded.client.put_gateway_response(
        restApiId=guarded.api_id, responseType="UNAUTHORIZED", responseParameters=realm
    )
    guarded.client.put_gateway_response(
        restApiId=guarded.api_id,
        responseType="ACCESS_DENIED",
        responseParameters={"gatewayresponse.header.X-Reason": "context.authorizer.reason"},
        responseTemplates={"application/json": '{"why":"$context.authorizer.reason"}'},
    )
    guarded.deploy()
    missing = guarded.get("/widgets")
    assert missing.status == 401
    assert missing.header("WWW-Authenticate") == 'Bearer realm="widgets"'
    denied = ask(guarded, effect="Deny", context={"reason": "binding"})
    assert denied.status == 403
    assert denied.header("X-Reason") == "binding"
    assert json.loads(denied.body) == {"why": "binding"}


LOG_FORMAT = json.dumps(
    {
        "id": "$context.requestId",
        "principal": "$context.authorizer.principalId",
        "tenant": "$context.authorizer.tenant",
        "status": "$context.authorizer.status",
        "error": "$context.authorizer.error",
        "authorized": "$context.authorize.status",
    }
)


def test_the_access_log_says_who_called_and_what_the_authorizer_did(
    guarded: PrivateApi, api: PrivateApi, lab: Lab
) -> None:
    """`api` has the account's role for logs."""
    group = f"/api/{guarded.api_id}"
    lab[0].client("logs").create_log_group(logGroupName=group)
    guarded.patch_stage(
        ("/accessLogSettings/destinationArn", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"),
        ("/accessLogSettings/format", LOG_FORMAT),
    )
    ask(guarded, context={"tenant": "acme", "status": "forged"})
    ask(guarded, who="shop", effect="Deny", context={"tenant": "shop"})
    ask(guarded, who="bad", **{"raise": "Unauthorized"})
    ask(guarded, who="worse", **{"raise": "boom"})
    events = lab[0].client("logs").filter_log_events(logGroupName=group)["events"]
    lines = [json.loads(event["message"]) for event in events]
    failed = "Lambda execution failed due to customer function error"
    assert [tuple(line.values())[1:] for line in lines] == [
        ("acme", "acme", "200", "-", "200"),
        ("shop", "shop", "200", "-", "403"),
        ("-", "-", "401", "Unauthorized", "-"),
        ("-", "-", "500", failed, "-"),
    ]
