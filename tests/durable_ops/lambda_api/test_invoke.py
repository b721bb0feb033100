"""Invoke, with a real worker where somebody waits for an end."""

import fcntl
import json
import logging
import resource
import socket
import threading
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.test import RequestFactory

from durable_ops.lambda_api import log_tail
from durable_ops.lambda_api.views.invocations import _has_hung_up
from durable_ops.lambda_api.waiters import process_waiters
from durable_ops.models import AuditEntry
from durable_ops.selectors.masking import MASK, Masks
from execution_engine import DurableContext, durable_execution, register
from execution_engine.journal import connections, logs
from execution_engine.journal.logs import Line
from execution_engine.models import Execution
from execution_engine.worker.runtime import Runtime
from tests.durable_ops.lambda_api.conftest import bearer_client, refused, start
from tests.durable_ops.people import make_key, make_user
from tests.execution_engine.conftest import make_runtime, no_threads_left  # noqa: F401
from tests.execution_engine.worker.test_kept_lines import captured
from tests.waiting import PATIENCE, wait_until

ROOT = "arn:aws:lambda:us-east-1:000000000000:function:echo"


@durable_execution(name="lambda-double")
def double(event: Any, context: DurableContext) -> Any:
    return context.step("double", lambda: event * 2)


@durable_execution(name="lambda-slow")
def slow(event: Any, context: DurableContext) -> str:
    context.wait(seconds=1)
    return str(context.create_callback("person").result())


@durable_execution(name="lambda-fails")
def fails(event: Any, context: DurableContext) -> Any:
    raise ValueError("no such order: \ud800")


def plain(event: Any, context: Any) -> Any:
    told = context.client_context and context.client_context.custom
    return {"plain": event, "tenant": context.tenant_id, "client": told}


@durable_execution(name="lambda-says")
def says(event: Any, context: DurableContext) -> Any:
    print("x" * 4_000)  # noqa: T201  what authors do
    logging.getLogger("shop").warning("café, careful")
    return context.lambda_context.client_context.custom


@pytest.fixture
def served(client: Any) -> Any:
    """The client, with a worker that serves everything."""
    register(plain, name="lambda-plain", durable=False)
    runtime: Runtime = make_runtime()
    runtime.start()
    yield client
    runtime.stop()


def invoke(client: Any, function: str, value: Any, **more: Any) -> tuple[Any, dict[str, Any]]:
    """The decoded payload, and the answer."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps(value), **more)
    text = answer["Payload"].read()
    return json.loads(text) if text else None, answer


def test_event_starts_and_answers_at_once(client: Any) -> None:
    answer = client.invoke(FunctionName="echo", InvocationType="Event", Payload=b' { "a" : 1.0 } ')
    row = Execution.objects.get()
    assert (answer["StatusCode"], answer["DurableExecutionArn"]) == (202, f"{ROOT}:1/durable-execution/{row.id}/{row.id}")
    assert answer["Payload"].read() == b""
    assert row.input == ' { "a" : 1.0 } '
    assert row.started_by == "anna (key tests)"
    entry = AuditEntry.objects.get(action="execution.start")
    assert (entry.channel, entry.actor) == ("lambda", "anna (key tests)")


def test_no_payload_is_no_input(client: Any) -> None:
    client.invoke(FunctionName="echo", InvocationType="Event")
    assert Execution.objects.get().input is None


def test_names_of_a_function(client: Any) -> None:
    names = ["echo", "echo:1", "echo:$LATEST", ROOT, f"{ROOT}:1", "000000000000:function:echo", "function:echo:1"]
    asked = [{"FunctionName": name} for name in names] + [{"Qualifier": qualifier} for qualifier in ("1", "$LATEST")]
    for one in asked:
        start(client, 1, **one)
        assert client.invoke(**{"FunctionName": "echo", **one}, InvocationType="DryRun")["StatusCode"] == 204
    assert list(Execution.objects.values_list("function", "version")) == [("echo", "1")] * len(asked)


def test_a_function_that_is_not_there(client: Any) -> None:
    for kind in ("Event", "RequestResponse", "DryRun"):
        for asked in ({"FunctionName": "nobody"}, {"FunctionName": "echo:7"}, {"FunctionName": "echo", "Qualifier": "7"}):
            refused(partial(client.invoke, InvocationType=kind, **asked), "ResourceNotFoundException", 404)
    assert Execution.objects.count() == 0


def test_a_name_is_started_once(client: Any) -> None:
    first = start(client, {"a": 1, "b": 2}, DurableExecutionName="order-7")
    assert start(client, {"b": 2, "a": 1}, DurableExecutionName="order-7") == first
    error = refused(lambda: start(client, {"a": 2}, DurableExecutionName="order-7"), "DurableExecutionAlreadyStartedException", 409)
    assert "order-7" in error["Message"]
    assert Execution.objects.count() == 1
    assert AuditEntry.objects.filter(action="execution.start").count() == 1


def test_tenant_and_correlation_travel(client: Any) -> None:
    start(client, 1, TenantId="acme/eu 1")
    assert Execution.objects.get().tenant_id == "acme/eu 1"


WRONG: dict[str, dict[str, Any]] = {
    "kind of call": {"InvocationType": "Later"},
    "log type": {"LogType": "Head"},
    "name": {"DurableExecutionName": "a b"},
    "long name": {"DurableExecutionName": "a" * 65},
    "tenant": {"TenantId": "a#b"},
    "long tenant": {"TenantId": "a" * 257},
    "foreign region": {"FunctionName": ROOT.replace("us-east-1", "eu-west-1")},
    "foreign account": {"FunctionName": ROOT.replace("000000000000", "123456789012")},
    "no function": {"FunctionName": "a b"},
    "two versions": {"FunctionName": "echo:1", "Qualifier": "2"},
    "qualifier": {"Qualifier": "a b"},
}


def test_wrong_values(client: Any) -> None:
    for values in WRONG.values():
        asked = {"FunctionName": "echo", "InvocationType": "Event", **values}
        refused(partial(client.invoke, **asked), "InvalidParameterValueException", 400)
    assert Execution.objects.count() == 0


BAD_INPUTS = {
    "no JSON": b"hello",
    "depth": b"[" * 1000 + b"]" * 1000,
    "deep bomb": b"[" * 100_000 + b"]" * 100_000,
    "beyond a double": b"[1e400]",
    "NaN": b"NaN",
    "NUL": b'"a\\u0000b"',
    "raw NUL": b'"a\x00b"',
    "half a pair": b'"\\ud800"',
    "keys twice": b'{"a": 1, "a": 2}',
    "bad UTF-8": b'"\xff"',
    "byte order mark": b"\xef\xbb\xbf1",
    "cut short": b'{"a":',
}


def test_bad_inputs_are_refused_and_start_nothing(client: Any) -> None:
    for kind in ("Event", "RequestResponse", "DryRun"):
        for text in BAD_INPUTS.values():
            call = partial(client.invoke, FunctionName="echo", InvocationType=kind, Payload=text)
            refused(call, "InvalidRequestContentException", 400)
    assert Execution.objects.count() == 0


def test_inputs_above_the_limits(client: Any) -> None:
    mebibyte = 1024 * 1024
    call = client.invoke
    refused(lambda: call(FunctionName="echo", InvocationType="Event", Payload=b" " * mebibyte + b"1"), "RequestTooLargeException", 413)
    refused(lambda: call(FunctionName="echo", Payload=b" " * (10 * mebibyte)), "RequestTooLargeException", 413)
    assert Execution.objects.count() == 0


def test_waiting_for_the_result(served: Any) -> None:
    payload, answer = invoke(served, "lambda-double", 21)
    assert (payload, answer["StatusCode"], answer["ExecutedVersion"]) == (42, 200, "1")
    assert "FunctionError" not in answer
    assert served.get_durable_execution(DurableExecutionArn=answer["DurableExecutionArn"])["Status"] == "SUCCEEDED"
    first = invoke(served, "lambda-double", 3, DurableExecutionName="once")
    second = invoke(served, "lambda-double", 3, DurableExecutionName="once")
    assert (
        (first[0], first[1]["DurableExecutionArn"])
        == (second[0], second[1]["DurableExecutionArn"])
        == (6, second[1]["DurableExecutionArn"])
    )


def test_waiting_for_a_failure(served: Any) -> None:
    payload, answer = invoke(served, "lambda-fails", None)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert payload["errorType"] == "ValueError"
    assert payload["errorMessage"].startswith("no such order")


def test_a_plain_function(served: Any) -> None:
    payload, answer = invoke(served, "lambda-plain", [1], TenantId="acme")
    assert (payload, answer["StatusCode"]) == ({"plain": [1], "tenant": "acme", "client": None}, 200)
    assert "LogResult" not in answer


def context_of(value: Any) -> str:
    return b64encode(json.dumps(value).encode()).decode()


def test_what_a_caller_says_of_itself(served: Any) -> None:
    asked = {"ClientContext": context_of({"custom": {"till": 7}})}
    assert invoke(served, "lambda-plain", 1, **asked)[0]["client"] == {"till": 7}
    arn = served.invoke(FunctionName="lambda-plain", InvocationType="Event", Payload=b"1", **asked)["DurableExecutionArn"]
    assert Execution.objects.get(id=arn.rpartition("/")[2]).client_context is None  # for callers who wait, as at AWS


def test_a_context_of_the_client_that_is_none(client: Any) -> None:
    for text in ("{}", "e30", context_of([1]), context_of("a\0"), b64encode(b"[" * 2_000).decode(), b64encode(b"\xff").decode()):
        for kind in ("RequestResponse", "Event", "DryRun"):
            call = partial(client.invoke, FunctionName="echo", InvocationType=kind, ClientContext=text)
            refused(call, "InvalidRequestContentException", 400)
    error = refused(lambda: client.invoke(FunctionName="echo", ClientContext="e30=" * 896), "InvalidParameterValueException", 400)
    assert "3583" in error["Message"]
    assert Execution.objects.count() == 0


def test_the_tail_of_the_log(served: Any) -> None:
    """The last 4 kB; printed lines as they are, logged ones as Lambda writes them."""
    asked = {"ClientContext": context_of({"custom": 1}), "DurableExecutionName": "says", "LogType": "Tail"}
    found = ""

    def tail() -> bool:
        """Lines are kept beside the history: on a busy machine the last of them may come late. The name finds the same execution."""
        nonlocal found
        payload, answer = invoke(served, "lambda-says", None, **asked)
        assert payload == 1
        found = b64decode(answer["LogResult"]).decode()
        return "careful" in found

    with captured():
        wait_until(tail)
    printed, logged, rest = found.split("\n")
    assert (set(printed), len(found.encode()), rest) == ({"x"}, 4_000 + 1 + len(logged.encode()) + 1, "")
    level, moment, message = logged.split("\t")
    assert (level, moment[-1], message) == ("[WARNING]", "Z", "café, careful")


def test_the_tail_is_masked(client: Any) -> None:
    execution_id = Execution.objects.get(id=start(client, 1).rpartition("/")[2]).id
    said = [Line(execution_id, datetime.now(UTC), "INFO", "stdout", f"é card: {number}") for number in range(600)]
    with connections.connect("test") as own:
        logs.keep(own, said, 1_000)
    text = b64decode(log_tail.read(execution_id, Masks((("card",),)))).decode()
    assert len(text.encode()) <= 4096
    assert text.endswith(f"é card: {MASK}\n") and "99" not in text


def test_a_wait_that_is_stopped(client: Any) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(invoke(client, "echo", 1, DurableExecutionName="stopped")))
    thread.start()
    wait_until(Execution.objects.filter(name="stopped").exists)
    arn = client.list_durable_executions_by_function(FunctionName="echo")["DurableExecutions"][0]["DurableExecutionArn"]
    client.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorType": "ByHand", "ErrorMessage": "enough", "StackTrace": ["x"]})
    thread.join(PATIENCE)
    payload, answer = found[0]
    assert payload == {"errorMessage": "enough", "errorType": "ByHand", "stackTrace": ["x"]}
    assert answer["FunctionError"] == "Unhandled"


def test_many_wait_on_one_thread_and_no_more_than_allowed(client: Any, live_server: Any, settings: Any) -> None:
    settings.LAMBDA_WAITERS = 3
    process_waiters.cache_clear()
    key = make_key(make_user("operator"))
    ended: list[Any] = []

    def wait(number: int) -> None:
        ended.append(invoke(bearer_client(live_server.url, key), "echo", number, DurableExecutionName=f"n-{number}")[1])

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: Execution.objects.count() == 3)
    assert sum(thread.name == "lambda-waiters" for thread in threading.enumerate()) >= 1
    error = refused(lambda: client.invoke(FunctionName="echo", Payload=b"9"), "TooManyRequestsException", 429)
    assert "LAMBDA_WAITERS" in error["Message"]
    assert Execution.objects.count() == 3
    start(client, 9)  # who does not wait is served
    for one in client.list_durable_executions_by_function(FunctionName="echo")["DurableExecutions"]:
        client.stop_durable_execution(DurableExecutionArn=one["DurableExecutionArn"])
    for thread in threads:
        thread.join(PATIENCE)
    assert [answer["StatusCode"] for answer in ended] == [200] * 3
    process_waiters.cache_clear()


def test_who_may_start_and_not_read_gets_no_result(client: Any, live_server: Any) -> None:
    approver = bearer_client(live_server.url, make_key(make_user("approver")))
    refused(lambda: approver.invoke(FunctionName="echo", InvocationType="Event"), "AccessDeniedException", 403)
    refused(lambda: approver.invoke(FunctionName="echo", InvocationType="DryRun"), "AccessDeniedException", 403)
    assert Execution.objects.count() == 0


def test_suspended_executions_are_waited_for(served: Any) -> None:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(invoke(served, "lambda-slow", None)[0]))
    thread.start()

    def pending() -> Any:
        listed = served.list_durable_executions_by_function(FunctionName="lambda-slow")["DurableExecutions"]
        if not listed:
            return None
        events = served.get_durable_execution_history(DurableExecutionArn=listed[0]["DurableExecutionArn"])["Events"]
        return next((event["CallbackStartedDetails"]["CallbackId"] for event in events if event["EventType"] == "CallbackStarted"), None)

    served.send_durable_execution_callback_success(CallbackId=wait_until(pending), Result=b"done")
    thread.join(PATIENCE)
    assert found == ["done"]


def test_a_caller_that_hung_up_is_seen_whatever_the_number_of_its_file() -> None:
    ours, theirs = socket.socketpair()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1_100, "this machine allows too few open files to test with"
    far = socket.socket(fileno=fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD, 1_050))
    request = RequestFactory().post("/", **{"gunicorn.socket": far})
    with ours, theirs, far:
        assert not _has_hung_up(request)
        theirs.send(b"the next request")
        assert not _has_hung_up(request)
        assert far.recv(100) == b"the next request"
        theirs.close()
        assert _has_hung_up(request)
