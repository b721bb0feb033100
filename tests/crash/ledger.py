"""The judge of a crash: what really happened (the ledger) against what the journal says, after everything came to rest."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

import psycopg

from tests.crash.functions import STEPS
from tests.waiting import comes

TABLE = """
create table if not exists crash_ledger (
  id bigint generated always as identity primary key, execution text not null, step int not null, request_id text not null,
  pid int not null, at timestamptz not null default clock_timestamp());
truncate crash_ledger
"""
EVENTS = "select event_id, type, operation_id, details from durable_event where execution_id = %s order by event_id"
ENDS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionStopped", "ExecutionTimedOut"}


@dataclass(frozen=True)
class Verdict:
    """Counts of what must not happen, and how much was really put to the test (`extra_attempts`)."""

    executions: int
    lost: int
    completed_twice: int
    rerun_after_checkpoint: int
    unexplained_attempts: int
    broken_histories: int
    extra_attempts: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.completed_twice or self.rerun_after_checkpoint or self.unexplained_attempts or self.broken_histories)


def prepare(connection: psycopg.Connection[Any]) -> None:
    connection.execute(TABLE)


def wait_for_rest(connection: psycopg.Connection[Any], count: int) -> bool:
    """Whether `count` executions end."""
    ended = "select count(*) from durable_execution where ended_at is not null"
    return comes(lambda: connection.execute(ended).fetchone() == (count,))


def judge(connection: psycopg.Connection[Any], killed: Collection[int], ledger: psycopg.Connection[Any] | None = None) -> Verdict:
    """`killed` are the pids of processes that were killed while they may have run bodies; `ledger` is where it lies elsewhere."""
    rows = connection.execute("select id, name, status, result from durable_execution").fetchall()
    bodies = _bodies(ledger or connection)
    counts: Counter[str] = Counter()
    for execution_id, name, status, result in rows:
        remembered = json.loads(result or "[]")
        events = connection.execute(EVENTS, (execution_id,)).fetchall()
        counts["lost"] += status != "SUCCEEDED" or len(remembered) != STEPS
        counts["completed_twice"] += sum(event[1] in ENDS for event in events) > 1
        counts["broken_histories"] += [event[0] for event in events] != list(range(1, len(events) + 1)) or _is_unbalanced(events)
        recorders = _recorders(connection, execution_id, events)
        for step in range(STEPS):
            attempts = bodies.get((name, step), [])
            value = remembered[step] if step < len(remembered) else None
            counts["extra_attempts"] += max(0, len(attempts) - 1)
            counts["rerun_after_checkpoint"] += _reran(attempts, recorders.get(f"step-{step}"), value, bodies.get((name, step + 1), []))
            counts["unexplained_attempts"] += _unexplained(attempts, killed)
    return Verdict(executions=len(rows), **{field.name: counts[field.name] for field in fields(Verdict) if field.name != "executions"})


Body = tuple[int, str, int]
"""Ledger number, request id of the invocation, pid."""


def _bodies(connection: psycopg.Connection[Any]) -> dict[tuple[str, int], list[Body]]:
    found: dict[tuple[str, int], list[Body]] = defaultdict(list)
    for execution, step, *body in connection.execute("select execution, step, id, request_id, pid from crash_ledger order by id"):
        found[execution, step].append((body[0], body[1], body[2]))
    return found


def _is_unbalanced(events: list[tuple[Any, ...]]) -> bool:
    """Each step succeeds once in the history."""
    succeeded = [event[2] for event in events if event[1] == "StepSucceeded"]
    return len(succeeded) != len(set(succeeded))


def _recorders(connection: psycopg.Connection[Any], execution_id: Any, events: list[tuple[Any, ...]]) -> dict[str, str]:
    """By step name, the request id of the invocation that recorded its success: the next one that completed after it."""
    names = dict(connection.execute("select id, name from durable_operation where execution_id = %s", (execution_id,)).fetchall())
    found: dict[str, str] = {}
    request_id = ""
    for _, type_, operation_id, details in reversed(events):
        if type_ == "InvocationCompleted":
            request_id = json.loads(details)["RequestId"]
        elif type_ == "StepSucceeded":
            found[names[operation_id]] = request_id
    return found


def _reran(attempts: list[Body], recorder: str | None, remembered: Any, next_step: list[Body]) -> bool:
    """The last body is the recorded one and its value the remembered one; none began after the next step had begun."""
    if not attempts or recorder is None:
        return False  # lost, which is counted elsewhere
    number, request_id, _ = attempts[-1]
    return request_id != recorder or number != remembered or (bool(next_step) and next_step[0][0] < number)


def _unexplained(attempts: list[Body], killed: Collection[int]) -> bool:
    """Every body but the last died with its process, and no process began one twice."""
    died = [pid for _, _, pid in attempts[:-1]]
    return len(died) != len(set(died)) or not set(died) <= set(killed)
