"""Finds what webhooks want to know of executions. The engine writes nothing for it: a duty reads ends and waits by their indexes.

Each pass keeps its place in a cursor that moves with the deliveries it promised, in one transaction. What was committed late lies
behind the pass that is close to now; later passes find it, and an event that was promised before is not promised again.
"""

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from durable_ops.models import EventCursor, Webhook
from durable_ops.webhooks import facts
from durable_ops.webhooks.events import Event, EventType, listeners, promise
from execution_engine.selectors.ended_executions import ENDED_AFTER_SQL

PASSES = {"ends": 1, "ends-soon": 15, "ends-late": 6 * 3600, "waits": 1, "waits-soon": 60}
"""How many seconds each pass stays behind now."""

PAGE = 500
TURN_SECONDS = 1.0
KINDS = {"ends": (EventType.ENDED, EventType.FAILED), "waits": (EventType.WAITING,)}

_FIRST = UUID(int=0)
_FAILED = frozenset({"FAILED", "TIMED_OUT"})

_ENDS = f"""
select e.id, e.ended_at, '', e.function, e.version, e.name, e.status, e.started_at, e.traceparent, e.correlation_id,
       left(substring(e.error from '"ErrorType" *: *"([^"]*)"'), 200)
  from ({ENDED_AFTER_SQL}) found join durable_execution e on e.id = found.id
 order by found.ended_at, found.id
"""  # noqa: S608  only constants
# Index: operation_pending_callbacks. What was answered meanwhile waits no more, and nobody is told.
_WAITS = """
select o.execution_id, o.started_at, o.id, e.function, e.version, e.name, e.status, e.started_at, e.traceparent, e.correlation_id,
       o.callback_id, o.name, coalesce(o.options like '%%"approval"%%', false), o.due_at
  from durable_operation o join durable_execution e on e.id = o.execution_id
 where o.type = 'CALLBACK' and o.status = 'STARTED' and o.sub_type is distinct from 'Signal' and e.ended_at is null
   and o.started_at >= %(at)s and (o.started_at, o.execution_id, o.id) > (%(at)s, %(id)s, %(operation)s)
   and o.started_at < statement_timestamp() - make_interval(secs => %(behind)s)
 order by o.started_at, o.execution_id, o.id limit %(limit)s
"""


def turn(_: Any = None, *, behind: int | None = None) -> int:
    """A duty: promises what happened since the last turn, for at most a second; answers how many ends and waits were looked at.

    `behind` replaces the seconds that each pass stays behind now.
    """
    stop, seen = time.monotonic() + TURN_SECONDS, 0
    listening = {kind: listeners(types) for kind, types in KINDS.items()}
    for name, seconds in PASSES.items():
        kind = name.partition("-")[0]
        hooks = listening[kind]
        while hooks and time.monotonic() < stop:
            count = _page(name, kind, hooks, seconds if behind is None else behind)
            seen += count
            if count < PAGE:
                break
    return seen


def _page(name: str, kind: str, hooks: Collection[Webhook], behind: int) -> int:
    since = min(hook.active_since for hook in hooks)
    with transaction.atomic():
        cursor = EventCursor.objects.select_for_update(skip_locked=True).filter(name=name).first()
        if cursor is None:
            # Somebody else holds it, or it is not there yet and is read at the next turn.
            EventCursor.objects.bulk_create([EventCursor(name=name, at=since, execution_id=_FIRST)], ignore_conflicts=True)
            return 0
        if cursor.at < since:  # nobody listened for a while
            cursor.at, cursor.execution_id, cursor.operation_id = since, _FIRST, ""
        rows = _rows(_ENDS if kind == "ends" else _WAITS, cursor, behind)
        if not rows:
            return 0
        promise([event for row in rows for event in (_ends(row) if kind == "ends" else _waits(row))], hooks)
        last = rows[-1]
        EventCursor.objects.filter(name=name).update(at=last[1], execution_id=last[0], operation_id=last[2])
    return len(rows)


def _rows(statement: str, place: EventCursor, behind: int) -> list[tuple[Any, ...]]:
    params: dict[str, Any] = {"at": place.at, "id": place.execution_id, "operation": place.operation_id, "behind": behind, "limit": PAGE}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def _ends(row: tuple[Any, ...]) -> list[Event]:
    execution_id, ended_at, _, function, *_, error_type = row
    status = row[6]
    data = {**_execution(row), "ended_at": ended_at.isoformat(), "error_type": error_type}
    types = [EventType.ENDED, *([EventType.FAILED] if status in _FAILED else [])]
    key = f"{execution_id}:{ended_at.isoformat()}"
    return [Event(one, key, ended_at, function, execution_id, data, _trace(row)) for one in types]


def _waits(row: tuple[Any, ...]) -> list[Event]:
    execution_id, at, operation_id, function = row[:4]
    callback_id, name, is_approval, due_at = row[10:]
    waits = {"callback_id": callback_id, "name": name, "due_at": facts.text(due_at), "since": facts.text(at)}
    data = {**_execution(row), "waiting_for": "approval" if is_approval else "callback", "callback": waits}
    # A redrive lets the same operation wait anew.
    return [Event(EventType.WAITING, f"{execution_id}:{operation_id}:{at.isoformat()}", at, function, execution_id, data, _trace(row))]


def _execution(row: tuple[Any, ...]) -> dict[str, Any]:
    started_at: datetime = row[7]
    return facts.execution(row[0], function=row[3], version=row[4], name=row[5], status=row[6], started_at=started_at)


def _trace(row: tuple[Any, ...]) -> dict[str, str]:
    return facts.trace(traceparent=row[8], correlation_id=row[9])
