"""Remote functions under a real worker: good hosts, bad hosts, and checkpoints that come too late."""

import json
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from execution_engine import ExecutionFailedError, register, start_many
from execution_engine.core import wire
from execution_engine.core.errors import InvalidTokenError
from execution_engine.core.trace import Trace, as_amzn_trace
from execution_engine.journal import connections
from execution_engine.journal.replies import CheckpointReply
from execution_engine.models import Event, Execution, Operation
from execution_engine.services import callbacks, checkpoints, executions, repairs
from execution_engine.services.executions import StartOptions
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime
from tests.execution_engine.invocation import hostile
from tests.execution_engine.invocation.hostile import Host, Request
from tests.waiting import PATIENCE, wait_until

History = Callable[[UUID], list[str]]
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def host() -> Iterator[Host]:
    with Host(hostile.succeeds()) as host:
        register(name="test-remote", url=host.url)
        register(name="test-remote-plain", url=host.url, durable=False)
        register(name="test-remote-hangs", url=host.url, invocation_timeout=1)
        yield host


@pytest.fixture
def served(host: Host, transactional_db: None) -> Iterator[Runtime]:
    """A worker that knows the functions of `host`."""
    runtime = make_runtime()
    runtime.start()
    yield runtime
    host.close()
    runtime.stop()


def start(function: str = "test-remote", input: Any = None, **options: Any) -> UUID:
    text = None if input is None else json.dumps(input)
    return executions.start_execution(function, text, options=StartOptions(**options)).id


def ended(execution_id: UUID) -> Execution:
    wait_until(lambda: Execution.objects.get(id=execution_id).ended_at is not None)
    return Execution.objects.get(id=execution_id)


def error_of(row: Execution) -> dict[str, Any]:
    return dict(json.loads(row.error or "{}"))


def failures(execution_id: UUID) -> list[str]:
    found = Event.objects.filter(execution_id=execution_id, type="InvocationCompleted", error__isnull=False).order_by("event_id")
    return [json.loads(event.error or "{}")["ErrorType"] for event in found]


class Handler:
    """The protocol by hand: `work` checkpoints and says what to answer."""

    def __init__(self, work: Callable[["Handler"], Any]) -> None:
        self._work = work
        self.replies: list[CheckpointReply] = []

    def __call__(self, connection: socket.socket, request: Request) -> None:
        self.event = request.event
        self.token = self.event["CheckpointToken"]
        self.operations = {one["Id"]: one for one in self.event["InitialExecutionState"]["Operations"]}
        try:
            answer = hostile.answers(self._work(self))
        except Exception as error:
            answer = hostile.answers({"errorMessage": repr(error), "errorType": "Test"}, X_Amz_Function_Error="Unhandled")
        answer(connection, request)

    def checkpoint(self, *updates: dict[str, Any]) -> CheckpointReply:
        reply = checkpoints.checkpoint(self.event["DurableExecutionArn"], self.token, wire.updates(list(updates)))
        self.token = reply.token or ""
        self.operations |= {one.id: wire.operation(one) for one in reply.operations}
        return reply


STEP = {"Id": "s", "Type": "STEP", "SubType": "Step", "Name": "one"}
WAIT = {"Id": "w", "Type": "WAIT", "SubType": "Wait", "Name": "rest", "Action": "START", "WaitOptions": {"WaitSeconds": 1}}
CALLBACK = {"Id": "c", "Type": "CALLBACK", "SubType": "Callback", "Action": "START"}


def test_an_envelope_and_its_answer(host: Host, served: Runtime, history: History) -> None:
    execution_id = start(input={"n": 1}, tenant_id="blue", trace=Trace(PARENT), client_context='{"custom": {"app": "till"}}')

    row = ended(execution_id)

    assert (row.status, row.result) == ("SUCCEEDED", '"done"')
    assert history(execution_id) == ["ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"]
    asked = host.requests[0]
    assert asked.line == "POST /2015-03-31/functions/test-remote/invocations HTTP/1.1"
    assert asked.headers["x-amz-tenant-id"] == "blue"
    assert json.loads(b64decode(asked.headers["x-amz-client-context"])) == {"custom": {"app": "till"}}
    assert asked.headers["x-amzn-trace-id"] == as_amzn_trace(PARENT)
    assert asked.headers["lambda-runtime-invoked-function-arn"].endswith(":function:test-remote:1")
    assert int(asked.headers["lambda-runtime-deadline-ms"]) > time.time() * 1000
    assert asked.event["DurableExecutionArn"].endswith(f"/{execution_id}")
    [first] = asked.event["InitialExecutionState"]["Operations"]
    assert (first["Type"], first["ExecutionDetails"]) == ("EXECUTION", {"InputPayload": '{"n": 1}'})
    assert abs(first["StartTimestamp"] - time.time() * 1000) < 60_000
    assert (asked.event["InitialExecutionState"]["NextMarker"], asked.event["UpdatedOperationIds"]) == ("", [])


def test_what_is_checkpointed_from_there_is_recorded_and_sent_again(host: Host, served: Runtime, history: History) -> None:
    def work(handler: Handler) -> Any:
        if "s" not in handler.operations:
            handler.checkpoint({**STEP, "Action": "START"}, {**STEP, "Action": "SUCCEED", "Payload": "41"}, WAIT)
            return {"Status": "PENDING"}
        assert handler.operations["w"]["Status"] == "SUCCEEDED"
        return {"Status": "SUCCEEDED", "Result": handler.operations["s"]["StepDetails"]["Result"]}

    host.behaviours = [Handler(work)]
    execution_id = start()

    assert ended(execution_id).result == "41"
    assert history(execution_id) == [
        "ExecutionStarted", "StepStarted", "StepSucceeded", "WaitStarted", "InvocationCompleted", "WaitSucceeded", "InvocationCompleted",
        "ExecutionSucceeded",
    ]  # fmt: skip
    assert host.requests[1].event["UpdatedOperationIds"] == ["w"]


def test_a_child_has_the_trace_that_its_invoke_names(host: Host, served: Runtime) -> None:
    named = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

    def work(handler: Handler) -> Any:
        if "i" in handler.operations:
            return {"Status": "SUCCEEDED", "Result": handler.operations["i"]["ChainedInvokeDetails"]["Result"]}
        options = {"FunctionName": "test-remote-plain", "XAmznTraceId": named}
        handler.checkpoint(
            {"Id": "i", "Type": "CHAINED_INVOKE", "SubType": "ChainedInvoke", "Action": "START", "ChainedInvokeOptions": options}
        )
        return {"Status": "PENDING"}

    parent = Handler(work)
    host.behaviours = [lambda connection, request: (hostile.answers(b"7") if "plain" in request.line else parent)(connection, request)]

    assert ended(start(trace=Trace(PARENT))).result == "7"
    [called] = [request for request in host.requests if "plain" in request.line]
    assert called.headers["x-amzn-trace-id"] == named


def test_a_large_state_is_read_page_by_page(host: Host, served: Runtime) -> None:
    def work(handler: Handler) -> Any:
        if "s0" not in handler.operations:
            for number in range(6):
                one = {**STEP, "Id": f"s{number}"}
                handler.checkpoint({**one, "Action": "START"}, {**one, "Action": "SUCCEED", "Payload": "x" * 1024 * 1024})
            handler.checkpoint(WAIT)
            return {"Status": "PENDING"}
        state = handler.event["InitialExecutionState"]
        found, marker = [one["Id"] for one in state["Operations"]], state["NextMarker"]
        while marker:
            page = checkpoints.state(handler.event["DurableExecutionArn"], handler.token, marker)
            found, marker = found + [one.id for one in page.operations], page.marker
        return {"Status": "SUCCEEDED", "Result": json.dumps(found[1:])}

    host.behaviours = [Handler(work)]

    assert json.loads(ended(start()).result or "") == ["s0", "s1", "s2", "s3", "s4", "s5", "w"]
    assert len(host.requests[1].body) < 6 * 1024 * 1024


def test_a_pause_cuts_the_handler_off_and_a_resume_calls_it_again(host: Host, served: Runtime, history: History) -> None:
    def work(handler: Handler) -> Any:
        execution_id = UUID(handler.event["DurableExecutionArn"].rpartition("/")[2])
        if "s" not in handler.operations:
            repairs.pause_execution(execution_id)
            reply = handler.checkpoint({**STEP, "Action": "START"}, {**STEP, "Action": "SUCCEED", "Payload": "1"})
            return {"Status": "PENDING"} if reply.token is None else {"Status": "SUCCEEDED", "Result": '"was not cut"'}
        return {"Status": "SUCCEEDED", "Result": '"went on"'}

    host.behaviours = [Handler(work)]
    execution_id = start()
    wait_until(lambda: Execution.objects.get(id=execution_id).status == "PAUSED")
    assert len(host.requests) == 1

    repairs.resume_execution(execution_id)

    assert ended(execution_id).result == '"went on"'
    assert history(execution_id) == [
        "ExecutionStarted", "StepStarted", "StepSucceeded", "InvocationCompleted", "ExecutionPaused", "ExecutionResumed",
        "InvocationCompleted", "ExecutionSucceeded",
    ]  # fmt: skip


def test_an_answer_to_a_callback_during_the_call_is_not_lost(host: Host, served: Runtime) -> None:
    """It comes when the handler has looked for the last time: nobody tells it, so an invocation is owed."""

    def work(handler: Handler) -> Any:
        if "c" not in handler.operations:
            handler.checkpoint(CALLBACK)
            callbacks.succeed_callback(handler.operations["c"]["CallbackDetails"]["CallbackId"], '"yes"')
        found = handler.operations["c"]["CallbackDetails"]
        return {"Status": "SUCCEEDED", "Result": found["Result"]} if "Result" in found else {"Status": "PENDING"}

    host.behaviours = [Handler(work)]

    assert ended(start()).result == '"yes"'


def test_an_answer_that_a_checkpoint_told_wakes_nobody_again(host: Host, served: Runtime) -> None:
    def work(handler: Handler) -> Any:
        if "c" not in handler.operations:
            handler.checkpoint(CALLBACK)
            callbacks.succeed_callback(handler.operations["c"]["CallbackDetails"]["CallbackId"], '"yes"')
            handler.checkpoint(WAIT)
            assert handler.operations["c"]["Status"] == "SUCCEEDED"
            return {"Status": "PENDING"}
        return {"Status": "SUCCEEDED", "Result": handler.operations["w"]["Status"]}

    host.behaviours = [Handler(work)]

    assert ended(start()).result == "SUCCEEDED"
    assert len(host.requests) == 2


def test_a_large_result_ends_the_execution_in_its_checkpoint(host: Host, served: Runtime, history: History) -> None:
    def work(handler: Handler) -> Any:
        handler.checkpoint({"Id": "e", "Type": "EXECUTION", "Action": "SUCCEED", "Payload": '"large"'})
        return {"Status": "SUCCEEDED", "Result": ""}

    host.behaviours = [Handler(work)]
    execution_id = start()

    assert ended(execution_id).result == '"large"'
    assert history(execution_id) == ["ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"]
    wait_until(lambda: served.in_flight == 0)


def test_a_plain_function_gets_its_payload_and_is_called_once(host: Host, served: Runtime) -> None:
    host.behaviours = [hostile.answers(b'{"total": 3}'), hostile.resets()]
    assert ended(start("test-remote-plain", {"n": 1})).result == '{"total": 3}'
    assert host.requests[0].body == b'{"n": 1}'

    failed = ended(start("test-remote-plain"))
    assert (failed.status, error_of(failed)["ErrorType"]) == ("FAILED", "Runtime.ExitError")
    assert [request.body for request in host.requests] == [b'{"n": 1}', b"{}"]


def test_an_error_of_the_function_fails_the_invocation(host: Host, served: Runtime) -> None:
    error = {"errorMessage": "no", "errorType": "Boom", "stackTrace": ["line 1"], "requestId": "r"}
    host.behaviours = [hostile.answers(error, X_Amz_Function_Error="Unhandled"), hostile.succeeds()]
    execution_id = start()

    assert ended(execution_id).result == '"done"'
    assert failures(execution_id) == ["Boom"]


@pytest.mark.parametrize(
    "answer", [b"not JSON", b"\xff", b"[" * 100_000, b"NaN", b'{"Status": "DONE"}', b"<html>", b'{"Status":"SUCCEEDED","Result":"\\ud800"}']
)
def test_garbage_ends_the_execution(host: Host, served: Runtime, answer: bytes) -> None:
    host.behaviours = [hostile.answers(answer)]
    row = ended(start())
    assert (row.status, error_of(row)["ErrorType"]) == ("FAILED", "InvalidParameterValueException")
    assert len(host.requests) == 1


def test_an_endless_answer_ends_the_execution(host: Host, served: Runtime) -> None:
    host.behaviours = [hostile.never_ends(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")]
    row = ended(start())
    assert (row.status, error_of(row)["ErrorType"]) == ("FAILED", "Function.ResponseSizeTooLarge")


@pytest.mark.parametrize(
    "behaviour",
    [
        hostile.resets(),
        hostile.says(b""),
        hostile.resets(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        hostile.answers(b""),
        hostile.answers(b"down", "503 Service Unavailable"),
        hostile.answers(b"", "302 Found", Location="http://127.0.0.1:1/"),
        hostile.answers(b"{}", "404 Not Found"),
        hostile.answers({"Status": "PENDING"}),
    ],
)
def test_a_host_in_trouble_is_asked_again(host: Host, served: Runtime, behaviour: hostile.Behaviour) -> None:
    host.behaviours = [behaviour, hostile.succeeds()]
    execution_id = start()
    assert ended(execution_id).result == '"done"'
    assert len(failures(execution_id)) == 1


def test_five_deaths_in_a_row_fail_the_execution(host: Host, served: Runtime) -> None:
    host.behaviours = [hostile.resets()]
    row = ended(start())
    assert (row.status, error_of(row)["ErrorType"]) == ("FAILED", "Runtime.ExitError")
    assert failures(row.id) == ["Runtime.ExitError"] * 5
    assert len(host.requests) == 5


def test_nobody_listens(host: Host, served: Runtime) -> None:
    host.close()
    execution_id = start()
    wait_until(lambda: failures(execution_id) == ["Runtime.ExitError"])
    row = Execution.objects.get(id=execution_id)
    assert row.status == "RUNNING" and row.due_at is not None
    error = Event.objects.get(execution_id=execution_id, type="InvocationCompleted").error
    assert "could not be reached" in str(error) and host.url in str(error)


@pytest.mark.parametrize("drips", [False, True])
def test_a_host_that_hangs_loses_its_claim_and_no_thread(host: Host, served: Runtime, drips: bool) -> None:
    late: list[BaseException] = []

    def comes_too_late(handler: Handler) -> Any:
        wait_until(lambda: failures(UUID(handler.event["DurableExecutionArn"].rpartition("/")[2])))
        try:
            handler.checkpoint({**STEP, "Action": "START"})
        except InvalidTokenError as error:
            late.append(error)
        return {"Status": "SUCCEEDED", "Result": '"too late"'}

    host.behaviours = [hostile.drips(host) if drips else Handler(comes_too_late), hostile.succeeds()]
    execution_id = start("test-remote-hangs")

    assert ended(execution_id).result == '"done"'
    assert set(failures(execution_id)) == {"Sandbox.Timedout"}
    assert drips or late
    assert served.lost_threads == 0
    wait_until(lambda: served.in_flight == 0)
    assert not Operation.objects.filter(execution_id=execution_id).exists()


def test_a_stop_frees_the_thread_and_refuses_what_comes_later(host: Host, transactional_db: None) -> None:
    runtime = make_runtime(CLAIM_SECONDS=3, RENEW_SECONDS=1)
    host.behaviours = [hostile.hangs(host)]
    runtime.start()
    try:
        execution_id = start()
        wait_until(lambda: host.requests)
        event = host.requests[0].event

        executions.stop_execution(execution_id)

        with pytest.raises(InvalidTokenError):
            checkpoints.checkpoint(event["DurableExecutionArn"], event["CheckpointToken"], wire.updates([{**STEP, "Action": "START"}]))
        wait_until(lambda: runtime.in_flight == 0)
        assert not host.released.is_set()
    finally:
        host.close()
        runtime.stop()


def test_a_worker_that_drains_hands_the_claim_back_and_another_calls_again(host: Host, transactional_db: None) -> None:
    host.behaviours = [hostile.hangs(host), hostile.succeeds()]
    first = make_runtime(DRAIN_SECONDS=0)
    first.start()
    execution_id = start()
    wait_until(lambda: host.requests)
    first.stop()
    token, arn = host.requests[0].event["CheckpointToken"], host.requests[0].event["DurableExecutionArn"]
    with pytest.raises(InvalidTokenError):
        checkpoints.checkpoint(arn, token, ())

    second = make_runtime()
    second.start()
    try:
        assert ended(execution_id).result == '"done"'
    finally:
        second.stop()


def test_a_claim_outlives_a_call_longer_than_itself(host: Host, transactional_db: None) -> None:
    done = threading.Event()

    def slow(handler: Handler) -> Any:
        time.sleep(4)
        handler.checkpoint({**STEP, "Action": "START"}, {**STEP, "Action": "SUCCEED"})
        done.set()
        return {"Status": "SUCCEEDED", "Result": "1"}

    host.behaviours = [Handler(slow)]
    runtime = make_runtime(CLAIM_SECONDS=3, RENEW_SECONDS=1)
    runtime.start()
    try:
        assert ended(start()).result == "1"
        assert done.is_set() and len(host.requests) == 1
    finally:
        runtime.stop()


def test_the_deadline_of_the_execution_passes_during_the_call(host: Host, served: Runtime, history: History) -> None:
    register(name="test-remote", url=host.url, execution_timeout=3)
    with connections.connect("test") as connection:
        served.keeper.register_versions(connection)
    host.behaviours = [hostile.hangs(host)]
    execution_id = start()
    assert ended(execution_id).status == "TIMED_OUT"
    assert history(execution_id) == ["ExecutionStarted", "InvocationCompleted", "ExecutionTimedOut"]
    wait_until(lambda: served.in_flight == 0)


def test_many_share_few_connections(host: Host, served: Runtime) -> None:
    handles = start_many("test-remote", [None] * 100)
    assert [handle.result(timeout=PATIENCE) for handle in handles] == ["done"] * 100
    assert host.connections <= served.settings.THREADS


def test_a_result_that_is_no_json_is_its_text(host: Host, served: Runtime) -> None:
    host.behaviours = [hostile.answers({"Status": "SUCCEEDED", "Result": "plain words"})]
    [handle] = start_many("test-remote", [None])
    assert handle.result(timeout=PATIENCE) == "plain words"


def test_an_error_is_raised_to_who_asks(host: Host, served: Runtime) -> None:
    host.behaviours = [hostile.answers({"Status": "FAILED", "Error": {"ErrorType": "CardDeclined", "ErrorMessage": "no money"}})]
    [handle] = start_many("test-remote", [None])
    with pytest.raises(ExecutionFailedError, match="no money"):
        handle.result(timeout=PATIENCE)
