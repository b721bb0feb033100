"""Functions and their versions: how they do lately, which workers serve them, what input they expect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse

from durable_ops.dashboard.access import console_view
from durable_ops.dashboard.forms.input_form import empty_form, read_schema
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.dashboard.workers import noticeable, serving, version_names
from durable_ops.models import Right
from durable_ops.permissions import access_of, has_right
from durable_ops.selectors.masking import masking_of
from execution_engine.sdk.lint import Finding, findings_of
from execution_engine.sdk.registry import find_function
from execution_engine.selectors.executions import list_executions
from execution_engine.selectors.functions import FunctionRow, VersionRow, list_functions
from execution_engine.selectors.limits import function_limits
from execution_engine.selectors.schedules import list_schedules
from execution_engine.selectors.search import ExecutionFilters
from execution_engine.selectors.versions import VersionStats, find_version, version_stats
from execution_engine.selectors.workers import live_workers

RECENT = 10
TABS = {"versions": "Versions", "input": "Input", "code": "Code"}


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version with how it did lately."""

    row: VersionRow
    stats: VersionStats


@console_view(Right.VIEW_EXECUTION)
def function_list(request: HttpRequest) -> HttpResponse:
    visible = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
    functions, stats, workers = list_functions(visible), version_stats(visible), live_workers()
    names = version_names(version for function in functions for version in function.versions)
    current = token(functions, sorted(stats.items()), noticeable(workers))
    if is_unchanged(request, current):
        return unchanged()
    context = {
        "functions": [{"name": one.name, "versions": _lines(one, stats)} for one in functions],
        "workers": serving(workers, names),
        "live_url": live_url(request, current),
    }
    return render_page(request, "functions/list.html", context, fragment="rows")


@console_view(Right.VIEW_EXECUTION)
def function_detail(request: HttpRequest, name: str) -> HttpResponse:
    """One function; `?version=` chooses whose input and code are shown, the one registered last by default."""
    function = next(iter(list_functions(access_of(request.user).chosen(Right.VIEW_EXECUTION, name))), None)
    chosen = find_version(name, request.GET.get("version") or None)
    if function is None or chosen is None:
        raise Http404("There is no such function, or no worker has registered it yet.")
    stats = version_stats([name])
    recent = masking_of(access_of(request.user)).summaries(list_executions(ExecutionFilters(function=name), limit=RECENT).items)
    limits, schedules = function_limits([name])[name], list_schedules([name])
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "versions"
    current = token(function, sorted(stats.items()), recent, tab, limits, schedules)
    if is_unchanged(request, current):
        return unchanged()
    schema = read_schema(chosen.input_schema)
    context = {
        "function": name,
        "lines": _lines(function, stats),
        "chosen": chosen,
        "fields": empty_form(schema).fields if schema else (),
        "recent": recent,
        "limits": limits,
        "schedules": schedules,
        "may_limit": has_right(request.user, Right.MANAGE_LIMITS, name),
        "tab": tab,
        "tabs": TABS,
        "findings": _findings(name, chosen.version) if tab == "code" else None,
        "live_url": live_url(request, current),
    }
    return render_page(request, "functions/detail.html", context, fragment="live")


def _findings(name: str, version: str) -> Sequence[Finding] | None:
    """What this code would do differently on replay; None when this process does not have the code."""
    definition = find_function(name, version)
    return None if definition is None else findings_of(definition)


def _lines(function: FunctionRow, stats: Mapping[int, VersionStats]) -> list[VersionLine]:
    return [VersionLine(row, stats.get(row.id, VersionStats())) for row in function.versions]
