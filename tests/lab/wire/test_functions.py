import json
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.wire.aws import Accounts
from lab.wire.functions import (
    Functions,
    NotModelledError,
    PayloadTooLargeError,
    ThrottledError,
)
from tests.lab.wire.private_api import Lab, make_function, zipped


def made(lab: Lab, name: str, source: str, **settings: Any) -> str:
    return make_function(lab[0], name, textwrap.dedent(source), **settings)


def log_of(lab: Lab, group: str) -> list[str]:
    logs = lab[0].client("logs")
    return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]


def test_the_deployed_zip_answers_with_what_its_handler_returns(lab: Lab) -> None:
    arn = made(lab, "double", "def handler(event, context): return {'twice': event['n'] * 2}")
    result = lab[1].invoke(arn, {"n": 21}, 10)
    assert result.payload == {"twice": 42}
    assert result.function_error is None


def test_a_function_sees_lambdas_variables_and_its_own_and_nothing_of_ours(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_LAB", "1")
    arn = made(
        lab,
        "environment",
        """
        import os, sys
        def handler(event, context):
            return {"env": dict(os.environ), "cwd": os.getcwd(), "path": sys.path}
        """,
        Environment={"Variables": {"TABLE": "widgets"}},
        MemorySize=256,
    )
    seen = lab[1].invoke(arn, None, 10).payload
    assert seen["env"]["TABLE"] == "widgets"
    assert seen["env"]["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["env"]["_HANDLER"] == "app.handler"
    assert "SECRET_OF_THE_LAB" not in seen["env"]
    assert seen["env"]["LAMBDA_TASK_ROOT"] == seen["cwd"] == seen["path"][0]
    root = Path(__file__).parents[3]
    assert not [entry for entry in seen["path"] if Path(entry or ".").resolve() == root]


def test_a_package_of_the_lab_that_lambda_does_not_bring_cannot_be_imported(lab: Lab) -> None:
    arn = made(lab, "imports", "import moto\ndef handler(event, context): return 1")
    result = lab[1].invoke(arn, None, 10)
    assert result.function_error == "Unhandled"
    assert result.payload["errorType"] == "Runtime.ImportModuleError"
    expected = "Unable to import module 'app': No module named 'moto'"
    assert result.payload["errorMessage"] == expected


def test_boto3_is_there_as_in_aws(lab: Lab) -> None:
    arn = made(
        lab, "boto", "import boto3\ndef handler(event, context): return boto3.__name__", Timeout=20
    )
    assert lab[1].invoke(arn, None, 30).payload == "boto3"


def test_a_handler_that_is_not_there_is_named(lab: Lab) -> None:
    arn = made(lab, "nohandler", "other = 1")
    payload = lab[1].invoke(arn, None, 10).payload
    assert payload["errorType"] == "Runtime.HandlerNotFound"
    assert payload["errorMessage"] == "Handler 'handler' missing on module 'app'"


def test_the_context_object_says_what_aws_says(lab: Lab) -> None:
    arn = made(
        lab,
        "context",
        """
        def handler(event, context):
            return {
                "name": context.function_name,
                "arn": context.invoked_function_arn,
                "memory": context.memory_limit_in_mb,
                "id": context.aws_request_id,
                "left": context.get_remaining_time_in_millis(),
            }
        """,
        Timeout=7,
    )
    result = lab[1].invoke(arn, None, 10)
    assert result.payload["name"] == "context"
    assert result.payload["arn"] == arn
    assert result.payload["memory"] == "128"
    assert result.payload["id"] == result.request_id
    assert 5_000 < result.payload["left"] <= 7_000


def test_an_exception_becomes_lambdas_error_object(lab: Lab) -> None:
    arn = made(lab, "raises", "def handler(event, context): raise KeyError('widget')")
    result = lab[1].invoke(arn, None, 10)
    assert result.function_error == "Unhandled"
    assert result.payload["errorMessage"] == "'widget'"
    assert result.payload["errorType"] == "KeyError"
    assert len(result.payload["stackTrace"]) == 1
    assert "app.py" in result.payload["stackTrace"][0]


def test_a_result_that_is_not_json_is_a_marshal_error(lab: Lab) -> None:
    arn = made(lab, "set", "def handler(event, context): return {1, 2}")
    payload = lab[1].invoke(arn, None, 10).payload
    assert payload["errorType"] == "Runtime.MarshalError"
    assert payload["errorMessage"].startswith("Unable to marshal response: ")


def test_an_exit_is_reported_and_the_next_invocation_gets_a_new_process(lab: Lab) -> None:
    arn = made(
        lab,
        "exits",
        """
        import os
        def handler(event, context):
            if event: os._exit(3)
            return os.getpid()
        """,
    )
    first = lab[1].invoke(arn, None, 10).payload
    result = lab[1].invoke(arn, "exit", 10)
    assert result.payload["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error: exit status 3" in result.payload["errorMessage"]
    assert lab[1].invoke(arn, None, 10).payload != first


def test_a_timeout_ends_the_process_in_lambdas_words(lab: Lab) -> None:
    arn = made(
        lab,
        "sleeps",
        """
        import os, time
        def handler(event, context):
            print(os.getpid())
            time.sleep(60)
        """,
        Timeout=1,
    )
    result = lab[1].invoke(arn, None, 10)
    assert result.payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds",
    }
    lines = log_of(lab, "/aws/lambda/sleeps")
    assert not Path(f"/proc/{lines[1]}").exists()
    assert lines[2].endswith("Task timed out after 1.00 seconds")
    assert lines[4].endswith("\tStatus: timeout")


def test_a_caller_may_stop_waiting_before_the_function_ends(lab: Lab) -> None:
    arn = made(lab, "slow", "import time\ndef handler(event, context): time.sleep(2)")
    with pytest.raises(TimeoutError):
        lab[1].invoke(arn, None, 0.3)


def test_output_lies_between_start_and_end_in_the_functions_log_group(lab: Lab) -> None:
    arn = made(
        lab,
        "prints",
        """
        import logging, sys
        def handler(event, context):
            print("one")
            print("two", file=sys.stderr)
            logging.warning("three")
            logging.info("not at this level")
        """,
    )
    request_id = lab[1].invoke(arn, None, 10).request_id
    lines = log_of(lab, "/aws/lambda/prints")
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[1:3] == ["one", "two"]
    assert lines[3].startswith("[WARNING]\t")
    assert lines[3].endswith(f"\t{request_id}\tthree")
    assert lines[4] == f"END RequestId: {request_id}"
    assert lines[5].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
    assert "\tMemory Size: 128 MB\tInit Duration: " in lines[5]
    assert len(lines) == 6


def test_the_json_format_makes_every_line_json(lab: Lab) -> None:
    lab[0].client("logs").create_log_group(logGroupName="/widgets/json")
    arn = made(
        lab,
        "json",
        """
        import logging
        def handler(event, context):
            logging.getLogger("app").info("hello")
        """,
        LoggingConfig={"LogFormat": "JSON", "LogGroup": "/widgets/json"},
    )
    request_id = lab[1].invoke(arn, None, 10).request_id
    start, hello, report = map(json.loads, log_of(lab, "/widgets/json"))
    assert start["type"] == "platform.start"
    assert (hello["level"], hello["message"], hello["requestId"]) == ("INFO", "hello", request_id)
    assert report["record"]["status"] == "success"


def test_an_environment_is_used_again_until_the_code_changes(lab: Lab) -> None:
    counter = """
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            return [VERSION, calls]
        """
    arn = made(lab, "counts", counter.replace("VERSION", "1"))
    assert lab[1].invoke(arn, None, 10).payload == [1, 1]
    assert lab[1].invoke(arn, None, 10).payload == [1, 2]
    source = textwrap.dedent(counter.replace("VERSION", "2"))
    lab[0].client("lambda").update_function_code(FunctionName="counts", ZipFile=zipped(source))
    assert lab[1].invoke(arn, None, 10).payload == [2, 1]


def test_a_changed_variable_reaches_the_next_invocation(lab: Lab) -> None:
    arn = made(
        lab,
        "variable",
        "import os\ndef handler(event, context): return os.environ['COLOUR']",
        Environment={"Variables": {"COLOUR": "red"}},
    )
    assert lab[1].invoke(arn, None, 10).payload == "red"
    lab[0].client("lambda").update_function_configuration(
        FunctionName="variable", Environment={"Variables": {"COLOUR": "blue"}}
    )
    assert lab[1].invoke(arn, None, 10).payload == "blue"


def test_invocations_at_the_same_time_get_environments_of_their_own(lab: Lab) -> None:
    arn = made(
        lab,
        "parallel",
        "import os, time\ndef handler(event, context): time.sleep(0.5); return os.getpid()",
    )
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.append(lab[1].invoke(arn, None, 20).payload))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 2


def test_reserved_concurrency_throttles(lab: Lab) -> None:
    arn = made(lab, "reserved", "import time\ndef handler(event, context): time.sleep(1.5)")
    lab[0].client("lambda").put_function_concurrency(
        FunctionName="reserved", ReservedConcurrentExecutions=1
    )
    with pytest.raises(TimeoutError):
        lab[1].invoke(arn, None, 0.5)
    with pytest.raises(ThrottledError):
        lab[1].invoke(arn, None, 0.5)


def test_a_payload_over_six_megabytes_is_refused(lab: Lab) -> None:
    arn = made(lab, "large", "def handler(event, context): return len(event)")
    assert lab[1].invoke(arn, "x" * 5_000_000, 10).payload == 5_000_000
    with pytest.raises(PayloadTooLargeError):
        lab[1].invoke(arn, "x" * 6_291_456, 10)


def test_a_response_over_the_limit_is_an_error(lab: Lab) -> None:
    arn = made(lab, "largeresponse", "def handler(event, context): return 'x' * 6_291_556")
    result = lab[1].invoke(arn, None, 10)
    assert result.payload["errorType"] == "Function.ResponseSizeTooLarge"


def test_another_runtime_than_python_is_refused(lab: Lab) -> None:
    arn = made(lab, "node", "exports.handler = async () => 1", runtime="nodejs22.x")
    with pytest.raises(NotModelledError, match="node: only zip packages with a Python runtime"):
        lab[1].invoke(arn, None, 10)


def test_an_unknown_function_is_the_apis_own_error(lab: Lab) -> None:
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:nosuch"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lab[1].invoke(arn, None, 10)


def test_close_ends_every_process_even_one_that_is_busy(lab: Lab) -> None:
    functions = Functions(Accounts([lab[0]]))
    source = (
        "import os, time\ndef handler(event, context):\n    time.sleep(event); return os.getpid()"
    )
    arn = made(lab, "closing", source, Timeout=60)
    idle = functions.invoke(arn, 0, 10).payload
    with pytest.raises(TimeoutError):
        functions.invoke(arn, 60, 0.3)
    started = time.monotonic()
    functions.close()
    assert time.monotonic() - started < 10
    assert not Path(f"/proc/{idle}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_busy_environment_ends_when_its_lab_is_killed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import os, time\ndef handler(event, context):\n"
        "    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(60)\n"
    )
    lab_process = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from lab.wire.environments import Environment, Function, Internet
        configuration = {
            "FunctionName": "f", "Handler": "app.handler", "Runtime": "python3.13", "Timeout": 60,
            "MemorySize": 128, "FunctionArn": "arn:aws:lambda:eu-west-1:111111111111:function:f",
            "Version": "$LATEST",
        }
        function = Function(code=Path(sys.argv[1]), configuration=configuration)
        Environment(function, Internet()).invoke("arn", None, "id")
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", lab_process, str(tmp_path)], cwd=Path(__file__).parents[3]
    )
    pid_file = tmp_path / "pid"
    _wait_until(lambda: pid_file.exists() and pid_file.read_text() != "")
    process.kill()
    process.wait()
    _wait_until(lambda: not _alive(int(pid_file.read_text())))


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _wait_until(holds: Any) -> None:
    deadline = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < deadline, "did not happen in 15 seconds"
        time.sleep(0.05)


def test_an_alias_runs_what_was_published(lab: Lab) -> None:
    source = "import os\ndef handler(event, context): return [{}, dict(os.environ)]"
    arn = made(lab, "published", source.format(1), Publish=True)
    functions = lab[0].client("lambda")
    version = {"FunctionName": "published", "FunctionVersion": "1"}
    live = functions.create_alias(Name="live", **version)["AliasArn"]
    functions.get_function(FunctionName="published")
    functions.update_function_code(FunctionName="published", ZipFile=zipped(source.format(2)))
    number, variables = lab[1].invoke(live, None, 10).payload
    assert (number, variables["AWS_LAMBDA_FUNCTION_VERSION"]) == (1, "1")
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert "/[1]" in variables["AWS_LAMBDA_LOG_STREAM_NAME"]
    number, variables = lab[1].invoke(arn.removesuffix(":1"), None, 10).payload
    assert (number, variables["AWS_LAMBDA_FUNCTION_VERSION"]) == (2, "$LATEST")
    starts = [line for line in log_of(lab, "/aws/lambda/published") if line.startswith("START")]
    assert [line.partition("Version: ")[2] for line in starts] == ["1", "$LATEST"]
    functions.publish_version(FunctionName="published")
    functions.update_alias(Name="live", **version | {"FunctionVersion": "2"})
    assert lab[1].invoke(live, None, 10).payload[0] == 2


def test_a_version_with_snap_start_says_so(lab: Lab) -> None:
    source = "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_INIT' + event]"
    snap_start = {"ApplyOn": "PublishedVersions"}
    arn = made(lab, "snap", source, SnapStart=snap_start, Publish=True)
    said = [
        lab[1].invoke(each, "IALIZATION_TYPE", 10).payload
        for each in (f"{arn.removesuffix(':1')}:1", arn.removesuffix(":1"))
    ]
    assert said == ["snap-start", "on-demand"]
