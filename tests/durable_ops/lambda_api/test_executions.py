"""Get, history, list, stop, pause, resume and delete, called with unmodified boto3."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection

from durable_ops.models import AuditEntry
from execution_engine.models import Execution
from tests.durable_ops.journal import open_callback, register_function
from tests.durable_ops.lambda_api.conftest import bearer_client, refused, start
from tests.durable_ops.people import make_key, make_user

ROOT = "arn:aws:lambda:us-east-1:000000000000:function:echo"
NOBODY = f"{ROOT}:1/durable-execution/none/01a1fecc-e239-740d-841a-3f405e9d6f72"


def test_get_answers_all_that_is_known(client: Any) -> None:
    arn = start(client, {"a": 1}, DurableExecutionName="order-1")
    found = client.get_durable_execution(DurableExecutionArn=arn)
    row = Execution.objects.get()
    assert arn == f"{ROOT}:1/durable-execution/order-1/{row.id}" == found["DurableExecutionArn"]
    assert (found["DurableExecutionName"], found["FunctionArn"], found["Version"], found["Status"]) == ("order-1", ROOT, "1", "RUNNING")
    assert abs(found["StartTimestamp"] - row.started_at) < timedelta(milliseconds=1)
    assert found["InputPayload"] == '{"a": 1}'
    assert found["ExecutionDataIncluded"] is True
    assert found["DurableConfig"] == {"RetentionPeriodInDays": 14}
    assert {"EndTimestamp", "Result", "Error", "PauseDetails", "TraceHeader"} & set(found) == set()


def test_get_without_data_has_none(client: Any) -> None:
    found = client.get_durable_execution(DurableExecutionArn=start(client, {"a": 1}), IncludeExecutionData=False)
    assert found["ExecutionDataIncluded"] is False
    assert "InputPayload" not in found


def test_get_tells_trace_and_timeout(client: Any) -> None:
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    client.meta.events.register("before-send.lambda", lambda request, **_: request.headers.__setitem__("X-Amzn-Trace-Id", header))
    arn = start(client, None)
    with connection.cursor() as cursor:
        cursor.execute("update durable_execution set execution_timeout = 60, deadline_at = '2100-01-01T00:00:00Z'")
    found = client.get_durable_execution(DurableExecutionArn=arn)
    assert found["TraceHeader"] == {"XAmznTraceId": header}
    assert found["DurableConfig"]["ExecutionTimeout"] == 60
    assert found["ExpectedExecutionTimeoutTimestamp"] == datetime(2100, 1, 1, tzinfo=UTC)


def test_who_may_not_read_payloads_gets_none_and_cannot_ask_for_them(client: Any, live_server: Any) -> None:
    arn = start(client, {"secret": 1})
    approver = bearer_client(live_server.url, make_key(make_user("approver")))
    found = approver.get_durable_execution(DurableExecutionArn=arn)
    assert found["ExecutionDataIncluded"] is False
    assert "InputPayload" not in found
    events = approver.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    assert "Payload" not in events[0]["ExecutionStartedDetails"]["Input"]
    for call in (approver.get_durable_execution, approver.get_durable_execution_history):
        refused(lambda call=call: call(DurableExecutionArn=arn, IncludeExecutionData=True), "AccessDeniedException", 403)


def test_history_pages_in_both_orders(client: Any) -> None:
    arn = start(client, {"a": 1})
    for name in ("a", "b", "c", "d"):
        open_callback(UUID(arn.rpartition("/")[2]), name)
    for reverse, wanted in ((False, [1, 2, 3, 4, 5]), (True, [5, 4, 3, 2, 1])):
        pages = client.get_paginator("get_durable_execution_history").paginate(
            DurableExecutionArn=arn, ReverseOrder=reverse, PaginationConfig={"PageSize": 2}
        )
        found = list(pages)
        assert [len(page["Events"]) for page in found] == [2, 2, 1]
        assert [event["EventId"] for page in found for event in page["Events"]] == wanted
    first = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"][0]
    assert first["EventType"] == "ExecutionStarted"
    assert first["ExecutionStartedDetails"]["Input"] == {"Payload": '{"a": 1}', "Truncated": False}
    assert first["EventTimestamp"].tzinfo is not None


def test_list_pages_in_both_orders(client: Any) -> None:
    arns = [start(client, {"n": n}) for n in range(5)]
    for reverse, wanted in ((False, arns), (True, arns[::-1])):
        found: list[str] = []
        marker: dict[str, str] = {}
        sizes = []
        while True:
            page = client.list_durable_executions_by_function(FunctionName="echo", ReverseOrder=reverse, MaxItems=2, **marker)
            sizes.append(len(page["DurableExecutions"]))
            found += [one["DurableExecutionArn"] for one in page["DurableExecutions"]]
            if "NextMarker" not in page:
                break
            marker = {"Marker": page["NextMarker"]}
        assert (sizes, found) == ([2, 2, 1], wanted)


def test_list_filters(client: Any) -> None:
    register_function("other")
    start(client, 1, FunctionName="other")
    first, second, third = (start(client, n, DurableExecutionName=f"n-{n}") for n in range(3))
    client.stop_durable_execution(DurableExecutionArn=second)
    client.pause_durable_execution(DurableExecutionArn=third)

    def listed(**filters: Any) -> list[str]:
        found = client.list_durable_executions_by_function(**{"FunctionName": "echo", **filters})
        return [one["DurableExecutionArn"] for one in found["DurableExecutions"]]

    middle = Execution.objects.get(name="n-1").started_at
    assert listed() == [first, second, third]
    assert listed(Statuses=["STOPPED"]) == [second]
    assert listed(Statuses=["RUNNING", "PAUSED"]) == [first, third]
    assert listed(Statuses=["DELETING"]) == []
    assert listed(DurableExecutionName="n-0") == [first]
    assert listed(DurableExecutionName="n") == []
    assert listed(Qualifier="1") == listed(Qualifier="$LATEST") == listed(FunctionName="echo:1") == listed(FunctionName=f"{ROOT}:1")
    assert listed(FunctionName=ROOT) == listed(FunctionName="000000000000:function:echo") == [first, second, third]
    assert listed(StartedAfter=middle - timedelta(days=1), StartedBefore=middle + timedelta(days=1)) == [first, second, third]
    assert listed(StartedAfter=middle + timedelta(days=1)) == listed(StartedBefore=middle - timedelta(days=1)) == []


def test_stop_keeps_the_error(client: Any) -> None:
    arn = start(client, None)
    error = {"ErrorMessage": "enough", "ErrorType": "ByHand", "ErrorData": "{}", "StackTrace": ["a", "b"]}
    answer = client.stop_durable_execution(DurableExecutionArn=arn, Error=error)
    found = client.get_durable_execution(DurableExecutionArn=arn)
    assert (found["Status"], found["Error"]) == ("STOPPED", error)
    assert abs(answer["StopTimestamp"] - found["EndTimestamp"]) < timedelta(milliseconds=1)
    entry = AuditEntry.objects.get(action="execution.stop")
    assert (entry.channel, entry.actor) == ("lambda", "anna (key tests)")


def test_stop_without_an_error_says_who(client: Any) -> None:
    arn = start(client, None)
    client.stop_durable_execution(DurableExecutionArn=arn)
    error = client.get_durable_execution(DurableExecutionArn=arn)["Error"]
    assert error == {"ErrorMessage": "Stopped by anna (key tests)", "ErrorType": "Execution.Stopped"}
    refused(lambda: client.stop_durable_execution(DurableExecutionArn=arn), "InvalidParameterValueException", 400)


def test_pause_and_resume(client: Any) -> None:
    arn = start(client, None)
    asked = client.pause_durable_execution(DurableExecutionArn=arn, Reason="lunch", ClientToken="t1", ExecutionTimeoutPaused=True)
    assert asked["ResponseMetadata"]["HTTPStatusCode"] == 202
    found = client.get_durable_execution(DurableExecutionArn=arn)
    assert found["Status"] == "PAUSED"
    assert found["PauseDetails"]["Reason"] == "lunch"
    assert client.resume_durable_execution(DurableExecutionArn=arn, Reason="back")["ResponseMetadata"]["HTTPStatusCode"] == 202
    found = client.get_durable_execution(DurableExecutionArn=arn)
    assert found["Status"] == "RUNNING"
    assert "PauseDetails" not in found
    events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    assert [event["EventType"] for event in events] == ["ExecutionStarted", "ExecutionPaused", "ExecutionResumed"]
    paused, resumed = events[1]["ExecutionPausedDetails"], events[2]["ExecutionResumedDetails"]
    assert paused["Reason"] == {"Payload": "lunch", "Truncated": False}
    assert paused["ExecutionTimeoutPaused"] is True
    assert resumed["Reason"] == {"Payload": "back", "Truncated": False}
    refused(lambda: client.resume_durable_execution(DurableExecutionArn=arn), "ResourceConflictException", 409)


def test_a_pause_that_is_sent_again_is_not_done_again(client: Any) -> None:
    arn = start(client, None)
    for _ in range(2):
        client.pause_durable_execution(DurableExecutionArn=arn, ClientToken="p")
    for _ in range(2):
        client.resume_durable_execution(DurableExecutionArn=arn, ClientToken="r")
    client.pause_durable_execution(DurableExecutionArn=arn, ClientToken="p")
    assert client.get_durable_execution(DurableExecutionArn=arn)["Status"] == "RUNNING"
    call = client.pause_durable_execution
    refused(lambda: call(DurableExecutionArn=arn, ClientToken="p", Reason="other"), "InvalidParameterValueException", 400)
    client.pause_durable_execution(DurableExecutionArn=arn, ClientToken="q")
    assert AuditEntry.objects.filter(action__in=["execution.pause", "execution.resume"]).count() == 3


def test_delete_takes_only_what_has_ended(client: Any) -> None:
    arn = start(client, None)
    refused(lambda: client.delete_durable_execution(DurableExecutionArn=arn), "ResourceConflictException", 409)
    client.stop_durable_execution(DurableExecutionArn=arn)
    answer = client.delete_durable_execution(DurableExecutionArn=arn)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["DeletionRequestTimestamp"].tzinfo is not None
    refused(lambda: client.get_durable_execution(DurableExecutionArn=arn), "ResourceNotFoundException", 404)
    for call in (client.pause_durable_execution, client.resume_durable_execution):
        refused(lambda call=call: call(DurableExecutionArn=arn), "ResourceNotFoundException", 404)


CALLS_WITH_ARN = [
    "get_durable_execution", "get_durable_execution_history", "stop_durable_execution", "pause_durable_execution",
    "resume_durable_execution", "delete_durable_execution",
]  # fmt: skip
FOREIGN = {
    "another region": NOBODY.replace("us-east-1", "eu-west-1"),
    "another account": NOBODY.replace("000000000000", "000000000001"),
    "no ARN": "order-1",
    "no id": NOBODY.rpartition("/")[0],
    "of a function": ROOT,
    "with a line break": NOBODY + "\n",
}


def test_an_execution_that_is_not_there(client: Any) -> None:
    for call in CALLS_WITH_ARN:
        refused(partial(getattr(client, call), DurableExecutionArn=NOBODY), "ResourceNotFoundException", 404)
        for arn in FOREIGN.values():
            refused(partial(getattr(client, call), DurableExecutionArn=arn), "InvalidParameterValueException", 400)


def test_the_id_of_an_execution_under_another_name_or_function_is_nobody(client: Any) -> None:
    arn = start(client, None, DurableExecutionName="mine")
    for other in (arn.replace("/mine/", "/yours/"), arn.replace(":function:echo:", ":function:other:")):
        refused(lambda other=other: client.get_durable_execution(DurableExecutionArn=other), "ResourceNotFoundException", 404)


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "items above 1000": ("get_durable_execution_history", {"MaxItems": 1001}),
    "forged marker": ("get_durable_execution_history", {"Marker": "forged"}),
    "long reason": ("pause_durable_execution", {"Reason": "x" * 1025}),
    "NUL in a reason": ("pause_durable_execution", {"Reason": "a\x00b"}),
    "long token": ("pause_durable_execution", {"ClientToken": "x" * 65}),
    "token with blanks": ("resume_durable_execution", {"ClientToken": "a b"}),
    "huge error": ("stop_durable_execution", {"Error": {"ErrorMessage": "x" * 33_000}}),
}


def test_wrong_values_are_named_and_change_nothing(client: Any) -> None:
    arn = start(client, None)
    for call, values in WRONG.values():
        error = refused(partial(getattr(client, call), DurableExecutionArn=arn, **values), "InvalidParameterValueException", 400)
        assert error["Message"]
    assert Execution.objects.get().status == "RUNNING"
    assert Execution.objects.get().event_seq == 1


WRONG_LISTS: dict[str, dict[str, Any]] = {
    "unknown status": {"Statuses": ["ASLEEP"]},
    "eleven statuses": {"Statuses": ["RUNNING"] * 11},
    "name with blanks": {"DurableExecutionName": "a b"},
    "long name": {"DurableExecutionName": "a" * 65},
    "bad qualifier": {"Qualifier": "a b"},
    "two versions": {"FunctionName": "echo:1", "Qualifier": "2"},
    "foreign function": {"FunctionName": ROOT.replace("us-east-1", "eu-west-1")},
    "no function name": {"FunctionName": "a b"},
    "forged marker": {"Marker": "x"},
}


def test_wrong_lists(client: Any) -> None:
    for values in WRONG_LISTS.values():
        asked = {"FunctionName": "echo", **values}
        refused(partial(client.list_durable_executions_by_function, **asked), "InvalidParameterValueException", 400)


def test_marker_of_another_list_is_refused(client: Any) -> None:
    first, second = start(client, 1), start(client, 2)
    for arn in (first, second):
        open_callback(UUID(arn.rpartition("/")[2]))
    marker = client.get_durable_execution_history(DurableExecutionArn=first, MaxItems=1)["NextMarker"]
    assert client.get_durable_execution_history(DurableExecutionArn=first, Marker=marker)["Events"][0]["EventId"] == 2
    call = client.get_durable_execution_history
    refused(lambda: call(DurableExecutionArn=second, Marker=marker), "InvalidParameterValueException", 400)


def test_list_of_an_unknown_function(client: Any) -> None:
    assert client.list_durable_executions_by_function(FunctionName="echo")["DurableExecutions"] == []
    call = client.list_durable_executions_by_function
    for name in ("nobody", "echo:99"):
        refused(lambda name=name: call(FunctionName=name), "ResourceNotFoundException", 404)
