"""Starts an execution, from a form that the function's input type describes or from JSON, or again from an older execution."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from durable_ops.actions import executions as actions
from durable_ops.dashboard.access import actor_of, console_view, masks_for
from durable_ops.dashboard.formats import pretty_json
from durable_ops.dashboard.forms.executions import StartForm
from durable_ops.dashboard.forms.fields import choice_field
from durable_ops.dashboard.forms.input_form import InputForm, filled_form, posted_form, read_schema, switched
from durable_ops.dashboard.htmx import render_page
from durable_ops.models import Right
from durable_ops.permissions import access_of, has_right
from execution_engine.core.errors import CommandError, ExecutionNotFoundError
from execution_engine.selectors.executions import get_execution, get_payloads
from execution_engine.selectors.functions import function_names, function_versions
from execution_engine.selectors.versions import find_version

AS_FORM, AS_JSON = "form", "json"


@dataclass(frozen=True, slots=True)
class Editor:
    """How the input is given: `form` with its fields, or as JSON (None). `can_switch`: the other way exists as well."""

    form: InputForm | None
    text: str
    can_switch: bool
    notice: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
@console_view(Right.START_EXECUTION)
def start(request: HttpRequest) -> HttpResponse:
    limits = access_of(request.user).functions_for(Right.START_EXECUTION)
    functions = function_names() if limits is None else sorted(limits)
    if request.method != "POST":
        form = StartForm(initial=_initial(request), functions=functions)
        return _show(request, form, _editor(form, _schema(form)))
    schema = _schema(StartForm(request.POST, functions=functions))
    if "switch" in request.POST:
        return _switch(request, schema, functions)
    drawn = posted_form(schema, request.POST) if schema and request.POST.get("as") == AS_FORM else None
    form = StartForm(_with_input(request.POST, drawn), functions=functions)
    if form.is_valid() and (drawn is None or drawn.text is not None):
        answer = _start(request, form)
        if answer is not None:
            return answer
    editor = Editor(drawn, request.POST.get("input", ""), can_switch=schema is not None)
    return _show(request, form, editor, status=422)


def _start(request: HttpRequest, form: StartForm) -> HttpResponse | None:
    """The address of the new execution; None with an error on the form."""
    data = form.cleaned_data
    try:
        started = actions.start_execution(
            actor_of(request),
            function=data["function"],
            input=data["input"],
            version=data["version"] or None,
            name=data["name"] or None,
            attributes=data["attributes"] or None,
            concurrency_key=data["concurrency_key"] or None,
            priority=data["priority"],
        )
    except CommandError as error:
        form.add_error(None, error.message)
        return None
    words = "Started" if started.created else "Already started with the same name and input:"
    messages.success(request, f"{words} {started.name}.")
    return HttpResponseRedirect(reverse("dashboard:execution", args=[started.id]))


def _with_input(posted: QueryDict, drawn: InputForm | None) -> QueryDict:
    """The body with the JSON that the fields make where the editor's text would stand."""
    if drawn is None:
        return posted
    body = posted.copy()
    body["input"] = drawn.text or ""
    return body


def _switch(request: HttpRequest, schema: dict[str, Any] | None, functions: list[str]) -> HttpResponse:
    to_json = request.POST["switch"] == AS_JSON
    drawn, text = switched(schema, request.POST, to_json=to_json)
    notice = "" if to_json or drawn else "The form cannot show this input: it has other fields, or is no JSON object."
    form = StartForm(initial=request.POST.dict(), functions=functions)
    return _show(request, form, Editor(drawn, text, can_switch=schema is not None, notice=notice))


def _schema(form: StartForm) -> dict[str, Any] | None:
    function, version = str(form["function"].value() or ""), str(form["version"].value() or "")
    found = find_version(function, version or None) if function else None
    return read_schema(found.input_schema) if found else None


def _editor(form: StartForm, schema: dict[str, Any] | None) -> Editor:
    text = str(form["input"].value() or "")
    return Editor(filled_form(schema, text) if schema else None, text, can_switch=schema is not None)


def _initial(request: HttpRequest) -> dict[str, Any]:
    """The chosen function, or function, version, attributes and input of the execution in `?from=`."""
    origin = request.GET.get("from", "")
    try:
        access_of(request.user).require_on(Right.VIEW_EXECUTION, UUID(origin))
        summary = get_execution(UUID(origin)).summary
    except (ValueError, ExecutionNotFoundError):
        return {key: request.GET.get(key, "") for key in ("function", "version")}
    text = get_payloads(summary.id).input if has_right(request.user, Right.VIEW_PAYLOAD, summary.function) else None
    masks = masks_for(request, summary.function, summary.id)
    text = text if masks.text(text) == text else None  # nobody starts anything with dots in the place of values
    summary = masks.summary(summary)
    attributes = ", ".join(f"{key}={value}" for key, value in summary.attributes.items())
    shown = (pretty_json(text) or text) if text else ""
    return {"function": summary.function, "version": summary.version, "attributes": attributes, "input": shown, "from": summary}


def _show(request: HttpRequest, form: StartForm, editor: Editor, status: int = 200) -> HttpResponse:
    chosen = str(form["function"].value() or "")
    context = {
        "form": form,
        "functions": choice_field(form, "function").choices,
        "versions": function_versions(chosen) if chosen else [],
        "origin": form.initial.get("from"),
        "editor": editor,
    }
    return render_page(request, "executions/start.html", context, fragment="chosen", status=status)
