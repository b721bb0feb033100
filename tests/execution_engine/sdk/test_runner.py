"""run_handler: what leaves a handler, and how it is mapped."""

import json
import threading
from typing import Any

import pytest

from execution_engine import CheckpointError, DurableContext, ExecutionError, InvocationError, StepError
from execution_engine.core.enums import InvocationStatus
from execution_engine.core.errors import ClaimLostError
from execution_engine.core.records import OperationUpdate
from execution_engine.sdk.lambda_context import LambdaContext
from execution_engine.sdk.registry import register
from execution_engine.sdk.runner import run_handler
from tests.execution_engine.sdk.journal import Journal


@pytest.mark.parametrize(
    ("text", "event"),
    [(None, {}), ("", {}), (" \n", {}), ("null", None), ('"x"', "x"), ("5", 5), ('{"a": [1]}', {"a": [1]})],
)
def test_the_event_is_the_decoded_input(text: str | None, event: Any) -> None:
    seen: list[Any] = []
    Journal(lambda event, context: seen.append(event), text).run()
    assert seen == [event]


@pytest.mark.parametrize("value", [None, "grün", 1.5, [1, {"a": None}], {"b": True}])
def test_the_result_is_what_json_dumps_writes(value: Any) -> None:
    assert Journal(lambda event, context: value).run().result == json.dumps(value)


@pytest.mark.parametrize(("value", "error_type"), [({1, 2}, "TypeError"), (object(), "TypeError")])
def test_a_result_that_json_cannot_write_fails_the_execution(value: Any, error_type: str) -> None:
    outcome = Journal(lambda event, context: value).run()
    assert (outcome.status, outcome.error.type, outcome.invocation_failed) == (InvocationStatus.FAILED, error_type, False)


def test_an_input_that_is_no_json_fails_the_execution() -> None:
    assert Journal(lambda event, context: 1, "{").run().error.type == "json.decoder.JSONDecodeError"


class OutOfStock(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "error_type", "invocation_failed"),
    [
        (ValueError("bad"), "ValueError", False),
        (OutOfStock("bad"), f"{__name__}.OutOfStock", False),
        (ExecutionError("bad"), "execution_engine.sdk.errors.ExecutionError", False),
        (InvocationError("bad"), "execution_engine.sdk.errors.InvocationError", True),
        (CheckpointError("bad"), "execution_engine.sdk.errors.CheckpointError", True),
        (CheckpointError("bad", is_client_error=True), "execution_engine.sdk.errors.CheckpointError", False),
        (StepError("bad", "ValueError", "data", ["line"]), "execution_engine.sdk.errors.StepError", False),
    ],
)
def test_an_exception_that_leaves_the_handler_is_mapped(error: Exception, error_type: str, invocation_failed: bool) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise error

    outcome = Journal(handler).run()
    assert (outcome.error.message, outcome.error.type) == ("bad", error_type)
    assert (outcome.status, outcome.invocation_failed) == (InvocationStatus.FAILED, invocation_failed)


def test_the_trace_begins_in_author_code() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise ValueError("bad")

    (line,) = Journal(handler).run().error.stack_trace
    assert "in handler" in line


def test_an_exception_whose_text_breaks_is_still_recorded() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def handler(event: Any, context: DurableContext) -> None:
        raise Broken

    assert "whose text cannot be shown" in Journal(handler).run().error.message


def test_a_long_message_is_cut_and_a_deep_trace_kept_short() -> None:
    def deep(level: int) -> None:
        if level == 0:
            raise ValueError("x" * 50_000)
        deep(level - 1)

    error = Journal(lambda event, context: deep(300)).run().error
    assert len(error.message) < 8_100
    assert len(error.stack_trace) <= 50
    assert sum(map(len, error.stack_trace)) <= 16_000


def test_sys_exit_fails_the_invocation() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise SystemExit(3)

    outcome = Journal(handler).run()
    assert (outcome.invocation_failed, outcome.error.type) == (True, "Runtime.ExitError")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), BaseException("odd")])
def test_other_base_exceptions_of_author_code_fail_the_invocation(error: BaseException) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise error

    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(Journal(handler).invoke()))
    thread.start()
    thread.join()
    assert [(outcome.invocation_failed, outcome.error.type) for outcome in outcomes] == [(True, type(error).__name__)]


def test_ctrl_c_on_the_main_thread_goes_on() -> None:
    def handler(event: Any, context: DurableContext) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Journal(handler).invoke()


def test_a_lost_claim_passes_through_even_when_author_code_swallows_it() -> None:
    class Lost(Journal):
        def checkpoint(self, *updates: OperationUpdate) -> None:
            raise ClaimLostError

    def handler(event: Any, context: DurableContext) -> str:
        try:
            return context.step("s", lambda: "done")
        except BaseException:
            return "swallowed"

    with pytest.raises(ClaimLostError):
        Lost(handler).invoke()


def test_a_plain_function_gets_the_lambda_context() -> None:
    function = register(lambda event, context: [event, context.function_name], name="plain-one", durable=False)
    journal = Journal(lambda event, context: None)
    outcome = run_handler(function, journal, "1", is_replaying=False)
    assert outcome.result == '[1, "plain-one"]'


def test_what_the_caller_says_of_itself_reaches_the_handler() -> None:
    """With the names of Lambda's Python runtime; what was not said is None."""
    function = register(lambda event, context: None, name="plain-told", durable=False)
    told = '{"client": {"app_title": "till", "more": 1}, "custom": {"shop": 7}}'
    context = LambdaContext.of(function, "", client_context=told).client_context
    assert context is not None and context.client is not None
    assert (context.custom, context.env) == ({"shop": 7}, None)
    assert (context.client.app_title, context.client.installation_id) == ("till", None)
    assert LambdaContext.of(function, "").client_context is None
    bare = LambdaContext.of(function, "", client_context="{}").client_context
    assert bare is not None and bare.client is None
