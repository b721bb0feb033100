"""Lanes of remote functions: a handler elsewhere records under the claim that this process holds, and only gives back."""

from dataclasses import replace
from uuid import UUID

from execution_engine.core.records import ExecutionRecord
from execution_engine.journal import store
from execution_engine.journal.flush import Batch, suspends
from execution_engine.journal.statements import statement
from execution_engine.journal.store import Cursor


def take_from_row(cursor: Cursor, batch: Batch, record: ExecutionRecord) -> None:
    """Under the row's lock, before the lane gives its claim back: sequences, timers and what the handler was told are as the row has
    them now, so that a checkpoint that came at the last moment costs nothing. The claim, which the caller compared, is the fence."""
    lane, last = batch.lane, batch.entries[-1]
    lane.checkpoint_seq = record.checkpoint_seq
    cursor.execute(statement("read_answered"), {"id": record.id})
    lane.told_seq = max(lane.told_seq, cursor.fetchone()[0])
    if suspends(batch) and not last.is_owed:
        assert last.release is not None
        last.release = replace(last.release, due_at=store.nearest_timer(cursor, record.id))


def is_stalled(cursor: Cursor, execution_id: UUID, claim_id: UUID, told_seq: int) -> bool:
    """Suspended now, the execution would sleep for ever: nothing is open that time or an outsider completes."""
    cursor.execute(statement("read_stalled"), {"id": execution_id, "claim_id": claim_id, "told": told_seq})
    row = cursor.fetchone()
    return row is not None and bool(row[0])
