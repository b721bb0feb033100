"""Lanes of remote functions: a handler elsewhere records under a claim that this process holds and only gives back."""

from dataclasses import replace
from uuid import UUID

from execution_engine.core.records import ExecutionRecord
from execution_engine.journal import store
from execution_engine.journal.flush import Batch, suspends
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor


def take_from_row(cursor: Cursor, batch: Batch, record: ExecutionRecord) -> None:
    """Takes over sequences, timers and what the handler was told from the locked row, before the lane gives its claim back.

    So a checkpoint that came at the last moment is not lost. The fence is the claim id, which the caller has compared.
    """
    lane, last = batch.lane, batch.entries[-1]
    lane.checkpoint_seq = record.checkpoint_seq
    cursor.execute(statement("read_answered"), {"id": record.id})
    lane.told_seq = max(lane.told_seq, cursor.fetchone()[0])
    if suspends(batch) and not last.is_owed:
        assert last.release is not None
        last.release = replace(last.release, due_at=store.nearest_timer(cursor, record.id))


def is_stalled(cursor: Cursor, execution_id: UUID, claim_id: UUID, told_seq: int) -> bool:
    """Whether the execution, if suspended now, would sleep for ever: it has nothing open that time or an outsider completes."""
    cursor.execute(statement("read_stalled"), {"id": execution_id, "claim_id": claim_id, "told": told_seq})
    row = cursor.fetchone()
    return row is not None and bool(row[0])
