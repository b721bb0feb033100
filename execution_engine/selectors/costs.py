"""What executions used, in the units that clouds bill: counted from rows that the journal writes anyway, so no hot path pays for it.

What counts as what:

- request: one per invocation, as its InvocationCompleted tells; the one under way counts, too.
- operation: the start of the execution, every attempt of a step that ended (a poll's checks alike), every wait, callback, child
  context and chained invoke that was started. What a fork copied was counted with the original.
- compute: each invocation in milliseconds, rounded up, times the memory of the function version as registered now.
- bytes written: input, results, errors and the states and errors that only the history keeps. Nothing and JSON's null are free.
- retained: each of those bytes from when it was written until its execution is purged (until now while it is open).
- retries, a part of the above: attempts of steps that failed and were tried again, and invocations that failed.
- idle: the wall time in which no invocation ran and it was not ended either, waiting and queueing together.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from execution_engine.core.errors import ExecutionNotFoundError


class Cursor(Protocol):
    """psycopg's cursor or Django's."""

    def execute(self, query: Any, params: Any = ..., /) -> Any: ...
    def fetchall(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Quantities:
    """Whole numbers only, so that sums are exact: `mb_ms` is megabytes times milliseconds, `byte_seconds` bytes times seconds."""

    requests: int = 0
    operations: int = 0
    mb_ms: int = 0
    bytes_written: int = 0
    byte_seconds: int = 0

    def __add__(self, other: "Quantities") -> "Quantities":
        return Quantities(
            self.requests + other.requests,
            self.operations + other.operations,
            self.mb_ms + other.mb_ms,
            self.bytes_written + other.bytes_written,
            self.byte_seconds + other.byte_seconds,
        )

    def __neg__(self) -> "Quantities":
        return Quantities(-self.requests, -self.operations, -self.mb_ms, -self.bytes_written, -self.byte_seconds)


@dataclass(frozen=True, slots=True)
class Usage:
    """`retries` are a part of `total`. `step_attempts` counts ended attempts, `active_ms` and `idle_ms` divide the wall time."""

    total: Quantities = Quantities()
    retries: Quantities = Quantities()
    step_attempts: int = 0
    active_ms: int = 0
    idle_ms: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.total + other.total,
            self.retries + other.retries,
            self.step_attempts + other.step_attempts,
            self.active_ms + other.active_ms,
            self.idle_ms + other.idle_ms,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return self + Usage(-other.total, -other.retries, -other.step_attempts, -other.active_ms, -other.idle_ms)


COUNTED = tuple(field.name for field in fields(Quantities))
COLUMNS = (*COUNTED, *(f"retry_{name}" for name in COUNTED), "step_attempts", "active_ms", "idle_ms")
"""The numbers of a Usage as columns, in the order in which USAGE_SQL answers them."""

_OPERATION_EVENTS = (
    "'ExecutionStarted', 'StepSucceeded', 'StepFailed', 'WaitStarted', 'CallbackStarted', 'ContextStarted', 'ChainedInvokeStarted'"
)

# The laterals scan an execution's own rows by primary key; the two that need windows run only where something was retried or redriven.
USAGE_SQL = f"""
select c.id, c.function, c.version, c.status, c.ended_at,
       ev.requests, ev.operations, ev.active_ms * c.memory_mb as mb_ms, b.bytes_written, b.byte_seconds,
       least(greatest(ev.requests - 1, 0), ev.failed_requests + ev.retried) as retry_requests,
       ev.retried as retry_operations,
       least(ev.active_ms, ev.failed_ms + coalesce(r.retried_ms, 0)) * c.memory_mb as retry_mb_ms,
       ev.retried_bytes as retry_bytes_written, ev.retried_byte_seconds as retry_byte_seconds,
       ev.step_attempts, ev.active_ms, greatest(c.wall_ms - coalesce(g.gone_ms, 0) - ev.active_ms, 0) as idle_ms
  from (
    select e.id, e.function, e.version, e.status, e.ended_at, e.started_at, e.forked_from, e.redrive_count, e.invocation_started_at,
           coalesce(v.memory_mb, 1024) as memory_mb, t.now,
           case when e.ended_at is null then t.now else e.ended_at + make_interval(days => e.retention_days) end as kept_until,
           floor(extract(epoch from coalesce(e.ended_at, t.now) - e.started_at) * 1000)::int8 as wall_ms,
           coalesce(octet_length(nullif(e.input, 'null')), 0) as input_bytes,
           coalesce(octet_length(nullif(e.result, 'null')), 0) + coalesce(octet_length(e.error), 0) as end_bytes
      from durable_execution e
      left join durable_function_version v on v.id = e.function_version_id
      cross join (select clock_timestamp() as now) t
     where e.id = any(%(ids)s::uuid[])
  ) c
  cross join lateral (
    select count(*) filter (where e.kind = 'InvocationCompleted') + case when c.invocation_started_at is null then 0 else 1 end as requests,
           count(*) filter (where e.kind in ({_OPERATION_EVENTS})) as operations,
           count(*) filter (where e.kind in ('StepSucceeded', 'StepFailed')) as step_attempts,
           coalesce(sum(e.ran_ms), 0)::int8 + case when c.invocation_started_at is null then 0 else
             ceil(extract(epoch from greatest(c.now - c.invocation_started_at, interval '0')) * 1000)::int8 end as active_ms,
           count(*) filter (where e.ran_ms is not null and e.has_error) as failed_requests,
           coalesce(sum(e.ran_ms) filter (where e.has_error), 0)::int8 as failed_ms,
           count(*) filter (where e.is_retried) as retried,
           coalesce(sum(e.bytes), 0)::int8 as bytes, coalesce(sum(e.bytes * e.kept), 0) as byte_seconds,
           coalesce(sum(e.bytes) filter (where e.is_retried), 0)::int8 as retried_bytes,
           coalesce(sum(e.bytes * e.kept) filter (where e.is_retried), 0) as retried_byte_seconds
      from (
        select x.type as kind, x.error is not null as has_error,
               case when x.type = 'InvocationCompleted' then ceil(extract(epoch from greatest(
                 x.at - coalesce((x.details::jsonb ->> 'StartTimestamp')::timestamptz, x.at), interval '0')) * 1000)::int8 end as ran_ms,
               x.type = 'StepFailed' and x.details like '%%NextAttemptDelaySeconds%%' as is_retried,
               coalesce(octet_length(nullif(x.payload, 'null')), 0)
                 + case when x.type = 'InvocationCompleted' then 0 else coalesce(octet_length(x.error), 0) end as bytes,
               greatest(floor(extract(epoch from c.kept_until - x.at)), 0) as kept
          from durable_event x
         where x.execution_id = c.id and (c.forked_from is null or x.at > c.started_at or x.event_id = 1)
      ) e
  ) ev
  cross join lateral (
    select coalesce(sum(o.bytes), 0)::int8 as bytes, coalesce(sum(o.bytes * o.kept), 0) as byte_seconds
      from (
        select coalesce(octet_length(nullif(x.payload, 'null')), 0) + coalesce(octet_length(x.error), 0) as bytes,
               greatest(floor(extract(epoch from c.kept_until - x.ended_at)), 0) as kept
          from durable_operation x
         where x.execution_id = c.id and x.ended_at is not null and (c.forked_from is null or x.ended_at > c.started_at)
      ) o
  ) op
  cross join lateral (
    select ev.bytes + op.bytes + c.input_bytes + c.end_bytes as bytes_written,
           ev.byte_seconds + op.byte_seconds
             + c.input_bytes * greatest(floor(extract(epoch from c.kept_until - c.started_at)), 0)
             + c.end_bytes * greatest(floor(extract(epoch from c.kept_until - coalesce(c.ended_at, c.now))), 0) as byte_seconds
  ) b
  left join lateral (
    select sum(ceil(extract(epoch from s.at - s.before) * 1000))::int8 as retried_ms
      from (select x.type, x.details, x.at, lag(x.at) over (partition by x.operation_id order by x.event_id) as before
              from durable_event x
             where x.execution_id = c.id and ev.retried > 0 and x.type in ('StepStarted', 'StepFailed')) s
     where s.type = 'StepFailed' and s.details like '%%NextAttemptDelaySeconds%%'
  ) r on true
  left join lateral (
    select sum(floor(extract(epoch from s.at - s.before) * 1000))::int8 as gone_ms
      from (select x.type, x.at, lag(x.at) over (order by x.event_id) as before
              from durable_event x
             where x.execution_id = c.id and c.redrive_count > 0 and x.type like 'Execution%%') s
     where s.type = 'ExecutionRedriven'
  ) g on true
"""  # noqa: S608  only constants of this file


@dataclass(frozen=True, slots=True)
class ExecutionUsage:
    """What one execution used up to `ended_at`, or up to now while that is None."""

    execution_id: UUID
    function: str
    version: str
    status: str
    ended_at: datetime | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class OperationUsage:
    """What one operation used. `active_ms` is the time its attempts ran, which for parallel branches may overlap."""

    operation_id: str
    title: str
    type: str
    status: str
    operations: int
    bytes_written: int
    active_ms: int


def read_usage(cursor: Cursor, ids: Collection[UUID]) -> list[ExecutionUsage]:
    """One statement; ids without an execution have no answer."""
    cursor.execute(USAGE_SQL, {"ids": list(ids)})
    return [ExecutionUsage(row[0], row[1], row[2], row[3], row[4], usage_from(row[5:])) for row in cursor.fetchall()]


def get_usage(execution_id: UUID) -> ExecutionUsage:
    """One query. Raises ExecutionNotFoundError."""
    with connection.cursor() as cursor:
        found = read_usage(cursor, [execution_id])
    if not found:
        raise ExecutionNotFoundError("There is no such execution.", execution_id=str(execution_id))
    return found[0]


def usage_from(values: Collection[int | Decimal]) -> Usage:
    """From the values of COLUMNS, in their order."""
    numbers = [int(value) for value in values]
    size = len(COUNTED)
    return Usage(Quantities(*numbers[:size]), Quantities(*numbers[size : 2 * size]), *numbers[2 * size :])


_OPERATIONS_SQL = """
select o.id, coalesce(o.name, o.sub_type, initcap(o.type)), o.type, o.status,
       case when o.type = 'STEP' then coalesce(ev.attempts, 0) else 1 end,
       coalesce(ev.bytes, 0) + case when o.ended_at is null then 0 else
         coalesce(octet_length(nullif(o.payload, 'null')), 0) + coalesce(octet_length(o.error), 0) end,
       coalesce(ev.active_ms, 0)
  from durable_operation o
  left join (
    select s.operation_id, count(*) filter (where s.type in ('StepSucceeded', 'StepFailed')) as attempts,
           sum(coalesce(octet_length(nullif(s.payload, 'null')), 0) + coalesce(octet_length(s.error), 0)) as bytes,
           sum(ceil(extract(epoch from s.at - s.before) * 1000)) filter (where s.type in ('StepSucceeded', 'StepFailed')) as active_ms
      from (select x.operation_id, x.type, x.payload, x.error, x.at,
                   lag(x.at) over (partition by x.operation_id order by x.event_id) as before
              from durable_event x where x.execution_id = %(id)s and x.operation_id is not null) s
     group by s.operation_id
  ) ev on ev.operation_id = o.id
 where o.execution_id = %(id)s
 order by 7 desc, 6 desc, o.start_event limit %(limit)s
"""


def dearest_operations(execution_id: UUID, limit: int = 25) -> list[OperationUsage]:
    """Those that ran longest first, then those that wrote most. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OPERATIONS_SQL, {"id": execution_id, "limit": limit})
        return [OperationUsage(*row[:4], *(int(value) for value in row[4:])) for row in cursor.fetchall()]
