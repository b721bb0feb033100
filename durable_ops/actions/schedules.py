"""What people and keys do to schedules."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from durable_ops.actions.actor import Actor
from durable_ops.actions.executions import size
from durable_ops.audit import log
from durable_ops.models import Right
from durable_ops.permissions import Access
from durable_ops.selectors.masking import masking_of
from execution_engine.core.calendar import why_nothing_between
from execution_engine.core.errors import InvalidInputError, ScheduleNotFoundError
from execution_engine.core.schedules import Overlap, ScheduleValues
from execution_engine.selectors import schedules as reads
from execution_engine.selectors.schedules import ScheduleRow
from execution_engine.services import schedules

SHOWN_IDS = 100


def create_schedule(actor: Actor, values: ScheduleValues, *, reason: str = "") -> ScheduleRow:
    """Raises PermissionDenied, FunctionNotFoundError, InvalidInputError, NameTakenError."""
    actor.require(Right.MANAGE_SCHEDULES, values.function)
    with transaction.atomic():
        found = schedules.create_schedule(values, created_by=actor.name)
        log.append(actor, _act("schedule.create", found, values, reason=reason, after=_masked(_facts(values), values)))
        return reads.get_schedule(found)


def change_schedule(
    actor: Actor, schedule_id: int, values: ScheduleValues, *, revision: int | None = None, reason: str = ""
) -> ScheduleRow:
    """Sets all values at once; with `revision`, only if nobody changed the schedule since.

    Raises as `create_schedule`, and ScheduleNotFoundError, ChangedMeanwhileError.
    """
    row = find(actor, schedule_id, Right.MANAGE_SCHEDULES)
    if values.function != row.function:
        actor.require(Right.MANAGE_SCHEDULES, values.function)
        _refuse_to_carry_away(actor, row, values)
    with transaction.atomic():
        before, after = _facts(schedules.change_schedule(schedule_id, values, revision=revision).values), _facts(values)
        changed = [key for key in after if before[key] != after[key]]
        if changed:
            facts = {"before": {key: before[key] for key in changed}, "after": {key: after[key] for key in changed}}
            facts = {when: _masked(found, values) for when, found in facts.items()}
            log.append(actor, _act("schedule.change", schedule_id, values, reason=reason, **facts))
        return reads.get_schedule(schedule_id)


def pause_schedule(actor: Actor, schedule_id: int, *, is_paused: bool, reason: str = "") -> ScheduleRow:
    """Pauses or resumes. Firings that fall into a pause are not made up for. Pausing twice changes nothing and adds no second audit row."""
    find(actor, schedule_id, Right.MANAGE_SCHEDULES)
    with transaction.atomic():
        before = schedules.pause_schedule(schedule_id, is_paused=is_paused)
        if before.values.is_paused != is_paused:
            log.append(actor, _act("schedule.pause" if is_paused else "schedule.resume", schedule_id, before.values, reason=reason))
        return reads.get_schedule(schedule_id)


def delete_schedule(actor: Actor, schedule_id: int, *, reason: str = "") -> None:
    """Executions that it started go on. Raises PermissionDenied, ScheduleNotFoundError."""
    find(actor, schedule_id, Right.MANAGE_SCHEDULES)
    with transaction.atomic():
        before = schedules.delete_schedule(schedule_id)
        facts = _masked(_facts(before.values), before.values)
        log.append(actor, _act("schedule.delete", schedule_id, before.values, reason=reason, before=facts))


def trigger_schedule(actor: Actor, schedule_id: int, *, reason: str = "") -> tuple[UUID | None, str]:
    """Fires now. Returns the id of the new execution, None if this second has fired already, and its name.

    Raises PermissionDenied, ScheduleNotFoundError, FunctionNotFoundError.
    """
    find(actor, schedule_id, Right.MANAGE_SCHEDULES)
    with transaction.atomic():
        schedule, execution_id, name = schedules.trigger_schedule(schedule_id, started_by=actor.name)
        if execution_id is not None:
            log.append(actor, _act("schedule.trigger", schedule_id, schedule.values, reason=reason, execution=name))
    return execution_id, name


def backfill_schedule(actor: Actor, schedule_id: int, start: datetime, end: datetime, *, reason: str = "") -> tuple[list[UUID], int]:
    """Starts every firing of a range that was never started. Returns the new executions, and how many firings it has (at most 1,000).

    Raises PermissionDenied, ScheduleNotFoundError, FunctionNotFoundError, InvalidInputError.
    """
    find(actor, schedule_id, Right.MANAGE_SCHEDULES)
    with transaction.atomic():
        schedule, started, moments = schedules.backfill_schedule(schedule_id, start, end, started_by=actor.name)
        facts = {"start": start.isoformat(), "end": end.isoformat(), "firings": moments, "started": len(started)}
        facts["executions"] = [str(one) for one in started[:SHOWN_IDS]]
        log.append(actor, _act("schedule.backfill", schedule_id, schedule.values, reason=reason, **facts))
    return started, moments


def backfill_count(row: ScheduleRow, start: datetime, end: datetime, now: datetime) -> int:
    """How many firings a range has, before anything is started. Raises InvalidInputError as `backfill_schedule` would."""
    return len(schedules.backfill_moments(row.calendar, start, end, now))


def why_none(row: ScheduleRow, start: datetime, end: datetime) -> str:
    """A sentence for people: why a range has no firing."""
    return why_nothing_between(row.calendar, start, end)


def find_named(actor: Actor, name_or_id: str, right: Right = Right.VIEW_EXECUTION) -> ScheduleRow:
    """By name, or else by number. Raises as `find`."""
    return _visible(actor, reads.find_schedule(name_or_id), right)


def find(actor: Actor, schedule_id: int, right: Right = Right.VIEW_EXECUTION) -> ScheduleRow:
    """Raises PermissionDenied, and ScheduleNotFoundError, also for the schedule of a function that this actor may not see."""
    return _visible(actor, reads.get_schedule(schedule_id), right)


def _visible(actor: Actor, row: ScheduleRow, right: Right) -> ScheduleRow:
    actor.require(right, row.function, hidden=ScheduleNotFoundError(f"there is no schedule {row.id}", schedule=row.id))
    return row


def _refuse_to_carry_away(actor: Actor, row: ScheduleRow, values: ScheduleValues) -> None:
    """Under another function, people could read the input or attributes who may not read them under this one."""
    masks = masking_of(actor.access).of(row.function)
    reads_input = actor.may(Right.VIEW_PAYLOAD, row.function) and masks.text(row.input) == row.input
    reads_attributes = masks.attributes(row.attributes) == row.attributes
    keeps_input = row.input is not None and values.input == row.input
    keeps_attributes = bool(row.attributes) and values.attributes == row.attributes
    if (keeps_input and not reads_input) or (keeps_attributes and not reads_attributes):
        message = "You may not read all of its input and attributes, so they cannot go to another function: give new ones."
        raise InvalidInputError(message, field="function", value=values.function)


def values_of(row: ScheduleRow) -> ScheduleValues:
    values = {name: getattr(row, name) for name in ScheduleValues.__slots__}
    return ScheduleValues(**values | {"overlap": Overlap(row.overlap)})


def _facts(values: ScheduleValues) -> dict[str, Any]:
    """For the audit log, without the input."""
    facts = {**asdict(values), "overlap": values.overlap.value, "attributes": dict(values.attributes), "input_bytes": size(values.input)}
    return {name: value for name, value in facts.items() if name != "input"}


def _masked(facts: dict[str, Any], values: ScheduleValues) -> dict[str, Any]:
    """Masked attributes stay out of the audit log even if the actor may see them: others read it, and it is kept for longer."""
    masks = masking_of(Access({})).of(values.function)
    return facts | ({"attributes": masks.attributes(facts["attributes"])} if "attributes" in facts else {})


def _act(action: str, schedule_id: int, values: ScheduleValues, *, reason: str = "", **facts: Any) -> log.Act:
    told = {"schedule": values.name, **facts}
    return log.Act(action, "schedule", str(schedule_id), reason=reason, facts=told, function=values.function)
