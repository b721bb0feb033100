"""Schedules: what starts by the clock, when next, what came of it; made, changed, fired by hand and made up for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from durable_ops.actions import schedules as actions
from durable_ops.actions.actor import Actor
from durable_ops.dashboard.access import actor_of, console_view, masks_for
from durable_ops.dashboard.acting import Question, act_once, posted
from durable_ops.dashboard.forms.fields import ReasonForm, choice_field
from durable_ops.dashboard.forms.schedules import OVERLAPS, RangeForm, ScheduleForm, initial_of
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.dashboard.payloads import make_payload
from durable_ops.models import Right
from durable_ops.permissions import access_of, has_right
from execution_engine.core.calendar import make_calendar
from execution_engine.core.errors import CommandError, ScheduleNotFoundError
from execution_engine.selectors import schedules as reads
from execution_engine.selectors.functions import function_names
from execution_engine.selectors.schedules import ScheduleRow

LISTED = 500


@dataclass(frozen=True, slots=True)
class Moment:
    """One firing to come: the moment, and what the clocks of its zone show then."""

    at: datetime
    local: str


@dataclass(frozen=True, slots=True)
class Act:
    """Something to do to a schedule: what is asked before, what is said after; `perform` answers where to go on, None for the schedule."""

    question: Question
    done: str
    perform: Callable[[Actor, int, str], str | None]


def _pause(actor: Actor, schedule_id: int, reason: str) -> None:
    actions.pause_schedule(actor, schedule_id, is_paused=True, reason=reason)


def _resume(actor: Actor, schedule_id: int, reason: str) -> None:
    actions.pause_schedule(actor, schedule_id, is_paused=False, reason=reason)


def _trigger(actor: Actor, schedule_id: int, reason: str) -> str:
    execution_id, _ = actions.trigger_schedule(actor, schedule_id, reason=reason)
    return reverse("dashboard:execution", args=[execution_id]) if execution_id else reverse("dashboard:schedule", args=[schedule_id])


def _delete(actor: Actor, schedule_id: int, reason: str) -> str:
    actions.delete_schedule(actor, schedule_id, reason=reason)
    return reverse("dashboard:schedules")


ACTS = {
    "pause": Act(
        Question(
            "Pause this schedule?",
            "Nothing fires until somebody resumes it. What falls due meanwhile is not made up for; a backfill can do that.",
            "Pause 1 schedule",
            "paused",
        ),
        "Paused.",
        _pause,
    ),
    "resume": Act(
        Question("Resume this schedule?", "It fires again at its next moment.", "Resume 1 schedule", "running"), "Resumed.", _resume
    ),
    "trigger": Act(
        Question(
            "Fire this schedule now?",
            "One execution starts at once, whatever is open. The next moment stays as it is.",
            "Start 1 execution",
            "running",
        ),
        "Fired.",
        _trigger,
    ),
    "delete": Act(
        Question(
            "Delete this schedule?",
            "Nothing fires any more. What it started goes on, and its executions stay.",
            "Delete 1 schedule",
            "close",
            look="danger solid",
            needs_reason=True,
        ),
        "Deleted.",
        _delete,
    ),
}


@console_view(Right.VIEW_EXECUTION)
@require_safe
def schedule_list(request: HttpRequest) -> HttpResponse:
    rows = reads.list_schedules(access_of(request.user).functions_for(Right.VIEW_EXECUTION), limit=LISTED)
    current = token(rows)
    if is_unchanged(request, current):
        return unchanged()
    return render_page(request, "schedules/list.html", {"rows": rows, "live_url": live_url(request, current)}, fragment="rows")


@console_view(Right.VIEW_EXECUTION)
@require_safe
def schedule_detail(request: HttpRequest, schedule_id: int) -> HttpResponse:
    row = _find(request, schedule_id)
    firings = reads.last_firings(row)
    current = token(row, firings)
    if is_unchanged(request, current):
        return unchanged()
    shown = masks_for(request, row.function).text(row.input)
    may_read = has_right(request.user, Right.VIEW_PAYLOAD, row.function)
    context = {
        "schedule": row,
        "moments": _moments(reads.next_firings(row), row.timezone),
        "firings": firings,
        "may_manage": has_right(request.user, Right.MANAGE_SCHEDULES, row.function),
        "payload": make_payload("input", "Input", shown, "") if may_read else None,
        "live_url": live_url(request, current),
    }
    return render_page(request, "schedules/detail.html", context, fragment="live")


@console_view(Right.VIEW_EXECUTION)
@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """The next ten moments of what is in the form, or what is wrong with it."""
    return render_page(
        request, "schedules/edit.html", _previewed(request.GET.get("rule", ""), request.GET.get("timezone", "")), fragment="coming"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_SCHEDULES)
def new_schedule(request: HttpRequest) -> HttpResponse:
    initial = {"function": request.GET.get("function", ""), "timezone": "UTC", "catch_up": 1}
    form = ScheduleForm(posted(request), functions=_functions(request), initial=initial)

    def made() -> tuple[str, str]:
        row = actions.create_schedule(actor_of(request), form.values(None), reason=form.cleaned_data["reason"])
        return f"{row.name} is scheduled.", reverse("dashboard:schedule", args=[row.id])

    return _edit(request, form, act_once(request, form, made), None)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_SCHEDULES)
def edit_schedule(request: HttpRequest, schedule_id: int) -> HttpResponse:
    row = _find(request, schedule_id, Right.MANAGE_SCHEDULES)
    hidden = _hidden(request, row)
    initial = dict(initial_of(row)) | dict.fromkeys(hidden, "")
    form = ScheduleForm(posted(request), functions=_functions(request), initial=initial)

    def changed() -> tuple[str, str]:
        values, data = form.values(row, keeps=hidden), form.cleaned_data
        actions.change_schedule(actor_of(request), schedule_id, values, revision=data["revision"], reason=data["reason"])
        return f"{values.name} was changed.", reverse("dashboard:schedule", args=[schedule_id])

    return _edit(request, form, act_once(request, form, changed), row, hidden=hidden)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_SCHEDULES)
def act_on_schedule(request: HttpRequest, schedule_id: int, act: str) -> HttpResponse:
    """GET asks, POST does it once: pause, resume, trigger, delete."""
    chosen = ACTS.get(act)
    if chosen is None:
        raise Http404("There is nothing of that name to do to a schedule.")
    row = _find(request, schedule_id, Right.MANAGE_SCHEDULES)
    form = ReasonForm(posted(request), needs_reason=chosen.question.needs_reason)

    def done() -> tuple[str, str]:
        following = chosen.perform(actor_of(request), schedule_id, form.cleaned_data["reason"])
        return chosen.done, following or reverse("dashboard:schedule", args=[schedule_id])

    answer = act_once(request, form, done)
    if isinstance(answer, HttpResponse):
        return answer
    context = {"form": form, "schedule": row, "question": chosen.question}
    return render_page(request, "schedules/confirm.html", context, fragment="form", status=answer)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.MANAGE_SCHEDULES)
def backfill(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """GET with a range counts what it holds; POST starts it."""
    row = _find(request, schedule_id, Right.MANAGE_SCHEDULES)
    asked = request.POST if request.method == "POST" else request.GET if "start" in request.GET else None
    form = RangeForm(asked)
    count, note, status = None, "", 200
    if form.is_bound and not form.is_valid():
        status = 422
    elif form.is_bound:
        start, end = (form.cleaned_data[key].replace(tzinfo=UTC) for key in ("start", "end"))
        try:
            count = actions.backfill_count(row, start, end, timezone.now())
        except CommandError as error:
            form.add_error(None, error.message)
            status = error.status
        else:
            note = "" if count else actions.why_none(row, start, end)
            answer = act_once(request, form, lambda: _backfilled(request, row, start, end, form.cleaned_data["reason"]))
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
    context = {"schedule": row, "form": form, "count": count, "note": note}
    return render_page(request, "schedules/backfill.html", context, fragment="form", status=status)


def _backfilled(request: HttpRequest, row: ScheduleRow, start: datetime, end: datetime, reason: str) -> tuple[str, str]:
    started, firings = actions.backfill_schedule(actor_of(request), row.id, start, end, reason=reason)
    words = (
        f"Started {len(started)} of {firings} firings; the others were there already." if len(started) < firings else f"Started {firings}."
    )
    return words, reverse("dashboard:schedule", args=[row.id])


def _edit(
    request: HttpRequest, form: ScheduleForm, answer: HttpResponse | int, row: ScheduleRow | None, *, hidden: frozenset[str] = frozenset()
) -> HttpResponse:
    if isinstance(answer, HttpResponse):
        return answer
    context = {
        "form": form,
        "schedule": row,
        "functions": choice_field(form, "function").choices,
        "overlaps": OVERLAPS,
        "zones": sorted(available_timezones()),
        "hidden": hidden,
        **_previewed(str(form["rule"].value() or ""), str(form["timezone"].value() or "")),
    }
    return render_page(request, "schedules/edit.html", context, fragment="form", status=answer)


def _hidden(request: HttpRequest, row: ScheduleRow) -> frozenset[str]:
    """What this person may not read whole: the form leaves it as it is."""
    masks = masks_for(request, row.function)
    reads_input = has_right(request.user, Right.VIEW_PAYLOAD, row.function) and masks.text(row.input) == row.input
    reads_attributes = masks.attributes(row.attributes) == row.attributes
    return frozenset({*(() if reads_input else ("input",)), *(() if reads_attributes else ("attributes",))})


def _previewed(rule: str, zone: str) -> dict[str, Any]:
    if not rule.strip():
        return {"coming": [], "problem": "", "words": ""}
    try:
        calendar = make_calendar(rule, zone or "UTC", timezone.now())
        return {"coming": _moments(reads.preview(rule, zone or "UTC"), zone or "UTC"), "problem": "", "words": calendar.words}
    except CommandError as error:
        return {"coming": [], "problem": error.message, "words": ""}


def _moments(found: Sequence[datetime], zone: str) -> list[Moment]:
    return [Moment(at, f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M:%S %Z}") for at in found]


def _functions(request: HttpRequest) -> list[str]:
    allowed = access_of(request.user).functions_for(Right.MANAGE_SCHEDULES)
    return function_names() if allowed is None else sorted(allowed)


def _find(request: HttpRequest, schedule_id: int, right: Right = Right.VIEW_EXECUTION) -> ScheduleRow:
    try:
        return actions.find(actor_of(request), schedule_id, right)
    except ScheduleNotFoundError as error:
        raise Http404("There is no such schedule. It may have been deleted.") from error
