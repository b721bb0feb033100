"""Redrive, fork and move: GET shows what would happen, rehearsed with the code loaded here, POST does it once.

A POST with `plan` shows it too, with the values that were typed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import redrive_requests, repairs
from durable_ops.actions.protection import needs_second_person
from durable_ops.actions.redrive_requests import Wish
from durable_ops.dashboard.access import actor_of, console_view, masks_for
from durable_ops.dashboard.acting import act_once, posted
from durable_ops.dashboard.forms.repairs import ForkForm, MoveForm, RedriveForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.dashboard.payloads import Payload, error_context, is_tagged, make_payload
from durable_ops.dashboard.views.execution_actions import find_summary
from durable_ops.models import Right
from durable_ops.permissions import access_of, has_right
from execution_engine.core.errors import CommandError
from execution_engine.core.records import OperationRecord
from execution_engine.invocation.rehearsal.findings import Rehearsal, Verdict
from execution_engine.selectors.executions import ExecutionSummary, get_payloads
from execution_engine.selectors.explain import plain_title
from execution_engine.selectors.functions import function_versions
from execution_engine.selectors.inflight import Scope, VersionCheck, deploy_check
from execution_engine.selectors.operations import get_operation, list_operations, tree

SHOWN = 40
Records = tuple[OperationRecord, ...]
CHECK = Scope(everything=True, sample=20, seconds=2.0, budget=2.0)
"""What the page about a deploy looks at; `manage.py check_inflight` looks at everything."""

_TONES = {Verdict.FITS: "succeeded", Verdict.DIVERGES: "failed", Verdict.FAILS: "failed", Verdict.UNFINISHED: "failed"}
_SENTENCES = {
    Verdict.FITS: "The code that is loaded here fits what is recorded.",
    Verdict.DIVERGES: "The code that is loaded here does not fit what is recorded.",
    Verdict.FAILS: "The code that is loaded here fails before it does anything new:",
    Verdict.UNFINISHED: "The rehearsal was given up:",
    Verdict.EFFECT: "It could not be rehearsed to its end:",
    Verdict.MISSING: "Nothing was rehearsed:",
    Verdict.UNKNOWN: "Nothing was rehearsed:",
}


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.REDRIVE_EXECUTION)
def redrive(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = RedriveForm(posted(request), initial={"from_operation": request.GET.get("from_operation", "")})

    def act() -> tuple[str, str]:
        wishes = form.wishes()
        if wishes.keys() & {"result", "input"} and needs_second_person(execution.function):
            asked = redrive_requests.ask(actor_of(request), execution_id, Wish(**wishes))
            return "Asked for: a second person has to confirm it.", reverse("dashboard:redrive_request", args=[asked.pk])
        repairs.redrive_execution(actor_of(request), execution_id, **wishes)
        return "Redriven. What had finished is kept.", reverse("dashboard:execution", args=[execution_id])

    answer = act_once(request, form, act)
    if isinstance(answer, HttpResponse):
        return answer
    chosen = str(form["from_operation"].value() or "")
    context = {
        **_shared(request, execution, chosen),
        **_plan(lambda: _repair_groups(repairs.plan_redrive(actor_of(request), execution_id, **form.planned()))),
        **error_context(request, execution),
    }
    return render_page(request, "executions/redrive.html", {"form": form, **context}, fragment="plan", status=answer)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.REDRIVE_EXECUTION)
def fork(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = ForkForm(posted(request), initial={name: request.GET.get(name, "") for name in ("from_operation", "version")})

    def act() -> tuple[str, str]:
        forked = repairs.fork_execution(actor_of(request), execution_id, **form.wishes())
        return f"Forked as {forked.name}. The old execution stays as it is.", reverse("dashboard:execution", args=[forked.id])

    answer = act_once(request, form, act)
    if isinstance(answer, HttpResponse):
        return answer
    context = {
        **_shared(request, execution, str(form["from_operation"].value() or "")),
        **_plan(lambda: _repair_groups(repairs.plan_fork(actor_of(request), execution_id, **form.planned()))),
        "versions": function_versions(execution.function),
    }
    return render_page(request, "executions/fork.html", {"form": form, **context}, fragment="plan", status=answer)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.REDRIVE_EXECUTION)
def move(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """`?version=` chooses where to; the version registered last by default."""
    execution = find_summary(execution_id)
    versions = [one for one in function_versions(execution.function) if one != execution.version]
    form = MoveForm(posted(request), initial={"version": request.GET.get("version") or next(iter(versions), "")})

    def act() -> tuple[str, str]:
        repairs.move_execution(actor_of(request), execution_id, **form.cleaned_data)
        return f"Moved to version {form.cleaned_data['version']}.", reverse("dashboard:execution", args=[execution_id])

    answer = act_once(request, form, act)
    if isinstance(answer, HttpResponse):
        return answer
    version = str(form["version"].value() or "")
    context = {"form": form, "execution": execution, "versions": versions, "chosen": version}
    if version:
        context |= _plan(lambda: _move_groups(repairs.plan_move(actor_of(request), execution_id, version=version).rehearsal))
    return render_page(request, "executions/move.html", context, fragment="plan", status=answer)


@console_view(Right.VIEW_PAYLOAD)
def check(request: HttpRequest) -> HttpResponse:
    """What the code of this process would do to the executions that are open: a sample of each version, for two seconds.

    What it raises may quote payloads, hence the right.
    """
    functions = access_of(request.user).functions_for(Right.VIEW_PAYLOAD)
    scope = CHECK if functions is None else replace(CHECK, functions=tuple(sorted(functions)) or ("",))
    found = deploy_check(scope)
    found = replace(found, versions=tuple(_readable(request, one) for one in found.versions))
    return render_page(request, "functions/check.html", {"check": found, "scope": CHECK}, fragment="found")


def _readable(request: HttpRequest, found: VersionCheck) -> VersionCheck:
    """Without the words of errors where something is masked for whoever looks."""
    if not masks_for(request, found.function).paths:
        return found
    return replace(found, problems=tuple(replace(one, rehearsal=one.rehearsal.without_messages()) for one in found.problems))


def _shared(request: HttpRequest, execution: ExecutionSummary, chosen: str) -> dict[str, Any]:
    operations = tree(list_operations(execution.id))
    may_replace = has_right(request.user, Right.REPLACE_VALUE, execution.function)
    old = _old_values(request, execution, chosen) if may_replace else []
    return {"execution": execution, "chosen": chosen, "operations": operations, "may_replace": may_replace, "old_values": old}


def _old_values(request: HttpRequest, execution: ExecutionSummary, chosen: str) -> list[Payload]:
    """What an edit would replace, as this reader may see it: the input, and what the chosen operation has answered."""
    if not has_right(request.user, Right.VIEW_PAYLOAD, execution.function):
        return []
    masks = masks_for(request, execution.function, execution.id)
    given = masks.text(get_payloads(execution.id).input)
    made = [make_payload("input", "Input", given, reverse("dashboard:payload", args=[execution.id, "input"]))]
    if found := get_operation(execution.id, chosen) if chosen else None:
        address = reverse("dashboard:operation_payload", args=[execution.id, found.row.id, "payload"])
        answer = masks.operation(found).payload
        made.append(make_payload("result", f"Result of {found.row.title}", answer, address, is_tagged=is_tagged(found.row)))
    return [one for one in made if one is not None]


def _plan(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A refusal is what the page says in place of the plan."""
    try:
        return make()
    except CommandError as error:
        return {"problem": error.message}


def _repair_groups(plan: repairs.RepairPlan) -> dict[str, Any]:
    groups = [
        _group("Runs again", "running", "again", "reopened under the same id", plan.reopened),
        _group("Forgotten", "retrying", "close", "run anew when the function comes by", plan.removed),
        _group("Asked again", "waiting", "person", "open callbacks whose time begins anew", plan.rearmed),
        _group("May happen twice", "retrying", "alert", "steps that ran before; what they did outside may be done again", plan.effects),
        _group("Begins anew", "waiting", "clock", "waits and callbacks start from zero", plan.waits),
        _group("Children", "queued", "branch", "executions that are redriven or started anew", plan.children),
        _group("Kept", "succeeded", "succeeded", "answered from the history, not run again", plan.kept),
    ]
    return {"groups": [group for group in groups if group["records"]], "rehearsal": _rehearsed(plan.rehearsal)}


def _move_groups(found: Rehearsal) -> dict[str, Any]:
    groups = [
        _group("May happen twice", "retrying", "alert", "steps under way; the new code runs them again", found.effects),
        _group("Still waits", "waiting", "clock", "timers and callbacks go on as they are", _without(found.waiting, found.children)),
        _group("Children", "queued", "branch", "executions that go on by themselves and answer the new code", found.children),
        _group("Not reached", "queued", "info", "recorded behind the point up to which can be seen", found.not_reached),
        _group("Kept", "succeeded", "succeeded", "answered from the history, not run again", found.kept),
    ]
    return {"groups": [group for group in groups if group["records"]], "rehearsal": _rehearsed(found)}


def _without(records: Records, others: Records) -> Records:
    return tuple(one for one in records if one not in others)


def _rehearsed(found: Rehearsal) -> dict[str, Any]:
    return {
        "tone": _TONES.get(found.verdict, "retrying"),
        "sentence": _SENTENCES[found.verdict],
        "problem": f"{found.problem} ({found.where})" if found.where else found.problem,
        "divergences": found.divergences[:SHOWN],
        "next": [plain_title(place.name) or str(place) for place in found.next[:SHOWN]],
        "fits": found.verdict.is_safe,
    }


def _group(title: str, tone: str, icon: str, text: str, records: Records) -> dict[str, Any]:
    names = [{"title": plain_title(one.name) or one.id[:8], "kind": one.sub_type or one.type} for one in records[:SHOWN]]
    hidden = max(len(records) - SHOWN, 0)
    return {"title": title, "tone": tone, "icon": icon, "text": text, "records": records, "shown": names, "hidden": hidden}
