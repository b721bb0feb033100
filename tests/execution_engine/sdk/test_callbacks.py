"""create_callback, wait_for_callback and wait_for_signal."""

from datetime import timedelta
from typing import Any

import pytest

from execution_engine import (
    Callback,
    CallbackConfig,
    CallbackError,
    CallbackExternalError,
    CallbackSubmitterError,
    CallbackTimeoutError,
    DurableContext,
    Duration,
    JsonSerDes,
    RetryPolicy,
    SignalTimeoutError,
    WaitForCallbackConfig,
    WaitForCallbackContext,
    durable_wait_for_callback,
)
from execution_engine.core.enums import InvocationStatus, OperationAction
from execution_engine.core.records import ErrorObject
from execution_engine.sdk import ports
from tests.execution_engine.sdk.journal import START, Journal

PENDING = InvocationStatus.PENDING


def test_a_callback_suspends_until_it_is_answered_and_gives_the_text() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback("ask", timeout=timedelta(days=7), heartbeat_timeout={"hours": 1})
        context.step("send", lambda: callback.callback_id)
        return callback.result()

    journal = Journal(handler)
    assert journal.invoke().status is PENDING
    record = journal.named("ask")
    assert (record.sub_type, record.options.timeout, record.options.heartbeat) == ("Callback", 604_800, 3600)
    journal.answer('{"a": 1}')
    assert journal.invoke().result == '"{\\"a\\": 1}"'
    assert journal.named("send").payload == f'"{record.callback_id}"'
    assert [update.type for update in journal.written] == ["CALLBACK", "STEP", "STEP"]


def test_an_answer_without_payload_is_none_and_a_serdes_reads_it() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        first = context.create_callback("a").result()
        return [first, context.create_callback("b", CallbackConfig(serdes=JsonSerDes())).result()]

    journal = Journal(handler)
    journal.run()
    journal.answer()
    journal.run()
    journal.answer("[1]")
    assert journal.run().result == "[null, [1]]"


def outcome_of(callback: Callback[Any]) -> list[Any]:
    try:
        return ["result", callback.result()]
    except CallbackError as error:
        return [type(error), error.message, error.data, error.stack_trace]


def test_a_failed_callback_raises_only_in_result() -> None:
    seen: list[Any] = []

    def handler(event: Any, context: DurableContext) -> None:
        callback = context.create_callback("ask")
        context.wait("pause", seconds=10)
        seen.append(outcome_of(callback))

    journal = Journal(handler)
    journal.invoke()
    journal.answer(error=ErrorObject("declined", "BankError", "{}", ("line 1",)))
    assert journal.invoke().status is PENDING
    assert journal.run().status is InvocationStatus.SUCCEEDED
    assert seen == [[CallbackExternalError, "declined", "{}", ["line 1"]]]


def test_a_callback_times_out() -> None:
    seen: list[Any] = []
    journal = Journal(lambda event, context: seen.append(outcome_of(context.create_callback("ask", timeout=5))))
    journal.run()
    assert seen == [[CallbackTimeoutError, "Callback timed out", None, None]]


def test_the_addresses_of_a_callback_come_from_the_bound_port(monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(event: Any, context: DurableContext) -> list[str]:
        callback = context.create_callback()
        return [callback.approve_url, callback.reject_url]

    monkeypatch.setattr(ports._Bound, "callback_url", None)
    journal = Journal(handler)
    first = journal.invoke().result
    callback_id = journal.pending().callback_id
    assert first == f'["/callbacks/{callback_id}/approve", "/callbacks/{callback_id}/reject"]'
    monkeypatch.setattr(ports._Bound, "callback_url", staticmethod(lambda id_, decision: f"https://ops/{id_}/{decision}"))
    assert journal.invoke().result == f'["https://ops/{callback_id}/approve", "https://ops/{callback_id}/reject"]'


def test_wait_for_callback_given_a_callback_adds_nothing_and_decodes_json() -> None:
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback("ask")
        return context.wait_for_callback(callback)["action"]

    journal = Journal(handler)
    journal.invoke()
    journal.answer('{"action": "approved"}')
    assert journal.invoke().result == '"approved"'
    assert len(journal.written) == 1


def test_an_answer_that_is_no_json_is_refused_where_json_is_expected() -> None:
    journal = Journal(lambda event, context: context.wait_for_callback("ask", context.create_callback()))
    journal.invoke()
    journal.answer("plain")
    assert "is no JSON" in journal.invoke().error.message


@durable_wait_for_callback
def submit(callback_id: str, context: WaitForCallbackContext, to: list[str], what: str) -> None:
    context.logger.info("submitting")
    to.append(f"{what}:{callback_id}")


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (
            lambda context, to: context.wait_for_callback(submit(to, "x"), "ask"),
            ("ask", "ask create callback id", "ask submitter"),
        ),
        (
            lambda context, to: context.wait_for_callback(submit(to, what="x")),
            ("submit", "submit create callback id", "submit submitter"),
        ),
        (
            lambda context, to: context.wait_for_callback(lambda _id, _context: to.append(f"x:{_id}")),
            (None, "create callback id", "submitter"),
        ),
        (
            lambda context, to: context.wait_for_callback("ask", lambda id_: to.append(f"x:{id_}")),
            ("ask", "ask create callback id", "ask submitter"),
        ),
    ],
)
def test_wait_for_callback_records_aws_shape(call: Any, names: tuple[str | None, str, str]) -> None:
    sent: list[str] = []
    journal = Journal(lambda event, context: call(context, sent))
    assert journal.invoke().status is PENDING
    outer, callback, step = journal.durable.values()
    assert (outer.name, callback.name, step.name) == names
    assert (outer.sub_type, callback.sub_type, step.sub_type) == ("WaitForCallback", "Callback", "Step")
    assert (callback.parent_id, step.parent_id) == (outer.id, outer.id)
    assert sent == [f"x:{callback.callback_id}"]
    journal.answer("yes")
    assert journal.invoke().result == '"yes"'
    assert len(sent) == 1


def test_failures_pass_out_of_wait_for_callback_unchanged_on_first_run_and_replay() -> None:
    seen: list[Any] = []

    def handler(event: Any, context: DurableContext) -> None:
        try:
            context.wait_for_callback(lambda id_: None, "ask", timeout=event["timeout"])
        except CallbackError as error:
            seen.append([type(error), str(error)])

    journal = Journal(handler, '{"timeout": 60}')
    journal.invoke()
    journal.answer(error=ErrorObject("no", "Custom"))
    journal.invoke()
    journal.invoke()
    assert seen == [[CallbackExternalError, "no"]] * 2
    seen.clear()
    journal = Journal(handler, '{"timeout": 60}')
    journal.run()
    journal.invoke()
    assert seen == [[CallbackTimeoutError, "Callback timed out"]] * 2


def test_a_failed_submitter_has_its_own_class_and_its_retry() -> None:
    attempts: list[int] = []

    def submitter(callback_id: str, context: WaitForCallbackContext) -> None:
        attempts.append(context.attempt)
        raise ConnectionError("mail is down")

    def handler(event: Any, context: DurableContext) -> Any:
        try:
            return context.wait_for_callback(submitter, "ask", WaitForCallbackConfig(retry_strategy=RetryPolicy(max_attempts=2)))
        except CallbackSubmitterError as error:
            return [str(error), type(error.__cause__).__name__]

    journal = Journal(handler)
    assert journal.run().result == '["mail is down", "StepError"]'
    assert attempts == [1, 2]
    assert journal.invoke().result == '["mail is down", "StepError"]'


def test_timeouts_outside_their_bounds_are_refused() -> None:
    outcome = (journal := Journal(lambda event, context: context.create_callback(timeout=Duration(100_000_000)))).run()
    assert "at most 99999999 seconds, got 100000000" in outcome.error.message
    assert journal.written == []


def signal_of(event: Any, context: DurableContext) -> list[Any]:
    got = context.wait_for_signal("fraud-review", timeout={"hours": 72}, on_timeout=event.get("on_timeout"))
    return [got.signal_name, got.payload, got.timed_out]


def test_a_signal_is_awaited_and_decoded() -> None:
    journal = Journal(signal_of)
    assert journal.invoke().status is PENDING
    record = journal.pending()
    assert (record.sub_type, record.name, record.options.signal, record.options.timeout) == (
        "Signal",
        "fraud-review",
        "fraud-review",
        259_200,
    )
    journal.answer('{"ok": true}')
    assert journal.invoke().result == '["fraud-review", {"ok": true}, false]'


def test_a_signal_sent_early_is_taken_without_suspending() -> None:
    journal = Journal(signal_of)
    journal.signals = [("other", "1"), ("fraud-review", None), ("fraud-review", "2")]
    assert journal.invoke().result == '["fraud-review", null, false]'
    assert journal.signals == [("other", "1"), ("fraud-review", "2")]
    assert [update.action for update in journal.written] == [OperationAction.START]


def test_a_signal_that_does_not_come_is_assumed_or_raises() -> None:
    journal = Journal(signal_of, '{"on_timeout": "reject"}')
    assert journal.run().result == '["reject", null, true]'
    assert journal.invoke().result == '["reject", null, true]'
    outcome = Journal(signal_of).run()
    assert outcome.error.type.endswith(SignalTimeoutError.__name__)
    assert "'fraud-review' came within 259200 seconds" in outcome.error.message


def test_an_answer_later_than_another_operation_does_not_turn_time_back() -> None:
    def handler(event: Any, context: DurableContext) -> list[str]:
        callback = context.create_callback("ask")
        before = context.now()
        context.wait(seconds=100)
        waited = context.now()
        callback.result()
        assert before == START
        assert context.now() == waited
        late = context.create_callback("late")
        assert context.now() == waited
        late.result()
        return [str(context.now() - waited)]

    journal = Journal(handler)
    journal.invoke()
    journal.answer(after=50)
    assert journal.run().status is PENDING
    journal.answer(after=900)
    assert journal.run().result is not None
