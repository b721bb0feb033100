"""wait: every spelling of a duration, and the bounds."""

from datetime import timedelta
from typing import Any

import pytest

from execution_engine import DurableContext, Duration, ValidationError
from execution_engine.core.enums import InvocationStatus
from execution_engine.sdk.durations import to_seconds
from tests.execution_engine.sdk.journal import START, Journal


@pytest.mark.parametrize(
    ("call", "name", "seconds"),
    [
        (lambda context: context.wait(Duration.from_minutes(2)), None, 120),
        (lambda context: context.wait(Duration.from_hours(1), name="w"), "w", 3600),
        (lambda context: context.wait("w", Duration.from_days(1)), "w", 86_400),
        (lambda context: context.wait("w", timedelta(minutes=1, milliseconds=900)), "w", 60),
        (lambda context: context.wait({"hours": 72}), None, 259_200),
        (lambda context: context.wait(5), None, 5),
        (lambda context: context.wait(seconds=300), None, 300),
        (lambda context: context.wait("w", minutes=1, seconds=1), "w", 61),
        (lambda context: context.wait(name="w", duration=Duration(9)), "w", 9),
        (lambda context: context.wait(days=366), None, 31_622_400),
        (lambda context: context.wait(seconds=30, name="pause"), "pause", 30),
    ],
)
def test_a_wait_ends_when_its_time_has_passed(call: Any, name: str | None, seconds: int) -> None:
    journal = Journal(lambda event, context: call(context) or "over")
    assert journal.invoke().status is InvocationStatus.PENDING
    (record,) = journal.durable.values()
    assert (record.name, record.sub_type, record.options.duration) == (name, "Wait", seconds)
    assert journal.invoke().status is InvocationStatus.PENDING
    assert journal.run().result == '"over"'
    assert (journal.time - START).total_seconds() >= seconds
    assert len(journal.written) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda context: context.wait(Duration()), "at least 1 second"),
        (lambda context: context.wait(0.5), "at least 1 second"),
        (lambda context: context.wait(days=367), "at most 31622400 seconds, got 31708800"),
        (lambda context: context.wait(-1), "negative"),
        (lambda context: context.wait({"fortnights": 1}), "fortnights"),
        (
            lambda context: context.wait("soon"),
            "needs a duration, such as wait(seconds=300) or wait('pause', {'minutes': 5}), got only the name 'soon'",
        ),
        (lambda context: context.wait(), "needs a duration"),
        (lambda context: context.wait("pause", "soon"), "must be a Duration"),
        (lambda context: context.wait(Duration(1), seconds=1), "not both"),
        (lambda context: context.wait(True), "must be a Duration"),
        (lambda context: context.wait(float("nan")), "negative"),
    ],
)
def test_a_wait_outside_its_bounds_is_refused_with_the_limit(wrong: Any, said: str) -> None:
    outcome = (journal := Journal(lambda event, context: wrong(context))).run()
    assert outcome.error.type.endswith("ValidationError")
    assert said in outcome.error.message
    assert journal.written == []


def test_durations_compare_and_refuse_negatives() -> None:
    assert Duration.from_seconds(90.9) == Duration(90) == Duration.from_minutes(1.5)
    assert to_seconds({"weeks": 1, "minutes": 0.5}) == 604_830
    with pytest.raises(ValidationError):
        Duration(-1)


def test_a_suspension_cannot_be_swallowed_by_author_code() -> None:
    done: list[str] = []

    def handler(event: Any, context: DurableContext) -> str:
        try:
            context.wait(seconds=60)
        except:  # noqa: E722
            done.append("swallowed")
        finally:
            context.step("clean up", lambda: done.append("cleaned"))
        return "end"

    journal = Journal(handler)
    assert journal.invoke().status is InvocationStatus.PENDING
    assert done == ["swallowed"]
    journal.skip()
    assert journal.invoke().result == '"end"'
    assert done == ["swallowed", "cleaned"]


def test_a_swallowed_suspension_in_a_child_context_records_no_end_of_it() -> None:
    def child(context: DurableContext) -> str:
        try:
            context.wait(seconds=60)
        except:  # noqa: E722
            return "too early"
        return "waited"

    journal = Journal(lambda event, context: context.run_in_child_context(child))
    assert journal.invoke().status is InvocationStatus.PENDING
    assert journal.run().result == '"waited"'
