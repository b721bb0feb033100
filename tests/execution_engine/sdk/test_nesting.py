"""Durable calls in the wrong place are refused with what to do instead; texts of odd classes are recorded as plain ones."""

import threading
from enum import StrEnum
from typing import Any

import pytest

from execution_engine import DurableContext, InvalidStateError, SerDes, SerDesContext, StepConfig, ValidationError
from tests.execution_engine.sdk.journal import Journal
from tests.waiting import PATIENCE


@pytest.mark.parametrize(
    "nested",
    [
        lambda context: context.step("outer", lambda: context.step("inner", lambda: 1)),
        lambda context: context.run_in_child_context("outer", lambda child: context.step("inner", lambda: 1)),
    ],
)
def test_a_durable_call_inside_a_body_is_refused(nested: Any) -> None:
    def handler(event: Any, context: DurableContext) -> None:
        nested(context)

    outcome = (journal := Journal(handler)).run()
    said = next(record.error.message for record in journal.durable.values() if record.error) or outcome.error.message
    assert "a durable call inside" in said
    assert "'outer'" in said


def test_two_threads_cannot_use_one_context_at_a_time() -> None:
    refused: list[str] = []

    def handler(event: Any, context: DurableContext) -> int:
        def other() -> None:
            try:
                context.step("other", lambda: 2)
            except ValidationError as error:
                refused.append(str(error))

        def body() -> int:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            return 1

        return context.step("first", body)

    journal = Journal(handler)
    assert journal.run().result == "1"
    assert "on another thread" in refused[0]
    assert len(journal.durable) == 1


def test_a_thread_that_outlives_its_handler_can_record_nothing() -> None:
    ended, refused = threading.Event(), []
    threads: list[threading.Thread] = []

    def handler(event: Any, context: DurableContext) -> str:
        def late() -> None:
            ended.wait(PATIENCE)
            try:
                context.step("late", lambda: 1)
            except InvalidStateError as error:
                refused.append(str(error))

        threads.append(threading.Thread(target=late))
        threads[0].start()
        return "done"

    journal = Journal(handler)
    assert journal.run().result == '"done"'
    ended.set()
    threads[0].join()
    assert refused == ["the invocation is over: a durable call from a thread that outlived its handler"]
    assert journal.written == []


class Place(StrEnum):
    SHOP = "shop"


class Odd(SerDes[str]):
    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return Place.SHOP

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data


def test_names_and_payloads_are_recorded_as_plain_text() -> None:
    journal = Journal(lambda event, context: context.step(Place.SHOP, lambda: 1, config=StepConfig(serdes=Odd())))
    assert journal.run().result == '"shop"'
    (record,) = journal.durable.values()
    assert (type(record.name), record.name, type(record.payload)) == (str, "shop", str)


class NoText(Odd):
    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return 5  # type: ignore[return-value]


def test_a_serdes_that_writes_no_text_fails_the_step() -> None:
    outcome = Journal(lambda event, context: context.step("s", lambda: 1, config=StepConfig(serdes=NoText()))).run()
    assert "Serialization failed for STEP 's'" in outcome.error.message
