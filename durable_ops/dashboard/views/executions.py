"""The list of executions and the strip of counts above it."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from durable_ops.actions import views as actions
from durable_ops.actions.batches import RIGHTS as BATCH_RIGHTS
from durable_ops.approvals.asked import Asked, asked_of
from durable_ops.dashboard.access import actor_of, console_view, person_of
from durable_ops.dashboard.columns import ALWAYS, COLUMNS, OF_APPROVALS, USUAL, USUAL_OF_FAILURES, Column, chosen_columns
from durable_ops.dashboard.formats import count_text
from durable_ops.dashboard.htmx import is_unchanged, live_url, render_page, token, unchanged
from durable_ops.models import Batch, Right, SavedView
from durable_ops.permissions import access_of, has_right
from durable_ops.selectors import exports
from durable_ops.selectors.failures import failures_of
from durable_ops.selectors.masking import masking_of
from durable_ops.selectors.searches import KEYS, Search, read_search, told_address
from durable_ops.web.downloads import download
from execution_engine.core.enums import ExecutionStatus
from execution_engine.core.errors import CommandError, InvalidInputError
from execution_engine.selectors.executions import Page, count_executions, list_executions
from execution_engine.selectors.explain import StateCode
from execution_engine.selectors.functions import function_names
from execution_engine.selectors.overview import Overview, overview
from execution_engine.selectors.search import Precision
from execution_engine.selectors.workers import served_version_ids

PAGE_SIZE = 50
FACET_WORDS = {
    StateCode.QUEUED: "Queued",
    StateCode.RUNNING: "Running",
    StateCode.RETRYING: "Retrying",
    StateCode.WAITING: "Timer",
    StateCode.WAITING_FOR_APPROVAL: "Approval",
    StateCode.WAITING_FOR_CALLBACK: "Callback",
    StateCode.WAITING_FOR_SIGNAL: "Signal",
    StateCode.WAITING_FOR_CHILD: "Child",
    StateCode.POLLING: "Polling",
    StateCode.PAUSED: "Paused",
    StateCode.STRANDED: "Stranded",
    StateCode.SUCCEEDED: "Succeeded",
    StateCode.FAILED: "Failed",
    StateCode.TIMED_OUT: "Timed out",
    StateCode.STOPPED: "Stopped",
}
ALWAYS_SHOWN = frozenset(
    {StateCode.QUEUED, StateCode.RUNNING, StateCode.RETRYING, StateCode.WAITING, StateCode.WAITING_FOR_CALLBACK}
    | {StateCode.STRANDED, StateCode.SUCCEEDED, StateCode.FAILED}
)
FAILED = frozenset({ExecutionStatus.FAILED.value, ExecutionStatus.TIMED_OUT.value})
ON_TOP = ("q", "function", "attribute")
"""Fields of the filter bar itself; the others stand in its second row."""


@console_view(Right.VIEW_EXECUTION)
def execution_list(request: HttpRequest) -> HttpResponse:
    read = read_search(request.GET.dict(), access_of(request.user))
    if (found := _whole_id(read.filters.text)) is not None:
        return HttpResponseRedirect(reverse("dashboard:execution", args=[found]))
    is_refresh = "seen" in request.GET
    functions = access_of(request.user).functions_for(Right.VIEW_EXECUTION)
    summary = None if is_refresh else overview(functions)
    served = served_version_ids() if summary is None else summary.served
    page, problems = _page(request, read, served)
    columns = _chosen(request)
    asked = _asked(page, columns)
    is_told_why = any(column.key == "error" for column in columns)
    failures = failures_of(page.items, access_of(request.user)) if is_told_why else {}
    current = token([(item.id, item.event_seq, item.state, item.status_text, asked.get(item.id)) for item in page.items])
    if is_unchanged(request, current):
        return unchanged()
    is_first = not request.GET.get("cursor")
    # New executions appear on the first page only; further pages change as long as one of theirs is open.
    is_live = is_first or any(not item.is_terminal for item in page.items)
    context: dict[str, Any] = {
        "page": page,
        "read": read,
        "query": {key: request.GET.get(key, "") for key in KEYS},
        "problems": problems,
        "is_first": is_first,
        "columns": columns,
        "rows": [(item, asked.get(item.id), failures.get(item.id)) for item in page.items],
        "count": _count(read, served) if is_first and read.is_narrow else None,
        "live_url": live_url(request, current) if is_live else None,
        "next_url": _with(request, cursor=page.next_cursor) if page.next_cursor else None,
        "first_url": _with(request, cursor=None),
        "search_query": _search_query(request),
        "acts": [(act, words) for act, words in Batch.Act.choices if has_right(request.user, BATCH_RIGHTS[Batch.Act(act)])],
        "export_limit": exports.LARGEST,
    }
    if summary is not None:
        names = function_names() if functions is None else sorted(functions)
        context |= {"functions": names, "facets": _facets(request, summary, read), **_choices(request)}
    return render_page(request, "executions/list.html", context, fragment="rows", url=None if is_refresh else _with(request))


@console_view(Right.VIEW_EXECUTION)
def counts(request: HttpRequest) -> HttpResponse:
    """The strip above the list; its links keep the other filters of the page that asks."""
    found = overview(access_of(request.user).functions_for(Right.VIEW_EXECUTION))
    current = token(sorted(found.counts.items()))
    if is_unchanged(request, current):
        return unchanged()
    context = {"facets": _facets(request, found, read_search(request.GET.dict(), access_of(request.user)))}
    return render_page(request, "executions/list.html", context, fragment="facets")


@console_view(Right.VIEW_EXECUTION)
@require_safe
def export_list(request: HttpRequest, form: str) -> HttpResponseBase:
    """The list as a file, `csv` or `json`. A search that is not understood is refused, because half of it would be another search."""
    if form not in ("csv", "json"):
        raise Http404("There is no such export.")
    read = read_search(request.GET.dict(), access_of(request.user))
    if read.problems:
        return HttpResponse("\n".join(problem.text for problem in read.problems), status=400, content_type="text/plain; charset=utf-8")
    rows = exports.matching_rows(read.filters, access_of(request.user))
    return download(exports.lines_of(rows, form), "executions", form)


@console_view(Right.VIEW_EXECUTION)
@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    try:
        view = actions.save_view(actor_of(request), name=request.POST.get("name", ""), query=request.POST.get("query", ""))
    except CommandError as error:
        return HttpResponse(error.message, status=error.status, content_type="text/plain; charset=utf-8")
    return HttpResponseRedirect(reverse("dashboard:view", args=[view.pk]))


@console_view(Right.VIEW_EXECUTION)
@require_POST
def remove_view(request: HttpRequest, view_id: int) -> HttpResponse:
    try:
        actions.remove_view(actor_of(request), view_id)
    except CommandError as error:
        raise Http404(error.message) from error
    return HttpResponseRedirect(reverse("dashboard:executions"))


@console_view(Right.VIEW_EXECUTION)
@require_safe
def open_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Leads to what the saved view shows now; this address can be shared."""
    query = SavedView.objects.filter(pk=view_id).values_list("query", flat=True).first()
    if query is None:
        raise Http404("There is no such view; its owner may have removed it.")
    return HttpResponseRedirect(f"{reverse('dashboard:executions')}?{told_address(query, access_of(request.user))}")


def _page(request: HttpRequest, read: Search, served: frozenset[int]) -> tuple[Page, list[str]]:
    problems = [problem.text for problem in read.problems]
    try:
        found = list_executions(read.filters, request.GET.get("cursor"), PAGE_SIZE, served=served)
    except InvalidInputError as error:
        problems.append(error.message)
        found = list_executions(read.filters, None, PAGE_SIZE, served=served)
    masking = masking_of(access_of(request.user))
    return replace(found, items=tuple(masking.summaries(found.items))), problems


def _asked(page: Page, columns: tuple[Column, ...]) -> dict[UUID, Asked]:
    is_shown = any(column.key in OF_APPROVALS for column in columns)
    return asked_of([item.id for item in page.items if not item.is_terminal]) if is_shown else {}


def _count(read: Search, served: frozenset[int]) -> str:
    found = count_executions(read.filters, served=served)
    if found.precision is Precision.AT_LEAST:
        return f"{found.number:,} among the newest that were looked at"
    return f"{count_text(found.number, is_estimated=found.precision is Precision.ESTIMATED)} in all"


def _choices(request: HttpRequest) -> dict[str, Any]:
    chosen = {column.key for column in _chosen(request)}
    optional = [column for key, column in COLUMNS.items() if key not in ALWAYS]
    return {
        "statuses": [status.value for status in ExecutionStatus],
        "views": SavedView.objects.filter(user=person_of(request)).order_by("name"),
        "column_choices": [(column.key, column.words, column.key in chosen) for column in optional],
        "has_more_filters": any(request.GET.get(key) for key in KEYS if key not in (*ON_TOP, "state", "parent")),
    }


def _facets(request: HttpRequest, found: Overview, read: Search) -> dict[str, object]:
    chosen = read.filters.state
    current = token(sorted(found.counts.items()))
    query = request.GET.copy()
    query["seen"] = current
    items = [
        {
            "code": code,
            "words": words,
            "count": count_text(found.counts.get(code, 0), is_estimated=code in found.estimated),
            "is_empty": not found.counts.get(code),
            "is_chosen": code == chosen,
            "url": _with(request, state=None if code == chosen else code.value, cursor=None),
        }
        for code, words in FACET_WORDS.items()
        if code in ALWAYS_SHOWN or code == chosen or found.counts.get(code)
    ]
    return {
        "items": items,
        "total": count_text(found.total, is_estimated=bool(found.estimated)),
        "all_url": _with(request, state=None, cursor=None),
        "is_all": chosen is None,
        "live_url": f"{reverse('dashboard:counts')}?{query.urlencode()}",
    }


def _columns(request: HttpRequest) -> str:
    """The form sends one value per column, an address holds them in one, and none when they are the usual."""
    text = ",".join(request.GET.getlist("columns"))
    return "" if chosen_columns(text) in (chosen_columns("", USUAL), chosen_columns("", USUAL_OF_FAILURES)) else text


def _chosen(request: HttpRequest) -> tuple[Column, ...]:
    """Of failures the usual columns are others, for who may read errors."""
    asked = {request.GET.get("state", "").upper(), request.GET.get("status", "").upper()}
    is_of_failures = bool(request.GET.get("error") or asked & FAILED) and has_right(request.user, Right.VIEW_PAYLOAD)
    return chosen_columns(_columns(request), USUAL_OF_FAILURES if is_of_failures else USUAL)


def _search_query(request: HttpRequest, **changes: str | None) -> str:
    """What a saved view, an export or a batch takes of the address: without page and token, or with `changes`."""
    query = {**request.GET.dict(), "columns": _columns(request), "seen": None, "cursor": None, **changes}
    return urlencode({key: value for key, value in query.items() if value and str(value).strip()})


def _with(request: HttpRequest, **changes: str | None) -> str:
    query = _search_query(request, **{"cursor": request.GET.get("cursor"), **changes})
    path = reverse("dashboard:executions")
    return f"{path}?{query}" if query else path


def _whole_id(text: str) -> UUID | None:
    """Somebody pasted the id (or the ARN, which ends with it) of one execution."""
    try:
        return UUID(text.rpartition("/")[2]) if len(text) >= 32 else None
    except ValueError:
        return None
