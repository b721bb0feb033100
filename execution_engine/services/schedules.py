"""Schedules: made, changed and fired. Each firing is an execution named after its moment, so it can never start twice."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

import psycopg
from django.db import IntegrityError, connection, transaction

from execution_engine.core.calendar import Calendar, between, make_calendar
from execution_engine.core.errors import ChangedMeanwhileError, CommandError, InvalidInputError, NameTakenError
from execution_engine.core.identifiers import new_execution_id
from execution_engine.core.schedules import MAX_CATCH_UP, MAX_NAME, Overlap, ScheduleValues
from execution_engine.invocation.versions import version_to_start
from execution_engine.journal import schedules as rows
from execution_engine.journal.bell import process_bell, ring_after_commit
from execution_engine.journal.schedules import StoredSchedule
from execution_engine.journal.store import Cursor
from execution_engine.services import checks, executions
from execution_engine.services.executions import StartOptions

logger = logging.getLogger(__name__)

MAX_BACKFILL = 1_000
LATE_SECONDS = 60
"""A firing this late is on time; what is older was missed, and `catch_up` decides."""

COUNTED_SKIPS = 10_000
FIRED_AT_ONCE = 100
"""Schedules that one turn of the duty fires: a second's worth, the rest follows in the next."""


def create_schedule(values: ScheduleValues, *, created_by: str = "") -> int:
    """Answers the new id; intervals count from now. Raises `InvalidInputError`, `FunctionNotFoundError`, `NameTakenError`."""
    with transaction.atomic(), connection.cursor() as cursor:
        now = _now(cursor)
        calendar = _check(cursor, values, now)
        found = rows.insert(cursor, replace(values, rule=calendar.rule), calendar.anchor, _next(calendar, now, values), created_by)
    if found is None:
        raise _taken(values)
    return found


def change_schedule(schedule_id: int, values: ScheduleValues, *, revision: int | None = None) -> StoredSchedule:
    """Answers it as it was. A new rule counts from now. With `revision` only if nobody changed it since. Errors as `create_schedule`,
    and `ScheduleNotFoundError`, `ChangedMeanwhileError`."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            before = rows.lock(cursor, schedule_id)
            if revision is not None and revision != before.revision:
                raise ChangedMeanwhileError("somebody else changed this schedule meanwhile", revision=before.revision)
            is_same_rule = (values.rule, values.timezone) == (before.values.rule, before.values.timezone)
            calendar = _check(cursor, values, before.anchor_at if is_same_rule else before.now)
            is_on = is_same_rule and not values.is_paused and not before.values.is_paused
            due_at = before.due_at if is_on else _next(calendar, before.now, values)
            rows.write(cursor, schedule_id, replace(values, rule=calendar.rule), calendar.anchor, due_at)
    except IntegrityError as error:
        raise _taken(values) from error
    return before


def pause_schedule(schedule_id: int, *, is_paused: bool) -> StoredSchedule:
    """Pauses or resumes, whatever else is changed at the same time; answers it as it was. What fell due in a pause is not made up for.
    One that cannot fire any more can be paused all the same. Raises `ScheduleNotFoundError`."""
    with transaction.atomic(), connection.cursor() as cursor:
        before = rows.lock(cursor, schedule_id)
        if before.values.is_paused != is_paused:
            values = replace(before.values, is_paused=is_paused)
            rows.write(cursor, schedule_id, values, before.anchor_at, _next(before.calendar, before.now, values))
    return before


def delete_schedule(schedule_id: int) -> StoredSchedule:
    """Answers it as it was; what it started goes on. Raises `ScheduleNotFoundError`."""
    with transaction.atomic(), connection.cursor() as cursor:
        before = rows.lock(cursor, schedule_id)
        rows.delete(cursor, schedule_id)
    return before


def trigger_schedule(schedule_id: int, *, started_by: str = "") -> tuple[StoredSchedule, UUID | None, str]:
    """Fires now, whatever is open and though it is paused: the schedule, the execution's id and its name, after the present second. None
    when that second has fired. Raises `ScheduleNotFoundError`, `FunctionNotFoundError`."""
    with transaction.atomic(), connection.cursor() as cursor:
        schedule = rows.lock(cursor, schedule_id)
        moment = schedule.now.replace(microsecond=0)
        started = _start(cursor, schedule, [moment], started_by)
        rows.write_firing(cursor, schedule_id, schedule.due_at, execution_id=started[-1] if started else None)
    ring_after_commit()
    return schedule, started[-1] if started else None, schedule.execution_name(moment)


def backfill_moments(calendar: Calendar, start: datetime, end: datetime, now: datetime) -> list[datetime]:
    """The moments from `start` to `end`. Raises `InvalidInputError` for a range that is empty, not over, or has too many."""
    if end < start:
        raise InvalidInputError("the range ends before it begins", field="end", value=end.isoformat())
    if end > now:
        raise InvalidInputError("a range to be made up for is over: its end lies in the future", field="end", value=end.isoformat())
    if start < now - timedelta(days=366):
        raise InvalidInputError("a range begins at most 366 days ago", field="start", limit=366, value=start.isoformat())
    found = between(calendar, start, end, MAX_BACKFILL)
    if len(found) > MAX_BACKFILL:
        message = f"the range holds more than {MAX_BACKFILL} firings: choose a shorter one"
        raise InvalidInputError(message, field="end", limit=MAX_BACKFILL, value=f"more than {MAX_BACKFILL}")
    return found


def backfill_schedule(schedule_id: int, start: datetime, end: datetime, *, started_by: str = "") -> tuple[StoredSchedule, list[UUID], int]:
    """Starts what the range holds and never was started, all in one commit, whatever is open: the schedule, the new executions, and how
    many firings the range holds. At most `MAX_BACKFILL`. Raises as `backfill_moments`, and `ScheduleNotFoundError`."""
    with transaction.atomic(), connection.cursor() as cursor:
        schedule = rows.lock(cursor, schedule_id)
        moments = backfill_moments(schedule.calendar, start, end, schedule.now)
        started = _start(cursor, schedule, moments, started_by) if moments else []
    ring_after_commit()
    return schedule, started, len(moments)


def fire_due(connection: psycopg.Connection[Any]) -> int:
    """A duty: fires what is due, each schedule in a transaction of its own, in which its row is locked, its executions are inserted and
    its next moment is written. Answers how many executions began. Safe to be cut anywhere and to run in several workers at once."""
    total = 0
    for _ in range(FIRED_AT_ONCE):
        schedule = None
        try:
            with connection.transaction(), connection.cursor() as cursor:
                schedule = rows.claim(cursor)
                total += 0 if schedule is None else _fire(cursor, schedule)
        except Exception as error:
            if schedule is None or connection.closed:
                raise
            _give_up(connection, schedule, error)
        if schedule is None:
            break
    if total:
        process_bell().ring()
    return total


def _give_up(connection: psycopg.Connection[Any], schedule: StoredSchedule, error: Exception) -> None:
    """A schedule that cannot be fired must not keep those behind it from their turn."""
    logger.error("schedule %s could not be fired", schedule.values.name, exc_info=error)
    with connection.transaction(), connection.cursor() as cursor:
        following = _next(schedule.calendar, schedule.now, schedule.values)
        rows.write_firing(cursor, schedule.id, following, error=f"{type(error).__name__}: {error}"[:500], skipped=1)


def _fire(cursor: Cursor, schedule: StoredSchedule) -> int:
    """What fell due since the last look: firings on time are started, of the missed ones the latest `catch_up`, in order."""
    due_at, now, calendar = schedule.due_at, schedule.now, schedule.calendar
    assert due_at is not None
    most = schedule.values.catch_up
    behind = takewhile(lambda at: at >= due_at, calendar.upto(now))
    fresh: list[datetime] = []
    missed: list[datetime] = []
    for at in behind:
        if (now - at).total_seconds() <= LATE_SECONDS:
            fresh.append(at)
        elif len(missed) < most:
            missed.append(at)
        else:
            break
    chosen = sorted(fresh + missed)
    before = takewhile(lambda at: at < (chosen[0] if chosen else now), calendar.after(due_at - timedelta(microseconds=1)))
    skipped = sum(1 for _ in islice(before, COUNTED_SKIPS))
    started: list[UUID] = []
    error = ""
    try:
        started, left_out = _start_chosen(cursor, schedule, chosen)
        skipped += left_out
    except CommandError as refused:
        error = f"{refused.message} ({chosen[-1]:%Y-%m-%d %H:%M:%S} UTC)"
        logger.warning("schedule %s started nothing: %s", schedule.values.name, error)
    last = started[-1] if started else None
    following = _next(calendar, now, schedule.values)
    rows.write_firing(
        cursor, schedule.id, following, fired_at=chosen[-1] if chosen else None, execution_id=last, error=error, skipped=skipped
    )
    return len(started)


def _start_chosen(cursor: Cursor, schedule: StoredSchedule, moments: list[datetime]) -> tuple[list[UUID], int]:
    """The executions that began, and how many firings were left out since one was open."""
    if schedule.values.overlap is Overlap.ALLOW or not moments:
        return _start(cursor, schedule, moments, _by(schedule)) if moments else [], 0
    if rows.is_open(cursor, schedule.last_execution_id):
        return [], len(moments)
    return _start(cursor, schedule, moments[:1], _by(schedule)), len(moments) - 1


def _start(cursor: Cursor, schedule: StoredSchedule, moments: list[datetime], started_by: str) -> list[UUID]:
    """One execution per moment, but for those that were started before. Raises `FunctionNotFoundError`."""
    values = schedule.values
    options = StartOptions(
        attributes={"schedule": values.name, **values.attributes},
        started_by=started_by,
        concurrency_key=values.concurrency_key,
        priority=values.priority,
    )
    ids = [new_execution_id() for _ in moments]
    names = [schedule.execution_name(moment) for moment in moments]
    found = executions.insert(cursor, values.function, values.version, ids, names, [values.input] * len(ids), options)
    return [one for one in ids if one in found]


def _by(schedule: StoredSchedule) -> str:
    return f"schedule {schedule.values.name}"


def _next(calendar: Calendar, now: datetime, values: ScheduleValues) -> datetime | None:
    return None if values.is_paused else next(calendar.after(now), None)


def _check(cursor: Cursor, values: ScheduleValues, anchor: datetime) -> Calendar:
    """Everything that could refuse a firing is refused now, while somebody is there to read it."""
    if not 1 <= len(values.name.strip()) <= MAX_NAME:
        message = f"a schedule's name has 1 to {MAX_NAME} characters, got {len(values.name)}"
        raise InvalidInputError(message, field="name", limit=MAX_NAME, value=len(values.name))
    for field in ("name", "rule", "timezone", "function", "version"):
        checks.check_text(getattr(values, field) or "", field)
    checks.check_payload(values.input, "input")
    checks.check_attributes({"schedule": values.name, **values.attributes})
    checks.check_concurrency_key(values.concurrency_key)
    checks.check_priority(values.priority)
    if not 0 <= values.catch_up <= MAX_CATCH_UP:
        message = f"catch_up is from 0 to {MAX_CATCH_UP} missed firings, got {values.catch_up}"
        raise InvalidInputError(message, field="catch_up", limit=MAX_CATCH_UP, value=values.catch_up)
    calendar = make_calendar(values.rule, values.timezone, anchor)
    if next(calendar.after(anchor), None) is None:
        raise InvalidInputError(f"{values.rule!r} never fires", field="rule", value=values.rule)
    version_to_start(cursor, values.function, values.version)
    return calendar


def _taken(values: ScheduleValues) -> NameTakenError:
    return NameTakenError(f"there is a schedule named {values.name!r} already", field="name", value=values.name)


def _now(cursor: Cursor) -> datetime:
    cursor.execute("select clock_timestamp()")
    found: datetime = cursor.fetchone()[0]
    return found
