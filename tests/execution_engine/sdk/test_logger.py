"""Each line once, with the ids of its operation."""

import logging
from typing import Any

import pytest

from execution_engine import ChildConfig, DurableContext, RetryPolicy, StepContext
from tests.execution_engine.sdk.journal import Journal

KEYS = ("executionArn", "operationId", "operationName", "parentId", "attempt")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.INFO, logger="durable_functions")
    return lambda: [record.getMessage() for record in caplog.records]


def test_each_line_of_a_context_appears_once_over_all_invocations(lines: Any) -> None:
    replaying: list[bool] = []

    def handler(event: Any, context: DurableContext) -> None:
        replaying.append(context.is_replaying())
        context.logger.info("start %s", event)
        context.step("a", lambda: 1)
        context.logger.info("after a")
        context.wait(seconds=5)
        context.logger.info("after wait")
        context.step("b", lambda: 1)
        context.logger.info("after b")
        context.wait(seconds=5)
        context.logger.info("end")

    journal = Journal(handler)
    journal.run()
    assert replaying == [False, True, True]
    assert lines() == ["start {}", "after a", "after wait", "after b", "end"]
    journal.invoke()
    assert lines()[5:] == ["end"]  # nothing follows the last operation, so only its tail counts as new


def test_a_step_logs_on_each_attempt_with_its_ids(caplog: pytest.LogCaptureFixture, lines: Any) -> None:
    def body(step: StepContext) -> None:
        step.logger.warning("attempt", extra={"order": 7})
        if step.attempt == 1:
            raise ValueError

    def child(context: DurableContext) -> None:
        context.logger.info("in child")
        context.step("s", body, retry=RetryPolicy())

    journal = Journal(lambda event, context: context.run_in_child_context("c", child))
    journal.run()
    assert lines() == ["in child", "attempt", "attempt"]
    parent, step = journal.named("c").id, journal.named("s").id
    seen = [[getattr(record, key, None) for key in KEYS] for record in caplog.records]
    arn = journal.execution_arn
    assert seen == [[arn, None, None, parent, None], [arn, step, "s", parent, 1], [arn, step, "s", parent, 2]]
    assert caplog.records[1].order == 7


def test_an_open_callback_does_not_end_the_silence(lines: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        callback = context.create_callback("ask")
        context.logger.info("asked")
        context.step("send", lambda: 1)
        context.logger.info("sent")
        callback.result()
        context.logger.info("answered")

    journal = Journal(handler)
    journal.invoke()
    journal.invoke()
    assert lines() == ["asked", "sent", "sent"]  # where it stopped is where new code begins


def test_a_body_that_only_rebuilds_its_result_is_silent_to_its_end(lines: Any) -> None:
    def child(context: DurableContext) -> str:
        context.logger.info("body")
        context.step(lambda: 1)
        context.logger.info("end of body")
        context.logger.with_is_replaying(lambda: False).info("always")
        return "x" * 300_000

    def handler(event: Any, context: DurableContext) -> None:
        context.run_in_child_context("large", child)
        context.wait(seconds=1)

    Journal(handler).run()
    assert lines() == ["body", "end of body", "always", "always"]


def test_virtual_contexts_replay_like_their_operations(lines: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        for name in ("v1", "v2"):

            def inner(child: DurableContext) -> None:
                child.logger.info("deep inside")
                child.step(lambda: 1)

            def virtual(child: DurableContext, name: str = name) -> None:
                child.logger.info("in %s", name)
                child.run_in_child_context(inner, config=ChildConfig(is_virtual=True))

            context.run_in_child_context(virtual, name, ChildConfig(is_virtual=True))
            context.logger.info("after %s", name)
        context.wait(seconds=1)

    Journal(handler).run()
    assert lines() == ["in v1", "deep inside", "after v1", "in v2", "deep inside", "after v2"]


def test_another_logger_keeps_ids_and_silence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="shop")

    def handler(event: Any, context: DurableContext) -> None:
        context.set_logger(logging.getLogger("shop"))
        context.logger.info("mine")
        context.run_in_child_context("c", lambda child: child.step("s", lambda step: step.logger.info("inner")))
        context.wait(seconds=1)

    Journal(handler).run()
    assert [(record.name, record.getMessage()) for record in caplog.records] == [("shop", "mine"), ("shop", "inner")]
    assert all(hasattr(record, "executionArn") for record in caplog.records)
