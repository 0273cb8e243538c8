import pytest
from botocore.exceptions import ClientError

LAMBDA = "arn:aws:lambda:eu-west-1:111111111111:function:widgets"
URI = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{LAMBDA}/invocations"


@pytest.fixture
def gateway(client):
    return client("apigateway")


@pytest.fixture
def api(gateway):
    return gateway.create_rest_api(name="widgets")


def resource(gateway, api, part, parent=None):
    return gateway.create_resource(
        restApiId=api["id"], parentId=parent or api["rootResourceId"], pathPart=part
    )["id"]


@pytest.fixture
def method(gateway, api):
    """`GET /{id}`, whose path parameter is declared, as arguments."""
    which = {"restApiId": api["id"], "resourceId": resource(gateway, api, "{id}")}
    which["httpMethod"] = "GET"
    gateway.put_method(
        **which,
        authorizationType="NONE",
        requestParameters={"method.request.path.id": True},
    )
    return which


def integrate(gateway, method, **settings):
    defaults = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": URI}
    return gateway.put_integration(**method, **defaults | settings)


def test_an_integration_comes_back_with_what_api_gateway_fills_in(gateway, method):
    integrate(gateway, method)
    got = gateway.get_integration(**method)
    del got["ResponseMetadata"]
    assert got == {
        "type": "AWS_PROXY",
        "httpMethod": "POST",
        "uri": URI,
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": method["resourceId"],
        "cacheKeyParameters": [],
    }


def test_an_integration_comes_back_as_it_was_sent(gateway, method):
    sent = {
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
        "passthroughBehavior": "NEVER",
        "timeoutInMillis": 50,
        "cacheKeyParameters": ["method.request.path.id"],
    }
    integrate(gateway, method, **sent)
    got = gateway.get_integration(**method)
    assert {name: got[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"timeoutInMillis": 49}, "Timeout should be between 50 ms and 29000 ms"),
        ({"timeoutInMillis": 29001}, "Timeout should be between 50 ms and 29000 ms"),
        ({"passthroughBehavior": "ALWAYS"}, "Invalid passthrough behavior specified"),
        ({"type": "LAMBDA"}, "Invalid integration type specified"),
        ({"uri": LAMBDA}, "AWS ARN for integration must contain path or action"),
        ({"uri": "https://example.com"}, "Invalid ARN specified in the request"),
        (
            {"requestParameters": {"integration.request.path.x": "method.request.path.x"}},
            "Invalid mapping expression parameter specified: method.request.path.x",
        ),
        ({"connectionId": "abc"}, "the lab does not model it"),
    ],
)
def test_an_integration_is_refused_for_and_the_one_there_stays(gateway, method, settings, words):
    integrate(gateway, method, timeoutInMillis=1234)
    with pytest.raises(ClientError, match=words):
        integrate(gateway, method, **settings)
    assert gateway.get_integration(**method)["timeoutInMillis"] == 1234


def test_an_integration_is_patched(gateway, method):
    integrate(gateway, method)
    operations = [
        {"op": "replace", "path": "/timeoutInMillis", "value": "1000"},
        {
            "op": "add",
            "path": "/requestParameters/integration.request.path.id",
            "value": "method.request.path.id",
        },
        {"op": "add", "path": "/requestTemplates/application~1json", "value": "{}"},
    ]
    gateway.update_integration(**method, patchOperations=operations)
    got = gateway.get_integration(**method)
    assert got["timeoutInMillis"] == 1000
    assert got["requestParameters"] == {"integration.request.path.id": "method.request.path.id"}
    assert got["requestTemplates"] == {"application/json": "{}"}
    remove = {"op": "remove", "path": "/requestTemplates/application~1json"}
    gateway.update_integration(**method, patchOperations=[remove])
    assert gateway.get_integration(**method)["requestTemplates"] == {}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("/timeoutInMillis", "30000", "Timeout should be between"),
        ("/nonsense", "1", "Invalid patch path '/nonsense' specified for op 'replace'"),
    ],
)
def test_a_patch_of_an_integration_is_refused_for(gateway, method, path, value, words):
    integrate(gateway, method)
    operation = {"op": "replace", "path": path, "value": value}
    with pytest.raises(ClientError, match=words):
        gateway.update_integration(**method, patchOperations=[operation])
    assert gateway.get_integration(**method)["timeoutInMillis"] == 29000


def test_an_integration_that_is_deleted_is_not_found(gateway, method):
    integrate(gateway, method)
    gateway.delete_integration(**method)
    with pytest.raises(ClientError, match="Invalid Integration identifier specified"):
        gateway.get_integration(**method)
    operation = {"op": "replace", "path": "/timeoutInMillis", "value": "100"}
    with pytest.raises(ClientError, match="Invalid Integration identifier specified"):
        gateway.update_integration(**method, patchOperations=[operation])


def test_a_method_is_patched(gateway, method):
    operations = [
        {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"},
        {"op": "replace", "path": "/apiKeyRequired", "value": "true"},
        {"op": "add", "path": "/requestParameters/method.request.header.X", "value": "false"},
    ]
    gateway.update_method(**method, patchOperations=operations)
    got = gateway.get_method(**method)
    assert (got["authorizationType"], got["apiKeyRequired"]) == ("AWS_IAM", True)
    assert got["requestParameters"] == {
        "method.request.path.id": True,
        "method.request.header.X": False,
    }


def test_a_method_with_an_unknown_authorizer_is_refused(gateway, api, method):
    other = method | {"httpMethod": "POST"}
    with pytest.raises(ClientError, match="requires a valid authorizer"):
        gateway.put_method(**other, authorizationType="CUSTOM", authorizerId="nobody")
    with pytest.raises(ClientError, match="NotFoundException"):
        gateway.get_method(**other)
    for value, words in (
        ("CUSTOM", "requires a valid authorizer"),
        ("TRUST", "Invalid authorization type specified"),
    ):
        operation = {"op": "replace", "path": "/authorizationType", "value": value}
        with pytest.raises(ClientError, match=words):
            gateway.update_method(**method, patchOperations=[operation])
    assert gateway.get_method(**method)["authorizationType"] == "NONE"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"httpMethod": "GET"}, "Method already exists for this resource"),
        ({"httpMethod": "BREW"}, "Invalid HTTP method specified"),
        ({"authorizationType": "TRUST"}, "Invalid authorization type specified"),
    ],
)
def test_a_method_is_refused_for(gateway, method, settings, words):
    request = method | {"httpMethod": "POST", "authorizationType": "NONE"} | settings
    with pytest.raises(ClientError, match=words):
        gateway.put_method(**request)


def test_a_name_is_taken_once_among_siblings_and_so_is_the_variable(gateway, api):
    parent = resource(gateway, api, "a")
    resource(gateway, api, "b", parent)
    resource(gateway, api, "{id}", parent)
    with pytest.raises(ClientError, match="Another resource with the same parent already has"):
        resource(gateway, api, "b", parent)
    with pytest.raises(ClientError, match="already has a variable path part"):
        resource(gateway, api, "{name}", parent)


def test_a_resource_is_deleted_with_what_is_below_it_and_the_root_never(gateway, api):
    parent = resource(gateway, api, "a")
    resource(gateway, api, "c", resource(gateway, api, "b", parent))
    gateway.delete_resource(restApiId=api["id"], resourceId=parent)
    [root] = gateway.get_resources(restApiId=api["id"])["items"]
    with pytest.raises(ClientError, match="Root resource cannot be deleted"):
        gateway.delete_resource(restApiId=api["id"], resourceId=root["id"])


def test_a_resource_cannot_be_moved_here(gateway, method):
    operation = {"op": "replace", "path": "/pathPart", "value": "b"}
    with pytest.raises(ClientError, match="the lab does not model it"):
        gateway.update_resource(
            restApiId=method["restApiId"],
            resourceId=method["resourceId"],
            patchOperations=[operation],
        )


def test_methods_of_a_resource_are_told_only_when_asked_for(gateway, method):
    which = {name: method[name] for name in ("restApiId", "resourceId")}
    assert gateway.get_resource(**which)["resourceMethods"] == {"GET": {}}
    embedded = gateway.get_resource(**which, embed=["methods"])["resourceMethods"]["GET"]
    assert embedded["authorizationType"] == "NONE"
