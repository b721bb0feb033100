"""docs/misbehaviour.md, row by row, on a real runtime: what a handler does wrong ends as the page says and harms nobody else."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.utils import translation

from execution_engine import (
    DurableContext,
    ExecutionFailedError,
    RetryPresets,
    SerDes,
    StepConfig,
    StepError,
    SuspendExecution,
    durable_execution,
)
from execution_engine.models import Event, Execution
from execution_engine.testing import DurableExecutionTestClient
from execution_engine.worker.runtime import Runtime
from tests.execution_engine.conftest import make_runtime
from tests.waiting import PATIENCE, wait_until

NO_RETRY = StepConfig(retry_strategy=RetryPresets.none())
late: list[Any] = []
ended = threading.Event()


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Cyclic:
    def value(self) -> list[Any]:
        found: list[Any] = []
        found.append(found)
        return found


class RawText(SerDes[str]):
    def serialize(self, value: str, serdes_context: Any) -> str:
        return value

    def deserialize(self, data: str, serdes_context: Any) -> str:
        return data


def dig(depth: int = 0) -> int:
    return dig(depth + 1)


def run_out() -> None:
    raise MemoryError


def leave_a_transaction() -> int:
    transaction.atomic().__enter__()
    return Group.objects.create(name="left-open").pk


def leave_autocommit_off() -> int:
    transaction.set_autocommit(False)
    return Group.objects.create(name="left-open").pk


def dangle() -> None:
    """The constraint is deferred: the database speaks only when the step is committed."""
    Group.permissions.through.objects.create(group=Group.objects.create(name="in-atomic"), permission_id=999_999)


def step_in_atomic(context: DurableContext) -> None:
    with transaction.atomic():
        Group.objects.create(name="in-atomic")
        context.step("inside", lambda: 1)


def wait_in_atomic(context: DurableContext) -> None:
    with transaction.atomic():
        Group.objects.create(name="in-atomic")
        context.wait(seconds=1)


def many_queries(context: DurableContext) -> None:
    """More threads than the pool has connections; none of them closes its own."""

    def ask() -> None:
        threads = [threading.Thread(target=Group.objects.count) for _ in range(20)]
        for thread in threads:
            thread.start()
            thread.join()

    context.step("ask", ask)


BODIES: dict[str, Callable[[DurableContext], Any]] = {
    "raises-oddly": lambda context: raising(Unspeakable()),
    "raises-nul": lambda context: raising(ValueError("a\x00b\ud800")),
    "raises-much": lambda context: raising(ValueError("x" * 1_000_000)),
    "recurses": lambda context: dig(),
    "step-recurses": lambda context: context.step("dig", dig, config=NO_RETRY),
    "no-memory": lambda context: run_out(),
    "step-no-memory": lambda context: context.step("run-out", run_out, config=NO_RETRY),
    "returns-an-object": lambda context: object(),
    "returns-itself": lambda context: Cyclic().value(),
    "step-returns-an-object": lambda context: context.step("object", object),
    "step-returns-nul": lambda context: context.step("nul", lambda: "a\x00b", config=StepConfig(serdes=RawText())),
    "step-returns-surrogate": lambda context: context.step("half", lambda: "a\ud800", config=StepConfig(serdes=RawText())),
    "bad-name": lambda context: context.step("naïve", lambda: 1),
    "step-in-atomic": step_in_atomic,
    "wait-in-atomic": wait_in_atomic,
    "step-leaves-transaction": lambda context: context.step("leave", leave_a_transaction, config=NO_RETRY),
    "step-leaves-autocommit-off": lambda context: context.step("leave", leave_autocommit_off, config=NO_RETRY),
    "atomic-closes": lambda context: context.step(
        "close", connection.close, config=StepConfig(atomic=True, retry_strategy=RetryPresets.none())
    ),
    "atomic-refused": lambda context: context.step("refused", dangle, config=StepConfig(atomic=True, retry_strategy=RetryPresets.none())),
    "step-in-step": lambda context: context.step("outer", lambda: context.step("inner", lambda: 1), config=NO_RETRY),
}

FAILS_WITH = {
    "raises-oddly": ("Unspeakable", "whose text cannot be shown"),
    "raises-nul": ("ValueError", "a"),
    "raises-much": ("ValueError", "xxx"),
    "recurses": ("RecursionError", "maximum recursion depth"),
    "step-recurses": ("StepError", "maximum recursion depth"),
    "no-memory": ("MemoryError", ""),
    "step-no-memory": ("StepError", ""),
    "returns-an-object": ("TypeError", "not JSON serializable"),
    "returns-itself": ("ValueError", "Circular reference"),
    "step-returns-an-object": ("SerDesError", "Unsupported type"),
    "step-returns-nul": ("ValidationError", "NUL"),
    "step-returns-surrogate": ("ValidationError", "surrogate"),
    "bad-name": ("ValidationError", "printable ASCII"),
    "step-in-atomic": ("ValidationError", "a durable call inside transaction.atomic()"),
    "wait-in-atomic": ("ValidationError", "a durable call inside transaction.atomic()"),
    "step-leaves-transaction": ("StepError", "left a database transaction open"),
    "step-leaves-autocommit-off": ("StepError", "left a database transaction open"),
    "atomic-closes": ("StepError", ""),
    "atomic-refused": ("StepError", "violates foreign key"),
    "step-in-step": ("StepError", "a durable call inside STEP 'outer'"),
}


def raising(error: BaseException) -> None:
    raise error


@durable_execution(name="test-misbehaves")
def misbehaves(event: Any, context: DurableContext) -> Any:
    return BODIES[event](context)


@durable_execution(name="test-behaves")
def behaves(event: Any, context: DurableContext) -> int:
    group = context.step("write", lambda: Group.objects.get_or_create(name="good")[0].pk, config=StepConfig(atomic=True))
    return context.step("count", lambda: Group.objects.filter(pk=group).count())


@pytest.fixture(autouse=True)
def fresh() -> None:
    late.clear()
    ended.clear()


@pytest.mark.parametrize("body", BODIES)
def test_it_fails_alone_and_says_why(transactional_db: None, body: str) -> None:
    """On one thread, so that whatever is left behind meets the next execution."""
    runtime = make_runtime(THREADS=1)
    runtime.start()
    kind, words = FAILS_WITH[body]
    with pytest.raises(ExecutionFailedError) as failed:
        misbehaves.start(body).result(timeout=PATIENCE)
    assert (failed.value.error_type or "").rpartition(".")[2] == kind
    assert words in (failed.value.message or "")
    assert behaves.start().result(timeout=PATIENCE) == 1
    runtime.stop()
    assert not Group.objects.filter(name__in=["left-open", "in-atomic"]).exists()


@pytest.mark.django_db
def test_the_transaction_of_a_test_is_not_the_author_s() -> None:
    client = DurableExecutionTestClient(database=True)
    assert client.start_execution(behaves).get_result() == 1
    with pytest.raises(ExecutionFailedError, match=r"a durable call inside transaction.atomic\(\)"):
        client.start_execution(misbehaves, "wait-in-atomic").get_result()


@durable_execution(name="test-swallows")
def swallows(event: Any, context: DurableContext) -> str:
    with suppress(BaseException):
        context.wait(seconds=1)
    try:
        context.step("early", lambda: late.append("early"))
    except SuspendExecution:
        late.append("refused")
    return "done"


def test_a_swallowed_suspension_still_suspends(runtime: Runtime, history: Callable[[UUID], list[str]]) -> None:
    handle = swallows.start()
    assert handle.result(timeout=PATIENCE) == "done"
    assert late == ["refused", "early"]
    assert history(handle.id).count("InvocationCompleted") == 2


@durable_execution(name="test-suspends-itself", execution_timeout=3)
def suspends_itself(event: Any, context: DurableContext) -> None:
    raise SuspendExecution("for no reason")


def test_a_suspension_of_the_author_s_own_ends_with_the_execution_s_time(runtime: Runtime, history: Callable[[UUID], list[str]]) -> None:
    handle = suspends_itself.start()
    with pytest.raises(ExecutionFailedError) as ended:
        handle.result(timeout=PATIENCE)
    assert ended.value.status == "TIMED_OUT"
    assert history(handle.id) == ["ExecutionStarted", "InvocationCompleted", "ExecutionTimedOut"]


@durable_execution(name="test-late-thread")
def leaves_a_thread(event: Any, context: DurableContext) -> str:
    def later() -> None:
        ended.wait(PATIENCE)
        try:
            context.step("late", lambda: late.append("ran"))
        except Exception as error:
            late.append(str(error))

    threading.Thread(target=later, daemon=True).start()
    return "done"


def test_a_thread_that_outlives_the_handler_records_nothing(runtime: Runtime, history: Callable[[UUID], list[str]]) -> None:
    handle = leaves_a_thread.start()
    assert handle.result(timeout=PATIENCE) == "done"
    ended.set()
    wait_until(lambda: late)
    assert late == ["the invocation is over: a durable call from a thread that outlived its handler"]
    assert history(handle.id) == ["ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"]


@durable_execution(name="test-other-thread")
def uses_another_thread(event: Any, context: DurableContext) -> int:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(context.step, "first", lambda: 1).result()
        pool.submit(context.wait, 1).result()
    return first + context.step("second", lambda: 1)


def test_one_call_at_a_time_from_another_thread_is_harmless(runtime: Runtime) -> None:
    assert uses_another_thread.start().result(timeout=PATIENCE) == 2


@durable_execution(name="test-many-threads")
def asks_from_many_threads(event: Any, context: DurableContext) -> str:
    many_queries(context)
    return "done"


def test_threads_that_never_close_their_connections_leave_enough_for_others(runtime: Runtime) -> None:
    assert asks_from_many_threads.start().result(timeout=PATIENCE) == "done"
    assert behaves.start().result(timeout=PATIENCE) == 1


@durable_execution(name="test-closes")
def closes_connections(event: Any, context: DurableContext) -> int:
    context.step("close", connections.close_all)
    return context.step("count", Group.objects.count)


def test_closed_connections_are_opened_again(runtime: Runtime) -> None:
    assert closes_connections.start().result(timeout=PATIENCE) == 0


@durable_execution(name="test-language")
def speaks(event: Any, context: DurableContext) -> str:
    before = translation.get_language()
    if event:
        translation.activate(event)
    return str(before)


def test_a_language_does_not_stay_for_the_next_execution(transactional_db: None) -> None:
    runtime = make_runtime(THREADS=1)
    runtime.start()
    first = speaks.start("de").result(timeout=PATIENCE)
    assert speaks.start("fr").result(timeout=PATIENCE) == first
    runtime.stop()


@durable_execution(name="test-exits")
def exits(event: Any, context: DurableContext) -> int:
    late.append("run")
    if len(late) == 1:
        sys.exit(3)
    return context.step("one", lambda: 1)


def test_sys_exit_fails_the_invocation_and_the_next_goes_on(runtime: Runtime) -> None:
    handle = exits.start()
    assert handle.result(timeout=PATIENCE) == 1
    first = Event.objects.filter(execution_id=handle.id, type="InvocationCompleted").order_by("event_id")[0]
    assert "sys.exit(3)" in (first.error or "")


@durable_execution(name="test-plain-write")
def writes_and_fails(event: Any, context: DurableContext) -> None:
    with transaction.atomic():
        Group.objects.create(name="committed-between-steps")
    raise ValueError("after the write")


def test_what_was_written_between_steps_stays_written(runtime: Runtime) -> None:
    handle = writes_and_fails.start()
    with pytest.raises(ExecutionFailedError, match="after the write"):
        handle.result(timeout=PATIENCE)
    assert Group.objects.filter(name="committed-between-steps").exists()
    assert Execution.objects.get(id=handle.id).failed_invocations == 0


@durable_execution(name="test-left-open")
def leaves_a_transaction_between_steps(event: Any, context: DurableContext) -> int:
    step = context.step("one", lambda: 1)
    leave_a_transaction()
    return step


def test_a_transaction_that_nobody_ends_is_rolled_back_with_the_invocation(transactional_db: None) -> None:
    runtime = make_runtime(THREADS=1)
    runtime.start()
    assert leaves_a_transaction_between_steps.start().result(timeout=PATIENCE) == 1
    assert behaves.start().result(timeout=PATIENCE) == 1
    runtime.stop()
    assert not Group.objects.filter(name="left-open").exists()


@durable_execution(name="test-catches")
def catches(event: Any, context: DurableContext) -> str:
    try:
        context.step("dig", dig, config=NO_RETRY)
    except StepError as error:
        return str(error.cause_type)
    return "never"


def test_a_recursion_error_in_a_step_is_caught_by_name(runtime: Runtime) -> None:
    assert catches.start().result(timeout=PATIENCE) == "RecursionError"
