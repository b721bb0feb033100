"""Schedules, the moments before and after now, and what they started."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Q

from execution_engine.core.calendar import Calendar, make_calendar
from execution_engine.core.errors import ScheduleNotFoundError
from execution_engine.core.identifiers import read_number
from execution_engine.core.schedules import execution_name
from execution_engine.models import Schedule
from execution_engine.selectors.executions import ExecutionSummary, named_executions

SHOWN = 10


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One schedule as people see it; `input` is JSON text, `interval` the seconds of a rule that is one, `due_at` the next firing."""

    id: int
    name: str
    function: str
    version: str | None
    rule: str
    timezone: str
    input: str | None
    attributes: Mapping[str, Any]
    concurrency_key: str | None
    priority: int | None
    overlap: str
    catch_up: int
    is_paused: bool
    anchor_at: datetime
    due_at: datetime | None
    last_fired_at: datetime | None
    last_execution_id: UUID | None
    last_error: str
    skipped: int
    created_at: datetime
    created_by: str
    revision: int

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.rule, self.timezone, self.anchor_at)

    @property
    def interval(self) -> int | None:
        return self.calendar.interval


@dataclass(frozen=True, slots=True)
class Firing:
    """A moment that is over; `execution` is None when it started nothing, or what it started is purged."""

    moment: datetime
    name: str
    execution: ExecutionSummary | None


def list_schedules(functions: Collection[str] | None = None, *, after_name: str = "", limit: int = 200) -> list[ScheduleRow]:
    """By name, those behind `after_name`, of these functions (None: of all). One query."""
    found = Schedule.objects.filter(name__gt=after_name).order_by("name")
    found = found if functions is None else found.filter(function__in=functions)
    return [ScheduleRow(**row) for row in found.values(*ScheduleRow.__dataclass_fields__)[:limit]]


def get_schedule(schedule_id: int) -> ScheduleRow:
    """One query. Raises `ScheduleNotFoundError`."""
    row = Schedule.objects.filter(id=schedule_id).values(*ScheduleRow.__dataclass_fields__).first()
    if row is None:
        raise ScheduleNotFoundError(f"there is no schedule {schedule_id}", schedule=schedule_id)
    return ScheduleRow(**row)


def find_schedule(name_or_id: str) -> ScheduleRow:
    """By name, else by number. One query. Raises `ScheduleNotFoundError`."""
    number = read_number(name_or_id) or 0
    rows = list(Schedule.objects.filter(Q(name=name_or_id) | Q(id=number)).values(*ScheduleRow.__dataclass_fields__))
    if not rows:
        raise ScheduleNotFoundError(f"there is no schedule {name_or_id}", schedule=name_or_id)
    return ScheduleRow(**next((row for row in rows if row["name"] == name_or_id), rows[0]))


def preview(rule: str, timezone: str, number: int = SHOWN, *, since: datetime | None = None) -> list[datetime]:
    """The next moments of a rule that nobody saved yet; intervals count from now. Raises `InvalidInputError`."""
    start = since or datetime.now(UTC)
    return list(islice(make_calendar(rule, timezone, start).after(start), number))


def next_firings(schedule: ScheduleRow, number: int = SHOWN) -> list[datetime]:
    """None while it is paused."""
    if schedule.due_at is None:
        return []
    return [schedule.due_at, *islice(schedule.calendar.after(schedule.due_at), number - 1)]


def last_firings(schedule: ScheduleRow, number: int = SHOWN) -> list[Firing]:
    """The latest moments up to the last firing, latest first, whatever came of them. By name, so that the index finds them at once."""
    if schedule.last_fired_at is None:
        return []
    moments = [at for at in islice(schedule.calendar.upto(schedule.last_fired_at), number) if at >= schedule.created_at]
    names = [execution_name(schedule.id, at) for at in moments]
    found = {one.name: one for one in named_executions(schedule.function, names)}
    return [Firing(at, name, found.get(name)) for at, name in zip(moments, names, strict=True)]
