"""The laws of replay, tried on every shape and at every prefix of its journal:

1. settled stays settled: a terminal record never changes;
2. replaying an unchanged journal writes nothing and ends the same way;
3. a crash before any write changes neither the result nor how often an operation starts and ends.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from execution_engine.core.enums import InvocationStatus, OperationAction
from execution_engine.core.records import OperationRecord, OperationUpdate
from tests.execution_engine.sdk.journal import Crash, Journal
from tests.execution_engine.sdk.shapes import SHAPES, at_most_once

Shape = Callable[..., Any]
ENDS = (OperationAction.SUCCEED, OperationAction.FAIL)


class LawfulJournal(Journal):
    """Refuses to change a settled record."""

    def __init__(self, handler: Shape) -> None:
        super().__init__(handler)
        self.signals = [("early", "5")]

    def _store(self, record: OperationRecord) -> None:
        before = self.durable.get(record.id)
        assert before is None or not before.is_terminal, f"{record.id} was settled already"
        super()._store(record)


def ended(journal: Journal) -> Counter[str]:
    return Counter(update.id for update in journal.written if update.action in ENDS)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_replaying_an_unchanged_journal_writes_nothing(shape: Shape) -> None:
    journal = LawfulJournal(shape)
    first = journal.run()
    assert first.status is InvocationStatus.SUCCEEDED
    written, records = list(journal.written), dict(journal.durable)
    for _ in range(2):
        assert journal.invoke() == first
    assert (journal.written, journal.durable) == (written, records)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_suspended_journal_replays_without_writing(shape: Shape) -> None:
    journal = LawfulJournal(shape)
    while journal.invoke().status is InvocationStatus.PENDING:
        written = list(journal.written)
        assert journal.invoke().status is InvocationStatus.PENDING
        assert journal.written == written
        journal.skip()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_crash_at_any_prefix_changes_nothing(shape: Shape) -> None:
    whole = LawfulJournal(shape)
    result = whole.run()
    assert set(ended(whole).values()) <= {1}
    for prefix in range(len(whole.written)):
        journal = LawfulJournal(shape)
        journal.crash_after = prefix
        with pytest.raises(Crash):
            journal.run()
        assert len(journal.written) == prefix
        journal.crash_after = None
        outcome = journal.run()
        assert without_times(outcome.result) == without_times(result.result), f"after a crash at write {prefix}"
        if shape is not at_most_once:
            assert Counter(map(identity, journal.written)) == Counter(map(identity, whole.written))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_start_always_stands_before_its_end(shape: Shape) -> None:
    journal = LawfulJournal(shape)
    journal.run()
    begun: set[str] = set()
    for update in journal.written:
        if update.action is OperationAction.START:
            begun.add(update.id)
        assert update.id in begun


def identity(update: OperationUpdate) -> tuple[Any, ...]:
    return update.id, update.action, update.name, update.payload, update.parent_id


def without_times(result: str | None) -> str | None:
    """The journal's clock moves with each write, so a crash shifts `now()` by milliseconds."""
    return None if result is None else result[:11] + result[-42:] if "+00:00" in result else result


def test_time_passes_only_by_writes_and_skips() -> None:
    journal = LawfulJournal(SHAPES[0])
    before = journal.time
    journal.run()
    assert journal.time - before == timedelta(milliseconds=len(journal.written))
