"""Fills the journal's tables past the engine, by COPY: volume for speed tests, with the shape of the real thing but not its rules.

Nothing written here can be invoked: its functions (`bulk-...`) are registered by nobody, and of most executions only the rows are
there, without history.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from execution_engine.core.identifiers import operation_id

BATCH = 5_000
DAYS = 30
NULL = "\\N"

FUNCTIONS = ("bulk-invoice", "bulk-onboarding", "bulk-parcel", "bulk-refund", "bulk-report", "bulk-sync")
CUSTOMERS = 5_000
REGIONS = ("eu", "us", "asia")
STEPS = ("load", "validate", "reserve", "charge", "notify", "archive", "score", "render", "upload", "confirm")
OPERATION_IDS = tuple(operation_id(None, number) for number in range(1, 201))

ENDS = {"SUCCEEDED": 915, "FAILED": 30, "TIMED_OUT": 3, "STOPPED": 4}
WAITS = {"callback": 20, "timer": 12, "retry": 4, "signal": 3, "child": 2, "poll": 2, "paused": 2, "queued": 2, "running": 1}
KINDS = {**ENDS, **WAITS}

COPY_EXECUTIONS = (
    "copy durable_execution (id, function_version_id, function, version, name, status, started_at, ended_at, deadline_at, "
    "retention_days, due_at, claim_id, invocation_started_at, invocations, failed_invocations, is_suspect, runs_alone, event_seq, "
    "checkpoint_seq, wake_seq, told_seq, last_event_at, parent_id, owes_parent, redrive_count, pause, status_text, attributes, "
    "started_by, input, result, error) from stdin"
)
COPY_OPERATIONS = (
    "copy durable_operation (execution_id, id, type, sub_type, name, status, attempt, payload, error, replay_children, options, "
    "callback_id, started_at, ended_at, due_at, start_event) from stdin"
)
COPY_EVENTS = "copy durable_event (execution_id, event_id, type, operation_id, at, details) from stdin"


@dataclass(frozen=True, slots=True)
class Filled:
    executions: int
    operations: int
    events: int


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What was drawn by lot for one execution; times are UTC."""

    id: UUID
    number: int
    kind: str
    function: str
    version: str
    version_id: int
    started_at: datetime
    ended_at: datetime | None
    parent_id: UUID | None
    operations: int
    has_history: bool


def fill(
    connection: psycopg.Connection[Any], executions: int, *, operations_each: int = 10, history: int = 10_000, seed: int = 1
) -> Iterator[Filled]:
    """Writes `executions` of the last 30 days, oldest first, and answers what each batch of 5,000 wrote; commits after each.

    `operations_each` (1 to 200) is their mean number of operations, `history` how many of the newest also get events. The same seed
    draws the same lots. Ends with VACUUM ANALYZE, so that plans are those of a table that autovacuum has seen.
    """
    lots = random.Random(seed)
    versions = _versions(connection)
    now = datetime.now(UTC)
    first = now - timedelta(days=DAYS)
    step = (now - first) / max(executions, 1)
    parent: UUID | None = None
    for begin in range(0, executions, BATCH):
        drawn = []
        for number in range(begin, min(begin + BATCH, executions)):
            one = _draw(lots, number, first + step * number, now, versions, parent, operations_each, executions - number <= history)
            parent = one.id if one.ended_at is None else parent
            drawn.append(one)
        yield _write(connection, drawn, lots, now)
    connection.commit()
    was, connection.autocommit = connection.autocommit, True
    # Index-only scans want to know which pages everybody sees: ten times the speed of a filtered list.
    connection.execute("vacuum (analyze) durable_execution, durable_operation, durable_event")
    connection.autocommit = was


def _versions(connection: psycopg.Connection[Any]) -> list[tuple[str, str, int]]:
    found = []
    with connection.transaction():
        for function in FUNCTIONS:
            connection.execute(
                "insert into durable_function (name, created_at) values (%s, clock_timestamp()) on conflict do nothing", [function]
            )
            for version in ("1", "2"):
                row = connection.execute(
                    "insert into durable_function_version (function, version, memory_mb, is_durable, fingerprint, source, description, "
                    "created_at, registered_at) values (%s, %s, 1024, true, '', '', 'Volume for speed tests.', clock_timestamp(), "
                    "clock_timestamp()) on conflict (function, version) do update set registered_at = clock_timestamp() returning id",
                    [function, version],
                ).fetchone()
                found.append((function, version, row[0] if row else 0))
    return found


def _draw(
    lots: random.Random,
    number: int,
    started_at: datetime,
    now: datetime,
    versions: Sequence[tuple[str, str, int]],
    parent: UUID | None,
    operations_each: int,
    has_history: bool,
) -> _Drawn:
    kind = lots.choices(tuple(KINDS), tuple(KINDS.values()))[0]
    function, version, version_id = versions[min(int(lots.expovariate(0.4)), len(versions) - 1)]
    ended_at = min(started_at + timedelta(seconds=lots.lognormvariate(3, 2)), now) if kind in ENDS else None
    milliseconds = int(started_at.timestamp() * 1000)
    value = (milliseconds << 80) | (0x7 << 76) | (lots.getrandbits(12) << 64) | (0b10 << 62) | lots.getrandbits(62)
    return _Drawn(
        id=UUID(int=value),
        number=number,
        kind=kind,
        function=function,
        version=version,
        version_id=version_id,
        started_at=started_at,
        ended_at=ended_at,
        parent_id=parent if lots.random() < 0.02 else None,
        operations=min(max(round(lots.gauss(operations_each, operations_each / 4)), 1), len(OPERATION_IDS)),
        has_history=has_history,
    )


def _write(connection: psycopg.Connection[Any], drawn: Sequence[_Drawn], lots: random.Random, now: datetime) -> Filled:
    executions = [_execution(one, lots, now) for one in drawn]
    operations = [line for one in drawn for line in _operations(one, now)]
    events = [line for one in drawn if one.has_history for line in _events(one)]
    with connection.transaction(), connection.cursor() as cursor:
        for copying, lines in ((COPY_EXECUTIONS, executions), (COPY_OPERATIONS, operations), (COPY_EVENTS, events)):
            with cursor.copy(copying) as copy:
                copy.write("".join(lines))
    return Filled(len(executions), len(operations), len(events))


def _execution(one: _Drawn, lots: random.Random, now: datetime) -> str:
    status = one.kind if one.kind in ENDS else "PAUSED" if one.kind == "paused" else "RUNNING"
    attributes = json.dumps({"customer": lots.randrange(CUSTOMERS), "region": lots.choice(REGIONS)})
    error = json.dumps({"ErrorType": lots.choice(("CardDeclined", "Timeout", "ValueError")), "ErrorMessage": f"no {one.number}"})
    is_claimed = one.kind == "running"
    name = f"{one.function.removeprefix('bulk-')}-{int(now.timestamp() * 1000):x}-{one.number}"
    result = json.dumps({"ok": True}) if status == "SUCCEEDED" else None
    last = one.ended_at or one.started_at + timedelta(seconds=5)
    return _line(
        one.id, one.version_id, one.function, one.version, name, status, one.started_at, one.ended_at, None,
        90, _due(one, lots, now), UUID(int=lots.getrandbits(128)) if is_claimed else None, last if is_claimed else None, 1 + one.number % 3,
        0, "f", "f", 2 * one.operations + 2, one.operations, 0, 0, last, one.parent_id, "f", int(one.number % 400 == 0),
        '{"Reason":"bulk"}' if one.kind == "paused" else None, "", attributes, lots.choice(("ada", "grace", "system", "nightly (key)")),
        json.dumps({"order": one.number}), result, error if status in ("FAILED", "TIMED_OUT") else None,
    )  # fmt: skip


def _due(one: _Drawn, lots: random.Random, now: datetime) -> datetime | None:
    """In the past for what is queued, a claim's end for what runs, nothing where only an outsider can move it."""
    if one.kind == "queued":
        return now
    if one.kind in ("timer", "retry", "poll", "running") or (one.kind == "callback" and one.number % 2):
        return now + timedelta(seconds=lots.randrange(86_400, 30 * 86_400))
    return None


_OPEN = {
    "callback": ("CALLBACK", "Callback", "manager", "STARTED"),
    "signal": ("CALLBACK", "Signal", "payment", "STARTED"),
    "timer": ("WAIT", None, "cool-down", "STARTED"),
    "retry": ("STEP", "Step", "charge", "PENDING"),
    "poll": ("STEP", "WaitForCondition", "export", "PENDING"),
    "child": ("CHAINED_INVOKE", "ChainedInvoke", "ship", "STARTED"),
    "running": ("STEP", "Step", "render", "STARTED"),
}


def _operations(one: _Drawn, now: datetime) -> Iterator[str]:
    at, width = one.started_at, timedelta(milliseconds=40)
    for place in range(one.operations - 1 if one.kind in _OPEN else one.operations):
        is_bad = one.kind == "FAILED" and place == one.operations - 1
        yield _line(
            one.id, OPERATION_IDS[place], "STEP", "Step", STEPS[place % len(STEPS)], "FAILED" if is_bad else "SUCCEEDED", 1,
            None if is_bad else json.dumps({"n": place}), '{"ErrorType": "CardDeclined"}' if is_bad else None, "f", None, None,
            at, at + width, None, 2 * place + 2,
        )  # fmt: skip
        at += width
    if one.kind in _OPEN:
        type_, sub_type, name, status = _OPEN[one.kind]
        place = one.operations - 1
        yield _line(
            one.id, OPERATION_IDS[place], type_, sub_type, name, status, int(status == "PENDING"), None, None, "f",
            '{"signal": "payment"}' if one.kind == "signal" else None, f"bulk-{one.id.hex}" if type_ == "CALLBACK" else None, at, None,
            now + timedelta(days=1) if one.kind in ("timer", "retry", "poll") else None, 2 * place + 2,
        )  # fmt: skip


def _events(one: _Drawn) -> Iterator[str]:
    at, width = one.started_at, timedelta(milliseconds=40)
    yield _line(one.id, 1, "ExecutionStarted", None, at, "{}")
    for place in range(one.operations - 1):
        yield _line(one.id, 2 * place + 2, "StepStarted", OPERATION_IDS[place], at, "{}")
        at += width
        yield _line(one.id, 2 * place + 3, "StepSucceeded", OPERATION_IDS[place], at, "{}")


def _line(*values: Any) -> str:
    """One row of COPY's text format; no value here holds a tab, a line end or a backslash."""
    return "\t".join(NULL if value is None else str(value) for value in values) + "\n"
