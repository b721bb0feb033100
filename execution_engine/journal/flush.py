"""The statement of the group commit: the entries of many lanes become one set of arrays, one round trip and one commit."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from execution_engine.core.records import OperationRecord
from execution_engine.journal.arrays import pack, register_arrays
from execution_engine.journal.children import ChildStart
from execution_engine.journal.lane import Entry, Lane
from execution_engine.journal.present import present
from execution_engine.journal.rows import details_text, error_text, options_text
from execution_engine.journal.statements import statement

# Parameters in the order of their rows below, each with its element type; flush.sql names the same.
_LANE = (
    ("id", "uuid"), ("claim_id", "uuid"), ("checkpoint_seq", "int8"), ("events", "int4"), ("last_at", "float8"),
    ("expect_wake", "int8"), ("woken", "int4"), ("settles", "bool"), ("releases", "bool"), ("told", "int8"), ("due", "float8"),
    ("status", "text"), ("failed", "int4"), ("result", "text"), ("error", "text"), ("status_text", "text"), ("attributes", "text"),
)  # fmt: skip
_OPERATIONS = (
    ("op_lane", "int4"), ("op_id", "text"), ("op_type", "text"), ("op_sub_type", "text"), ("op_name", "text"), ("op_parent", "text"),
    ("op_status", "text"), ("op_attempt", "int4"), ("op_payload", "text"), ("op_error", "text"), ("op_replay", "bool"),
    ("op_options", "text"), ("op_callback", "text"), ("op_started", "float8"), ("op_ended", "float8"), ("op_due", "float8"),
    ("op_woken", "bool"), ("op_start_event", "int4"),
)  # fmt: skip
_EVENTS = (
    ("ev_lane", "int4"), ("ev_n", "int4"), ("ev_type", "text"), ("ev_op", "text"), ("ev_at", "float8"), ("ev_details", "text"),
    ("ev_payload", "text"), ("ev_error", "text"),
)  # fmt: skip
_SQL = "flush"


@dataclass(slots=True)
class Batch:
    """What one lane sends in one flush. When a timer fires in it, the row's `wake_seq` must still equal the entry's `expect_wake`."""

    lane: Lane
    entries: tuple[Entry, ...]
    start_events: dict[str, int]
    status_text: str | None = None
    attributes: dict[str, object] | None = None

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)

    @property
    def children(self) -> list[ChildStart]:
        return [entry.child for entry in self.entries if entry.child is not None]

    @property
    def needs_lock(self) -> bool:
        return self.lane.is_shared or any(entry.needs_lock for entry in self.entries)

    @property
    def woken(self) -> int:
        return sum(entry.woken for entry in self.entries)


class UnpackableError(Exception):
    """A value cannot be packed as a parameter. Nothing of the flush was sent."""


def suspends(batch: Batch) -> bool:
    """Whether the batch gives the claim back while the execution goes on."""
    release = batch.entries[-1].release
    return release is not None and release.status is None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The statement's answer for a lane that it wrote. `is_certain` is False where the answer was inferred after a lost connection."""

    wake_seq: int
    status: str
    due_at: datetime | None
    is_certain: bool = True


def send(
    connection: psycopg.Connection[Any] | psycopg.Cursor[Any], batches: Sequence[Batch], now: datetime | None = None
) -> tuple[dict[int, Accepted], datetime | None]:
    """Writes the batches. Returns the answers of those that were written, by index, and the database's time; the others were skipped whole.

    Raises `UnpackableError` before anything is sent, and `psycopg.Error` as the database does.
    """
    found = ask(connection, batches, now).fetchall()
    accepted = {row[0] - 1: Accepted(row[1], row[2], row[3]) for row in found}
    return accepted, (found[0][4] if found else None)


def ask(
    connection: psycopg.Connection[Any] | psycopg.Cursor[Any], batches: Sequence[Batch], now: datetime | None = None
) -> psycopg.Cursor[Any]:
    """Sends the batches without waiting, for a pipeline: the statement answers one row for each batch that it writes. Raises as `send`."""
    if isinstance(connection, psycopg.Cursor):
        register_arrays(connection.adapters)  # a cursor on Django's connection, which does not know our arrays
    try:
        params = _params(batches, now)
    except Exception as error:  # whatever an author's value does to its packing
        raise UnpackableError(f"a flush could not be packed: {error}") from error
    return connection.execute(statement(_SQL), params, prepare=True, binary=True)


def _params(batches: Sequence[Batch], now: datetime | None) -> dict[str, Any]:
    lanes: list[tuple[Any, ...]] = []
    operations: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for number, batch in enumerate(batches, start=1):
        count, woken, expect_wake, latest = _entries(batch, number, operations, events)
        lanes.append(_lane_row(batch, count, woken, expect_wake, latest))
    params: dict[str, Any] = {"now": now or present()}
    for columns, rows in ((_LANE, lanes), (_OPERATIONS, operations), (_EVENTS, events)):
        values = zip(*rows, strict=True) if rows else [()] * len(columns)
        for (name, element_type), column in zip(columns, values, strict=True):
            params[name] = pack(element_type, column)
    return params


def _lane_row(batch: Batch, count: int, woken: int, expect_wake: int | None, latest: float) -> tuple[Any, ...]:
    lane, release = batch.lane, batch.entries[-1].release
    attributes = json.dumps(batch.attributes) if batch.attributes else None
    settles = any(move.record.is_terminal for entry in batch.entries for move in entry.moves)
    head = (lane.execution_id, lane.claim_id, lane.checkpoint_seq, count, latest, expect_wake, woken, settles)
    if release is None:
        return (*head, False, None, None, None, None, None, None, batch.status_text, attributes)
    due = None if release.due_at is None else release.due_at.timestamp()
    ending = (release.status, release.failed_invocations, release.result, release.error)
    told = None if release.is_owed else lane.told_seq
    return (*head, True, told, due, *ending, batch.status_text, attributes)


def _entries(
    batch: Batch, number: int, operations: list[tuple[Any, ...]], events: list[tuple[Any, ...]]
) -> tuple[int, int, int | None, float]:
    """Adds the rows of one lane. Returns its number of events and of wake-ups, the `wake_seq` to compare, and its latest time."""
    latest_records: dict[str, tuple[OperationRecord, bool]] = {}
    starts: dict[str, int] = {}
    n = woken = 0
    expect_wake: int | None = None
    moment = 0.0
    for entry in batch.entries:
        at = entry.at.timestamp()
        moment = max(moment, at)
        woken += entry.woken
        expect_wake = entry.expect_wake if entry.expect_wake is not None else expect_wake
        for move in entry.moves:
            record = move.record
            if record.id not in latest_records and record.start_event == 0:
                starts[record.id] = n + 1
            latest_records[record.id] = (record, bool(entry.woken))
            for event in move.events:
                n += 1
                events.append(_event_row(number, n, event, at))
        for event in entry.events:
            n += 1
            events.append(_event_row(number, n, event, at))
    for record, is_woken in latest_records.values():
        operations.append(_operation_row(number, record, is_woken, starts.get(record.id, 0)))
    batch.start_events = starts
    return n, woken, expect_wake, moment


def _event_row(number: int, n: int, event: Any, at: float) -> tuple[Any, ...]:
    error = error_text(event.error) if event.error is not None else None
    return (number, n, event.type, event.operation_id, at, details_text(event), event.payload, error)


def _operation_row(number: int, record: OperationRecord, is_woken: bool, start_event: int) -> tuple[Any, ...]:
    assert record.started_at is not None
    return (
        number,
        record.id,
        record.type,
        record.sub_type,
        record.name,
        record.parent_id,
        record.status,
        record.attempt,
        record.payload,
        None if record.error is None else error_text(record.error),
        record.replay_children,
        options_text(record.options),
        record.callback_id,
        record.started_at.timestamp(),
        None if record.ended_at is None else record.ended_at.timestamp(),
        None if record.due_at is None else record.due_at.timestamp(),
        is_woken,
        start_event,
    )
