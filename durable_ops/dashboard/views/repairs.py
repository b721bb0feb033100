"""Stop, pause, resume, redrive, fork and delete: GET shows what will happen, POST does it once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import executions, repairs
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.forms import ForkForm, ReasonForm, RedriveForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.dashboard.payloads import read_error
from durable_ops.dashboard.views.execution_actions import find_summary, posted
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.core.errors import CommandError
from execution_engine.core.records import OperationRecord
from execution_engine.selectors.executions import ExecutionSummary, get_error
from execution_engine.selectors.explain import plain_title
from execution_engine.selectors.functions import function_versions
from execution_engine.selectors.operations import list_operations, tree

SHOWN = 40


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked before something is done to an execution."""

    title: str
    text: str
    button: str
    icon: str
    look: str = "primary"
    needs_reason: bool = False
    hint: str = "Kept in the audit log."


STOP = Question(
    "Stop this execution?",
    "It ends at once and for good. A step under way may still finish outside, but its result is not kept; "
    "executions that it started go on.",
    "Stop 1 execution",
    "stopped",
    look="danger solid",
    needs_reason=True,
    hint="Kept in the audit log and in the execution's error.",
)
PAUSE = Question(
    "Pause this execution?",
    "The invocation under way ends at its next checkpoint and none follows. Timers, callbacks and signals still complete meanwhile.",
    "Pause 1 execution",
    "paused",
)
RESUME = Question("Resume this execution?", "It goes on with everything that completed meanwhile.", "Resume 1 execution", "running")
DELETE = Question(
    "Delete this execution?",
    "Its history, operations and payloads are removed for good. The audit log keeps that it was there.",
    "Delete 1 execution",
    "close",
    look="danger solid",
    needs_reason=True,
)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.STOP_EXECUTION)
def stop(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    return _ask(request, execution_id, STOP, executions.stop_execution, "Stopped. Nothing more of this execution will be done.")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.PAUSE_EXECUTION)
def pause(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    return _ask(request, execution_id, PAUSE, repairs.pause_execution, "Paused.")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.PAUSE_EXECUTION)
def resume(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    return _ask(request, execution_id, RESUME, repairs.resume_execution, "Resumed.")


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.DELETE_EXECUTION)
def delete(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    return _ask(request, execution_id, DELETE, repairs.delete_execution, "Deleted.", following=reverse("dashboard:executions"))


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.REDRIVE_EXECUTION)
def redrive(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = RedriveForm(posted(request), initial={"from_operation": request.GET.get("from_operation", "")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                repairs.redrive_execution(actor_of(request), execution_id, **form.wishes())
            except CommandError as error:
                form.add_error(None, error.message)
                status = error.status
            else:
                messages.success(request, "Redriven. What had finished is kept.")
                return HttpResponseRedirect(reverse("dashboard:execution", args=[execution_id]))
    context = {"form": form, "execution": execution, **_plan(request, execution, str(form["from_operation"].value() or ""))}
    return render_page(request, "executions/redrive.html", context, fragment="plan", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.REDRIVE_EXECUTION)
def fork(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = ForkForm(posted(request), initial={"from_operation": request.GET.get("from_operation", "")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                forked = repairs.fork_execution(actor_of(request), execution_id, **form.wishes())
            except CommandError as error:
                form.add_error(None, error.message)
                status = error.status
            else:
                messages.success(request, f"Forked as {forked.name}. The old execution stays as it is.")
                return HttpResponseRedirect(reverse("dashboard:execution", args=[forked.id]))
    context = {
        "form": form,
        "execution": execution,
        "chosen": str(form["from_operation"].value() or ""),
        "operations": tree(list_operations(execution.id)),
        "versions": function_versions(execution.function),
        "may_replace": has_right(request.user, Right.REPLACE_VALUE),
    }
    return render_page(request, "executions/fork.html", context, fragment="form", status=status)


def _plan(request: HttpRequest, execution: ExecutionSummary, chosen: str) -> dict[str, Any]:
    may_read = has_right(request.user, Right.VIEW_PAYLOAD)
    context = {
        "chosen": chosen,
        "operations": tree(list_operations(execution.id)),
        "may_replace": has_right(request.user, Right.REPLACE_VALUE),
        "error": read_error(get_error(execution.id)) if may_read else None,
    }
    try:
        plan = repairs.plan_redrive(actor_of(request), execution.id, from_operation=chosen or None)
    except CommandError as error:
        return {**context, "problem": error.message}
    groups = [
        _group("Runs again", "running", "again", "reopened under the same id; effects outside may happen a second time", plan.reopened),
        _group("Forgotten", "retrying", "close", "run anew when the function comes by", plan.removed),
        _group("Asked again", "waiting", "person", "open callbacks whose time begins anew", plan.rearmed),
        _group("Kept", "succeeded", "succeeded", "answered from the history, not run again", plan.kept),
    ]
    return {**context, "groups": [group for group in groups if group["records"]]}


def _group(title: str, tone: str, icon: str, text: str, records: tuple[OperationRecord, ...]) -> dict[str, Any]:
    names = [{"title": plain_title(one.name) or one.id[:8], "kind": one.sub_type or one.type} for one in records[:SHOWN]]
    hidden = max(len(records) - SHOWN, 0)
    return {"title": title, "tone": tone, "icon": icon, "text": text, "records": records, "shown": names, "hidden": hidden}


def _ask(
    request: HttpRequest, execution_id: UUID, question: Question, act: Callable[..., Any], done: str, *, following: str | None = None
) -> HttpResponse:
    """`act` is called with the actor, the execution's id and the keyword `reason`."""
    execution = find_summary(execution_id)
    form = ReasonForm(posted(request), needs_reason=question.needs_reason)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                act(actor_of(request), execution_id, reason=form.cleaned_data["reason"])
            except CommandError as error:
                form.add_error(None, error.message)
                status = error.status
            else:
                messages.success(request, done)
                return HttpResponseRedirect(following or reverse("dashboard:execution", args=[execution_id]))
    context = {"form": form, "execution": execution, "question": question}
    return render_page(request, "executions/confirm.html", context, fragment="form", status=status)
