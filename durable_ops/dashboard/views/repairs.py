"""Stop, pause, resume and delete: GET asks, POST does it once. Redrive, fork and move, which show a plan first, are in `plans.py`."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import executions, repairs
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.acting import Question, act_once, posted
from durable_ops.dashboard.forms.fields import ReasonForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.dashboard.views.execution_actions import find_summary
from durable_ops.models import Right

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


def _ask(
    request: HttpRequest, execution_id: UUID, question: Question, act: Callable[..., Any], done: str, *, following: str | None = None
) -> HttpResponse:
    """`act` is called with the actor, the execution's id and the keyword `reason`."""
    execution = find_summary(execution_id)
    form = ReasonForm(posted(request), needs_reason=question.needs_reason)

    def done_with() -> tuple[str, str]:
        act(actor_of(request), execution_id, reason=form.cleaned_data["reason"])
        return done, following or reverse("dashboard:execution", args=[execution_id])

    answer = act_once(request, form, done_with)
    if isinstance(answer, HttpResponse):
        return answer
    context = {"form": form, "execution": execution, "question": question}
    return render_page(request, "executions/confirm.html", context, fragment="form", status=answer)
