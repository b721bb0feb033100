"""Start and signal: GET shows the form (as page or in the dialog), POST acts."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import executions as actions
from durable_ops.dashboard.access import actor_of, console_view
from durable_ops.dashboard.formats import pretty_json
from durable_ops.dashboard.forms import SignalForm, StartForm
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right
from durable_ops.permissions import has_right
from execution_engine.core.errors import CommandError, ExecutionNotFoundError
from execution_engine.selectors.executions import ExecutionSummary, get_execution, get_payloads
from execution_engine.selectors.functions import function_names, function_versions


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.START_EXECUTION)
def start(request: HttpRequest) -> HttpResponse:
    functions = function_names()
    if request.method != "POST":
        form = StartForm(initial=_initial(request), functions=functions)
        return _show_start(request, form, functions)
    form = StartForm(request.POST, functions=functions)
    if form.is_valid():
        data = form.cleaned_data
        try:
            started = actions.start_execution(
                actor_of(request),
                function=data["function"],
                input=data["input"],
                version=data["version"] or None,
                name=data["name"] or None,
                attributes=data["attributes"] or None,
            )
        except CommandError as error:
            form.add_error(None, error.message)
        else:
            words = "Started" if started.created else "Already started with the same name and input:"
            messages.success(request, f"{words} {started.name}.")
            return HttpResponseRedirect(reverse("dashboard:execution", args=[started.id]))
    return _show_start(request, form, functions, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.SIGNAL_EXECUTION)
def signal(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    execution = find_summary(execution_id)
    form = SignalForm(posted(request), initial={"name": request.GET.get("name", "")})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            name = form.cleaned_data["name"]
            try:
                actions.send_signal(actor_of(request), execution_id, name=name, payload=form.cleaned_data["payload"])
            except CommandError as error:
                form.add_error(None, error.message)
                status = error.status
            else:
                messages.success(request, f"Signal {name} sent.")
                return HttpResponseRedirect(reverse("dashboard:execution", args=[execution_id]))
    return render_page(request, "executions/signal.html", {"form": form, "execution": execution}, fragment="form", status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """Also an empty body is one: its form is then told what is missing."""
    return request.POST if request.method == "POST" else None


def find_summary(execution_id: UUID) -> ExecutionSummary:
    try:
        return get_execution(execution_id).summary
    except ExecutionNotFoundError as error:
        raise Http404(error.message) from error


def _initial(request: HttpRequest) -> dict[str, Any]:
    """The chosen function, or function, version, attributes and input of the execution in `?from=`."""
    origin = request.GET.get("from", "")
    try:
        summary = get_execution(UUID(origin)).summary
    except (ValueError, ExecutionNotFoundError):
        return {"function": request.GET.get("function", ""), "version": request.GET.get("version", "")}
    text = get_payloads(summary.id).input if has_right(request.user, Right.VIEW_PAYLOAD) else None
    attributes = ", ".join(f"{key}={value}" for key, value in summary.attributes.items())
    shown = (pretty_json(text) or text) if text else ""
    return {"function": summary.function, "version": summary.version, "attributes": attributes, "input": shown, "from": summary}


def _show_start(request: HttpRequest, form: StartForm, functions: list[str], status: int = 200) -> HttpResponse:
    chosen = str(form["function"].value() or "")
    versions = function_versions(chosen) if chosen else []
    context = {"form": form, "functions": functions, "versions": versions, "origin": form.initial.get("from")}
    return render_page(request, "executions/start.html", context, fragment="versions", status=status)
